import { computed, reactive, ref, shallowRef, type Ref } from 'vue'
import type { Query } from '@/api/client'
import { asProblem, isAborted, type Problem } from '@/lib/problem'
import type { Page } from '@/lib/types'

export type ListFetch<T> = (query: Query, signal?: AbortSignal) => Promise<Page<T>>

export interface CursorListOptions {
  pageSize?: number
  sort?: string
  filters?: Query
}

export interface CursorList<T> {
  items: Ref<T[]>
  loading: Ref<boolean>
  problem: Ref<Problem | null>
  filters: Query
  sort: Ref<string>
  pageSize: Ref<number>
  pageNumber: Ref<number>
  hasPrevious: Ref<boolean>
  hasNext: Ref<boolean>
  filtered: Ref<boolean>
  load: () => Promise<void>
  restart: () => Promise<void>
  next: () => Promise<void>
  previous: () => Promise<void>
  setSort: (sort: string) => Promise<void>
  setPageSize: (size: number) => Promise<void>
  clearFilters: () => Promise<void>
  walkAll: (onProgress: (rows: number) => void, signal: AbortSignal) => Promise<T[]>
}

/** The largest page the API gives; exports walk with it. */
export const WALK_LIMIT = 200

/**
 * A list that is read page by page through an opaque cursor. The API only says what comes next, so the
 * cursors of the pages before are kept as a stack. A newer request always wins over a slower older one.
 */
export function useCursorList<T>(fetchPage: ListFetch<T>, options: CursorListOptions = {}): CursorList<T> {
  const items = shallowRef<T[]>([]) as Ref<T[]>
  const loading = ref(false)
  const problem = shallowRef<Problem | null>(null)
  const filters = reactive<Query>({ ...options.filters })
  const sort = ref(options.sort ?? '')
  const pageSize = ref(options.pageSize ?? 20)
  const before = ref<string[]>([]) // cursors of the pages before this one; '' is the first page
  const cursor = ref('')
  const nextCursor = ref('')
  let running: AbortController | null = null

  const conditions = (): Query => ({ ...filters, sort: sort.value || undefined })

  async function load(): Promise<void> {
    running?.abort()
    const mine = (running = new AbortController())
    loading.value = true
    try {
      const page = await fetchPage({ ...conditions(), after: cursor.value || undefined, limit: pageSize.value }, mine.signal)
      if (running !== mine) return
      items.value = page.items ?? []
      nextCursor.value = page.next ?? ''
      problem.value = null
    } catch (error) {
      if (running !== mine || isAborted(error)) return
      problem.value = asProblem(error)
    } finally {
      if (running === mine) loading.value = false
    }
  }

  /** Back to the first page: after another filter, sort or page size. */
  async function restart(): Promise<void> {
    before.value = []
    cursor.value = ''
    nextCursor.value = ''
    await load()
  }

  async function next(): Promise<void> {
    if (!nextCursor.value || loading.value) return
    before.value = [...before.value, cursor.value]
    cursor.value = nextCursor.value
    await load()
  }

  async function previous(): Promise<void> {
    if (before.value.length === 0 || loading.value) return
    cursor.value = before.value[before.value.length - 1] ?? ''
    before.value = before.value.slice(0, -1)
    await load()
  }

  async function setSort(value: string): Promise<void> {
    sort.value = value
    await restart()
  }

  async function setPageSize(size: number): Promise<void> {
    pageSize.value = size
    await restart()
  }

  async function clearFilters(): Promise<void> {
    for (const key of Object.keys(filters)) filters[key] = undefined
    await restart()
  }

  /** Every row under the present filters, for exports. A cursor that repeats itself ends the walk. */
  async function walkAll(onProgress: (rows: number) => void, signal: AbortSignal): Promise<T[]> {
    const rows: T[] = []
    const seen = new Set<string>()
    const fixed = conditions()
    let after = ''
    do {
      signal.throwIfAborted()
      const page = await fetchPage({ ...fixed, after: after || undefined, limit: WALK_LIMIT }, signal)
      rows.push(...(page.items ?? []))
      onProgress(rows.length)
      after = page.next ?? ''
      if (seen.has(after)) break
      seen.add(after)
    } while (after)
    return rows
  }

  return {
    items,
    loading,
    problem,
    filters,
    sort,
    pageSize,
    pageNumber: computed(() => before.value.length + 1),
    hasPrevious: computed(() => before.value.length > 0),
    hasNext: computed(() => nextCursor.value !== ''),
    filtered: computed(() => Object.values(filters).some((value) => value !== undefined && value !== '')),
    load,
    restart,
    next,
    previous,
    setSort,
    setPageSize,
    clearFilters,
    walkAll,
  }
}
