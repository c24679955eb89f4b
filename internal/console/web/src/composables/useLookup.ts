import { shallowRef, type Ref } from 'vue'
import { membershipPlanNames, passPlanNames } from '@/api/campaign'
import { goods, services, stores, tierNames, topupPlans, vehicleClasses } from '@/api/catalog'
import { couponTemplates } from '@/api/coupons'
import { memberTags } from '@/api/members'
import { listPermissions, listRoles } from '@/api/organisation'
import type { Page } from '@/lib/types'

/** A short list that many pages need for names; read once, again after it changed. */
function lookup<T>(read: () => Promise<Page<T>>) {
  const items = shallowRef<T[]>([]) as Ref<T[]>
  let pending: Promise<void> | null = null

  function load(again = false): Promise<void> {
    if (pending && !again) return pending
    pending = read()
      .then((page) => {
        items.value = page.items ?? []
      })
      .catch(() => {
        pending = null // a name that is missing is not worth an error page; the next page asks again
      })
    return pending
  }

  return { items, load }
}

export const storeLookup = lookup(stores.list)
export const tierLookup = lookup(tierNames)
export const planLookup = lookup(topupPlans.list)
export const classLookup = lookup(vehicleClasses.list)
export const serviceLookup = lookup(services.list)
export const goodLookup = lookup(goods.list)
export const couponLookup = lookup(couponTemplates.list)
export const passPlanLookup = lookup(passPlanNames)
export const membershipPlanLookup = lookup(membershipPlanNames)
export const tagLookup = lookup(memberTags)
export const roleLookup = lookup(listRoles)
export const permissionLookup = lookup(listPermissions)
