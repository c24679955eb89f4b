import { fullTime } from './dates'
import { anyLabel } from './labels'
import { percentOf, yuanText } from './money'

export interface DetailLine {
  name: string
  value: string
}

// Words for the keys that the log writes, in the order in which they are read; a key without a word is not shown.
const NAMES: Record<string, string> = {
  before: '原来',
  from: '原来',
  old: '原来',
  after: '改为',
  to: '改为',
  new: '改为',
  value: '改为',
  amountFen: '金额',
  refundFen: '退款',
  totalFen: '合计',
  bonusFen: '赠送',
  bonusBackFen: '收回赠送',
  priceFen: '价格',
  method: '方式',
  tender: '方式',
  via: '方式',
  reference: '流水号',
  refundNo: '退款单号',
  outcome: '结论',
  answer: '答复',
  mergedFrom: '停用的会员',
  mergedInto: '保留的会员',
  reason: '原因',
  name: '名称',
  username: '用户名',
  title: '标题',
  unit: '单位',
  minutes: '分钟',
  minPriceBp: '最低折扣',
  discountBp: '折扣',
  version: '版本',
  charterVersion: '章程版本',
  no: '单号',
  orderNo: '订单',
  cardNo: '卡号',
  plate: '车牌',
  address: '地址',
  hoursText: '营业时间',
  description: '说明',
  note: '说明',
  example: '举例',
  expiresAt: '有效期至',
  wechat: '微信状态',
  status: '状态',
  state: '状态',
  app: '入口',
  day: '日期',
  week: '一周',
  startsAt: '开始',
  endsAt: '结束',
  bayName: '工位',
  bay: '工位',
  technicianName: '技师',
  technician: '技师',
  kind: '类别',
  channel: '渠道',
  depositFen: '定金',
  force: '强制',
  forced: '强制',
  affected: '受影响的预约',
  skill: '技能',
  level: '等级',
  text: '内容',
}
const ORDER = Object.keys(NAMES)

// Values of these keys are codes of the API; one without a word is left out.
const CODES = ['before', 'after', 'from', 'to', 'old', 'new', 'value', 'wechat', 'method', 'tender', 'status', 'state', 'outcome', 'via', 'app', 'kind', 'channel', 'skill']
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/
const looksLikeCode = (text: string) => /^[A-Za-z][A-Za-z_.]*$/.test(text)

/** The detail of an entry as readable pairs; whatever has no word here stays out. */
export function detailLines(detail: unknown): DetailLine[] {
  let value = detail
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value)
    } catch {
      return value ? [{ name: '细节', value: value as string }] : []
    }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value)
    .filter(([key, item]) => NAMES[key] && item !== null && item !== '' && typeof item !== 'object')
    .sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b))
    .map(([key, item]) => ({ name: nameOf(key, item), value: say(key, item) }))
    .filter((line) => line.value !== '')
}

/** From and to are mostly a change; between two instants they are a stretch of time. */
function nameOf(key: string, item: unknown): string {
  if (typeof item === 'string' && INSTANT.test(item)) return { from: '从', to: '到' }[key] ?? NAMES[key]!
  return NAMES[key]!
}

function say(key: string, item: unknown): string {
  if (key.endsWith('Fen') && typeof item === 'number') return yuanText(item)
  if (key.endsWith('Bp') && typeof item === 'number') return `${percentOf(item)}%`
  if (typeof item === 'string' && (key.endsWith('At') || INSTANT.test(item))) return fullTime(item)
  if (typeof item === 'boolean') return item ? '是' : '否'
  if (CODES.includes(key) && typeof item === 'string' && looksLikeCode(item)) return anyLabel(item) ?? ''
  return String(item)
}
