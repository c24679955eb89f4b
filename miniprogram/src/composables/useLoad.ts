import { ref, shallowRef } from 'vue'
import { messageOf } from '@/api/errors'

/** One thing to load for a page, with its error text. */
export function useLoad<T>(fetch: () => Promise<T>) {
  const data = shallowRef<T | null>(null)
  const error = ref('')
  const loading = ref(false)

  async function load(): Promise<void> {
    loading.value = true
    error.value = ''
    try {
      data.value = await fetch()
    } catch (problem) {
      error.value = messageOf(problem)
    } finally {
      loading.value = false
    }
  }
  return { data, error, loading, load }
}
