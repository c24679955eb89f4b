import { onShow } from '@dcloudio/uni-app'
import { shallowRef, watch } from 'vue'
import { referral } from '@/api/club'
import type { Sharing } from '@/api/club-types'
import { useSession } from '@/stores/session'
import { withCode, type Via } from '@/utils/arrivals'

/** What a page that is shared carries, so that who joins by it is known as the sharer's friend; without an answer it is just a page. */
export function useSharing(via: Via) {
  const session = useSession()
  const mine = shallowRef<Sharing | null>(null)
  function ask(): void {
    if (mine.value || !session.loggedIn) return
    referral.sharing().then(
      (sharing) => {
        mine.value = sharing
      },
      () => undefined, // who has no card yet has no code
    )
  }
  onShow(ask)
  watch(() => session.loggedIn, ask)
  return { sharing: mine, shared: (path: string) => withCode(path, mine.value?.code, via) }
}
