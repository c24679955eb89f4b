/** Every word for a code of the API. Pages never show a code itself: an unknown one reads "其他". */

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'plain'
interface Label {
  text: string
  tone: Tone
}
type Table = Record<string, Label>

const good = (text: string): Label => ({ text, tone: 'good' })
const warn = (text: string): Label => ({ text, tone: 'warn' })
const bad = (text: string): Label => ({ text, tone: 'bad' })
const info = (text: string): Label => ({ text, tone: 'info' })
const plain = (text: string): Label => ({ text, tone: 'plain' })

const tables = {
  memberStatus: {
    review: warn('待审核'),
    active: good('正常'),
    suspended: bad('已停用'),
    closing: warn('注销中'),
    closed: plain('已注销'),
    rejected: plain('未通过'),
  },
  cardStatus: {
    active: good('正常'),
    frozen: warn('已冻结'),
    lost: bad('已挂失'),
    replaced: plain('已换卡'),
    closed: plain('已注销'),
  },
  orderStatus: {
    awaiting_payment: warn('待付款'),
    settled: good('已结算'),
    cancelled: plain('已取消'),
    reversed: bad('已撤销'),
  },
  tender: {
    balance: plain('储值'),
    cash: plain('现金'),
    card: plain('刷卡'),
    alipay: plain('支付宝'),
    wechat: plain('微信支付'),
    wechat_native: plain('微信扫码'),
    wechat_jsapi: plain('微信支付'),
    deposit: plain('定金'),
    refund: plain('退款'),
  },
  lineKind: {
    service: plain('服务'),
    good: plain('商品'),
    tier_discount: plain('会员折扣'),
    manual_discount: plain('手工优惠'),
    floor: plain('最低价保护'),
  },
  topupState: {
    pending: warn('待付款'),
    paying: warn('付款中'),
    credited: good('已到账'),
    closed: plain('已关闭'),
    failed: bad('失败'),
    refunded: info('已退款'),
    partly_refunded: info('部分退款'),
  },
  refundState: {
    pending: warn('处理中'),
    created: warn('处理中'),
    processing: warn('退款中'),
    done: good('已退款'),
    attention: bad('要处理'),
    success: good('已退款'),
    succeeded: good('已退款'),
    partial: warn('部分完成'),
    failed: bad('失败'),
    abnormal: bad('退款异常'),
    closed: plain('已关闭'),
  },
  paymentState: {
    created: plain('已创建'),
    prepaid: warn('待付款'),
    paid: good('已付款'),
    closed: plain('已关闭'),
    failed: bad('失败'),
    mismatch: bad('金额不符'),
    surplus: bad('重复付款'),
    refunded: info('已退款'),
  },
  paymentPurpose: { topup: plain('会员充值'), order: plain('到店消费'), deposit: plain('预约定金') },
  wechatState: {
    SUCCESS: good('支付成功'),
    REFUND: info('转入退款'),
    NOTPAY: warn('未支付'),
    CLOSED: plain('已关闭'),
    REVOKED: plain('已撤销'),
    USERPAYING: warn('支付中'),
    PAYERROR: bad('支付失败'),
    NOTEXIST: plain('微信无此单'),
  },
  notificationKind: { 'TRANSACTION.SUCCESS': plain('付款通知'), 'REFUND.SUCCESS': plain('退款成功'), 'REFUND.ABNORMAL': plain('退款异常'), 'REFUND.CLOSED': plain('退款关闭'),  pay: plain('付款通知'), payment: plain('付款通知'), transaction: plain('付款通知'), refund: plain('退款通知'), query: plain('主动查询') },
  notificationOutcome: {
    received: warn('已收到'),
    verified: good('已核对'),
    accepted: good('已入账'),
    applied: good('已入账'),
    credited: good('已入账'),
    ok: good('已处理'),
    processed: good('已处理'),
    duplicate: plain('重复通知'),
    replayed: plain('重复通知'),
    ignored: plain('已忽略'),
    bad_signature: bad('签名不对'),
    forged: bad('签名不对'),
    mismatch: bad('金额不符'),
    unknown: bad('找不到订单'),
    unknown_order: bad('找不到订单'),
    rejected: bad('已拒绝'),
    error: bad('处理失败'),
    failed: bad('处理失败'),
  },
  tradeType: { JSAPI: plain('微信内付款'), NATIVE: plain('扫码付款') },
  wechatApp: { mini_program: plain('小程序'), official_account: plain('公众号'), mp: plain('小程序'), oa: plain('公众号'), desk: plain('前台') },
  disputeStatus: { open: warn('待处理'), upheld: info('车主有理'), rejected: plain('维持原单') },
  disputeReason: { not_me: plain('不是我'), not_done: plain('没做这项'), amount: plain('金额不对'), other: plain('其他原因') },
  gender: { male: plain('先生'), female: plain('女士'), unknown: plain('未填') },
  plateKind: { blue: plain('蓝牌'), green: plain('新能源'), yellow: plain('黄牌'), other: plain('其他') },
  loginVia: { password: plain('密码'), mini_program: plain('小程序'), ticket: plain('公众号'), official_account: plain('公众号') },
  serviceKind: { wash: plain('洗车'), detail: plain('精洗美容'), film: plain('贴膜镀晶'), repair: plain('维修'), other: plain('其他') },
  ledgerUnit: { principal: plain('本金'), bonus: plain('赠送'), points: plain('积分') },
  ledgerKind: {
    topup: plain('充值'),
    bonus: plain('赠送'),
    consume: plain('消费'),
    spend: plain('消费'),
    checkout: plain('消费'),
    settle: plain('消费'),
    earn: plain('消费得积分'),
    points: plain('积分'),
    reversal: plain('撤销'),
    refund: plain('退款'),
    adjust: plain('调整'),
    hold: plain('预留'),
    release: plain('解除预留'),
    expire: plain('到期'),
    walk_in_tender: plain('现付消费'),
    deposit: plain('收定金'),
    deposit_refund: plain('退定金'),
    forfeit: plain('定金不退'),
  },
  staffStatus: { invited: warn('待加入'), active: good('在职'), suspended: bad('已停用') },
  actorKind: { none: plain('未登录'), staff: plain('员工'), owner: plain('车主'), member: plain('车主'), system: plain('系统'), wechat: plain('微信'), job: plain('系统') },
  subjectKind: {
    member: plain('会员'),
    card: plain('会员卡'),
    vehicle: plain('车辆'),
    identity: plain('微信身份'),
    order: plain('订单'),
    checkout: plain('订单'),
    payment: plain('支付'),
    topup: plain('充值'),
    refund: plain('退款'),
    wallet_refund: plain('退款'),
    order_reversal: plain('撤销'),
    wallet: plain('储值'),
    dispute: plain('争议'),
    service: plain('服务'),
    good: plain('商品'),
    vehicle_class: plain('车型'),
    topup_plan: plain('充值方案'),
    tier: plain('等级'),
    store: plain('门店'),
    shop: plain('门店'),
    staff: plain('员工'),
    role: plain('角色'),
    session: plain('登录'),
    setting: plain('设置'),
    charter: plain('会员章程'),
    booking: plain('预约'),
    booking_wait: plain('候补'),
    wait: plain('候补'),
    bay: plain('工位'),
    block: plain('停用'),
    slot: plain('工位、技师'),
    slot_block: plain('停用'),
    store_day: plain('特殊日'),
    technician: plain('技师'),
    shift: plain('排班'),
    image: plain('图片'),
  },
  bookingState: {
    queued: warn('排队中'),
    requested: warn('待接单'),
    held: plain('待确认'),
    confirmed: info('已预约'),
    dispatched: info('已出发'),
    arrived: warn('已到店'),
    in_service: good('施工中'),
    done: good('已完工'),
    settled: plain('已结算'),
    no_show: bad('未到店'),
    cancelled: plain('已取消'),
    expired: plain('已过期'),
  },
  bookingKind: { visit: plain('到店'), at_home: plain('上门'), pickup: plain('取送车'), repair: plain('维修'), errand: plain('代办'), rescue: plain('救援'), other: plain('其他') },
  bookingChannel: {
    mini_program: plain('小程序'),
    h5: plain('网页'),
    official_account: plain('公众号'),
    link: plain('分享链接'),
    desk: plain('前台'),
    phone: plain('电话'),
    walk_in: plain('到店排队'),
  },
  depositState: {
    none: plain('不用'),
    due: warn('待付'),
    paid: good('已付'),
    refunding: warn('退款中'),
    refunded: info('已退'),
    forfeited: plain('不退'),
    used: plain('已抵扣'),
  },
  waitState: { waiting: plain('等候'), offered: warn('已通知'), accepted: good('已接受'), expired: plain('已过期'), cancelled: plain('已取消') },
  bayKind: { wash: plain('洗车位'), detail: plain('美容位'), film: plain('贴膜位'), lift: plain('举升位'), van: plain('上门车') },
  skill: { wash: plain('洗车'), detail: plain('美容'), film: plain('贴膜'), repair: plain('维修'), inspect: plain('检测代办'), rescue: plain('救援'), driver: plain('取送车') },
  dayKind: { normal: plain('照常营业'), closed: bad('休息'), special: warn('特别时间') },
} satisfies Record<string, Table>

export type LabelTable = keyof typeof tables

export function label(table: LabelTable, code: string | undefined | null): string {
  if (!code) return '—'
  return (tables[table] as Table)[code]?.text ?? '其他'
}

/** The word for a code of whichever table: for details of the log, whose values come from everywhere. */
export function anyLabel(code: string): string | undefined {
  for (const table of Object.values(tables) as Table[]) if (table[code]) return table[code].text
  return undefined
}

export function tone(table: LabelTable, code: string | undefined | null): Tone {
  return (code && (tables[table] as Table)[code]?.tone) || 'plain'
}

/** Choices of a filter: each word once, in the order of the table. */
export function choices(table: LabelTable, codes?: string[]): { value: string; label: string }[] {
  const entries = Object.entries(tables[table] as Table).filter(([code]) => !codes || codes.includes(code))
  return entries.map(([value, item]) => ({ value, label: item.text }))
}
