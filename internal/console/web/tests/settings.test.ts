import { describe, expect, it } from 'vitest'
import { changedSettings, groupSettings, parseSetting, settingProblem, showSetting } from '@/lib/settings'
import type { SettingItem } from '@/lib/types'

const item = (part: Partial<SettingItem>): SettingItem => ({ key: 'k', group: 'g', label: 'l', help: '', type: 'text', value: '', default: '', ...part })

describe('settings form', () => {
  it('keeps the order of groups and of items', () => {
    const groups = groupSettings([item({ key: 'a', group: '储值' }), item({ key: 'b', group: '店铺' }), item({ key: 'c', group: '储值' })])
    expect(groups.map((group) => [group.name, group.items.map((one) => one.key).join()])).toEqual([['储值', 'a,c'], ['店铺', 'b']])
  })

  it('reads yuan as fen, percent as basis points, and refuses the rest', () => {
    expect(parseSetting(item({ type: 'fen' }), '5,000')).toBe(500000)
    expect(parseSetting(item({ type: 'bp' }), '95.5%')).toBe(9550)
    expect(parseSetting(item({ type: 'int' }), ' 30 ')).toBe(30)
    expect(parseSetting(item({ type: 'int' }), '3.5')).toBeNull()
    expect(parseSetting(item({ type: 'color' }), '#0B7A75')).toBe('#0B7A75')
    expect(parseSetting(item({ type: 'color' }), 'red')).toBeNull()
  })

  it('says values and limits in the same unit', () => {
    const cap = item({ type: 'fen', min: 0, max: 1000000 })
    expect(showSetting(cap, 500000)).toBe('¥5,000.00')
    expect(settingProblem(cap, 1000001)).toBe('不能大于 ¥10,000.00')
    expect(settingProblem(cap, null)).toBe('填得不对')
    expect(showSetting(item({ type: 'bp' }), 8000)).toBe('80%')
    expect(showSetting(item({ type: 'bool' }), true)).toBe('开')
    expect(showSetting(item({ type: 'enum', options: [{ value: 'x', label: '按比例' }] }), 'x')).toBe('按比例')
    expect(showSetting(item({ type: 'enum', options: [] }), 'raw_code')).toBe('其他')
  })

  it('counts the letters of a text', () => {
    expect(settingProblem(item({ min: 1, max: 3 }), '')).toBe('至少 1 个字')
    expect(settingProblem(item({ min: 1, max: 3 }), '亮车洗护')).toBe('最多 3 个字')
    expect(settingProblem(item({ min: 0, max: 20 }), '')).toBe('')
  })

  it('sends only what changed', () => {
    const items = [item({ key: 'a', type: 'bool', value: false }), item({ key: 'b', type: 'int', value: 3 }), item({ key: 'c', type: 'int', value: 3 })]
    expect(changedSettings(items, { a: false, b: 5, c: null })).toEqual([{ key: 'b', value: 5 }])
  })
})
