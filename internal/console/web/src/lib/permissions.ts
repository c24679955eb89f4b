/** What a signed-in person may see and do, and the pages of the side navigation. */

export interface NavItem {
  path: string
  title: string
  icon: string
  permission: string
  /** Other words that quick search finds the page by. */
  words?: string
}
export interface NavGroup {
  title: string
  items: NavItem[]
}

export const navigation: NavGroup[] = [
  {
    title: '',
    items: [{ path: '/today', title: '今日', icon: 'Sunny', permission: 'report.read', words: '首页 营业 报表 dashboard jinri' }],
  },
  {
    title: '预约',
    items: [
      { path: '/board', title: '预约看板', icon: 'Calendar', permission: 'booking.read', words: '排期 工位 技师 排队 候补 kanban yuyue' },
      { path: '/bookings', title: '预约列表', icon: 'List', permission: 'booking.read', words: '预约单 yuyue' },
      { path: '/roster', title: '排班', icon: 'Timer', permission: 'roster.read', words: '班次 技师 技能 请假 paiban' },
      { path: '/booking-setup', title: '预约设置', icon: 'SetUp', permission: 'booking.setup', words: '工位 营业时间 节假日 链接 二维码 shezhi' },
    ],
  },
  {
    title: '会员',
    items: [
      { path: '/members', title: '会员', icon: 'User', permission: 'member.read', words: '车主 客户 卡 huiyuan' },
      { path: '/tiers', title: '等级与会员', icon: 'Medal', permission: 'catalog.read', words: '等级 权益 折扣 会员价 付费会员 dengji' },
      { path: '/passes', title: '次卡套餐', icon: 'Stamp', permission: 'pass.read', words: '次卡 月卡 退卡 充次 cika' },
      { path: '/points', title: '积分', icon: 'Coin', permission: 'points.read', words: '积分规则 比例 翻倍日 jifen' },
      { path: '/groups', title: '家庭与企业', icon: 'Connection', permission: 'group.read', words: '团体 车队 用车人 对账单 qiye jiating' },
    ],
  },
  {
    title: '营销',
    items: [
      { path: '/coupons', title: '优惠券', icon: 'Ticket', permission: 'coupon.read', words: '券 发券 领取页 youhuiquan' },
      { path: '/gifts', title: '礼遇规则', icon: 'Present', permission: 'campaign.read', words: '生日礼 消费送 活动 liyu' },
      { path: '/codes', title: '兑换码', icon: 'Postcard', permission: 'campaign.read', words: '4S 换卡 开业卡 duihuanma' },
      { path: '/mall', title: '积分商城', icon: 'ShoppingBag', permission: 'mall.read', words: '礼品 兑换 发货 取货 shangcheng' },
      { path: '/outreach', title: '客户维系', icon: 'Phone', permission: 'message.call', words: '久未到店 唤回 生日 群发短信 节日问候 kehu weixi' },
      { path: '/rain', title: '雨天保障', icon: 'Pouring', permission: 'rain.mark', words: '下雨 补洗券 改期 期卡顺延 yutian' },
      { path: '/messages', title: '消息', icon: 'Message', permission: 'message.read', words: '发送记录 模板 短信 订阅 免打扰 提醒 xiaoxi duanxin' },
      { path: '/reminders', title: '到期提醒', icon: 'Bell', permission: 'message.read', words: '保养 年检 保险 生日 洗车周期 tixing' },
      { path: '/official', title: '公众号', icon: 'ChatDotRound', permission: 'oa.read', words: '菜单 自动回复 粉丝 关注 渠道码 二维码 gongzhonghao' },
      { path: '/referrals', title: '推荐', icon: 'Share', permission: 'referral.read', words: '邀请 好友 老带新 tuijian' },
    ],
  },
  {
    title: '交易',
    items: [
      { path: '/orders', title: '订单', icon: 'Tickets', permission: 'checkout.read', words: '结算 小票 dingdan' },
      { path: '/payments', title: '支付', icon: 'CreditCard', permission: 'payment.read', words: '微信支付 流水 zhifu' },
      { path: '/topups', title: '充值', icon: 'Wallet', permission: 'payment.read', words: '储值 chongzhi' },
      { path: '/sales', title: '售卡', icon: 'SoldOut', permission: 'pass.read', words: '卖卡 购买 次卡 付费会员 商城 shouka' },
      { path: '/refunds', title: '退款', icon: 'RefreshLeft', permission: 'payment.read', words: '退卡 tuikuan' },
      { path: '/disputes', title: '争议', icon: 'ChatLineSquare', permission: 'dispute.read', words: '有疑问 投诉 zhengyi' },
    ],
  },
  {
    title: '报表',
    items: [{ path: '/liability', title: '负债', icon: 'PieChart', permission: 'report.read', words: '预收 欠会员 停业清算 fuzhai' }],
  },
  {
    title: '店铺',
    items: [
      { path: '/catalog', title: '目录', icon: 'Goods', permission: 'catalog.read', words: '服务 价格 商品 车型 充值方案 等级 mulu' },
      { path: '/stores', title: '门店', icon: 'OfficeBuilding', permission: 'store.read', words: '地址 mendian' },
      { path: '/staff', title: '员工', icon: 'Avatar', permission: 'staff.read', words: '同事 邀请 yuangong' },
      { path: '/roles', title: '角色权限', icon: 'Key', permission: 'staff.read', words: '权限 juese' },
    ],
  },
  {
    title: '系统',
    items: [
      { path: '/audit', title: '审计日志', icon: 'Document', permission: 'audit.read', words: '操作记录 rizhi' },
      { path: '/charters', title: '会员章程', icon: 'Reading', permission: 'setting.read', words: '协议 隐私 zhangcheng' },
      { path: '/settings', title: '设置', icon: 'Setting', permission: 'setting.read', words: '参数 规则 shezhi' },
    ],
  },
]

export function may(permissions: readonly string[], needed: string | undefined): boolean {
  return !needed || permissions.includes(needed)
}

/** The navigation without pages that would only answer 403; empty groups vanish. */
export function visibleNavigation(permissions: readonly string[]): NavGroup[] {
  return navigation
    .map((group) => ({ ...group, items: group.items.filter((item) => may(permissions, item.permission)) }))
    .filter((group) => group.items.length > 0)
}

/** Where a person lands after signing in; '/none' when the role opens no page at all. */
export function landingPath(permissions: readonly string[]): string {
  return visibleNavigation(permissions)[0]?.items[0]?.path ?? '/none'
}

/** Pages whose title or words contain the query, for quick search. */
export function findPages(permissions: readonly string[], query: string): NavItem[] {
  const text = query.trim().toLowerCase()
  const pages = visibleNavigation(permissions).flatMap((group) => group.items)
  return text ? pages.filter((item) => `${item.title} ${item.words ?? ''}`.toLowerCase().includes(text)) : pages
}
