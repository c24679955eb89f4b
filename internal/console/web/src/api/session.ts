import { api, unwrap } from './client'
import type { ShopLook, StaffMe } from '@/lib/types'

export function login(username: string, password: string): Promise<StaffMe> {
  return unwrap(api.POST('/api/console/session', { body: { username, password } }))
}

export async function logout(): Promise<void> {
  await unwrap(api.DELETE('/api/console/session', {}))
}

export function getMe(): Promise<StaffMe> {
  return unwrap(api.GET('/api/console/me', {}))
}

export async function changePassword(old: string, fresh: string): Promise<void> {
  await unwrap(api.POST('/api/console/me/password', { body: { old, new: fresh } }))
}

/** Public: the shop's name and accent, for the login page and the whole look. */
export function getShopLook(): Promise<ShopLook> {
  return unwrap(api.GET('/api/owner/config', {}))
}
