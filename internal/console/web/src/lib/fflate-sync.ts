/**
 * Stand-in for `fflate` inside write-excel-file: the same zipper, without the worker.
 * The worker would come from a blob: URL, and `script-src 'self'` refuses it.
 */
import { strToU8, zipSync, type Zippable } from 'fflate/browser'

export { strToU8, zipSync }

export function zip(files: Zippable, done: (error: Error | null, archive: Uint8Array | null) => void): void {
  let archive: Uint8Array
  try {
    archive = zipSync(files)
  } catch (error) {
    done(error as Error, null)
    return
  }
  done(null, archive)
}
