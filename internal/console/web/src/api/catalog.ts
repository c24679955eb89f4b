import { api, unwrap } from './client'
import type { Good, GoodInput, Page, Service, ServiceInput, Store, StoreInput, Tier, TopupPlan, TopupPlanInput, VehicleClass, VehicleClassInput } from '@/lib/types'

/** One kind of catalogue entry: how it is listed, saved and taken away. */
export interface Resource<T extends { id: number }, Input> {
  list: () => Promise<Page<T>>
  create: (body: Input) => Promise<unknown>
  update: (id: number, body: Input) => Promise<unknown>
  remove?: (id: number) => Promise<unknown>
}

const at = (id: number) => ({ params: { path: { id } } })
/** Points of its own only when it has some: without them the shop's ratio counts. */
function ownPoints<T extends { pointsEach?: number | null }>(body: T): T {
  const { pointsEach, ...rest } = body
  return (typeof pointsEach === 'number' ? body : rest) as T
}
const all = { params: { query: { limit: 200 } } }

export const services: Resource<Service, ServiceInput> = {
  list: () => unwrap(api.GET('/api/console/services', all)),
  create: (body) => unwrap(api.POST('/api/console/services', { body: ownPoints(body) })),
  update: (id, body) => unwrap(api.PUT('/api/console/services/{id}', { ...at(id), body: ownPoints(body) })),
  remove: (id) => unwrap(api.DELETE('/api/console/services/{id}', at(id))),
}

export const vehicleClasses: Resource<VehicleClass, VehicleClassInput> = {
  list: () => unwrap(api.GET('/api/console/vehicle-classes', all)),
  create: (body) => unwrap(api.POST('/api/console/vehicle-classes', { body })),
  update: (id, body) => unwrap(api.PUT('/api/console/vehicle-classes/{id}', { ...at(id), body })),
  remove: (id) => unwrap(api.DELETE('/api/console/vehicle-classes/{id}', at(id))),
}

export const goods: Resource<Good, GoodInput> = {
  list: () => unwrap(api.GET('/api/console/goods', all)),
  create: (body) => unwrap(api.POST('/api/console/goods', { body: ownPoints(body) })),
  update: (id, body) => unwrap(api.PUT('/api/console/goods/{id}', { ...at(id), body: ownPoints(body) })),
  remove: (id) => unwrap(api.DELETE('/api/console/goods/{id}', at(id))),
}

export const topupPlans: Resource<TopupPlan, TopupPlanInput> = {
  list: () => unwrap(api.GET('/api/console/topup-plans', all)),
  create: (body) => unwrap(api.POST('/api/console/topup-plans', { body })),
  update: (id, body) => unwrap(api.PUT('/api/console/topup-plans/{id}', { ...at(id), body })),
  remove: (id) => unwrap(api.DELETE('/api/console/topup-plans/{id}', at(id))),
}

/** The names of tiers; what they ask for and bring is in `tiers.ts`. */
export function tierNames(): Promise<Page<Tier>> {
  return unwrap(api.GET('/api/console/tiers', all))
}

export const stores: Resource<Store, StoreInput> = {
  list: () => unwrap(api.GET('/api/console/stores', all)),
  create: (body) => unwrap(api.POST('/api/console/stores', { body })),
  update: (id, body) => unwrap(api.PUT('/api/console/stores/{id}', { ...at(id), body })),
}
