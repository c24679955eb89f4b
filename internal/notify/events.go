package notify

import "slices"

// The groups of messages that a member may switch off one by one.
const (
	GroupMoney    = "money"    // what was paid, topped up, given back
	GroupBooking  = "booking"  // bookings and cars in the shop
	GroupBenefits = "benefits" // points, coupons, passes, tiers, the mall
	GroupCare     = "care"     // what the car needs next
	GroupWishes   = "wishes"   // birthday and holiday greetings: marketing, with consent alone
	GroupAccount  = "account"  // what the law or the safety of the account wants to be told: never off
)

// GroupInfo is a group of messages as people see it.
type GroupInfo struct {
	Group string `json:"group"`
	Title string `json:"title"`
	Help  string `json:"help"`
	Fixed bool   `json:"fixed" doc:"The member cannot switch it off"`
}

// Groups lists the groups in the order in which they are shown.
func Groups() []GroupInfo {
	return []GroupInfo{
		{GroupMoney, "消费与资金", "扣款、充值、退款的凭据", false},
		{GroupBooking, "预约与取车", "预约成功、变更、到店提醒、完工取车", false},
		{GroupBenefits, "会员权益", "积分、优惠券、卡项、等级、积分商城", false},
		{GroupCare, "用车提醒", "洗车周期、保养、年检、保险、雨后补洗", false},
		{GroupWishes, "祝福与优惠", "生日、节日问候和优惠活动，经您同意才发送", false},
		{GroupAccount, "账户通知", "自动续费、账户变动等必须告知的事项", true},
	}
}

// FieldInfo is one value that an event's messages carry.
type FieldInfo struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	Example string `json:"example"`
}

// EventInfo describes an event: how its messages are treated unless the shop chose otherwise.
type EventInfo struct {
	Event  string
	Title  string // in Chinese, as staff and owners read it
	Group  string // one of Groups
	Urgent bool   // told at once, whatever the quiet hours: money, a booking of today
	Cap    bool   // counts for the frequency cap of a member (F14)
	SMS    bool   // goes on to SMS where the shop did not choose
	Call   bool   // goes on to the staff's call list where the shop did not choose
	Worth  int    // how much a grant for it is worth to the owner: what is asked for first (X04)
	Fields []FieldInfo
	Layout map[string]string // fields of a WeChat template that docs tell the shop to choose: WeChat's key → name in Data
}

// Marketing says whether the event is an offer of the shop's rather than something that happened to the member: it never goes by
// template message (N30), and by SMS with consent alone.
func (e EventInfo) Marketing() bool { return e.Group == GroupWishes }

// TextOnly says whether the event is an advertisement pure and simple, which goes by SMS with consent and by no other way (N30).
func (e EventInfo) TextOnly() bool { return e.Event == MissedYou || e.Event == Offer }

// Events is the catalogue, in the order in which the console shows it.
func Events() []EventInfo {
	f := func(names ...string) (out []FieldInfo) {
		for _, n := range names {
			x := FieldInfo{n, fieldNames[n][0], fieldNames[n][1]}
			out = append(out, x)
		}
		return out
	}
	title := func(fields []FieldInfo, example string) []FieldInfo {
		fields[0].Example = example
		return fields
	}
	type layout = map[string]string
	money := layout{"thing1": "title", "amount2": "amount", "amount3": "balance", "time4": "time"}
	moneyAt := layout{"thing1": "title", "amount2": "amount", "amount3": "balance", "time4": "time", "thing5": "store"}
	visit := func(last string) layout {
		return layout{"thing1": "title", "time2": "time", "thing3": "store", "car_number4": "plate", "thing5": last}
	}
	ends := layout{"thing1": "title", "date2": "time", "thing3": "hint"}
	due := layout{"thing1": "title", "car_number2": "plate", "date3": "time", "thing4": "hint"}
	spent := []string{"title", "amount", "balance", "time", "store", "plate", "staff"}
	booked := []string{"title", "time", "store", "address", "plate", "no", "amount", "hint"}
	care := []string{"title", "plate", "time", "store", "hint"}
	return []EventInfo{
		{Deduction, "消费扣款", GroupMoney, true, false, false, false, 90, f(spent...), moneyAt},
		{Topup, "充值到账", GroupMoney, true, false, false, false, 80, title(f("title", "amount", "bonus", "balance", "time"), "充 500 送 50"), money},
		{Reversal, "消费撤销", GroupMoney, true, false, false, false, 50, f(spent...), moneyAt},
		{Refund, "充值退款", GroupMoney, true, false, false, false, 55, title(f("title", "amount", "balance", "time"), "充值退款"), money},
		{GroupApproval, "代付确认", GroupMoney, true, false, true, true, 85, title(f("title", "amount", "plate", "store", "time", "hint"), "公司车队用车付款确认"),
			layout{"thing1": "title", "amount2": "amount", "car_number3": "plate", "time4": "time", "thing5": "hint"}},

		{BookingConfirmed, "预约成功", GroupBooking, true, false, false, false, 70, f(booked...), visit("=到店前可在小程序查看或改期")},
		{BookingTomorrow, "明日到店提醒", GroupBooking, false, false, false, false, 65, f(booked...), visit("hint")},
		{BookingReminder, "到店前提醒", GroupBooking, true, false, false, false, 88, f(booked...), visit("hint")},
		{BookingLate, "过点未到提醒", GroupBooking, true, false, true, true, 60, f(booked...), visit("hint")},
		{BookingChanged, "预约变更", GroupBooking, true, false, true, true, 86, f(booked...), visit("hint")},
		{BookingCancelled, "预约取消", GroupBooking, true, false, true, true, 84, f(append(slices.Clone(booked), "reason")...), visit("reason")},
		{RainRebook, "雨天改期", GroupBooking, true, false, true, true, 64, title(f(booked...), "下雨可免费改期"), visit("hint")},
		{BookingOffer, "候补有位", GroupBooking, true, false, true, true, 82, f(booked...), visit("hint")},
		{CarReady, "完工取车", GroupBooking, true, false, true, true, 95, f(booked...), visit("=爱车已完工，欢迎来取")},

		{PassSold, "购卡成功", GroupBenefits, true, false, false, false, 40, title(f("title", "amount", "time", "hint"), "精洗 10 次卡"),
			layout{"thing1": "title", "amount2": "amount", "time3": "time", "thing4": "hint"}},
		{PassExpiring, "卡项到期", GroupBenefits, false, true, false, false, 45, title(f("title", "time", "hint"), "精洗 10 次卡"), ends},
		{PointsExpiring, "积分到期", GroupBenefits, false, true, false, false, 35, title(f("title", "points", "time", "hint"), "积分即将到期"),
			layout{"thing1": "title", "number2": "points", "date3": "time", "thing4": "hint"}},
		{CouponReceived, "优惠券到账", GroupBenefits, false, true, false, false, 42, title(f("title", "time", "hint"), "精洗 8 折券"), ends},
		{CouponExpiring, "优惠券到期", GroupBenefits, false, true, false, false, 44, title(f("title", "count", "time", "hint"), "精洗 8 折券"),
			layout{"thing1": "title", "number2": "count", "date3": "time", "thing4": "hint"}},
		{TierChanged, "等级变更", GroupBenefits, false, false, false, false, 30, title(f("title", "tier", "before", "reason", "time"), "恭喜升级为金卡"),
			layout{"thing1": "title", "thing2": "reason", "time3": "time"}},
		{TierFalling, "等级即将下调", GroupBenefits, false, true, false, false, 32, title(f("title", "tier", "reason", "time", "hint"), "金卡即将到期"),
			layout{"thing1": "title", "thing2": "reason", "date3": "time", "thing4": "hint"}},
		{MallReady, "商城取货", GroupBenefits, false, false, false, false, 38, title(f("title", "store", "hint", "time"), "车载香薰"),
			layout{"thing1": "title", "thing2": "store", "thing3": "hint", "time4": "time"}},
		{MallShipped, "商城发货", GroupBenefits, false, false, false, false, 37, title(f("title", "store", "hint", "number", "time"), "车载香薰"),
			layout{"thing1": "title", "thing2": "hint", "character_string3": "number", "time4": "time"}},
		{ReferralRewarded, "推荐奖励", GroupBenefits, false, true, false, false, 28, title(f("title", "gift", "time"), "好友首次消费"),
			layout{"thing1": "title", "thing2": "gift", "time3": "time"}},

		{NextWash, "该洗车了", GroupCare, false, true, false, false, 48, title(f(care...), "该给爱车洗个澡了"), due},
		{MaintenanceDue, "保养到期", GroupCare, false, true, true, false, 58, title(f(care...), "保养到期提醒"), due},
		{InspectionDue, "年检到期", GroupCare, false, true, true, false, 62, title(f(care...), "年检到期提醒"), due},
		{InsuranceDue, "保险到期", GroupCare, false, true, true, false, 61, title(f(care...), "保险到期提醒"), due},
		{RainVoucher, "雨后补洗券", GroupCare, false, true, false, false, 52, title(f("title", "plate", "time", "store", "hint"), "雨后免费补洗券"), ends},

		{Birthday, "生日祝福", GroupWishes, false, true, true, false, 10, title(f("title", "name", "time", "gift", "hint"), "生日快乐"),
			layout{"thing1": "title", "thing2": "gift", "date3": "time"}},
		{Holiday, "节日问候", GroupWishes, false, true, true, false, 5, title(f("title", "name", "time", "hint"), "中秋快乐"), ends},
		{MissedYou, "好久不见", GroupWishes, false, true, true, false, 0, title(f("title", "name", "store", "gift", "hint"), "好久不见"), layout{}},
		{Offer, "群发短信", GroupWishes, false, true, true, false, 0, title(f("title", "name", "store"), "周末洗车特惠"), layout{}},

		{PassRenewal, "自动续期", GroupAccount, false, false, true, false, 75, title(f("title", "amount", "time", "hint"), "精洗月卡"),
			layout{"thing1": "title", "amount2": "amount", "date3": "time", "thing4": "hint"}},
		{MembershipEnds, "付费会员到期", GroupAccount, false, false, false, false, 46, title(f("title", "time", "hint"), "金卡年费会员"), ends},
		{AccountLinked, "账户绑定", GroupAccount, true, false, true, false, 20, title(f("title", "time", "hint"), "微信已与会员卡绑定"),
			layout{"thing1": "title", "time2": "time", "thing3": "hint"}},
	}
}

// fieldNames gives each value its label and an example that is as long as such a value usually is.
var fieldNames = map[string][2]string{
	"title": {"标题、项目", "全车精洗"}, "amount": {"金额（元）", "88.00"}, "balance": {"余额（元）", "412.00"}, "bonus": {"赠送（元）", "50.00"}, "time": {"时间", "2026-11-22T14:30:00+08:00"},
	"store": {"门店", "亮车洗护·国贸店"}, "address": {"地址", "朝阳区建国路 88 号"}, "plate": {"车牌", "京A12345"}, "staff": {"经手人", "小王"}, "no": {"单号", "B2611220001"},
	"reason": {"原因", "工位临时检修"}, "hint": {"说明", "请按时到店，过点将释放工位"}, "points": {"积分", "1200"}, "count": {"张数", "2"}, "tier": {"等级", "金卡"}, "before": {"原等级", "银卡"},
	"gift": {"礼遇", "精洗券 1 张"}, "number": {"快递单号", "SF1234567890123"}, "name": {"称呼", "王先生"},
}

// eventInfo finds an event; ok is false for one that the catalogue does not know.
func eventInfo(event string) (EventInfo, bool) {
	for _, e := range Events() {
		if e.Event == event {
			return e, true
		}
	}
	return EventInfo{}, false
}
