import { api, cleanQuery, keyHeader, unwrap, type Query } from './client'
import type { components } from '@/lib/schema'
import type { Page } from '@/lib/types'

type Schemas = components['schemas']
export type Task = Schemas['OutreachTaskView']
export type TaskResult = Schemas['OutreachResult']
export type TaskSummary = Schemas['OutreachSummary']
export type TaskGift = Schemas['OutreachGift']
export type OutreachRule = Schemas['OutreachRuleView']
export type RuleInput = Schemas['OutreachRule']
export type Holiday = Schemas['OutreachHoliday']
export type HolidayInput = Schemas['OutreachHolidayInput']
export type Holidays = Schemas['OutreachHolidays']
export type Campaign = Schemas['OutreachCampaignView']
export type CampaignDetail = Schemas['OutreachCampaignDetail']
export type CampaignInput = Schemas['OutreachCampaignInput']
export type Estimate = Schemas['OutreachEstimate']
export type RainDay = Schemas['RainDayView']
export type RainRule = Schemas['RainRule']
export type RainSetup = Schemas['RainSetup']
export type RainMark = Schemas['RainMark']
export type RainOutlook = Schemas['RainOutlook']

const at = (id: number) => ({ params: { path: { id } } })
const keyed = (id: number, key: string) => ({ params: { path: { id }, header: keyHeader(key) } })

export function listTasks(query: Query, signal?: AbortSignal): Promise<Page<Task>> {
  return unwrap(api.GET('/api/console/outreach/tasks', { params: { query: cleanQuery<'/api/console/outreach/tasks'>(query) }, signal }))
}
export const taskSummary = (signal?: AbortSignal): Promise<TaskSummary> => unwrap(api.GET('/api/console/outreach/summary', { signal }))
export const taskGifts = async (): Promise<TaskGift[]> => (await unwrap(api.GET('/api/console/outreach/gifts'))).items
export const dialTask = async (id: number): Promise<string> => (await unwrap(api.POST('/api/console/outreach/tasks/{id}/dial', at(id)))).phone
export const textTask = async (id: number): Promise<void> => void (await unwrap(api.POST('/api/console/outreach/tasks/{id}/text', at(id))))
export const handleTask = (id: number, body: TaskResult, key: string): Promise<Task> => unwrap(api.POST('/api/console/outreach/tasks/{id}/result', { ...keyed(id, key), body }))

export const getOutreachRule = (signal?: AbortSignal): Promise<OutreachRule> => unwrap(api.GET('/api/console/outreach/rule', { signal }))
export const saveOutreachRule = (body: RuleInput): Promise<OutreachRule> => unwrap(api.PUT('/api/console/outreach/rule', { body }))

export const listHolidays = (signal?: AbortSignal): Promise<Holidays> => unwrap(api.GET('/api/console/outreach/holidays', { signal }))
export const saveHoliday = (id: number, body: HolidayInput): Promise<Holiday> =>
  id ? unwrap(api.PUT('/api/console/outreach/holidays/{id}', { ...at(id), body })) : unwrap(api.POST('/api/console/outreach/holidays', { body }))
export const deleteHoliday = (id: number): Promise<Holidays> => unwrap(api.DELETE('/api/console/outreach/holidays/{id}', at(id)))

export function listCampaigns(query: Query, signal?: AbortSignal): Promise<Page<Campaign>> {
  return unwrap(api.GET('/api/console/outreach/campaigns', { params: { query: cleanQuery<'/api/console/outreach/campaigns'>(query) }, signal }))
}
export const getCampaign = (id: number, signal?: AbortSignal): Promise<CampaignDetail> => unwrap(api.GET('/api/console/outreach/campaigns/{id}', { ...at(id), signal }))
export const previewCampaign = (body: CampaignInput): Promise<Estimate> => unwrap(api.POST('/api/console/outreach/campaigns/preview', { body }))
export const saveCampaign = (id: number, body: CampaignInput): Promise<CampaignDetail> =>
  id ? unwrap(api.PUT('/api/console/outreach/campaigns/{id}', { ...at(id), body })) : unwrap(api.POST('/api/console/outreach/campaigns', { body }))
export const startCampaign = (id: number, key: string): Promise<CampaignDetail> => unwrap(api.POST('/api/console/outreach/campaigns/{id}/start', keyed(id, key)))
export const pauseCampaign = (id: number): Promise<CampaignDetail> => unwrap(api.POST('/api/console/outreach/campaigns/{id}/pause', at(id)))
export const stopCampaign = (id: number): Promise<CampaignDetail> => unwrap(api.POST('/api/console/outreach/campaigns/{id}/stop', at(id)))
export const testCampaign = (id: number): Promise<{ ok: boolean; says: string }> => unwrap(api.POST('/api/console/outreach/campaigns/{id}/test', at(id)))

export async function rainDays(storeId: number, month: string, signal?: AbortSignal): Promise<RainDay[]> {
  return (await unwrap(api.GET('/api/console/rain/days', { params: { query: { storeId, month } }, signal }))).days
}
export const rainOutlook = (body: RainMark): Promise<RainOutlook> => unwrap(api.POST('/api/console/rain/outlook', { body }))
export const markRain = (body: RainMark): Promise<RainDay> => unwrap(api.POST('/api/console/rain/days', { body }))
export const undoRain = (id: number): Promise<RainDay> => unwrap(api.POST('/api/console/rain/days/{id}/undo', at(id)))
export const rainRule = (signal?: AbortSignal): Promise<RainSetup> => unwrap(api.GET('/api/console/rain/rule', { signal }))
export const saveRainRule = (body: RainRule): Promise<RainSetup> => unwrap(api.PUT('/api/console/rain/rule', { body }))
