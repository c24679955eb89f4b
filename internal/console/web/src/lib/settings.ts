import { parsePercent, parseYuan, percentOf, yuanText } from './money'
import type { SettingItem, SettingValue } from './types'

export interface SettingGroup {
  name: string
  items: SettingItem[]
}

/** The items in their groups, both in the order of the API. */
export function groupSettings(items: SettingItem[]): SettingGroup[] {
  const names = [...new Set(items.map((item) => item.group))]
  return names.map((name) => ({ name, items: items.filter((item) => item.group === name) }))
}

/** Text of an input as the setting's value; null when it does not fit. Money is typed in yuan, rates in percent. */
export function parseSetting(item: SettingItem, text: string): SettingValue | null {
  switch (item.type) {
    case 'fen':
      return parseYuan(text)
    case 'bp':
      return parsePercent(text)
    case 'int':
      return /^-?\d{1,9}$/.test(text.trim()) ? Number(text.trim()) : null
    case 'color':
      return /^#[0-9a-f]{6}$/i.test(text.trim()) ? text.trim() : null
    default:
      return text
  }
}

/** How a value is said to people: ¥5,000.00, 80%, 开. */
export function showSetting(item: SettingItem, value: SettingValue): string {
  switch (item.type) {
    case 'fen':
      return yuanText(Number(value))
    case 'bp':
      return `${percentOf(Number(value))}%`
    case 'bool':
      return value ? '开' : '关'
    case 'enum':
      return item.options?.find((option) => option.value === value)?.label ?? '其他'
    default:
      return String(value) || '空'
  }
}

/** Why a value cannot be saved; empty when it can. */
export function settingProblem(item: SettingItem, value: SettingValue | null): string {
  if (value === null) return '填得不对'
  if (item.type === 'text') {
    const length = [...String(value)].length
    if (item.min !== undefined && length < item.min) return `至少 ${item.min} 个字`
    return item.max !== undefined && length > item.max ? `最多 ${item.max} 个字` : ''
  }
  if (typeof value !== 'number') return ''
  if (item.min !== undefined && value < item.min) return `不能小于 ${showSetting(item, item.min)}`
  if (item.max !== undefined && value > item.max) return `不能大于 ${showSetting(item, item.max)}`
  return ''
}

/** Only what differs from what the server has. */
export function changedSettings(items: SettingItem[], draft: Record<string, SettingValue | null>): { key: string; value: SettingValue }[] {
  return items.flatMap((item) => {
    const value = draft[item.key]
    return value === undefined || value === null || value === item.value ? [] : [{ key: item.key, value }]
  })
}
