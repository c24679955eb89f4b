import { onShow } from '@dcloudio/uni-app'
import { computed } from 'vue'
import { SessionError } from '@/api/errors'
import { useShop } from '@/stores/shop'
import { useStaff } from '@/stores/staff'
import { explain } from '@/composables/useUi'

export const LOGIN_PAGE = '/pkg-staff/login/index'

/** What every staff page does: colours, and back to the login page when the session is over. */
export function useStaffPage(ready: () => unknown = () => {}) {
  const shop = useShop()
  const staff = useStaff()

  onShow(async () => {
    try {
      if (!(await staff.ensure())) return void uni.reLaunch({ url: LOGIN_PAGE })
      if (!staff.storeId) return void uni.reLaunch({ url: '/pkg-staff/desk/index' })
      ready()
    } catch (error) {
      explain(error)
    }
  })

  /** Explains an error; an ended session leads to the login page instead. */
  function fail(error: unknown, title?: string): void {
    if (error instanceof SessionError) uni.reLaunch({ url: LOGIN_PAGE })
    else explain(error, title)
  }

  return { vars: computed(() => shop.vars), shop, staff, fail }
}
