import { expect, it } from 'vitest'
import { choices, label, tone } from '@/lib/labels'
import { detailLines } from '@/lib/audit'

it('never shows a code it does not know', () => {
  expect(label('orderStatus', 'brand_new_code')).toBe('其他')
  expect(label('orderStatus', undefined)).toBe('—')
  expect(label('orderStatus', 'settled')).toBe('已结算')
  expect(tone('orderStatus', 'brand_new_code')).toBe('plain')
})

it('offers filter choices in the order of the table', () => {
  expect(choices('disputeStatus').map((item) => item.label)).toEqual(['待处理', '车主有理', '维持原单'])
  expect(choices('tender', ['cash']).map((item) => item.value)).toEqual(['cash'])
})

it('shows only those details of the log that have a word', () => {
  expect(detailLines({ reason: '搬家', amountFen: 5000, internalKey: 'x', nested: { a: 1 } })).toEqual([
    { name: '金额', value: '¥50.00' },
    { name: '原因', value: '搬家' },
  ])
  expect(detailLines('{"reason":"x"}')).toEqual([{ name: '原因', value: 'x' }])
  expect(detailLines({ to: 'frozen', reason: '手机遗失', from: 'active' }).map((line) => line.value)).toEqual(['正常', '已冻结', '手机遗失'])
  expect(detailLines({ to: 'brand_new_code' })).toEqual([])
  expect(detailLines({ from: '2026-12-04T02:30:00Z', to: '2026-12-04T03:30:00Z', reason: '检修' })).toEqual([
    { name: '从', value: '2026-12-04 10:30:00' },
    { name: '到', value: '2026-12-04 11:30:00' },
    { name: '原因', value: '检修' },
  ])
  expect(detailLines(null)).toEqual([])
})
