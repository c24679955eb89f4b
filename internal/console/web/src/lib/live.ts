/**
 * A stream of server-sent events that does not give up. It reads with fetch instead of EventSource, because
 * only so an expired session can be refreshed and the reason of a refusal be known. While the stream is
 * down, `onChange` is called every few seconds, so a screen is late but never wrong.
 */

export interface LiveEvent {
  event: string
  data: string
}

/** Takes the text as it arrives in pieces and gives whole events. Comments (heartbeats) are left out. */
export function eventParser(): (chunk: string) => LiveEvent[] {
  let rest = ''
  return (chunk) => {
    rest += chunk
    const found: LiveEvent[] = []
    for (;;) {
      const end = /\r?\n\r?\n/.exec(rest)
      if (!end) return found
      const block = rest.slice(0, end.index)
      rest = rest.slice(end.index + end[0].length)
      let event = 'message'
      const data: string[] = []
      for (const line of block.split(/\r?\n/)) {
        if (line.startsWith('event:')) event = line.slice(6).trim()
        else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''))
      }
      if (data.length > 0) found.push({ event, data: data.join('\n') })
    }
  }
}

/** 1, 2, 4 … up to 30 seconds, spread by a quarter so that all tills do not return at the same moment. */
export function backOff(attempt: number, random: () => number = Math.random): number {
  const base = Math.min(30_000, 1000 * 2 ** Math.min(attempt, 5))
  return Math.round(base * (0.75 + random() / 2))
}

export type LiveState = 'connecting' | 'live' | 'polling'

export interface LiveOptions {
  /** Opens the stream; rejects or answers with an error status when it cannot. */
  open: (signal: AbortSignal) => Promise<Response>
  onChange: (data: string) => void
  onState?: (state: LiveState) => void
  pollMs?: number
  /** A stream that says nothing for so long, not even a heartbeat, is dead. */
  silenceMs?: number
  random?: () => number
}

const REFUSED = [401, 403, 404]

export class LiveFeed {
  private controller: AbortController | null = null
  private retry: ReturnType<typeof setTimeout> | undefined
  private poll: ReturnType<typeof setInterval> | undefined
  private silence: ReturnType<typeof setTimeout> | undefined
  private attempt = 0
  private running = false

  constructor(private readonly options: LiveOptions) {}

  start(): void {
    if (this.running) return
    this.running = true
    this.attempt = 0
    void this.connect()
  }

  stop(): void {
    this.running = false
    this.controller?.abort()
    this.controller = null
    clearTimeout(this.retry)
    clearTimeout(this.silence)
    this.stopPolling()
  }

  /** Tries at once: the network is back, the page is seen again. */
  wake(): void {
    if (!this.running || !this.poll) return
    this.options.onChange('')
    clearTimeout(this.retry)
    this.controller?.abort()
    void this.connect()
  }

  private async connect(): Promise<void> {
    const mine = (this.controller = new AbortController())
    if (this.attempt === 0) this.options.onState?.('connecting')
    let status = 0
    try {
      const response = await this.options.open(mine.signal)
      status = response.status
      if (!response.ok || !response.body) throw new Error('no stream')
      await this.read(response.body, mine)
    } catch {
      // Whatever it was: the stream is down, and the way back is the same.
    }
    clearTimeout(this.silence)
    if (!this.running || this.controller !== mine) return
    this.startPolling()
    if (REFUSED.includes(status)) return // asking again would get the same answer; polling tells the rest
    this.retry = setTimeout(() => void this.connect(), backOff(this.attempt++, this.options.random))
  }

  private async read(body: ReadableStream<Uint8Array>, mine: AbortController): Promise<void> {
    const reader = body.getReader()
    const decoder = new TextDecoder()
    const parse = eventParser()
    const again = this.attempt > 0
    this.attempt = 0
    this.stopPolling()
    this.options.onState?.('live')
    if (again) this.options.onChange('') // what happened while nobody listened
    for (;;) {
      this.listen(mine)
      const { done, value } = await reader.read()
      if (done || this.controller !== mine) return
      for (const item of parse(decoder.decode(value, { stream: true }))) if (item.event === 'changed') this.options.onChange(item.data)
    }
  }

  private listen(mine: AbortController): void {
    clearTimeout(this.silence)
    this.silence = setTimeout(() => mine.abort(), this.options.silenceMs ?? 45_000)
  }

  private startPolling(): void {
    if (this.poll) return
    this.options.onState?.('polling')
    this.poll = setInterval(() => this.options.onChange(''), this.options.pollMs ?? 5000)
  }

  private stopPolling(): void {
    clearInterval(this.poll)
    this.poll = undefined
  }
}
