import { describe, expect, it } from 'vitest'
import { findPages, landingPath, may, navigation, visibleNavigation } from '@/lib/permissions'

const titles = (permissions: string[]) => visibleNavigation(permissions).flatMap((group) => group.items.map((item) => item.title))

describe('navigation by permission', () => {
  it('shows a receptionist what the desk needs and nothing else', () => {
    expect(titles(['member.read', 'checkout.read', 'dispute.read', 'catalog.read', 'store.read'])).toEqual(['会员', '等级与会员', '订单', '争议', '目录', '门店'])
  })

  it('drops groups that became empty', () => {
    expect(visibleNavigation(['audit.read']).map((group) => group.title)).toEqual(['系统'])
    expect(visibleNavigation([])).toEqual([])
  })

  it('shows everything to the owner', () => {
    const everything = navigation.flatMap((group) => group.items.map((item) => item.permission))
    expect(titles(everything)).toHaveLength(navigation.flatMap((group) => group.items).length)
  })

  it('lands on the first page that opens', () => {
    expect(landingPath(['report.read', 'member.read'])).toBe('/today')
    expect(landingPath(['store.read'])).toBe('/stores')
    expect(landingPath([])).toBe('/none')
  })

  it('finds pages by other words too, but only permitted ones', () => {
    expect(findPages(['catalog.read', 'audit.read'], '价格').map((page) => page.path)).toEqual(['/catalog'])
    expect(findPages(['catalog.read'], '审计')).toEqual([])
  })

  it('needs the very permission', () => {
    expect(may(['member.read'], 'member')).toBe(false)
    expect(may([], undefined)).toBe(true)
  })
})
