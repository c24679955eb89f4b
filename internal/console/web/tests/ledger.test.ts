import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import LedgerTab from '@/pages/member/LedgerTab.vue'
import { amountText, balanceText, reversalOf, sourceOf } from '@/lib/ledger'
import type { LedgerEntry } from '@/lib/types'
import { useSession } from '@/stores/session'

const entry = (part: Partial<LedgerEntry>): LedgerEntry => ({
  id: 1, at: '2026-11-22T06:00:00Z', bizDay: '2026-11-22', kind: 'consume', title: '标准洗车', unit: 'principal', amount: -3500, balanceAfter: 46500,
  storeName: '虹桥店', actorName: '小林', refKind: 'order', refId: 77, memo: '', ...part,
})

vi.mock('@/api/members', () => ({
  listLedger: vi.fn(async () => ({
    items: [
      entry({ id: 3, title: '撤销标准洗车', kind: 'reversal', amount: 3500, balanceAfter: 50000, reversesId: 2 }),
      entry({ id: 2, reversedById: 3 }),
      entry({ id: 1, title: '', kind: 'topup', unit: 'points', amount: 500, balanceAfter: 1500, refKind: 'topup', refId: 5 }),
    ],
  })),
}))

describe('ledger', () => {
  it('says amounts in their own unit', () => {
    expect(amountText(entry({}))).toBe('−¥35.00')
    expect(amountText(entry({ amount: 9999999 }))).toBe('+¥99,999.99')
    expect(amountText(entry({ unit: 'points', amount: 1280 }))).toBe('+1,280 分')
    expect(balanceText(entry({ unit: 'points', balanceAfter: 0 }))).toBe('0 分')
    expect(amountText(entry({ unit: 'uses', amount: -1 }))).toBe('−1 次')
    expect(balanceText(entry({ unit: 'experience', balanceAfter: 320 }))).toBe('320 点')
  })

  it('knows both sides of a reversal and where an entry comes from', () => {
    expect(reversalOf(entry({ reversesId: 9 }))).toEqual({ text: '撤销了一笔', otherId: 9 })
    expect(reversalOf(entry({ reversedById: 8 }))).toEqual({ text: '已被撤销', otherId: 8 })
    expect(reversalOf(entry({}))).toBeNull()
    expect(sourceOf(entry({}))?.to).toBe('/orders/77')
    expect(sourceOf(entry({ refKind: 'topup' }))).toBeNull()
    expect(sourceOf(entry({ refKind: 'pass' }))).toMatchObject({ to: '/passes/77', permission: 'pass.read' })
  })

  it('draws every entry with its links and never a code', async () => {
    setActivePinia(createPinia())
    useSession().me = { id: 1, name: '周', username: 'zhou', roles: [], permissions: ['checkout.read'], stores: [], wechatBound: false, shopName: '', demo: false }
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:all(.*)*', component: { template: '<i/>' } }] })
    const page = mount(LedgerTab, { props: { memberId: 7 }, global: { plugins: [router] } })
    await flushPromises()
    const rows = page.findAll('tbody tr')
    expect(rows).toHaveLength(3)
    expect(rows[0]!.text()).toContain('撤销标准洗车')
    expect(rows[0]!.text()).toContain('+¥35.00')
    expect(rows[0]!.text()).toContain('撤销了一笔')
    expect(rows[1]!.find('.undone').exists()).toBe(true)
    expect(rows[1]!.find('a').attributes('href')).toBe('/orders/77')
    expect(rows[2]!.text()).toContain('充值')
    expect(rows[2]!.text()).toContain('+500 分')
    expect(page.text()).not.toMatch(/principal|points|topup|reversal/)
  })
})
