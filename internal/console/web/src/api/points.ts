import { api, cleanQuery, keyHeader, unwrap, type Query } from './client'
import type { PointsEntry, PointsRules, PointsSummary } from '@/lib/club-types'
import type { Page } from '@/lib/types'

export function getPointsRules(): Promise<PointsRules> {
  return unwrap(api.GET('/api/console/points/rules'))
}

export function savePointsRules(body: PointsRules): Promise<PointsRules> {
  return unwrap(api.PUT('/api/console/points/rules', { body }))
}

export function getMemberPoints(id: number): Promise<PointsSummary> {
  return unwrap(api.GET('/api/console/members/{id}/points', { params: { path: { id } } }))
}

export function listMemberPoints(id: number, query: Query, signal?: AbortSignal): Promise<Page<PointsEntry>> {
  return unwrap(api.GET('/api/console/members/{id}/points/entries', { params: { path: { id }, query: cleanQuery<'/api/console/members/{id}/points/entries'>(query) }, signal }))
}

export function adjustPoints(id: number, points: number, reason: string, key: string): Promise<PointsSummary> {
  return unwrap(api.POST('/api/console/members/{id}/points', { params: { path: { id }, header: keyHeader(key) }, body: { points, reason } }))
}
