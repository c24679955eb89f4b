import { computed } from 'vue'
import { useSession } from '@/stores/session'

/** Pages that are about one store: the store in view, or the first one while all of them are in view. */
export function useStoreInView() {
  const session = useSession()
  const store = computed(() => session.store ?? session.stores[0])
  return { store, storeId: computed(() => store.value?.id), undecided: computed(() => !session.store && session.stores.length > 1) }
}
