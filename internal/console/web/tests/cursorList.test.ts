import { describe, expect, it, vi } from 'vitest'
import type { Query } from '@/api/client'
import { useCursorList, WALK_LIMIT } from '@/composables/useCursorList'
import { Problem } from '@/lib/problem'

interface Row {
  id: number
}
const all: Row[] = Array.from({ length: 450 }, (_, id) => ({ id }))

/** Answers like the API: the cursor is opaque to the list, here it is the offset. */
async function serve(query: Query) {
  const from = Number(query.after ?? 0)
  const limit = Number(query.limit)
  const rows = query.q ? all.filter((row) => row.id % 2 === 0) : all
  const end = from + limit
  return { items: rows.slice(from, end), next: end < rows.length ? String(end) : undefined }
}

describe('useCursorList', () => {
  it('walks forward and back through a stack of cursors', async () => {
    const list = useCursorList<Row>(serve)
    await list.load()
    expect(list.hasPrevious.value).toBe(false)
    await list.next()
    await list.next()
    expect(list.items.value[0]!.id).toBe(40)
    expect(list.pageNumber.value).toBe(3)
    await list.previous()
    expect(list.items.value[0]!.id).toBe(20)
    await list.previous()
    expect(list.items.value[0]!.id).toBe(0)
    await list.previous()
    expect(list.pageNumber.value).toBe(1)
  })

  it('starts again at the first page after another filter, sort or size', async () => {
    const fetch = vi.fn(serve)
    const list = useCursorList<Row>(fetch)
    await list.load()
    await list.next()
    list.filters.q = 'x'
    await list.restart()
    expect(fetch.mock.lastCall![0]).toMatchObject({ q: 'x', after: undefined, limit: 20 })
    await list.setSort('-balance')
    expect(fetch.mock.lastCall![0]).toMatchObject({ sort: '-balance', after: undefined })
    await list.next()
    await list.setPageSize(100)
    expect(list.pageNumber.value).toBe(1)
    expect(list.items.value).toHaveLength(100)
    expect(list.filtered.value).toBe(true)
    await list.clearFilters()
    expect(list.filtered.value).toBe(false)
  })

  it('stops at the last page', async () => {
    const list = useCursorList<Row>(serve, { pageSize: 400 })
    await list.load()
    await list.next()
    expect(list.hasNext.value).toBe(false)
    await list.next()
    expect(list.pageNumber.value).toBe(2)
  })

  it('lets a newer request win over a slower older one', async () => {
    const answers: ((rows: Row[]) => void)[] = []
    const list = useCursorList<Row>(() => new Promise((resolve) => answers.push((items) => resolve({ items }))))
    const first = list.load()
    const second = list.load()
    answers[1]!([{ id: 2 }])
    answers[0]!([{ id: 1 }])
    await Promise.all([first, second])
    expect(list.items.value).toEqual([{ id: 2 }])
    expect(list.loading.value).toBe(false)
  })

  it('keeps a problem until the next good answer', async () => {
    let broken = true
    const list = useCursorList<Row>(async (query) => {
      if (broken) throw new Problem(503, { code: 'x', message: '系统正忙' })
      return serve(query)
    })
    await list.load()
    expect(list.problem.value?.message).toBe('系统正忙')
    broken = false
    await list.load()
    expect(list.problem.value).toBeNull()
    expect(list.items.value).toHaveLength(20)
  })

  it('walks all filtered rows for an export and tells how far it is', async () => {
    const fetch = vi.fn(serve)
    const list = useCursorList<Row>(fetch)
    list.filters.q = 'x'
    const progress: number[] = []
    const rows = await list.walkAll((n) => progress.push(n), new AbortController().signal)
    expect(rows).toHaveLength(225)
    expect(progress).toEqual([200, 225])
    expect(fetch.mock.calls.every(([query]) => query.limit === WALK_LIMIT && query.q === 'x')).toBe(true)
  })

  it('can be cancelled while it walks', async () => {
    const controller = new AbortController()
    const list = useCursorList<Row>(serve)
    await expect(list.walkAll(() => controller.abort(), controller.signal)).rejects.toThrow()
  })

  it('does not walk in circles when a cursor comes back', async () => {
    const list = useCursorList<Row>(async () => ({ items: [{ id: 1 }], next: 'same' }))
    expect(await list.walkAll(() => {}, new AbortController().signal)).toHaveLength(2)
  })
})
