import { createRouter, createWebHashHistory, type Router, type RouteRecordRaw } from 'vue-router'
import { landingPath } from '@/lib/permissions'
import { useSession } from '@/stores/session'

const routes: RouteRecordRaw[] = [
  { path: '/', redirect: () => landingPath(useSession().permissions) },
  { path: '/login', component: () => import('@/pages/LoginPage.vue'), meta: { title: '登录', bare: true, public: true } },
  { path: '/today', component: () => import('@/pages/TodayPage.vue'), meta: { title: '今日', permission: 'report.read' } },
  { path: '/board', component: () => import('@/pages/board/BoardPage.vue'), meta: { title: '预约看板', permission: 'booking.read' } },
  { path: '/bookings', component: () => import('@/pages/BookingsPage.vue'), meta: { title: '预约列表', permission: 'booking.read' } },
  { path: '/roster', component: () => import('@/pages/roster/RosterPage.vue'), meta: { title: '排班', permission: 'roster.read' } },
  { path: '/booking-setup', component: () => import('@/pages/setup/BookingSetupPage.vue'), meta: { title: '预约设置', permission: 'booking.setup' } },
  { path: '/members', component: () => import('@/pages/MembersPage.vue'), meta: { title: '会员', permission: 'member.read' } },
  { path: '/members/:id(\\d+)', component: () => import('@/pages/member/MemberPage.vue'), meta: { title: '会员详情', permission: 'member.read' } },
  { path: '/topups', component: () => import('@/pages/TopupsPage.vue'), meta: { title: '充值', permission: 'payment.read' } },
  { path: '/refunds', component: () => import('@/pages/RefundsPage.vue'), meta: { title: '退款', permission: 'payment.read' } },
  { path: '/disputes', component: () => import('@/pages/DisputesPage.vue'), meta: { title: '争议', permission: 'dispute.read' } },
  { path: '/tiers', component: () => import('@/pages/tier/TiersPage.vue'), meta: { title: '等级与会员', permission: 'catalog.read' } },
  { path: '/tiers/new', component: () => import('@/pages/tier/TierEditPage.vue'), meta: { title: '添加等级', permission: 'tier.write' } },
  { path: '/tiers/:id(\\d+)', component: () => import('@/pages/tier/TierEditPage.vue'), meta: { title: '会员等级', permission: 'catalog.read' } },
  { path: '/passes', component: () => import('@/pages/pass/PassesPage.vue'), meta: { title: '次卡套餐', permission: 'pass.read' } },
  { path: '/passes/:id(\\d+)', component: () => import('@/pages/pass/PassPage.vue'), meta: { title: '次卡详情', permission: 'pass.read' } },
  { path: '/sales', component: () => import('@/pages/sale/SalesPage.vue'), meta: { title: '售卡', permission: 'pass.read' } },
  { path: '/sales/:id(\\d+)', component: () => import('@/pages/sale/SalePage.vue'), meta: { title: '售卡详情', permission: 'pass.read' } },
  { path: '/points', component: () => import('@/pages/points/PointsPage.vue'), meta: { title: '积分', permission: 'points.read' } },
  { path: '/coupons', component: () => import('@/pages/coupon/CouponsPage.vue'), meta: { title: '优惠券', permission: 'coupon.read' } },
  { path: '/gifts', component: () => import('@/pages/campaign/GiftRulesPage.vue'), meta: { title: '礼遇规则', permission: 'campaign.read' } },
  { path: '/codes', component: () => import('@/pages/campaign/CodeBatchesPage.vue'), meta: { title: '兑换码', permission: 'campaign.read' } },
  { path: '/mall', component: () => import('@/pages/mall/MallPage.vue'), meta: { title: '积分商城', permission: 'mall.read' } },
  { path: '/outreach', component: () => import('@/pages/outreach/OutreachPage.vue'), meta: { title: '客户维系', permission: 'message.call' } },
  { path: '/rain', component: () => import('@/pages/rain/RainPage.vue'), meta: { title: '雨天保障', permission: 'rain.mark' } },
  { path: '/official', component: () => import('@/pages/oa/OfficialPage.vue'), meta: { title: '公众号', permission: 'oa.read' } },
  { path: '/referrals', component: () => import('@/pages/referral/ReferralsPage.vue'), meta: { title: '推荐', permission: 'referral.read' } },
  { path: '/groups', component: () => import('@/pages/group/GroupsPage.vue'), meta: { title: '家庭与企业', permission: 'group.read' } },
  { path: '/groups/:id(\\d+)', component: () => import('@/pages/group/GroupPage.vue'), meta: { title: '团体账户', permission: 'group.read' } },
  { path: '/messages', component: () => import('@/pages/message/MessagesPage.vue'), meta: { title: '消息', permission: 'message.read' } },
  { path: '/reminders', component: () => import('@/pages/remind/RemindersPage.vue'), meta: { title: '到期提醒', permission: 'message.read' } },
  { path: '/liability', component: () => import('@/pages/report/LiabilityPage.vue'), meta: { title: '负债', permission: 'report.read' } },
  { path: '/orders', component: () => import('@/pages/OrdersPage.vue'), meta: { title: '订单', permission: 'checkout.read' } },
  { path: '/orders/:id(\\d+)', component: () => import('@/pages/OrderPage.vue'), meta: { title: '订单详情', permission: 'checkout.read' } },
  { path: '/payments', component: () => import('@/pages/PaymentsPage.vue'), meta: { title: '支付', permission: 'payment.read' } },
  { path: '/payments/:id(\\d+)', component: () => import('@/pages/PaymentPage.vue'), meta: { title: '支付详情', permission: 'payment.read' } },
  { path: '/catalog', component: () => import('@/pages/catalog/CatalogPage.vue'), meta: { title: '目录', permission: 'catalog.read' } },
  { path: '/stores', component: () => import('@/pages/StoresPage.vue'), meta: { title: '门店', permission: 'store.read' } },
  { path: '/staff', component: () => import('@/pages/staff/StaffPage.vue'), meta: { title: '员工', permission: 'staff.read' } },
  { path: '/roles', component: () => import('@/pages/staff/RolesPage.vue'), meta: { title: '角色权限', permission: 'staff.read' } },
  { path: '/audit', component: () => import('@/pages/AuditPage.vue'), meta: { title: '审计日志', permission: 'audit.read' } },
  { path: '/charters', component: () => import('@/pages/ChartersPage.vue'), meta: { title: '会员章程', permission: 'setting.read' } },
  { path: '/settings', component: () => import('@/pages/SettingsPage.vue'), meta: { title: '设置', permission: 'setting.read' } },
  { path: '/print/orders/:id(\\d+)', component: () => import('@/pages/PrintPage.vue'), meta: { title: '打印小票', permission: 'checkout.read', bare: true } },
  { path: '/print/groups/:id(\\d+)', component: () => import('@/pages/group/StatementPrintPage.vue'), meta: { title: '打印对账单', permission: 'group.read', bare: true } },
  { path: '/print/passes/:id(\\d+)', component: () => import('@/pages/pass/RefundPrintPage.vue'), meta: { title: '退卡确认单', permission: 'pass.refund', bare: true } },
  { path: '/print/board', component: () => import('@/pages/board/BoardPrintPage.vue'), meta: { title: '打印预约', permission: 'booking.read', bare: true } },
  { path: '/none', component: () => import('@/pages/NoAccessPage.vue'), meta: { title: '没有权限' } },
  { path: '/:rest(.*)*', component: () => import('@/pages/NoAccessPage.vue'), props: { missing: true }, meta: { title: '没有这个页面' } },
]

export function makeRouter(): Router {
  const router = createRouter({
    history: createWebHashHistory(),
    routes,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })

  router.beforeEach(async (to) => {
    const session = useSession()
    if (to.meta.public) return true
    try {
      await session.load()
    } catch {
      return { path: '/login', query: { to: to.fullPath, trouble: '1' } }
    }
    // '/' leads to where the permissions allow, and nobody has any before signing in: that place is not worth coming back to.
    const fromHome = to.redirectedFrom?.path === '/' || to.path === '/none'
    if (!session.me) return { path: '/login', query: fromHome ? {} : { to: to.fullPath } }
    if (fromHome && !session.can(to.meta.permission)) return landingPath(session.permissions)
    return session.can(to.meta.permission) ? true : { path: '/none' }
  })

  router.afterEach((to) => {
    const { shopName } = useSession()
    document.title = to.meta.title ? `${to.meta.title} · ${shopName}` : shopName
  })

  return router
}
