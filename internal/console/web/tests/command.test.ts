import { describe, expect, it, vi } from 'vitest'
import { useCommand } from '@/composables/useCommand'
import { CommandKey } from '@/lib/idempotency'
import { fieldMessage, generalMessage, Problem } from '@/lib/problem'

describe('idempotency key of a dialog', () => {
  it('stays for a retry, changes with the amount and with a newly opened dialog', () => {
    const key = new CommandKey()
    const first = key.forBody({ amountFen: 100 })
    expect(first).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
    expect(key.forBody({ amountFen: 100 })).toBe(first)
    const second = key.forBody({ amountFen: 200 })
    expect(second).not.toBe(first)
    key.renew()
    expect(key.forBody({ amountFen: 200 })).not.toBe(second)
  })

  it('is the same again after a lost answer', async () => {
    const command = useCommand()
    const keys: string[] = []
    const send = async (key: string) => {
      keys.push(key)
      if (keys.length === 1) throw new TypeError('Failed to fetch')
    }
    expect(await command.run(send, { amountFen: 5 })).toBe(false)
    expect(command.problem.value?.uncertain).toBe(true)
    expect(await command.run(send, { amountFen: 5 })).toBe(true)
    expect(keys[0]).toBe(keys[1])
  })

  it('does nothing on the second click of a double click', async () => {
    const command = useCommand()
    const send = vi.fn(() => new Promise((resolve) => setTimeout(resolve, 5)))
    const [first, second] = await Promise.all([command.run(send), command.run(send)])
    expect([first, second]).toEqual([true, false])
    expect(send).toHaveBeenCalledTimes(1)
  })
})

describe('messages at fields', () => {
  const problem = new Problem(422, { code: 'request.invalid', message: '请检查', fields: [{ field: 'body.phone', message: '手机号不对' }, { field: 'storeId', message: '没有这家店' }] })

  it('finds a field with and without the body prefix', () => {
    expect(fieldMessage(problem, 'phone')).toBe('手机号不对')
    expect(fieldMessage(problem, 'name')).toBe('')
  })

  it('shows above the form only what no field shows', () => {
    expect(generalMessage(problem, ['phone', 'storeId'])).toBe('')
    expect(generalMessage(problem, ['phone'])).toBe('没有这家店')
    const tooMuch = new Problem(422, { code: 'wallet.topup_amount', message: '一次最多充值 ¥5,000.00', fields: [{ field: 'amountFen', message: '金额太大' }] })
    expect(generalMessage(tooMuch, ['amountFen'])).toBe('一次最多充值 ¥5,000.00')
    expect(generalMessage(new Problem(409, { code: 'x', message: '已被别人改过' }), ['phone'])).toBe('已被别人改过')
  })
})
