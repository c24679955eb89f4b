// Package setting keeps what a shop may choose without a programmer.
//
// Model: a Definition gives a key its type, label, limits and default; a stored value overrides the default.
// Owns: setting_values. Invariants: only defined keys exist; a stored value always passed its definition's check;
// a value that no longer does (a definition changed) counts as its default.
package setting

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// The keys. Amounts are in fen, rates in basis points.
const (
	ShopName               = "shop.name"
	ShopAccent             = "shop.accent"
	ShopPhone              = "shop.phone"
	JoinReview             = "join.review"
	WalkInPromptVisits     = "member.walkin_prompt_visits"
	RequireCode            = "checkout.require_code_for_balance"
	CheckoutReverseMinutes = "checkout.reverse_minutes"
	MaxDiscountBP          = "checkout.max_discount_bp"
	SpendOrder             = "wallet.spend_order"
	CardCapFen             = "wallet.card_cap_fen"
	TopupCustomAllowed     = "topup.custom_allowed"
	TopupCustomMinFen      = "topup.custom_min_fen"
	TopupCustomMaxFen      = "topup.custom_max_fen"
	TopupPayMinutes        = "topup.pay_minutes"
	MessageDeduction       = "message.deduction"
	MessageTopup           = "message.topup"

	BookingStepMinutes          = "booking.step_minutes"
	BookingWindowDays           = "booking.window_days"
	BookingPriorityWindowDays   = "booking.priority_window_days"
	BookingPriorityReleaseHours = "booking.priority_release_hours"
	BookingLeadMinutes          = "booking.lead_minutes"
	BookingHoldMinutes          = "booking.hold_minutes"
	BookingMaxOpen              = "booking.max_open"
	BookingTravelMinutes        = "booking.travel_minutes"
	BookingGraceMinutes         = "booking.grace_minutes"
	BookingRemindMinutes        = "booking.remind_minutes"
	BookingTomorrowHour         = "booking.tomorrow_hour"
	BookingOfferMinutes         = "booking.offer_minutes"
	BookingLateCancelForfeits   = "booking.late_cancel_forfeits"
	BookingNoShowLimit          = "booking.no_show_limit"
	BookingNoShowDepositFen     = "booking.no_show_deposit_fen"
	MessageBooking              = "message.booking"

	PointsEarnBP       = "points.earn_bp"
	PointsExpireMonths = "points.expire_months"
	PointsYuanRate     = "points.yuan_rate"
	PointsMaxPayBP     = "points.max_pay_bp"
	PointsWarnDays     = "points.warn_days"
	PointsForOthers    = "points.for_others"
	PointsOthersDaily  = "points.for_others_daily"

	GroupApprovalMinutes = "group.approval_minutes"
	LiabilityPointsFen   = "report.points_cost_fen"
	CouponWarnDays       = "coupon.warn_days"

	PassCoolOffDays = "pass.refund_days"
	PassWarnDays    = "pass.warn_days"
	PassNoticeDays  = "pass.renew_notice_days"
	PassPauseDays   = "pass.pause_days"
	PassPlateDays   = "pass.plate_days"

	TierLose              = "tier.lose"
	TierGraceDays         = "tier.grace_days"
	TierIdleDays          = "tier.idle_days"
	TierExperiencePerYuan = "tier.experience_per_yuan"
	TierRenewDays         = "tier.renew_days"

	SMSSign         = "sms.sign"
	SMSCodeTemplate = "sms.code_template"
	SMSCodeForm     = "sms.code_form"
	SMSDailyLimit   = "sms.code_daily_limit"

	CouponGiftDays  = "coupon.gift_days"
	MessageBenefits = "message.benefits"

	MessageQuietFrom = "message.quiet_from"
	MessageQuietTo   = "message.quiet_to"
	MessageCapDay    = "message.cap_day"
	MessageCapWeek   = "message.cap_week"

	RemindHour = "remind.hour"
)

// The choices of SMSCodeForm: what the template has places for.
const (
	SMSCodeOnly    = "code"
	SMSCodeMinutes = "code_minutes"
)

// The choices of SpendOrder.
const (
	SpendProRata        = "pro_rata"
	SpendBonusFirst     = "bonus_first"
	SpendPrincipalFirst = "principal_first"
)

// Type says how a value is written and checked.
type Type string

// The types.
const (
	Bool  Type = "bool"
	Int   Type = "int"
	Fen   Type = "fen"
	BP    Type = "bp"
	Text  Type = "text"
	Enum  Type = "enum"
	Color Type = "color"
)

// Option is one choice of an Enum.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// Definition describes a key. Default is the text form: "true", "30", "pro_rata".
type Definition struct {
	Key, Group, Label, Help string
	Type                    Type
	Default                 string
	Min, Max                int64 // numbers: the value; Text: its length in characters
	Options                 []Option
	Pattern                 *regexp.Regexp // Text: what a non-empty value must look like
	PatternHelp             string
	Apart                   bool // has a page of its own; the general one does not show it
}

var (
	colorForm    = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)
	clockForm    = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	signForm     = regexp.MustCompile(`^[^【】\[\]\s]{2,30}$`)
	templateForm = regexp.MustCompile(`^[0-9A-Za-z_]{4,40}$`)
	phoneForm    = regexp.MustCompile(`^[0-9+() -]{5,20}$`)
)

// Definitions lists every key in the order in which the console shows them.
func Definitions() []Definition {
	return []Definition{
		{Key: ShopName, Group: "店铺", Label: "店铺名称", Help: "显示在会员端、小票和消息里", Type: Text, Default: "亮车洗护", Min: 1, Max: 30},
		{Key: ShopAccent, Group: "店铺", Label: "主题色", Help: "会员端按钮和会员卡的颜色", Type: Color, Default: "#0B7A75"},
		{Key: ShopPhone, Group: "店铺", Label: "服务电话", Help: "会员遇到问题时拨打", Type: Text, Default: "", Max: 20, Pattern: phoneForm, PatternHelp: "请填写电话号码，如 010-88886666"},
		{Key: JoinReview, Group: "会员", Label: "入会需要审核", Help: "打开后，自助入会的申请由店员通过后才发卡", Type: Bool, Default: "false"},
		{Key: WalkInPromptVisits, Group: "会员", Label: "散客到店几次后提示办会员", Help: "按车牌累计到店次数", Type: Int, Default: "5", Min: 1, Max: 100},
		{Key: RequireCode, Group: "收银", Label: "使用余额必须扫会员码", Help: "打开后，只报手机号不能用余额付款", Type: Bool, Default: "false"},
		{Key: CheckoutReverseMinutes, Group: "收银", Label: "可自行撤销结算的时限（分钟）", Help: "超过后只有店长可以撤销；0 表示不能自行撤销", Type: Int, Default: "30", Min: 0, Max: 1440},
		{Key: MaxDiscountBP, Group: "收银", Label: "手工优惠上限", Help: "手工优惠最多占应收的比例", Type: BP, Default: "3000", Min: 0, Max: 10000},
		{Key: SpendOrder, Group: "储值", Label: "余额扣款次序", Help: "本金与赠送金按比例扣，退款时最公平", Type: Enum, Default: SpendProRata,
			Options: []Option{{SpendProRata, "按比例"}, {SpendBonusFirst, "先扣赠送金"}, {SpendPrincipalFirst, "先扣本金"}}},
		{Key: CardCapFen, Group: "储值", Label: "单张记名卡余额上限", Help: "预付卡管理规定：记名卡不超过 5000 元", Type: Fen, Default: "500000", Min: 10000, Max: 500000},
		{Key: TopupCustomAllowed, Group: "储值", Label: "允许自定充值金额", Help: "关闭后只能选择充值方案", Type: Bool, Default: "true"},
		{Key: TopupCustomMinFen, Group: "储值", Label: "自定充值最低金额", Type: Fen, Default: "1000", Min: 1, Max: 500000},
		{Key: TopupCustomMaxFen, Group: "储值", Label: "自定充值最高金额", Type: Fen, Default: "500000", Min: 1, Max: 500000},
		{Key: TopupPayMinutes, Group: "储值", Label: "充值付款时限（分钟）", Help: "超过后订单自动关闭", Type: Int, Default: "15", Min: 2, Max: 120},
		{Key: BookingStepMinutes, Group: "预约", Label: "可约时刻的间隔", Help: "顾客看到的开始时刻每隔多久一个", Type: Enum, Default: "15",
			Options: []Option{{"5", "5 分钟"}, {"10", "10 分钟"}, {"15", "15 分钟"}, {"20", "20 分钟"}, {"30", "30 分钟"}, {"60", "1 小时"}}},
		{Key: BookingWindowDays, Group: "预约", Label: "可提前预约的天数", Help: "含今天", Type: Int, Default: "14", Min: 1, Max: 90},
		{Key: BookingPriorityWindowDays, Group: "预约", Label: "优先等级可提前预约的天数", Help: "开了优先预约的会员等级能看得更远", Type: Int, Default: "21", Min: 1, Max: 90},
		{Key: BookingPriorityReleaseHours, Group: "预约", Label: "优先工位提前多久放开（小时）", Help: "优先工位在开始前这么久仍空着，就向所有人开放；0 表示不放开", Type: Int, Default: "24", Min: 0, Max: 336},
		{Key: BookingLeadMinutes, Group: "预约", Label: "最晚提前多久预约（分钟）", Help: "给门店留出准备的时间", Type: Int, Default: "30", Min: 0, Max: 10080},
		{Key: BookingHoldMinutes, Group: "预约", Label: "确认或付定金的时限（分钟）", Help: "超过后时段自动放开", Type: Int, Default: "10", Min: 2, Max: 60},
		{Key: BookingMaxOpen, Group: "预约", Label: "每位会员最多同时预约几次", Type: Int, Default: "3", Min: 1, Max: 50},
		{Key: BookingTravelMinutes, Group: "预约", Label: "上门、取送车的单程时间（分钟）", Help: "排班时前后各留出这么久", Type: Int, Default: "30", Min: 0, Max: 240},
		{Key: BookingGraceMinutes, Group: "预约", Label: "迟到宽限（分钟）", Help: "超过后工位放开，记为未到店", Type: Int, Default: "15", Min: 0, Max: 240},
		{Key: BookingRemindMinutes, Group: "预约", Label: "提前多久提醒顾客（分钟）", Help: "0 表示不提醒", Type: Int, Default: "60", Min: 0, Max: 2880},
		{Key: BookingTomorrowHour, Group: "预约", Label: "前一天几点提醒顾客", Help: "按门店当地时间；在“到期提醒”里可以关闭", Type: Int, Default: "18", Min: 8, Max: 21},
		{Key: BookingOfferMinutes, Group: "预约", Label: "候补名额保留多久（分钟）", Help: "超过后轮到下一位", Type: Int, Default: "15", Min: 2, Max: 240},
		{Key: BookingLateCancelForfeits, Group: "预约", Label: "超时取消或未到店不退定金", Help: "预约前会向顾客说明", Type: Bool, Default: "true"},
		{Key: BookingNoShowLimit, Group: "预约", Label: "几次未到店后须付定金", Help: "按最近 90 天计；0 表示不限", Type: Int, Default: "2", Min: 0, Max: 20},
		{Key: BookingNoShowDepositFen, Group: "预约", Label: "多次未到店者的定金", Type: Fen, Default: "3000", Min: 1, Max: 100000},
		{Key: PointsEarnBP, Group: "积分", Label: "每付一元得几分", Help: "按实付金额；100% 为每元 1 分，0 表示不积分", Type: BP, Default: "0", Min: 0, Max: 1000000},
		{Key: PointsExpireMonths, Group: "积分", Label: "积分有效期（月）", Help: "到期月的月底清零；0 表示永不过期", Type: Int, Default: "24", Min: 0, Max: 60},
		{Key: PointsYuanRate, Group: "积分", Label: "多少积分抵一元", Type: Int, Default: "100", Min: 1, Max: 100000},
		{Key: PointsMaxPayBP, Group: "积分", Label: "积分最多抵一单的比例", Help: "0 表示不能抵现", Type: BP, Default: "5000", Min: 0, Max: 10000},
		{Key: PointsWarnDays, Group: "积分", Label: "到期前几天提醒", Help: "0 表示不提醒", Type: Int, Default: "30", Min: 0, Max: 90},
		{Key: PointsForOthers, Group: "积分", Label: "结算时可以把积分记给朋友", Help: "散客或会员付款时，积分可记到另一位会员的账户；每次都留记录，撤销时收回", Type: Bool, Default: "false"},
		{Key: PointsOthersDaily, Group: "积分", Label: "每个账户每天最多收几单朋友的积分", Type: Int, Default: "5", Min: 1, Max: 100},
		{Key: LiabilityPointsFen, Group: "积分", Label: "每 100 积分的成本", Help: "只用于预收负债报表，不影响抵扣", Type: Fen, Default: "100", Min: 0, Max: 100000},
		{Key: GroupApprovalMinutes, Group: "会员", Label: "家庭与企业账户：付款确认的时限（分钟）", Help: "付款人超过这个时间没有答复就要重新发起；同意后也须在这个时间内结算", Type: Int, Default: "15", Min: 2, Max: 240},
		{Key: TierLose, Group: "会员", Label: "会员等级怎样降级", Help: "指定的等级和付费会员不受影响", Type: Enum, Default: "idle",
			Options: []Option{{"idle", "长期没有消费才降"}, {"rule", "不再达到条件就降"}, {"never", "不降级"}}},
		{Key: TierIdleDays, Group: "会员", Label: "多少天没有消费就降为默认等级", Help: "选「长期没有消费才降」时有效", Type: Int, Default: "365", Min: 30, Max: 1095},
		{Key: TierGraceDays, Group: "会员", Label: "降级宽限天数", Help: "选「不再达到条件就降」时有效：条件不满足后再保留这么多天", Type: Int, Default: "30", Min: 0, Max: 365},
		{Key: TierExperiencePerYuan, Group: "会员", Label: "每消费 1 元得多少成长值", Help: "成长值只用于升级，与积分无关；0 表示不用成长值", Type: Int, Default: "0", Min: 0, Max: 1000},
		{Key: TierRenewDays, Group: "会员", Label: "付费会员到期前几天提醒", Help: "0 表示不提醒", Type: Int, Default: "7", Min: 0, Max: 60},
		{Key: PassCoolOffDays, Group: "卡项", Label: "未使用可全额退卡的天数", Help: "自付款起算，法律规定不少于 7 天；只影响以后卖出的卡", Type: Int, Default: "7", Min: 7, Max: 90},
		{Key: PassWarnDays, Group: "卡项", Label: "卡到期前几天提醒", Help: "0 表示不提醒", Type: Int, Default: "7", Min: 0, Max: 60},
		{Key: PassNoticeDays, Group: "卡项", Label: "自动续期前几天提醒", Help: "卡和付费会员都按它；法律规定不少于 5 天，提醒没有发出就不会扣款", Type: Int, Default: "5", Min: 5, Max: 30},
		{Key: PassPauseDays, Group: "卡项", Label: "车主可自助暂停的天数", Help: "每张卡累计；0 表示不能自助暂停；只影响以后卖出的卡", Type: Int, Default: "30", Min: 0, Max: 365},
		{Key: PassPlateDays, Group: "卡项", Label: "更换绑定车牌的间隔天数", Help: "只影响以后卖出的卡", Type: Int, Default: "30", Min: 0, Max: 365},
		{Key: CouponWarnDays, Group: "优惠", Label: "优惠券到期前几天提醒", Help: "0 表示不提醒", Type: Int, Default: "3", Min: 0, Max: 30},
		{Key: CouponGiftDays, Group: "优惠", Label: "转赠链接的有效天数", Help: "无人领取，券自动退回", Type: Int, Default: "7", Min: 1, Max: 30},
		{Key: MessageBenefits, Group: "消息", Label: "积分、优惠券、卡项有变化时通知会员", Type: Bool, Default: "true", Apart: true},
		{Key: MessageBooking, Group: "消息", Label: "预约有变化时通知会员", Type: Bool, Default: "true", Apart: true},
		{Key: MessageDeduction, Group: "消息", Label: "扣款后通知会员", Type: Bool, Default: "true", Apart: true},
		{Key: MessageTopup, Group: "消息", Label: "充值后通知会员", Type: Bool, Default: "true", Apart: true},
		{Key: MessageQuietFrom, Group: "消息", Label: "免打扰开始", Help: "不紧急的消息等到结束后再发", Type: Text, Default: "21:30", Min: 5, Max: 5, Pattern: clockForm, PatternHelp: "请填写时间，如 21:30", Apart: true},
		{Key: MessageQuietTo, Group: "消息", Label: "免打扰结束", Help: "与开始相同表示不设免打扰", Type: Text, Default: "08:30", Min: 5, Max: 5, Pattern: clockForm, PatternHelp: "请填写时间，如 08:30", Apart: true},
		{Key: MessageCapDay, Group: "消息", Label: "每位会员每天最多", Help: "提醒和优惠类消息；0 表示不限", Type: Int, Default: "2", Min: 0, Max: 20, Apart: true},
		{Key: MessageCapWeek, Group: "消息", Label: "每位会员每 7 天最多", Help: "提醒和优惠类消息；0 表示不限", Type: Int, Default: "5", Min: 0, Max: 50, Apart: true},
		{Key: RemindHour, Group: "消息", Label: "每天几点发到期提醒", Help: "洗车、保养、年检、保险、生日等", Type: Int, Default: "9", Min: 0, Max: 21, Apart: true},
		{Key: SMSSign, Group: "短信", Label: "短信签名", Help: "在短信服务商那里审核通过的签名，不带括号；留空用配置文件里的", Type: Text, Default: "", Max: 30, Pattern: signForm, PatternHelp: "请只填签名本身，不要带括号"},
		{Key: SMSCodeTemplate, Group: "短信", Label: "验证码的模板编号", Help: "审核通过的验证码模板；留空就不用短信验证手机号", Type: Text, Default: "", Max: 40, Pattern: templateForm, PatternHelp: "请从短信服务商的控制台复制模板编号"},
		{Key: SMSCodeForm, Group: "短信", Label: "验证码模板里的变量", Help: "要与审核通过的模板一致：变量依次是验证码、有效分钟数", Type: Enum, Default: SMSCodeMinutes,
			Options: []Option{{SMSCodeMinutes, "验证码和分钟数"}, {SMSCodeOnly, "只有验证码"}}},
		{Key: SMSDailyLimit, Group: "短信", Label: "每天最多发几条验证码", Help: "防止被人恶意刷短信；到上限后当天不再发送，并记入操作记录", Type: Int, Default: "300", Min: 10, Max: 100000},
	}
}

// definition finds a key.
func definition(key string) (Definition, bool) { d, ok := byKey()[key]; return d, ok }

// byKey is asked several times by each settlement.
var byKey = sync.OnceValue(func() map[string]Definition {
	out := map[string]Definition{}
	for _, d := range Definitions() {
		out[d.Key] = d
	}
	return out
})

func (d Definition) number() bool { return d.Type == Int || d.Type == Fen || d.Type == BP }

// Check brings a value into its stored text form. v is a bool, a number, a json.Number or a text form. complaint is ""
// when the value is good.
func (d Definition) Check(v any) (text, complaint string) {
	switch v := v.(type) {
	case string:
		text = v
	case bool:
		if d.Type != Bool {
			return "", d.want()
		}
		text = strconv.FormatBool(v)
	case float64: // JSON into any
		if v != float64(int64(v)) {
			return "", "应为整数"
		}
		text = strconv.FormatInt(int64(v), 10)
	case json.Number:
		text = v.String()
	case int:
		text = strconv.Itoa(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	default:
		return "", d.want()
	}
	if _, isText := v.(string); !isText && d.Type != Bool && !d.number() {
		return "", d.want()
	}
	return d.checkText(text)
}

func (d Definition) want() string {
	switch d.Type {
	case Bool:
		return "应为是或否"
	case Int, Fen, BP:
		return "应为整数"
	}
	return "应为文字"
}

func (d Definition) checkText(text string) (string, string) {
	switch d.Type {
	case Bool:
		if text != "true" && text != "false" {
			return "", d.want()
		}
	case Int, Fen, BP:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "", d.want()
		}
		if n < d.Min || n > d.Max {
			return "", fmt.Sprintf("请填 %s 到 %s 之间", d.say(d.Min), d.say(d.Max))
		}
		text = strconv.FormatInt(n, 10)
	case Enum:
		if !slices.ContainsFunc(d.Options, func(o Option) bool { return o.Value == text }) {
			return "", "不在可选范围内"
		}
	case Color:
		if !colorForm.MatchString(text) {
			return "", "请填写颜色，如 #0B7A75"
		}
		text = strings.ToUpper(text)
	case Text:
		text = strings.TrimSpace(text)
		if strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f }) || !utf8.ValidString(text) {
			return "", "不能含有换行或控制字符"
		}
		if n := int64(utf8.RuneCountInString(text)); n < d.Min || n > d.Max {
			if n < d.Min {
				return "", "必填"
			}
			return "", fmt.Sprintf("最多 %d 个字", d.Max)
		}
		if text != "" && d.Pattern != nil && !d.Pattern.MatchString(text) {
			return "", d.PatternHelp
		}
	}
	return text, ""
}

// say writes a limit the way people read it.
func (d Definition) say(n int64) string {
	switch d.Type {
	case Fen:
		return strings.TrimSuffix(fmt.Sprintf("%d.%02d", n/100, n%100), ".00") + " 元"
	case BP:
		return strings.TrimSuffix(fmt.Sprintf("%d.%02d", n/100, n%100), ".00") + "%"
	}
	return strconv.FormatInt(n, 10)
}

// native is the JSON form of a stored text.
func (d Definition) native(text string) any {
	switch {
	case d.Type == Bool:
		return text == "true"
	case d.number():
		n, _ := strconv.ParseInt(text, 10, 64) // the text was checked
		return n
	}
	return text
}

// together checks what depends on two values; it returns the key to blame and the complaint.
func together(values map[string]string) (key, complaint string) {
	lo, _ := strconv.ParseInt(values[TopupCustomMinFen], 10, 64)
	hi, _ := strconv.ParseInt(values[TopupCustomMaxFen], 10, 64)
	if lo > hi {
		return TopupCustomMinFen, "最低金额不能高于最高金额"
	}
	window, _ := strconv.ParseInt(values[BookingWindowDays], 10, 64)
	priority, _ := strconv.ParseInt(values[BookingPriorityWindowDays], 10, 64)
	if priority < window {
		return BookingPriorityWindowDays, "优先等级的天数不能少于普通会员"
	}
	return "", ""
}
