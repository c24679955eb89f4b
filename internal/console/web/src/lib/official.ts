/** The official account: its shapes, words and small rules. */
import type { components } from './schema'

type Schemas = components['schemas']

export type Menus = Schemas['OaMenus']
export type MenuButton = Schemas['OaMenuButton']
/** One below a group. Every one of these is a menu button too. */
export type SubButton = Schemas['OaSubButton']
export type LiveButton = Schemas['OaLiveButton']
export type Reply = Schemas['OaReplyView']
export type ReplyInput = Schemas['OaReplyInput']
export type Answer = Schemas['OaAnswer']
export type Article = Schemas['OaArticle']
export type Tried = Schemas['OaTried']
export type Follower = Schemas['OaFollowerView']
export type FollowerDays = Schemas['OaFollowerDays']
export type Arrival = Schemas['OaArrivalView']
export type Scene = Schemas['OaSceneView']
export type SceneInput = Schemas['OaSceneInput']

export const ACTIONS: { value: MenuButton['action']; label: string }[] = [
  { value: 'page', label: '打开会员页面' },
  { value: 'mini', label: '打开小程序' },
  { value: 'reply', label: '发一条回复' },
  { value: 'url', label: '打开网址' },
]

/** Pages that a menu or an answer may lead to; others can be typed. */
export const PAGES: { value: string; label: string }[] = [
  { value: 'pages/home/index', label: '首页' },
  { value: 'pages/booking/index', label: '预约' },
  { value: 'pages/booking/list', label: '我的预约' },
  { value: 'pages/code/index', label: '会员码' },
  { value: 'pages/topup/index', label: '充值' },
  { value: 'pages/records/index', label: '消费记录' },
  { value: 'pages/club/index', label: '会员商店' },
  { value: 'pages/club/passes', label: '我的卡包' },
  { value: 'pages/club/coupons/index', label: '我的优惠券' },
  { value: 'pages/club/points/index', label: '我的积分' },
  { value: 'pages/club/tier/index', label: '我的等级' },
  { value: 'pages/club/referral', label: '邀请朋友' },
  { value: 'pages/join/index', label: '领取会员卡' },
]

export const pageLabel = (page: string | undefined): string => PAGES.find((item) => item.value === page)?.label ?? page ?? ''

export const REPLY_KINDS: Record<Reply['kind'], { label: string; hint: string }> = {
  welcome: { label: '关注欢迎', hint: '有人关注时马上发出，只有一条' },
  keyword: { label: '关键词', hint: '有人发来的话里有这些词时回复' },
  button: { label: '菜单按钮', hint: '点菜单按钮时发出，在“菜单”里选用' },
  default: { label: '默认回复', hint: '没有对上关键词时回复，只有一条' },
}

export const ANSWER_KINDS: { value: Answer['kind']; label: string }[] = [
  { value: 'text', label: '文字' },
  { value: 'articles', label: '图文' },
  { value: 'mini', label: '小程序卡片' },
  { value: 'coupon', label: '领券' },
]

export const FOLLOWER_STATES: Record<Follower['state'], { label: string; tone: 'good' | 'quiet' | 'warn' }> = {
  following: { label: '关注中', tone: 'good' },
  left: { label: '已取消', tone: 'quiet' },
  revoked: { label: '已撤回授权', tone: 'warn' },
  never: { label: '未关注', tone: 'quiet' },
}

const EVENTS: Record<string, string> = {
  subscribe: '关注',
  unsubscribe: '取消关注',
  SCAN: '扫码',
  CLICK: '点菜单',
  VIEW: '打开菜单链接',
  view_miniprogram: '从菜单打开小程序',
  TEMPLATESENDJOBFINISH: '模板消息回执',
  user_authorization_revoke: '撤回授权',
  user_authorization_cancellation: '注销授权',
  text: '文字消息',
  image: '图片',
  voice: '语音',
  video: '视频',
  shortvideo: '小视频',
  location: '位置',
  link: '链接',
}
export const eventLabel = (kind: string): string => EVENTS[kind] ?? '其他事件'
export const EVENT_CHOICES = Object.entries(EVENTS).map(([value, label]) => ({ value, label }))

const bytes = (text: string) => new TextEncoder().encode(text).length

export const emptyButton = (): SubButton => ({ name: '', action: 'page', page: 'pages/home/index' })

/** Why a menu cannot be saved yet; '' when it can. WeChat counts the bytes of a name: 16 below, 60 in a sub-menu. */
export function menuObstacle(list: MenuButton[]): string {
  if (list.length === 0) return '至少要有一个按钮'
  for (const button of list) {
    if (!button.name.trim()) return '有按钮还没有名称'
    if (bytes(button.name) > 16) return `“${button.name}”太长，最多 5 个汉字`
    if (button.action === 'group' && !button.sub?.length) return `“${button.name}”还没有子菜单`
    for (const sub of button.action === 'group' ? button.sub! : [button]) {
      if (!sub.name.trim()) return `“${button.name}”里有子菜单还没有名称`
      if (bytes(sub.name) > 60) return `“${sub.name}”太长，最多 20 个汉字`
      if (sub.action === 'reply' && !sub.replyId) return `请给“${sub.name}”选一条回复`
      if ((sub.action === 'page' || sub.action === 'mini') && !sub.page) return `请给“${sub.name}”选页面`
      if (sub.action === 'url' && !/^https?:\/\//.test(sub.url ?? '')) return `“${sub.name}”的网址要以 https:// 开头`
    }
  }
  return ''
}

export const blankReply = (): ReplyInput => ({ kind: 'keyword', name: '', words: [], whole: false, answer: { kind: 'text', text: '', link: '', page: '', articles: [] }, active: true })

/** Only what the API takes: a row that is edited carries more. */
export function replyBody(input: ReplyInput): ReplyInput {
  const { kind, name, words, whole, answer, active } = input
  return { kind, name, words: kind === 'keyword' ? words : [], whole: kind === 'keyword' && whole, active, answer: { ...answer, articles: answer.kind === 'articles' ? answer.articles : [] } }
}

export function replyObstacle(input: ReplyInput): string {
  const answer = input.answer
  if (!input.name.trim()) return '请填写名称'
  if (input.kind === 'keyword' && !input.words?.length) return '请填写关键词'
  if (answer.kind === 'text' && !answer.text?.trim()) return '请填写回复内容'
  if (answer.kind === 'articles' && !answer.articles?.length) return '请添加图文'
  if (answer.kind === 'articles' && answer.articles!.some((item) => !item.title.trim() || (!item.page && !item.url))) return '图文要有标题和点开后的页面'
  if ((answer.kind === 'mini' || answer.kind === 'coupon') && (!answer.page || !answer.link?.trim())) return '请选择页面并填写点击的文字'
  return ''
}

/** What an answer says, in one line. */
export function answerText(answer: Answer): string {
  if (answer.kind === 'articles') return (answer.articles ?? []).map((item) => item.title).join('；')
  return [answer.text?.replace(/\s+/g, ' '), answer.link && `「${answer.link}」`].filter(Boolean).join(' ')
}
