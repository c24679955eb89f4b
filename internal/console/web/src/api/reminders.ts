import { api, unwrap } from './client'
import type { components } from '@/lib/schema'

type Schemas = components['schemas']
export type Reminders = Schemas['Reminders']
export type ReminderRule = Schemas['RemindRuleView']
export type ReminderChoice = Schemas['RemindChoice']
export type Outlook = Schemas['RemindOutlook']
export type InspectionTable = Schemas['RemindTable']
export type InspectionKind = Schemas['RemindKind']
export type InspectionStage = Schemas['RemindStage']
export type CareList = Schemas['RemindCareList']
export type Care = Schemas['RemindCareView']
export type CareInput = Schemas['RemindInput']
export type CareDone = Schemas['RemindDoneInput']

export const listReminders = (): Promise<Reminders> => unwrap(api.GET('/api/console/reminders'))

export function saveReminder(event: string, body: ReminderChoice): Promise<Reminders> {
  return unwrap(api.PUT('/api/console/reminders/{event}', { params: { path: { event } }, body }))
}

export const saveReminderHour = (hour: number): Promise<Reminders> => unwrap(api.PUT('/api/console/reminder-hour', { body: { hour } }))
export const reminderOutlook = (): Promise<Outlook> => unwrap(api.GET('/api/console/reminder-outlook'))
export const inspectionTable = (): Promise<InspectionTable> => unwrap(api.GET('/api/console/inspections'))
export const lawTable = (): Promise<InspectionTable> => unwrap(api.GET('/api/console/inspections/law'))
export const saveInspections = (body: InspectionTable): Promise<InspectionTable> => unwrap(api.PUT('/api/console/inspections', { body }))

export const careOfMember = (id: number): Promise<CareList> => unwrap(api.GET('/api/console/members/{id}/care', { params: { path: { id } } }))

export function tellCare(id: number, vehicleId: number, body: CareInput): Promise<Care> {
  return unwrap(api.PUT('/api/console/members/{id}/vehicles/{vehicleId}/care', { params: { path: { id, vehicleId } }, body }))
}

export function careDone(id: number, vehicleId: number, body: CareDone): Promise<Care> {
  return unwrap(api.POST('/api/console/members/{id}/vehicles/{vehicleId}/care/done', { params: { path: { id, vehicleId } }, body }))
}
