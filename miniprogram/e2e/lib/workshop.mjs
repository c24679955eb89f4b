// A workshop that can be booked at any hour of any day, so that a story can be told at night too: opening hours, two bays, two
// technicians with shifts, and a service that asks for a deposit.
import { consoleApi } from './api.mjs'

const ZONE_MS = 8 * 3600_000
const DAY_MS = 24 * 3600_000
const SKILLS = ['wash', 'detail', 'film', 'repair', 'inspect', 'rescue', 'driver']
export const DAYS = 4
export const DEPOSIT_FEN = 3000

/** A day of the shop, 0 is today. */
export const dayOf = (ahead) => new Date(Date.now() + ZONE_MS + ahead * DAY_MS).toISOString().slice(0, 10)
/** A shop's wall clock as an instant. */
export const instant = (ahead, time) => new Date(Date.parse(`${dayOf(ahead)}T${time}:00Z`) - ZONE_MS).toISOString()

/** What PUT takes of what GET gives. */
const input = ({ id: _, ...rest }) => rest

export async function workshop(origin, storeId, { withDeposit, rescue }) {
  const boss = await consoleApi(origin)
  const everyDay = Array.from({ length: 7 }, (_, weekday) => ({ weekday, opens: 0, closes: 1440 }))
  await boss.put(`/stores/${storeId}/hours`, { spans: everyDay })
  let bays = (await boss.get(`/bays?storeId=${storeId}`)).items.filter((b) => b.kind === 'wash' && b.active)
  for (let n = bays.length; n < 2; n++) await boss.post('/bays', { storeId, name: `${n + 1} 号洗车位`, kind: 'wash', priority: false, active: true, sort: n })
  bays = (await boss.get(`/bays?storeId=${storeId}`)).items.filter((b) => b.kind === 'wash' && b.active)
  const technicians = (await boss.get(`/technicians?storeId=${storeId}`)).items
  const able = technicians.filter((t) => t.active && (t.bookable || t.name === '吴技师' || t.name === '孙店长'))
  for (const t of able) {
    const skills = SKILLS.map((skill) => ({ skill, level: Math.max(4, t.skills.find((s) => s.skill === skill)?.level ?? 0) }))
    await boss.put(`/technicians/${t.staffId}`, { bookable: true, skills })
    for (let ahead = 0; ahead < DAYS; ahead++) {
      await boss.put('/shifts', { storeId, staffId: t.staffId, day: dayOf(ahead), spans: [{ starts: 0, ends: 1440, breakStarts: 0, breakEnds: 0 }] })
    }
  }
  const services = (await boss.get('/services')).items
  const dear = services.find((s) => s.name === withDeposit)
  await boss.put(`/services/${dear.id}`, { ...input(dear), depositFen: DEPOSIT_FEN, freeCancelHours: 4 })
  if (!services.some((s) => s.name === rescue)) {
    const { prices } = services[0]
    await boss.post('/services', {
      ...input(services[0]), name: rescue, description: '搭电、换胎、送油', kind: 'other', minutes: 60, prices: prices.map((p) => ({ ...p, priceFen: 20_000 })),
      bookingKinds: ['rescue'], bayKind: '', skill: 'rescue', minLevel: 1, changeoverMinutes: 0, depositFen: 0, freeCancelHours: 0, sort: 90,
    })
  }
  return { boss, bays, technicians: able }
}
