/**
 * Keeps the Idempotency-Key of one opened money dialog: trying the same command again sends the same
 * key, so nothing is done twice; another amount or a newly opened dialog gets a new key.
 */
export class CommandKey {
  private key = ''
  private body = ''

  /** Called when the dialog opens. */
  renew(): void {
    this.key = ''
    this.body = ''
  }

  forBody(body: unknown): string {
    const text = JSON.stringify(body)
    if (!this.key || text !== this.body) {
      this.key = newKey()
      this.body = text
    }
    return this.key
  }
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return 'con-' + Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
