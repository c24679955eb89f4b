import { computed, ref, shallowRef } from 'vue'
import { messageOf, SessionError } from '@/api/errors'

interface Page<T> {
  items: T[] | null
  next?: string
}

/** A list that loads page by page, with its loading, empty and error states. */
export function usePaged<T>(fetchPage: (after?: string) => Promise<Page<T>>) {
  const items = shallowRef<T[]>([])
  const next = ref<string | undefined>()
  const loading = ref(false)
  const loaded = ref(false)
  const error = ref('')
  const loggedOut = ref(false)
  /** What went wrong last, for whoever has to tell one fault from another. */
  const problem = shallowRef<unknown>(null)
  let generation = 0

  async function load(after?: string): Promise<void> {
    const run = ++generation
    loading.value = true
    error.value = ''
    try {
      const page = await fetchPage(after)
      if (run !== generation) return
      items.value = after ? [...items.value, ...(page.items ?? [])] : (page.items ?? [])
      next.value = page.next || undefined
      loaded.value = true
      loggedOut.value = false
      problem.value = null
    } catch (fault) {
      if (run !== generation) return
      problem.value = fault
      loggedOut.value = fault instanceof SessionError
      error.value = messageOf(fault)
    } finally {
      if (run === generation) loading.value = false
    }
  }

  const reload = () => load()
  async function more(): Promise<void> {
    if (next.value && !loading.value) await load(next.value)
  }

  const state = computed<'loading' | 'error' | 'empty' | 'list'>(() => {
    if (items.value.length) return 'list'
    if (error.value) return 'error'
    return loaded.value && !loading.value ? 'empty' : 'loading'
  })
  return { items, next, loading, error, problem, loggedOut, state, reload, more }
}
