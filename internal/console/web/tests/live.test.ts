import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backOff, eventParser, LiveFeed, type LiveState } from '@/lib/live'

describe('the event parser', () => {
  it('puts events together from pieces, and leaves heartbeats out', () => {
    const parse = eventParser()
    expect(parse('event: chan')).toEqual([])
    expect(parse('ged\ndata: {"revision":"7"}\n\n: beat\n\nevent: changed\r\ndata: a\r\ndata: b\r\n\r\nevent:')).toEqual([
      { event: 'changed', data: '{"revision":"7"}' },
      { event: 'changed', data: 'a\nb' },
    ])
  })
})

it('waits longer every time, up to half a minute, and not in step with others', () => {
  expect([0, 1, 2, 3, 9].map((attempt) => backOff(attempt, () => 0.5))).toEqual([1000, 2000, 4000, 8000, 30_000])
  expect(backOff(0, () => 0)).toBe(750)
  expect(backOff(0, () => 1)).toBe(1250)
})

describe('the live feed', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** A stream that the test holds in its hand. */
  function line() {
    let push!: ReadableStreamDefaultController<Uint8Array>
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (push = controller) })
    return { response: new Response(body), say: (text: string) => push.enqueue(new TextEncoder().encode(text)), end: () => push.close() }
  }
  const settle = () => vi.advanceTimersByTimeAsync(0)

  function feed(open: (signal: AbortSignal) => Promise<Response>) {
    const changes: string[] = []
    const states: LiveState[] = []
    const live = new LiveFeed({ open, onChange: (data) => changes.push(data), onState: (state) => states.push(state), random: () => 0.5, pollMs: 5000 })
    return { live, changes, states }
  }

  it('tells every change while the stream is open', async () => {
    const wire = line()
    const { live, changes, states } = feed(async () => wire.response)
    live.start()
    await settle()
    wire.say('event: changed\ndata: 1\n\n')
    wire.say(': beat\n\nevent: other\ndata: 2\n\n')
    await settle()
    expect(changes).toEqual(['1'])
    expect(states).toEqual(['connecting', 'live'])
    live.stop()
  })

  it('polls while the stream is down, comes back with a pause, and then reads what it missed', async () => {
    const first = line()
    const third = line()
    const open = vi.fn<(signal: AbortSignal) => Promise<Response>>()
    open.mockResolvedValueOnce(first.response).mockRejectedValueOnce(new TypeError('fetch failed')).mockRejectedValueOnce(new TypeError('fetch failed')).mockResolvedValueOnce(third.response)
    const { live, changes, states } = feed(open)
    live.start()
    await settle()
    first.end()
    await settle()
    expect(states.at(-1)).toBe('polling')
    await vi.advanceTimersByTimeAsync(1000)
    expect(open).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(1999)
    expect(open).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(1)
    expect(open).toHaveBeenCalledTimes(3)
    expect(changes).toEqual([])
    await vi.advanceTimersByTimeAsync(2000)
    expect(changes).toEqual(['']) // five seconds after the stream fell
    await vi.advanceTimersByTimeAsync(2000)
    expect(open).toHaveBeenCalledTimes(4)
    expect(states.at(-1)).toBe('live')
    expect(changes).toEqual(['', ''])
    await vi.advanceTimersByTimeAsync(20_000)
    expect(changes).toEqual(['', '']) // no polling beside a stream
    live.stop()
  })

  it('takes a silent stream for dead', async () => {
    const open = vi.fn<(signal: AbortSignal) => Promise<Response>>((signal) => {
      const body = new ReadableStream<Uint8Array>({ start: (controller) => signal.addEventListener('abort', () => controller.error(new Error('aborted'))) })
      return Promise.resolve(new Response(body))
    })
    const { live, states } = feed(open)
    live.start()
    await settle()
    expect(states.at(-1)).toBe('live')
    await vi.advanceTimersByTimeAsync(45_000)
    expect(states.at(-1)).toBe('polling')
    await vi.advanceTimersByTimeAsync(1000)
    expect(open).toHaveBeenCalledTimes(2)
    live.stop()
  })

  it('does not ask again where it is refused, but goes on polling', async () => {
    const open = vi.fn(async () => new Response('', { status: 403 }))
    const { live, changes } = feed(open)
    live.start()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(open).toHaveBeenCalledTimes(1)
    expect(changes.length).toBe(12)
    live.stop()
  })

  it('tries at once when the page is seen again, and is silent after stop', async () => {
    const open = vi.fn(async (): Promise<Response> => Promise.reject(new TypeError('fetch failed')))
    const { live, changes } = feed(open)
    live.start()
    await settle()
    live.wake()
    await settle()
    expect(open).toHaveBeenCalledTimes(2)
    expect(changes).toEqual([''])
    live.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(open).toHaveBeenCalledTimes(2)
    expect(changes).toEqual([''])
  })
})
