import type { DocumentKind, Group, GroupApproval, GroupPlace } from '@/api/club-types'

export const STATE: Record<Group['state'], { text: string; cls: string }> = {
  review: { text: '审核中', cls: 'warn' },
  active: { text: '可用', cls: 'good' },
  rejected: { text: '没有通过', cls: 'bad' },
  suspended: { text: '已暂停', cls: 'warn' },
  ended: { text: '已解散', cls: '' },
}
export const ASKED: Record<GroupApproval['state'], { text: string; cls: string }> = {
  asked: { text: '等您同意', cls: 'warn' },
  approved: { text: '已同意', cls: 'good' },
  denied: { text: '没同意', cls: '' },
  used: { text: '已付款', cls: 'good' },
  expired: { text: '已过期', cls: '' },
}
export const CARD: Record<GroupPlace['cardKind'], string> = { driver: '用车人', vip: '贵宾卡', temporary: '临时卡' }
export const DOCUMENT: Record<DocumentKind, string> = { license: '营业执照', authorization: '授权书', other: '其他证明' }
