// Package perm names every permission and which roles hold it when a shop starts (K05).
//
// Model: a permission is a key like "checkout.settle"; a role is a set of permissions.
// Owns: nothing. Invariants: an operation's permission is one of All; the owner role holds every one.
package perm

import "slices"

// The permissions.
const (
	MemberRead       = "member.read"
	MemberWrite      = "member.write"
	MemberUnmask     = "member.unmask"
	MemberCard       = "member.card"
	MemberSuspend    = "member.suspend"
	MemberReview     = "member.review"
	MemberMerge      = "member.merge"
	CheckoutSettle   = "checkout.settle"
	CheckoutRead     = "checkout.read"
	CheckoutDiscount = "checkout.discount"
	CheckoutReverse  = "checkout.reverse"
	ReverseAny       = "checkout.reverse_any"
	TopupDesk        = "topup.desk"
	TopupRefund      = "topup.refund"
	PaymentRead      = "payment.read"
	PaymentManage    = "payment.manage"
	DisputeRead      = "dispute.read"
	DisputeResolve   = "dispute.resolve"
	CatalogRead      = "catalog.read"
	CatalogWrite     = "catalog.write"
	StoreRead        = "store.read"
	StoreWrite       = "store.write"
	StaffRead        = "staff.read"
	StaffWrite       = "staff.write"
	RoleWrite        = "role.write"
	AuditRead        = "audit.read"
	SettingRead      = "setting.read"
	SettingWrite     = "setting.write"
	ReportRead       = "report.read"
	BookingRead      = "booking.read"
	BookingWrite     = "booking.write"
	BookingWork      = "booking.work"
	BookingOverride  = "booking.override"
	BookingSetup     = "booking.setup"
	RosterRead       = "roster.read"
	RosterWrite      = "roster.write"
	PassSell         = "pass.sell"
	PassRefund       = "pass.refund"
	PassRead         = "pass.read"
	TierWrite        = "tier.write"
	PointsAdjust     = "points.adjust"
	PointsRead       = "points.read"
	CouponRead       = "coupon.read"
	CouponWrite      = "coupon.write"
	CouponIssue      = "coupon.issue"
	CampaignRead     = "campaign.read"
	CampaignWrite    = "campaign.write"
	MallRead         = "mall.read"
	MallWrite        = "mall.write"
	MallDeliver      = "mall.deliver"
	ReferralRead     = "referral.read"
	ReferralReview   = "referral.review"
	GroupRead        = "group.read"
	GroupWrite       = "group.write"
	GroupReview      = "group.review"
	MessageRead      = "message.read"
	MessageWrite     = "message.write"
	MessageCall      = "message.call"
	MessageBulk      = "message.bulk"
	RainMark         = "rain.mark"
	RainRule         = "rain.rule"
	OARead           = "oa.read"
	OAWrite          = "oa.write"
)

// Permission describes one permission to people.
type Permission struct {
	Key   string   `json:"key"`
	Label string   `json:"label"`
	Group string   `json:"group"`
	Roles []string `json:"-"` // default roles beside the owner
}

// The keys of the roles that every shop starts with.
const (
	RoleOwner        = "owner"
	RoleManager      = "manager"
	RoleReceptionist = "receptionist"
	RoleTechnician   = "technician"
	RoleAccountant   = "accountant"
)

const m, r, t, a = RoleManager, RoleReceptionist, RoleTechnician, RoleAccountant

// All lists every permission in the order in which the console shows them.
func All() []Permission {
	return []Permission{
		{MemberRead, "查看会员", "会员", []string{m, r, t, a}},
		{MemberWrite, "登记、修改会员", "会员", []string{m, r}},
		{MemberUnmask, "查看完整手机号和姓名", "会员", []string{m}},
		{MemberCard, "冻结、挂失、补办会员卡", "会员", []string{m, r}},
		{MemberSuspend, "暂停、恢复会员资格", "会员", []string{m}},
		{MemberReview, "审核入会申请", "会员", []string{m, r}},
		{MemberMerge, "合并会员", "会员", []string{m}},
		{CheckoutSettle, "收银结算", "收银", []string{m, r}},
		{CheckoutRead, "查看订单", "收银", []string{m, r, a}},
		{CheckoutDiscount, "手工优惠", "收银", []string{m}},
		{CheckoutReverse, "撤销本人近期的结算", "收银", []string{m, r}},
		{ReverseAny, "撤销任意结算", "收银", []string{m}},
		{BookingRead, "查看预约", "预约", []string{m, r, t, a}},
		{BookingWrite, "登记、修改预约", "预约", []string{m, r}},
		{BookingWork, "施工：开始、照片、完工", "预约", []string{m, r, t}},
		{BookingOverride, "调整工位和技师", "预约", []string{m, r}},
		{BookingSetup, "设置工位、营业时间、预约规则", "预约", []string{m}},
		{RosterRead, "查看排班", "预约", []string{m, r, t}},
		{RosterWrite, "排班", "预约", []string{m}},
		{TopupDesk, "前台充值", "资金", []string{m, r}},
		{TopupRefund, "退还充值", "资金", []string{m}},
		{PaymentRead, "查看支付与充值", "资金", []string{m, a}},
		{PaymentManage, "向微信核对支付", "资金", []string{m}},
		{PassSell, "售卡充次", "会员权益", []string{m, r}},
		{PassRefund, "退卡", "会员权益", []string{m}},
		{PassRead, "查看次卡", "会员权益", []string{m, r, a}},
		{TierWrite, "设置会员等级与付费会员", "会员权益", []string{m}},
		{PointsAdjust, "调整积分与积分规则", "会员权益", []string{m}},
		{PointsRead, "查看积分", "会员权益", []string{m, r, a}},
		{CouponRead, "查看优惠券", "会员权益", []string{m, r, a}},
		{CouponWrite, "设置优惠券与领取页", "会员权益", []string{m}},
		{CouponIssue, "发放优惠券", "会员权益", []string{m, r}},
		{CampaignRead, "查看赠礼规则与兑换码", "会员权益", []string{m, a}},
		{CampaignWrite, "设置赠礼规则与兑换码", "会员权益", []string{m}},
		{MallRead, "查看积分商城", "会员权益", []string{m, r, a}},
		{MallWrite, "设置积分商城、发货", "会员权益", []string{m}},
		{MallDeliver, "核销商城取货", "会员权益", []string{m, r}},
		{ReferralRead, "查看推荐", "会员权益", []string{m, a}},
		{ReferralReview, "审核推荐奖励", "会员权益", []string{m}},
		{GroupRead, "查看家庭与企业账户", "会员权益", []string{m, r, a}},
		{GroupWrite, "补充企业材料、移除用车人", "会员权益", []string{m, r}},
		{GroupReview, "开通、审核团体账户，邀请用车人", "会员权益", []string{m}},
		{OARead, "查看公众号", "公众号", []string{m}},
		{OAWrite, "设置公众号菜单与回复", "公众号", []string{m}},
		{MessageRead, "查看消息发送记录", "消息", []string{m}},
		{MessageWrite, "设置消息与模板、重发消息", "消息", []string{m}},
		{MessageCall, "处理待联系名单", "消息", []string{m, r}},
		{MessageBulk, "群发短信、节日问候、唤回规则", "消息", []string{m}},
		{RainMark, "登记下雨", "服务", []string{m}},
		{RainRule, "设置雨天保障", "服务", []string{m}},
		{DisputeRead, "查看疑问单", "服务", []string{m, r, a}},
		{DisputeResolve, "处理疑问单", "服务", []string{m}},
		{CatalogRead, "查看项目与价格", "项目", []string{m, r, t, a}},
		{CatalogWrite, "修改项目与价格", "项目", []string{m}},
		{StoreRead, "查看门店", "门店与员工", []string{m, r, t, a}},
		{StoreWrite, "修改门店", "门店与员工", nil},
		{StaffRead, "查看员工", "门店与员工", []string{m}},
		{StaffWrite, "邀请、停用员工", "门店与员工", []string{m}},
		{RoleWrite, "修改角色权限", "门店与员工", nil},
		{AuditRead, "查看操作日志", "系统", []string{m, a}},
		{SettingRead, "查看设置", "系统", []string{m}},
		{SettingWrite, "修改设置", "系统", []string{m}},
		{ReportRead, "查看经营数据", "系统", []string{m, a}},
	}
}

// Keys lists every permission's key.
func Keys() []string {
	var out []string
	for _, p := range All() {
		out = append(out, p.Key)
	}
	return out
}

// Defaults lists the permissions that a role starts with.
func Defaults(role string) []string {
	if role == RoleOwner {
		return Keys()
	}
	var out []string
	for _, p := range All() {
		if slices.Contains(p.Roles, role) {
			out = append(out, p.Key)
		}
	}
	return out
}
