// The few answers that the smoke test needs; stories run against the real server instead.

const secret = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')
const home = () => ({
  member: { id: 1, name: '林晓舟', phoneMasked: '138****6688', gender: 'female', status: 'active', phoneVerified: true, joinedAt: '2026-01-01T00:00:00Z' },
  card: { id: 1, no: '880020314477', status: 'active', issuedAt: '2026-01-01T00:00:00Z' },
  tier: { id: 1, name: '金卡会员', color: '#B8862B', rank: 3, discountBp: 9500 },
  wallet: { principalFen: 31200, bonusFen: 5600, totalFen: 36800, heldFen: 0 },
  points: 1280,
  vehicles: [],
  records: [
    {
      id: 1, seq: 5, kind: 'consume', title: '精致洗车', at: new Date(Date.now() - 7200_000).toISOString(), storeName: '静安店', deltaFen: -8360,
      principalDeltaFen: -7000, bonusDeltaFen: -1360, balanceAfterFen: 36800, paidFen: 8800, orderId: 31,
    },
  ],
  charterOutdated: false,
  asOf: new Date().toISOString(),
})

const ANSWERS = {
  'GET /api/owner/config': () => ({
    shopName: '亮车洗护', accentColor: '#0B7A75', servicePhone: '', charterVersion: 1, charterTitle: '会员章程',
    templates: { deduction: '', topup: '', refund: '' }, demo: true,
  }),
  'POST /api/owner/session': () => ({ session: { accessToken: 'stub', refreshToken: 'stub', expiresAt: '2099-01-01T00:00:00Z' } }),
  'GET /api/owner/home': home,
  'GET /api/owner/bookings': () => ({ items: [] }),
  'GET /api/owner/pulse': () => ({ seq: 5, items: [] }),
  'POST /api/owner/code-devices': () => ({ deviceNo: '123456789', secret, stepSeconds: 60, serverTime: new Date().toISOString() }),
}

export function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost')
  const make = ANSWERS[`${request.method} ${pathname}`]
  response.writeHead(make ? 200 : 404, { 'content-type': 'application/json' })
  response.end(JSON.stringify(make ? make() : { code: 'not_found', message: '没有找到', requestId: 'stub' }))
}
