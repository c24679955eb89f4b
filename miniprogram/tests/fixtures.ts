import type { Charter, DeskMember, Home, LedgerRecord, Quote, Receipt, TopupPlans } from '@/api/types'

export const record = (seq: number, kind: LedgerRecord['kind'], over: Partial<LedgerRecord> = {}): LedgerRecord => ({
  id: seq, seq, kind, title: kind === 'topup' ? '微信充值' : '精致洗车', at: '2026-11-20T02:00:00Z', storeName: '静安店',
  deltaFen: kind === 'topup' ? 58000 : -8360, principalDeltaFen: 0, bonusDeltaFen: 0, balanceAfterFen: 36800, paidFen: 8800, ...over,
})

export const HOME: Home = {
  member: { id: 1, name: '林晓舟', phoneMasked: '138****6688', gender: 'female', status: 'active', phoneVerified: true, joinedAt: '2026-01-01T00:00:00Z' },
  card: { id: 1, no: '880020314477', status: 'active', issuedAt: '2026-01-01T00:00:00Z' },
  tier: { id: 1, name: '金卡会员', color: '#b8862b', rank: 3, discountBp: 9500 },
  wallet: { principalFen: 31200, bonusFen: 5600, totalFen: 36800, heldFen: 0 },
  points: 1280, vehicles: [], records: [record(5, 'consume'), record(4, 'topup')], charterOutdated: false, asOf: '2026-11-22T00:00:00Z',
}

export const PLANS: TopupPlans = {
  items: [{ id: 1, name: '充五百', amountFen: 50000, bonusFen: 8000, note: '' }],
  customAllowed: true, customMinFen: 1000, customMaxFen: 500000, cardCapFen: 500000, capLeftFen: 463200,
}

export const CHARTER: Charter = { version: 3, title: '会员章程', body: '# 一\n甲', privacyBody: '乙', publishedAt: '2026-01-01T00:00:00Z' }

const lines: Quote['lines'] = [
  { kind: 'service', title: '精致洗车', explain: 'SUV 标价 88.00 元', qty: 1, unitPriceFen: 8800, amountFen: 8800 },
  { kind: 'tier_discount', title: '金卡 95 折', explain: '服务 88.00 × 5% = 4.40 元', qty: 1, unitPriceFen: -440, amountFen: -440 },
]

export const RECEIPT: Receipt = {
  orderId: 31, no: 'JA1', status: 'settled', storeName: '静安店', staffName: '小王', plate: '沪A8K316', vehicleClassName: 'SUV', at: '2026-11-22T02:00:00Z',
  lines, totalFen: 8360, tenders: [{ kind: 'balance', label: '会员余额', amountFen: 8360, principalFen: 7000, bonusFen: 1360 }],
  balanceAfterFen: 28440, canReverse: true,
}

export const DESK_MEMBER: DeskMember = {
  memberId: 1, name: '林晓舟', gender: 'female', phoneMasked: '138****6688', tier: HOME.tier, card: HOME.card, status: 'active', wallet: HOME.wallet, points: 0, visits: 3, recent: [],
  vehicles: [{ id: 1, plate: '沪A8K316', plateKind: 'blue', brand: '', model: '', color: '', vehicleClassId: 2, vehicleClassName: 'SUV', marks: '' }],
}

export const quote = (over: Partial<Quote> = {}): Quote => ({
  quoteHash: 'h1', lines, subtotalFen: 8800, discountFen: -440, totalFen: 8360,
  balance: { availableFen: 5000, usableFen: 5000, missingFen: 3360 }, suggestion: [], ...over,
})
