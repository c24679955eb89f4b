export const TILL_PAGE = '/pkg-staff/desk/index'

const receiptUrl = (orderId: number) => `/pkg-staff/order/index?id=${orderId}&fresh=1`
let handedOver = 0

/**
 * The bill is settled: every page that could settle it again is left behind. The till opens the receipt,
 * so that back from the receipt leads to the till on both platforms and in the browser's history.
 */
export function leaveForReceipt(orderId: number): void {
  handedOver = orderId
  const pages = getCurrentPages()
  let till = pages.length - 1
  while (till >= 0 && !TILL_PAGE.endsWith(pages[till]!.route ?? '/')) till--
  const anew = () => void uni.reLaunch({ url: TILL_PAGE })
  if (till >= 0 && till < pages.length - 1) uni.navigateBack({ delta: pages.length - 1 - till, fail: anew })
  else anew()
}

/** Called by the till when it shows. True when it opens a receipt. */
export function openHandedReceipt(): boolean {
  const orderId = handedOver
  handedOver = 0
  if (!orderId) return false
  uni.navigateTo({ url: receiptUrl(orderId), fail: () => void uni.reLaunch({ url: receiptUrl(orderId) }) })
  return true
}
