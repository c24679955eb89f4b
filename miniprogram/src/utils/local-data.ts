/** What the phone keeps about the logged-in owner. Logging out removes all of it. */
export const HOME_KEY = 'lc.home'
export const DEVICE_KEY = 'lc.device'
export const BOOKINGS_KEY = 'lc.bookings'
export const SAVINGS_KEY = 'lc.savings'

export function forgetOwnerData(): void {
  uni.removeStorageSync(HOME_KEY)
  uni.removeStorageSync(DEVICE_KEY)
  uni.removeStorageSync(BOOKINGS_KEY)
  uni.removeStorageSync(SAVINGS_KEY)
}
