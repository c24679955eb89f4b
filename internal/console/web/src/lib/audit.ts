import { fullTime } from './dates'
import { anyLabel } from './labels'
import { yuanText } from './money'

export interface DetailLine {
  name: string
  value: string
}

// Words for the keys that the log writes; a key without a word is not shown.
const NAMES: Record<string, string> = {
  reason: '原因',
  amountFen: '金额',
  refundFen: '退款',
  totalFen: '合计',
  bonusFen: '赠送',
  bonusBackFen: '收回赠送',
  priceFen: '价格',
  name: '名称',
  username: '用户名',
  title: '标题',
  version: '版本',
  no: '单号',
  orderNo: '订单',
  cardNo: '卡号',
  plate: '车牌',
  answer: '答复',
  note: '说明',
  before: '原来',
  after: '改为',
  from: '原来',
  to: '改为',
  old: '原来',
  new: '改为',
  value: '改为',
  fields: '项目',
  expiresAt: '有效期至',
  wechat: '微信状态',
  method: '方式',
  tender: '方式',
  status: '状态',
  state: '状态',
  outcome: '结论',
}

// Values of these keys are codes of the API; one without a word is left out.
const CODES = ['before', 'after', 'from', 'to', 'old', 'new', 'value', 'wechat', 'method', 'tender', 'status', 'state', 'outcome']
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
    .map(([key, item]) => ({ name: NAMES[key]!, value: say(key, item) }))
    .filter((line) => line.value !== '')
}

function say(key: string, item: unknown): string {
  if (key.endsWith('Fen') && typeof item === 'number') return yuanText(item)
  if (key.endsWith('At') && typeof item === 'string') return fullTime(item)
  if (typeof item === 'boolean') return item ? '是' : '否'
  if (CODES.includes(key) && typeof item === 'string' && looksLikeCode(item)) return anyLabel(item) ?? ''
  return String(item)
}
