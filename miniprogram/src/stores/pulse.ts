import { defineStore } from 'pinia'
import { ref } from 'vue'
import { api } from '@/api/client'
import { ApiError, SessionError } from '@/api/errors'
import type { LedgerRecord } from '@/api/types'

const INTERVAL_MS = 1500
const SLOWEST_MS = 15_000
/** A record that is older than this when it is first seen is history, not news. */
const NEWS_MS = 10 * 60_000
const NOTICE_MS = 12_000
/** What the person just did themselves, on a page that says how it went. */
const OWN = new Set<LedgerRecord['kind']>(['topup', 'sale'])

/**
 * Watches for new records while a page of the owner is visible, so that a deduction shows within two
 * seconds without reload. Several pages may watch; polling stops when none does.
 */
export const usePulse = defineStore('pulse', () => {
  const notice = ref<LedgerRecord | null>(null)
  const listeners = new Set<(items: LedgerRecord[]) => void>()
  let since: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let noticeTimer: ReturnType<typeof setTimeout> | undefined
  let pause = INTERVAL_MS
  let generation = 0

  async function tick(run: number): Promise<void> {
    try {
      const answer = await api.get('/api/owner/pulse', { query: { since } })
      if (run !== generation) return
      pause = INTERVAL_MS
      const items = since === undefined ? [] : (answer.items ?? [])
      since = answer.seq
      if (items.length) announce(items)
    } catch (error) {
      if (run !== generation) return
      // Nobody is logged in, or is no member (yet): the next page visit starts again.
      if (error instanceof SessionError || (error instanceof ApiError && (error.status === 403 || error.status === 404))) return
      pause = Math.min(pause * 2, SLOWEST_MS)
    }
    if (run === generation) timer = setTimeout(() => void tick(run), pause)
  }

  function announce(items: LedgerRecord[]): void {
    const news = items.find((item) => Date.now() - Date.parse(item.at) < NEWS_MS && !OWN.has(item.kind))
    if (news) show(news)
    for (const listener of listeners) listener(items)
  }

  function show(record: LedgerRecord): void {
    notice.value = record
    clearTimeout(noticeTimer)
    noticeTimer = setTimeout(dismiss, NOTICE_MS)
    uni.vibrateShort?.({})
  }

  function dismiss(): void {
    notice.value = null
    clearTimeout(noticeTimer)
  }

  function start(): void {
    clearTimeout(timer)
    pause = INTERVAL_MS
    void tick(++generation)
  }

  function stop(): void {
    generation++
    clearTimeout(timer)
  }

  function reset(): void {
    stop()
    since = undefined
    dismiss()
  }

  function onRecords(listener: (items: LedgerRecord[]) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  return { notice, start, stop, reset, dismiss, onRecords }
})
