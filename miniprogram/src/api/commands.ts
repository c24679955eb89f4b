import type { Audience } from '@/platform/types'
import { audienceOf, call } from './client'
import { isUncertain } from './errors'
import { fillUrl } from './http'
import type { paths } from './schema'
import type { ArgsOf, CallInit, PathsWith, ResultOf } from './typed'

/**
 * Money commands over a weak network. A command is written to storage with its Idempotency-Key before
 * it is sent and stays there until the server has given a definite answer, so a retry, a double tap and
 * a restart of the app all repeat the same command: it is never lost and never carried out twice.
 */
export interface PendingCommand {
  key: string
  /** Commands of one slot exclude each other, e.g. two settlements at one till. */
  slot: string
  path: string
  body: unknown
  /** What the person was doing, e.g. "充值 ¥500.00". */
  label: string
  createdAt: number
}

/** The command was sent, and nobody knows yet whether it was carried out. */
export class UncertainError extends Error {
  constructor(
    readonly command: PendingCommand,
    readonly reason: unknown,
  ) {
    super(`网络不稳，“${command.label}”的结果还没有收到。再试一次会继续同一笔，不会重复。`)
    this.name = 'PlatformError' // its message may be shown
  }
}

/** An earlier command of the slot turned out to be done while a different one was asked for. */
export class EarlierDoneError extends Error {
  constructor(
    readonly command: PendingCommand,
    readonly result: unknown,
  ) {
    super(`刚才的“${command.label}”其实已经成功，请先确认再继续`)
    this.name = 'PlatformError'
  }
}

const STORE = 'lc.pending'
const RETRY_DELAYS_MS = [800, 2500]

export function pendingCommands(): PendingCommand[] {
  return (uni.getStorageSync(STORE) || []) as PendingCommand[]
}

function save(commands: PendingCommand[]): void {
  if (commands.length) uni.setStorageSync(STORE, commands)
  else uni.removeStorageSync(STORE)
}

function remove(key: string): void {
  save(pendingCommands().filter((command) => command.key !== key))
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Unique enough for one member or one till: the server scopes keys to the actor. */
export function newKey(now = Date.now()): string {
  let random = ''
  for (let i = 0; i < 16; i++) random += ALPHABET[Math.floor(Math.random() * ALPHABET.length)]
  return `${now.toString(36)}-${random}`
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const sameBody = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** Sends one stored command until the answer is definite or the retries are used up. */
async function drive(command: PendingCommand, delays = RETRY_DELAYS_MS): Promise<unknown> {
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await call('post', command.path, { body: command.body, idempotencyKey: command.key })
      remove(command.key)
      return result
    } catch (error) {
      if (!isUncertain(error)) {
        // An expired login says nothing about the command: it waits for the next login.
        if ((error as Error).name !== 'SessionError') remove(command.key)
        throw error
      }
      if (attempt >= delays.length) throw new UncertainError(command, error)
      await wait(delays[attempt]!)
    }
  }
}

const underWay = new Map<string, { body: unknown; promise: Promise<unknown> }>()

async function start(slot: string, path: string, body: unknown, label: string): Promise<unknown> {
  const earlier = pendingCommands().find((command) => command.slot === slot)
  if (earlier && earlier.path === path && sameBody(earlier.body, body)) return drive(earlier)
  if (earlier) {
    const result = await drive(earlier).catch((error) => {
      if (error instanceof UncertainError) throw error
      return undefined // refused: the slot is free
    })
    if (result !== undefined) throw new EarlierDoneError(earlier, result)
  }
  const command: PendingCommand = { key: newKey(), slot, path, body, label, createdAt: Date.now() }
  save([...pendingCommands(), command])
  return drive(command)
}

/**
 * Runs a money command. The same slot and body while one is under way joins it (double tap).
 * Throws UncertainError when no definite answer came: calling again continues the same command.
 */
export function command<P extends PathsWith<paths, 'post'>>(
  spec: { slot: string; label: string },
  path: P,
  ...args: ArgsOf<paths, P, 'post'>
): Promise<ResultOf<paths, P, 'post'>> {
  const init = (args[0] ?? {}) as CallInit
  const filled = fillUrl(path, { path: init.path })
  const running = underWay.get(spec.slot)
  if (running && sameBody(running.body, init.body)) return running.promise as Promise<never>
  const promise = start(spec.slot, filled, init.body, spec.label).finally(() => underWay.delete(spec.slot))
  underWay.set(spec.slot, { body: init.body, promise })
  return promise as Promise<never>
}

export interface Resolution {
  command: PendingCommand
  outcome: 'done' | 'refused' | 'unknown'
  result?: unknown
  error?: unknown
}

/** Finds out what became of the commands that an earlier run left open. */
export async function resolvePending(audience: Audience, keep: (c: PendingCommand) => boolean = () => true): Promise<Resolution[]> {
  const out: Resolution[] = []
  for (const command of pendingCommands()) {
    if (audienceOf(command.path) !== audience || underWay.has(command.slot) || !keep(command)) continue
    try {
      out.push({ command, outcome: 'done', result: await drive(command, []) })
    } catch (error) {
      const unknown = error instanceof UncertainError || (error as Error).name === 'SessionError'
      out.push({ command, outcome: unknown ? 'unknown' : 'refused', error })
    }
  }
  return out
}

/** Gives up on a command that never got an answer; only after the person said so. */
export const dropPending = remove
