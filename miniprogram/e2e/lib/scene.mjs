// What a manager finds in the morning: a member who topped up through WeChat, was served, and has a question.
import { newPhone, newPlate, sandbox, staffApi } from './api.mjs'
import { memberCodes } from './member.mjs'

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export async function scene(origin, name = '沈知夏') {
  const desk = await staffApi(origin)
  const member = await memberCodes(origin, { name, phone: newPhone(), plate: newPlate() })
  const plan = (await member.get('/topup-plans')).items.find((p) => p.amountFen === 50_000)
  const topup = await member.post('/topups', { planId: plan.id, amountFen: plan.amountFen })
  await sandbox(origin).pay({ prepayId: topup.pay.package.replace('prepay_id=', ''), personaId: member.persona.id })
  for (let i = 0; (await member.get(`/topups/${topup.topupId}`)).state !== 'credited'; i++) {
    if (i > 50) throw new Error('the top-up was not credited')
    await pause(200)
  }
  const order = await desk.settle({ memberId: member.memberId, plate: member.plate, service: '精致洗车' })
  const toReverse = await desk.settle({ memberId: member.memberId, plate: member.plate, service: '标准洗车' })
  await member.post(`/orders/${order.orderId}/dispute`, { reason: 'not_done', note: '轮毂没有擦' })
  return { member, memberId: member.memberId, plate: member.plate, order, toReverse, topup }
}
