import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createRefund, getRefundPlan } from '@/api/members'
import { Problem } from '@/lib/problem'
import { payable, refundButton, refundObstacle } from '@/lib/refund'
import type { Refund, RefundPlan } from '@/lib/types'
import RefundWizard from '@/pages/member/RefundWizard.vue'

vi.mock('@/api/members', () => ({ getRefundPlan: vi.fn(), createRefund: vi.fn() }))

const plan = (requestedFen: number, part: Partial<RefundPlan> = {}): RefundPlan => ({
  planHash: `h${requestedFen}`,
  refundableFen: 65000,
  requestedFen,
  bonusBackFen: 8000,
  shortfallFen: 0,
  explain: ['只退本金，赠送按比例收回'],
  parts: [{ topupId: 1, at: '2026-11-20T06:00:00Z', method: 'wechat', paidFen: 65000, alreadyRefundedFen: 0, byHand: false, refundFen: requestedFen, bonusBackFen: 8000 }],
  ...part,
})

beforeEach(() => {
  setActivePinia(createPinia())
  vi.mocked(getRefundPlan).mockReset().mockImplementation(async (_id, fen) => plan(fen ?? 65000))
  vi.mocked(createRefund).mockReset().mockResolvedValue({} as Refund)
})

describe('refund rules', () => {
  it('says why it cannot be sent yet', () => {
    expect(refundObstacle({ amountFen: null, plan: plan(1), reason: 'x' })).toBe('请填退款金额')
    expect(refundObstacle({ amountFen: 0, plan: plan(0), reason: 'x' })).toBe('金额要大于 0')
    expect(refundObstacle({ amountFen: 70000, plan: plan(65000), reason: 'x' })).toBe('最多可退 ¥650.00')
    expect(refundObstacle({ amountFen: 100, plan: plan(200), reason: 'x' })).toBe('正在计算…')
    expect(refundObstacle({ amountFen: 100, plan: plan(100), reason: ' ' })).toBe('请写明原因')
    expect(refundObstacle({ amountFen: 100, plan: plan(100), reason: '搬家' })).toBe('')
  })

  it('puts the amount that is really paid into the button', () => {
    expect(payable(plan(65000))).toBe(65000)
    expect(refundButton({ amountFen: 65000, plan: plan(65000), reason: '' })).toBe('退款 ¥650.00')
    expect(refundButton({ amountFen: 100, plan: plan(65000), reason: '' })).toBe('退款')
  })
})

async function open() {
  const wizard = mount(RefundWizard, { props: { modelValue: false, memberId: 7, memberName: '王*' }, attachTo: document.body, global: { stubs: { teleport: true, transition: true } } })
  await wizard.setProps({ modelValue: true })
  await flushPromises()
  return wizard
}

describe('refund wizard', () => {
  it('shows the plan before anything is sent, then sends exactly that plan', async () => {
    const wizard = await open()
    expect(getRefundPlan).toHaveBeenCalledTimes(1)
    expect(wizard.text()).toContain('只退本金，赠送按比例收回')
    expect(wizard.text()).toContain('微信原路')
    expect(wizard.text()).toContain('退款 ¥650.00')
    expect(wizard.find('button[type=submit]').attributes('disabled')).toBeDefined()
    await wizard.find('input[placeholder^="如"]').setValue('车主搬家')
    await wizard.find('form.sheet').trigger('submit')
    await flushPromises()
    expect(createRefund).toHaveBeenCalledWith(7, { amountFen: 65000, reason: '车主搬家', planHash: 'h65000' }, expect.stringMatching(/^con-/))
    expect(wizard.emitted('done')).toHaveLength(1)
    wizard.unmount()
  })

  it('calculates again for another amount and when the plan went stale', async () => {
    vi.useFakeTimers()
    const wizard = mount(RefundWizard, { props: { modelValue: false, memberId: 7, memberName: '王*' }, global: { stubs: { teleport: true, transition: true } } })
    await wizard.setProps({ modelValue: true })
    await vi.runAllTimersAsync()
    await wizard.find('input[aria-label="退款金额"]').setValue('100.5')
    await vi.runAllTimersAsync()
    expect(vi.mocked(getRefundPlan).mock.lastCall![1]).toBe(10050)
    vi.mocked(createRefund).mockRejectedValueOnce(new Problem(409, { code: 'topup.plan_changed', message: '余额刚变过，请看新的方案' }))
    await wizard.find('input[placeholder^="如"]').setValue('搬家')
    await wizard.find('form.sheet').trigger('submit')
    await vi.runAllTimersAsync()
    expect(wizard.text()).toContain('余额刚变过')
    expect(getRefundPlan).toHaveBeenCalledTimes(3)
    vi.useRealTimers()
    wizard.unmount()
  })

  it('explains a shortfall', async () => {
    vi.mocked(getRefundPlan).mockResolvedValue(plan(65000, { shortfallFen: 1200 }))
    const wizard = await open()
    expect(wizard.find('.shortfall').text()).toContain('12.00')
    wizard.unmount()
  })
})
