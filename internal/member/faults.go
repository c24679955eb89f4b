package member

import "github.com/liangche/liangche/internal/fault"

// Faults of this package.
var (
	ErrReview    = fault.Define(fault.Conflict, "member.in_review", "入会申请还在审核中，通过后才能使用")
	ErrRejected  = fault.Define(fault.Conflict, "member.rejected", "入会申请没有通过，请重新申请或联系门店")
	ErrSuspended = fault.Define(fault.Conflict, "member.suspended", "会员资格已被暂停，请联系店长处理")
	ErrClosing   = fault.Define(fault.Conflict, "member.closing", "会员正在办理注销，如需继续请先撤回注销")
	ErrClosed    = fault.Define(fault.Conflict, "member.closed", "会员已注销，可重新入会")

	ErrNoCard     = fault.Define(fault.Conflict, "member.no_card", "该会员没有可用的会员卡，请先补办")
	ErrCardFrozen = fault.Define(fault.Conflict, "member.card_frozen", "会员卡已冻结，请核对身份后解冻再使用")
	ErrCardLost   = fault.Define(fault.Conflict, "member.card_lost", "会员卡已挂失，请核对身份后补办新卡再使用")
	ErrCardState  = fault.Define(fault.Conflict, "member.card_state", "会员卡当前的状态不能这样操作，请刷新后再看")
	ErrState      = fault.Define(fault.Conflict, "member.state", "会员当前的状态不能这样操作，请刷新后再看")

	ErrPhoneTaken    = fault.Define(fault.Conflict, "member.phone_taken", "这个手机号已经是会员，请绑定已有会员或换一个手机号")
	ErrPhoneUnproven = fault.Define(fault.Conflict, "member.phone_unproven", "这个手机号已被另一个微信账号登记但没有验证，请到前台核实后绑定")
	ErrPhoneToken    = fault.Define(fault.Conflict, "member.phone_token", "手机号验证已过期，请重新验证")
	ErrPhoneUnknown  = fault.Define(fault.NotFound, "member.phone_unknown", "没有这个手机号的会员，请直接入会")
	ErrCharter       = fault.Define(fault.Conflict, "member.charter_outdated", "会员章程已更新，请阅读新版本后再同意")
	ErrHoldsMoney    = fault.Define(fault.Conflict, "member.holds_money", "您当前的会员里还有余额，系统不会自动合并，请到前台办理")
	ErrAlreadyJoined = fault.Define(fault.Conflict, "member.already_joined", "您已经是会员；如需合并两个会员，请到前台办理")
	ErrVehicleTaken  = fault.Define(fault.Conflict, "member.vehicle_exists", "这辆车已经在会员名下，不用重复添加")
	ErrVehicleMany   = fault.Define(fault.Conflict, "member.vehicle_limit", "最多登记 20 辆车，请先删除不用的车辆")
	ErrUnfinished    = fault.Define(fault.Conflict, "member.unfinished_bookings", "还有预约没有结束，请先取消，或等服务完成、结清")
	ErrOAuthState    = fault.Define(fault.Malformed, "member.oauth_state", "登录已超时或来源不明，请重新进入")
	ErrOAuthDenied   = fault.Define(fault.Forbidden, "member.oauth_denied", "没有得到微信授权，请重新登录并同意授权")
	ErrTicket        = fault.Define(fault.Unauthorized, "member.ticket_used", "登录凭据已失效，请重新登录")

	ErrCodeUnknown    = fault.Define(fault.NotFound, "member.code_unknown", "这不是有效的会员码，请让会员打开「会员码」重新出示")
	ErrCodeExpired    = fault.Define(fault.Conflict, "member.code_expired", "会员码已过期，请让会员刷新后重新出示")
	ErrCodeUsed       = fault.Define(fault.Conflict, "member.code_used", "这个会员码已经用过，请等会员码更新后再扫")
	ErrCodeWrongStore = fault.Define(fault.Conflict, "member.code_wrong_store", "这个会员码只能在指定门店使用，请会员在会员码设置里改掉")
	ErrCodeWrongPlate = fault.Define(fault.Conflict, "member.code_wrong_plate", "这个会员码只能用于指定车辆，请核对车牌或请会员改设置")
	ErrCodeOverCap    = fault.Define(fault.Conflict, "member.code_over_cap", "超过了会员为会员码设置的单次限额，请会员调高限额后重新出示")
	ErrCodeThrottled  = fault.Define(fault.TooMany, "member.code_throttled", "扫码失败次数太多，请十分钟后再试，或用手机号查找会员")
)
