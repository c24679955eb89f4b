import { onBeforeUnmount, ref, shallowRef, type Ref } from 'vue'
import { asProblem, isAborted, type Problem } from '@/lib/problem'

export interface Loaded<T> {
  data: Ref<T | null>
  loading: Ref<boolean>
  problem: Ref<Problem | null>
  load: () => Promise<void>
}

/** One thing read from the API, with its loading and error state. What is on screen stays while it reloads. */
export function useLoad<T>(read: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const data = shallowRef<T | null>(null) as Ref<T | null>
  const loading = ref(false)
  const problem = shallowRef<Problem | null>(null)
  let running: AbortController | null = null

  async function load(): Promise<void> {
    running?.abort()
    const mine = (running = new AbortController())
    loading.value = true
    try {
      const fresh = await read(mine.signal)
      if (running !== mine) return
      data.value = fresh
      problem.value = null
    } catch (error) {
      if (running !== mine || isAborted(error)) return
      problem.value = asProblem(error)
    } finally {
      if (running === mine) loading.value = false
    }
  }

  onBeforeUnmount(() => running?.abort())
  return { data, loading, problem, load }
}
