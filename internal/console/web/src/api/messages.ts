import { api, cleanQuery, unwrap, type Query } from './client'
import type { components } from '@/lib/schema'
import type { Page } from '@/lib/types'

type Schemas = components['schemas']
export type MessageRow = Schemas['NotifyEntryView']
export type MessageDetail = Schemas['NotifyMessageView']
export type MessageSetup = Schemas['NotifySetup']
export type MessageEvent = Schemas['NotifyEventView']
export type MessageTemplate = Schemas['NotifyTemplateView']
export type TemplateInput = Schemas['NotifyTemplateInput']
export type TemplateField = Schemas['NotifyField']
export type PreviewLine = Schemas['NotifyLine']
export type RulesInput = Schemas['NotifyRulesInput']
export type DayCount = Schemas['NotifyDayCount']
export type Choices = Schemas['NotifyChoices']
export type Preference = Schemas['NotifyPreference']
export type Channel = MessageTemplate['channel']

export function listMessages(query: Query, signal?: AbortSignal): Promise<Page<MessageRow>> {
  return unwrap(api.GET('/api/console/messages', { params: { query: cleanQuery<'/api/console/messages'>(query) }, signal }))
}

export function getMessage(id: number): Promise<MessageDetail> {
  return unwrap(api.GET('/api/console/messages/{id}', { params: { path: { id } } }))
}

export async function resendMessages(ids: number[]): Promise<number> {
  return (await unwrap(api.POST('/api/console/messages/resend', { body: { ids } }))).count
}

export async function messageStats(days: number): Promise<DayCount[]> {
  return (await unwrap(api.GET('/api/console/messages/stats', { params: { query: { days } } }))).days
}

export function messageSetup(): Promise<MessageSetup> {
  return unwrap(api.GET('/api/console/message-setup'))
}

export function saveRules(body: RulesInput): Promise<MessageSetup> {
  return unwrap(api.PUT('/api/console/message-setup/rules', { body }))
}

export function saveTemplate(body: TemplateInput): Promise<MessageSetup> {
  return unwrap(api.PUT('/api/console/message-setup/templates', { body }))
}

export async function previewTemplate(body: TemplateInput): Promise<PreviewLine[]> {
  return (await unwrap(api.POST('/api/console/message-setup/preview', { body }))).lines
}

export function testTemplate(channel: Channel, event: string): Promise<{ ok: boolean; says: string }> {
  return unwrap(api.POST('/api/console/message-setup/test', { body: { channel, event } }))
}

export function memberChoices(id: number): Promise<Choices> {
  return unwrap(api.GET('/api/console/members/{id}/message-preference', { params: { path: { id } } }))
}

export function saveMemberChoices(id: number, body: Preference): Promise<Choices> {
  return unwrap(api.PUT('/api/console/members/{id}/message-preference', { params: { path: { id } }, body }))
}
