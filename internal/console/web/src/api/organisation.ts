import { api, cleanQuery, unwrap, type Query } from './client'
import type { AuditRow, Charter, Page, Permission, Role, SettingItem, SettingValue, StaffInput, StaffInvite, StaffRow } from '@/lib/types'

const at = (id: number) => ({ params: { path: { id } } })

export function listStaff(query: Query, signal?: AbortSignal): Promise<Page<StaffRow>> {
  return unwrap(api.GET('/api/console/staff', { params: { query: cleanQuery<'/api/console/staff'>(query) }, signal }))
}

export function inviteStaff(body: StaffInput): Promise<StaffRow & StaffInvite> {
  return unwrap(api.POST('/api/console/staff', { body }))
}

export function updateStaff(id: number, body: StaffInput): Promise<StaffRow> {
  return unwrap(api.PUT('/api/console/staff/{id}', { ...at(id), body }))
}

export function renewInvite(id: number): Promise<StaffInvite> {
  return unwrap(api.POST('/api/console/staff/{id}/invite', at(id)))
}

export async function suspendStaff(id: number, reason: string): Promise<void> {
  await unwrap(api.POST('/api/console/staff/{id}/suspend', { ...at(id), body: { reason } }))
}

export async function reactivateStaff(id: number, reason: string): Promise<void> {
  await unwrap(api.POST('/api/console/staff/{id}/reactivate', { ...at(id), body: { reason } }))
}

export async function setStaffPassword(id: number, password: string): Promise<void> {
  await unwrap(api.POST('/api/console/staff/{id}/password', { ...at(id), body: { password } }))
}

export async function unbindStaffWechat(id: number): Promise<void> {
  await unwrap(api.POST('/api/console/staff/{id}/unbind-wechat', at(id)))
}

export function listRoles(): Promise<Page<Role>> {
  return unwrap(api.GET('/api/console/roles', {}))
}

export function updateRole(id: number, body: { name: string; permissions: string[] }): Promise<Role> {
  return unwrap(api.PUT('/api/console/roles/{id}', { ...at(id), body }))
}

export function listPermissions(): Promise<Page<Permission>> {
  return unwrap(api.GET('/api/console/permissions', {}))
}

export function listAudit(query: Query, signal?: AbortSignal): Promise<Page<AuditRow>> {
  return unwrap(api.GET('/api/console/audit', { params: { query: cleanQuery<'/api/console/audit'>(query) }, signal }))
}

/** The schema cannot say that a value is a bool, an integer or a text by its type; here it is said. */
function settingItems(items: { value: unknown; default: unknown }[]): SettingItem[] {
  return items as SettingItem[]
}

export async function getSettings(): Promise<SettingItem[]> {
  const list = await unwrap(api.GET('/api/console/settings', {}))
  return settingItems(list.items)
}

export async function saveSettings(values: { key: string; value: SettingValue }[]): Promise<SettingItem[]> {
  const list = await unwrap(api.PUT('/api/console/settings', { body: { values } }))
  return settingItems(list.items)
}

export function listCharters(): Promise<Page<Charter>> {
  return unwrap(api.GET('/api/console/charters', { params: { query: { limit: 100 } } }))
}

export function publishCharter(body: { title: string; body: string; privacyBody: string }): Promise<Charter> {
  return unwrap(api.POST('/api/console/charters', { body }))
}

/** Whether phones are proved by text message, and how many codes went out today. */
export function getCodeUse() {
  return unwrap(api.GET('/api/console/sms', {}))
}
