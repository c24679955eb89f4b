import { platform } from '@platform'
import type { SaleStarted } from '@/api/club-types'
import { explain, replace } from '@/composables/useUi'

/** Takes a purchase that was begun to WeChat Pay, if it needs that, and on to its result. */
export async function finishSale(started: SaleStarted): Promise<void> {
  let from = ''
  if (started.state === 'pending' && started.pay) {
    from = await platform.pay(started.pay).catch((problem) => {
      explain(problem, '付款没有打开')
      return 'cancelled'
    })
  }
  replace(`/pages/club/sale?id=${started.saleId}&from=${from}`)
}
