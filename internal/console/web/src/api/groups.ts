import { api, BASE, cleanQuery, fetchWithRefresh, keyHeader, ownHeaders, unwrap, type Query } from './client'
import { problemFrom } from '@/lib/problem'
import type { BackMember, Cockpit, GroupDetail, GroupInput, GroupInvite, GroupPlace, GroupRow, Statement, WindDown } from '@/lib/club-types'
import type { Page } from '@/lib/types'

const at = (id: number) => ({ params: { path: { id } } })

export function listGroups(query: Query, signal?: AbortSignal): Promise<Page<GroupRow>> {
  return unwrap(api.GET('/api/console/groups', { params: { query: cleanQuery<'/api/console/groups'>(query) }, signal }))
}

export function getGroup(id: number): Promise<GroupDetail> {
  return unwrap(api.GET('/api/console/groups/{id}', at(id)))
}

export function createGroup(body: GroupInput, key: string): Promise<GroupDetail> {
  return unwrap(api.POST('/api/console/groups', { params: { header: keyHeader(key) }, body }))
}

export function reviewGroup(id: number, approve: boolean, reason: string): Promise<GroupDetail> {
  return unwrap(api.POST('/api/console/groups/{id}/review', { ...at(id), body: { outcome: approve ? 'approve' : 'reject', ...(reason ? { reason } : {}) } }))
}

export type GroupAction = 'suspend' | 'resume' | 'dissolve'

export function actOnGroup(id: number, action: GroupAction, reason: string): Promise<GroupDetail> {
  const options = { ...at(id), body: reason ? { reason } : {} }
  const calls = {
    suspend: () => api.POST('/api/console/groups/{id}/suspend', options),
    resume: () => api.POST('/api/console/groups/{id}/resume', options),
    dissolve: () => api.POST('/api/console/groups/{id}/dissolve', options),
  }
  return unwrap(calls[action]())
}

/** A proof as a picture; looking at it leaves a trace. */
export async function getDocument(id: number, documentId: number): Promise<string> {
  const picture = await unwrap(api.GET('/api/console/groups/{id}/documents/{documentId}', { params: { path: { id, documentId } } }))
  return `data:${picture.contentType};base64,${picture.data}`
}

/** A form with a file is sent as it is: the typed client speaks JSON. */
export async function addDocument(id: number, kind: string, file: File): Promise<void> {
  const body = new FormData()
  body.append('kind', kind)
  body.append('file', file)
  const response = await fetchWithRefresh(new Request(`${BASE}/api/console/groups/${id}/documents`, { method: 'POST', headers: ownHeaders, credentials: 'same-origin', body }))
  if (!response.ok) throw problemFrom(response.status, await response.json().catch(() => null))
}

export function inviteDriver(id: number, place: GroupPlace): Promise<GroupInvite> {
  return unwrap(api.POST('/api/console/groups/{id}/invites', { ...at(id), body: place }))
}

export async function revokeInvite(id: number, inviteId: number): Promise<void> {
  await unwrap(api.DELETE('/api/console/groups/{id}/invites/{inviteId}', { params: { path: { id, inviteId } } }))
}

export function saveDriver(id: number, driverId: number, place: GroupPlace): Promise<GroupDetail> {
  return unwrap(api.PUT('/api/console/groups/{id}/drivers/{driverId}', { params: { path: { id, driverId } }, body: place }))
}

export function addDriver(id: number, memberId: number, place: GroupPlace, key: string): Promise<GroupDetail> {
  return unwrap(api.POST('/api/console/groups/{id}/drivers', { params: { path: { id }, header: keyHeader(key) }, body: { memberId, place } }))
}

/** The least tier of a company's people; 0 names none. */
export function setGroupTier(id: number, tierId: number): Promise<GroupDetail> {
  return unwrap(api.PUT('/api/console/groups/{id}/tier', { ...at(id), body: { tierId } }))
}

export function removeDriver(id: number, driverId: number): Promise<GroupDetail> {
  return unwrap(api.DELETE('/api/console/groups/{id}/drivers/{driverId}', { params: { path: { id, driverId } } }))
}

export function getStatement(id: number, month: string, signal?: AbortSignal): Promise<Statement> {
  return unwrap(api.GET('/api/console/groups/{id}/statement', { params: { path: { id }, query: cleanQuery<'/api/console/groups/{id}/statement'>({ month }) }, signal }))
}

export function getStatementFile(id: number, month: string): Promise<{ fileName: string; csv: string }> {
  return unwrap(api.GET('/api/console/groups/{id}/statement-file', { params: { path: { id }, query: cleanQuery<'/api/console/groups/{id}/statement-file'>({ month }) } }))
}

export function getLiability(signal?: AbortSignal): Promise<Cockpit> {
  return unwrap(api.GET('/api/console/reports/liability', { signal }))
}

export function getWindDown(signal?: AbortSignal): Promise<WindDown> {
  return unwrap(api.GET('/api/console/reports/wind-down', { signal }))
}

export type BackRow = BackMember & { id: number }

/** A list row needs an `id`; guests' deposits stand under 0. */
export async function listWindDown(query: Query, signal?: AbortSignal): Promise<Page<BackRow>> {
  const page = await unwrap(api.GET('/api/console/reports/wind-down/members', { params: { query: cleanQuery<'/api/console/reports/wind-down/members'>(query) }, signal }))
  return { next: page.next, items: page.items.map((member) => ({ ...member, id: member.memberId ?? 0 })) }
}
