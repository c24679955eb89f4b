import { ref, shallowRef } from 'vue'
import { CommandKey } from '@/lib/idempotency'
import { asProblem, type Problem } from '@/lib/problem'

/**
 * A command that a dialog sends: busy while it runs (a double click does nothing), its problem kept for
 * the form, and one Idempotency-Key per opened dialog and body.
 */
export function useCommand() {
  const busy = ref(false)
  const problem = shallowRef<Problem | null>(null)
  const key = new CommandKey()

  /** Called when the dialog opens. */
  function reset(): void {
    problem.value = null
    key.renew()
  }

  /** Runs the command; false when it failed or another one is running. `body` decides about the key. */
  async function run(command: (key: string) => Promise<unknown>, body: unknown = null): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    problem.value = null
    try {
      await command(key.forBody(body))
      return true
    } catch (error) {
      problem.value = asProblem(error)
      return false
    } finally {
      busy.value = false
    }
  }

  return { busy, problem, reset, run }
}

export type Command = ReturnType<typeof useCommand>
