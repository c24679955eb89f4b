import type { Dashboard, OrderRow, OwnerConfig, Page, TopupRow } from './types'

/** Operations of the contract that the generated schema does not have yet. */
interface Get<Query, Answer> {
  get: {
    parameters: { query?: Query }
    responses: { 200: { headers: Record<string, unknown>; content: { 'application/json': Answer } } }
  }
}
type Paging = { after?: string; limit?: number }

export interface PendingPaths {
  '/api/owner/config': Get<Record<string, never>, OwnerConfig>
  '/api/console/dashboard': Get<{ storeId?: number; date?: string }, Dashboard>
  '/api/console/orders': Get<Paging & { q?: string }, Page<OrderRow>>
  '/api/console/topups': Get<Paging & { q?: string }, Page<TopupRow>>
}
