package audit

// Label is the Chinese name of an action; an action that the table does not know is shown as itself.
func Label(action string) string {
	if l, ok := labels[action]; ok {
		return l
	}
	return action
}

// Actions lists every action with its label, for the filter of the console.
func Actions() map[string]string {
	out := make(map[string]string, len(labels))
	for k, v := range labels {
		out[k] = v
	}
	return out
}

// labels is the one table of action names. It is never written after start.
var labels = map[string]string{
	// members
	"member.join":         "自助入会",
	"member.register":     "登记会员",
	"member.bind":         "绑定微信",
	"member.update":       "修改会员资料",
	"member.phone_change": "更换手机号",
	"member.unmask":       "查看完整资料",
	"member.suspend":      "暂停会员资格",
	"member.reinstate":    "恢复会员资格",
	"member.approve":      "通过入会申请",
	"member.reject":       "驳回入会申请",
	"member.closing":      "申请注销",
	"member.reopen":       "撤回注销",
	"member.close":        "注销会员",
	"member.tier":         "调整会员等级",
	"member.import":       "导入会员",
	"card.freeze":         "冻结会员卡",
	"card.unfreeze":       "解冻会员卡",
	"card.lost":           "挂失会员卡",
	"card.reissue":        "补办会员卡",
	"identity.unbind":     "解除微信绑定",
	"vehicle.create":      "添加车辆",
	"vehicle.update":      "修改车辆",
	"vehicle.delete":      "删除车辆",
	"code.scan":           "扫会员码",
	"charter.publish":     "发布会员章程",
	"charter.accept":      "同意会员章程",
	// staff
	"staff.create":          "添加员工",
	"staff.update":          "修改员工",
	"staff.invite":          "生成邀请码",
	"staff.bind":            "员工绑定微信",
	"staff.unbind":          "解除员工微信绑定",
	"staff.suspend":         "停用员工",
	"staff.reactivate":      "恢复员工",
	"staff.password":        "重置员工密码",
	"staff.password_change": "修改自己的密码",
	"staff.login":           "登录",
	"staff.logout":          "退出登录",
	"role.update":           "修改角色权限",
	// shop and settings
	"setting.update":       "修改设置",
	"store.create":         "添加门店",
	"store.update":         "修改门店",
	"hours.update":         "修改营业时间",
	"store_day.update":     "设置特殊日期",
	"store_day.delete":     "取消特殊日期",
	"store_day.import":     "导入节假日",
	"bay.create":           "添加工位",
	"bay.update":           "修改工位",
	"technician.update":    "修改技师技能",
	"shift.plan":           "排班",
	"shift.copy":           "复制上周排班",
	"service.create":       "添加项目",
	"service.update":       "修改项目",
	"service.delete":       "删除项目",
	"vehicle_class.create": "添加车型",
	"vehicle_class.update": "修改车型",
	"vehicle_class.delete": "删除车型",
	"good.create":          "添加商品",
	"good.update":          "修改商品",
	"good.delete":          "删除商品",
	"topup_plan.create":    "添加充值方案",
	"topup_plan.update":    "修改充值方案",
	"topup_plan.delete":    "删除充值方案",
	"tier.create":          "添加会员等级",
	"tier.update":          "修改会员等级",
	"points.rules":         "修改积分规则",
	"points.adjust":        "调整积分",
	"coupon.template":      "设置优惠券",
	"coupon.issue":         "发放优惠券",
	"coupon.void":          "作废优惠券",
	"coupon.claim_page":    "设置领券活动",
	"booking.create":       "登记预约",
	"booking.queue":        "登记排队",
	"booking.cancel":       "取消预约",
	"booking.contact":      "查看预约电话",
	"booking.no_show":      "记为未到店",
	"booking.reschedule":   "预约改期",
	"booking.moved":        "调整工位或技师",
	"booking.forced":       "强制调整安排",
	"slot.block":           "关闭工位或登记请假",
	"slot.unblock":         "恢复工位或销假",
	// money
	"checkout.settle":  "结算",
	"checkout.cancel":  "取消待支付订单",
	"order.reverse":    "撤销结算",
	"order.cancel":     "取消待支付订单",
	"checkout.reverse": "撤销结算",
	"topup.desk":       "前台充值",
	"topup.create":     "发起充值",
	"topup.cancel":     "取消充值",
	"topup.refund":     "退还充值",
	"sale.desk":        "前台售卖",
	"pass_plan.create": "新增卡种",
	"pass_plan.update": "修改卡种",
	"pass.refund":      "退卡",
	"pass.pause":       "暂停次卡",
	"pass.resume":      "恢复次卡",
	"pass.extend":      "延长次卡有效期",
	"pass.plate":       "更换次卡车牌",
	"refund.create":    "发起退款",
	"payment.check":    "向微信核对支付",
	"payment.close":    "关闭支付单",
	"payment.refund":   "原路退款",
	"payment.reissue":  "重新发起退款",
	"dispute.open":     "提出疑问",
	"dispute.resolve":  "处理疑问单",
	"export":           "导出数据",
}
