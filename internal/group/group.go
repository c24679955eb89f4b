// Package group lets one member's wallet pay for several drivers: a family, or a company with its fleet (A05, X06).
//
// Model: a Group is a family, which a member makes, or a company, which applies with its credit code and documents and is reviewed.
// Its payer is a member whose wallet pays. A Driver is a member's place in it, taken by a link that works once, with Rules: plates,
// services, weekdays and hours, the most per order and per month, and from what amount on the payer is asked; a place may end on a
// day (a company's year-long VIP card, a temporary invitation card). A Use is what a group paid of one order; an Approval is the
// payer's yes to one payment, asked from the till and answered on the phone.
// Owns: group_groups, group_documents, group_drivers, group_invites, group_uses, group_approvals.
// Invariants: whether a payment is allowed is decided under the group's lock, so that two tills together never pass a cap; an order has
// at most one use, an approval pays at most one order and only until it expires, a link brings one driver; leaving and coming back
// starts no new month; nothing here moves money: the till takes it from the payer's wallet in the same transaction; a company's
// documents and contact are stored sealed, and are gone when the group ends; a company and its VIP and temporary cards may name a tier, which only the
// shop sets: while the company is active its people stand at least there, recomputed in the transaction that changes it.
package group

import (
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// The kinds of group.
const (
	Family    = "family"
	Corporate = "corporate"
)

// The states of a group.
const (
	StateReview    = "review"    // a company applied and waits for the shop
	StateActive    = "active"    //
	StateRejected  = "rejected"  // may be changed and sent again
	StateSuspended = "suspended" // by the shop, with a reason
	StateEnded     = "ended"     // dissolved, or the payer has left
)

// The kinds of place in a group.
const (
	CardDriver    = "driver"
	CardVIP       = "vip"       // of a company: for a year and more
	CardTemporary = "temporary" // of a company: for some weeks at most
)

// Why a place in a group ended.
const (
	EndLeft      = "left"
	EndRemoved   = "removed"
	EndDissolved = "dissolved"
	EndGone      = "gone" // the member has left the shop
)

// The states of an approval. One that is asked or approved and whose time is over shows as expired.
const (
	ApprovalAsked    = "asked"
	ApprovalApproved = "approved"
	ApprovalDenied   = "denied"
	ApprovalUsed     = "used"
	ApprovalExpired  = "expired"
)

// The states of a use.
const (
	useTaken  = "used"
	useUndone = "undone"
)

// The kinds of document that a company shows.
const (
	DocumentLicense       = "license"
	DocumentAuthorization = "authorization"
	DocumentOther         = "other"
)

// Limits.
const (
	maxDocuments   = 6
	maxFamily      = 10  // drivers of a family
	maxCorporate   = 500 // drivers of a company
	maxGroups      = 5   // that one member pays for, applications included
	maxOpenInvites = 50
	maxAsked       = 3 // approvals of one driver that wait at the same time
	maxPlates      = 20
	maxServices    = 50
	inviteLife     = 7 * 24 * time.Hour
	vipDays        = 366 // how long a VIP card is good when nobody said an end
	vipMaxDays     = 3 * 366
	temporaryDays  = 92 // the longest temporary card
)

// MaxCapFen is the highest cap that a rule may name.
const MaxCapFen money.Fen = 100_000_000

// Faults of this package.
var (
	ErrNotMine       = fault.Define(fault.Forbidden, "group.not_payer", "只有付款人可以管理这个账户，请联系付款人")
	ErrState         = fault.Define(fault.Conflict, "group.state", "账户状态已变化，请刷新查看")
	ErrEnded         = fault.Define(fault.Conflict, "group.ended", "这个账户已经解散，不能再使用")
	ErrSuspended     = fault.Define(fault.Conflict, "group.suspended", "这个账户已被门店暂停，请联系门店")
	ErrReview        = fault.Define(fault.Conflict, "group.in_review", "企业账户还在审核中，通过后就能使用")
	ErrTooMany       = fault.Define(fault.Conflict, "group.too_many", "您付款的账户已经够多，请先解散不用的")
	ErrMergePayers   = fault.Define(fault.Conflict, "group.merge_payers", "两位会员各自在为家庭或企业账户付款，请先解散其中一位的账户，再合并")
	ErrMergeApproval = fault.Define(fault.Conflict, "group.merge_approval", "有一笔代付正等付款人确认，请先确认、拒绝或等它过期，再合并")
	ErrFull          = fault.Define(fault.Conflict, "group.full", "人数已满，请先移除不再使用的人")
	ErrInvite        = fault.Define(fault.Conflict, "group.invite_gone", "邀请链接已用过或已过期，请付款人重新发送")
	ErrInvites       = fault.Define(fault.Conflict, "group.too_many_invites", "未使用的邀请太多，请先撤回一些")
	ErrOwnInvite     = fault.Define(fault.Conflict, "group.own_invite", "您就是付款人，不用加入")
	ErrJoined        = fault.Define(fault.Conflict, "group.joined", "您已经在这个账户里了")
	ErrCreditUsed    = fault.Define(fault.Conflict, "group.credit_code_taken", "这个统一社会信用代码已有企业账户，请联系门店")
	ErrDocuments     = fault.Define(fault.Conflict, "group.documents", "请先上传营业执照照片，再提交审核")
	ErrDocMax        = fault.Define(fault.Conflict, "group.document_limit", "最多 6 张证明照片，请先删除不需要的")

	ErrTier      = fault.Define(fault.Forbidden, "group.tier_by_shop", "会员等级由门店设置，请联系门店")
	ErrNoDriver  = fault.Define(fault.Conflict, "group.not_driver", "顾客不在这个账户里，请换一种收款方式")
	ErrDriver    = fault.Define(fault.Conflict, "group.driver_blocked", "用车人的会员卡现在不能使用，请换一种收款方式")
	ErrPayer     = fault.Define(fault.Conflict, "group.payer_blocked", "付款人的账户现在不能使用，请换一种收款方式")
	ErrPlaceOver = fault.Define(fault.Conflict, "group.place_over", "用车人在这个账户的使用期限已过，请付款人延期")
	ErrPlate     = fault.Define(fault.Conflict, "group.plate", "这辆车不在允许的车牌里，请换一种收款方式")
	ErrService   = fault.Define(fault.Conflict, "group.service", "有项目不在允许的范围里，请去掉或换一种收款方式")
	ErrHours     = fault.Define(fault.Conflict, "group.hours", "现在不在允许使用的时间里，请换一种收款方式")
	ErrOrderCap  = fault.Define(fault.Conflict, "group.order_cap", "超过了单次限额，请减少金额或换一种收款方式")
	ErrMonthCap  = fault.Define(fault.Conflict, "group.month_cap", "超过了本月限额，请减少金额或换一种收款方式")
	ErrApproval  = fault.Define(fault.Conflict, "group.approval_required", "这笔需要付款人同意，请先发起确认")
	ErrApproved  = fault.Define(fault.Conflict, "group.approval_gone", "这次确认已经处理过或已过期，请刷新查看")
	ErrAsked     = fault.Define(fault.Conflict, "group.approval_waiting", "已有确认在等付款人答复，请稍等或提醒付款人")
	ErrNoneAsked = fault.Define(fault.Conflict, "group.approval_needless", "这笔不需要付款人确认，可以直接结算")
)

// Group is an account that one member pays for.
type Group struct {
	ID         int64
	Kind       string
	Name       string
	State      string
	PayerID    int64
	StoreID    int64 // where it was made, 0 by the owner alone
	CreditCode string
	Contact    Contact
	Reason     string // of a rejection, a suspension or an end
	ReviewedBy string
	ReviewedAt *time.Time
	CreatedAt  time.Time
	EndedAt    *time.Time
	TierID     int64 // of a company: the least that its people have; 0 names none

	sealed string
	moved  []int64 // whose tier has to be looked at again once the group is stored
}

// Contact is whom the shop calls about a company's account.
type Contact struct {
	Name  string `json:"name" minLength:"1" maxLength:"20"`
	Phone string `json:"phone" minLength:"5" maxLength:"20"`
	Note  string `json:"note,omitempty" maxLength:"200" doc:"Fleet, departments, what the shop should know"`
}

// live says why the group cannot pay now. Faults: ErrReview, ErrSuspended, ErrEnded.
func (g Group) live() error {
	switch g.State {
	case StateActive:
		return nil
	case StateSuspended:
		return ErrSuspended
	case StateEnded:
		return ErrEnded
	}
	return ErrReview
}

// Driver is a member's place in a group.
type Driver struct {
	ID        int64
	GroupID   int64
	MemberID  int64
	Place     Place
	JoinedAt  time.Time
	EndedAt   *time.Time
	EndReason string
}

// Place is what a driver is given: the kind of card, until when, and the rules.
type Place struct {
	CardKind string `json:"cardKind" enum:"driver,vip,temporary" doc:"vip and temporary are for companies"`
	Note     string `json:"note,omitempty" maxLength:"40" doc:"What the payer calls it: a department, a car, a person"`
	Until    string `json:"until,omitempty" maxLength:"10" doc:"YYYY-MM-DD, the last day; empty: no end. vip: a year unless told; temporary: at most 92 days"`
	TierID   int64  `json:"tierId,omitempty" minimum:"0" doc:"Of vip and temporary: the least tier of who holds it; the shop alone sets it, from an owner it is left out"`
	Rules    Rules  `json:"rules"`
}

// Rules are what a driver may let the group pay. Empty and zero mean no limit.
type Rules struct {
	Plates          []string   `json:"plates" maxItems:"20" doc:"Empty: every car"`
	ServiceIDs      []int64    `json:"serviceIds" maxItems:"50" doc:"Empty: everything; otherwise these services and no goods"`
	Weekdays        []int      `json:"weekdays" maxItems:"7" doc:"0 is Sunday; empty: every day"`
	FromMinute      int        `json:"fromMinute,omitempty" minimum:"0" maximum:"1439" doc:"Minute of the day by the clock of the store"`
	ToMinute        int        `json:"toMinute,omitempty" minimum:"0" maximum:"1440" doc:"0 with fromMinute 0: the whole day; before fromMinute: past midnight"`
	CapPerOrderFen  money.Fen  `json:"capPerOrderFen,omitempty" minimum:"0" maximum:"100000000"`
	CapPerMonthFen  money.Fen  `json:"capPerMonthFen,omitempty" minimum:"0" maximum:"100000000"`
	ApprovalOverFen *money.Fen `json:"approvalOverFen,omitempty" minimum:"0" maximum:"100000000" doc:"Above it the payer is asked; 0: each time; absent: never"`
}

// Approval is the payer's answer to one payment.
type Approval struct {
	ID         int64
	GroupID    int64
	DriverID   int64
	MemberID   int64
	PayerID    int64
	StoreID    int64
	Plate      string
	ServiceIDs []int64
	Goods      bool
	Title      string
	AmountFen  money.Fen
	State      string
	AskedBy    string
	Note       string
	OrderID    int64
	CreatedAt  time.Time
	ExpiresAt  time.Time
	AnsweredAt *time.Time
}

// StateAt is the state at an instant: what is not used in time has expired.
func (a Approval) StateAt(now time.Time) string {
	if (a.State == ApprovalAsked || a.State == ApprovalApproved) && !now.Before(a.ExpiresAt) {
		return ApprovalExpired
	}
	return a.State
}

// Ask is what the till wants a group to pay.
type Ask struct {
	GroupID, DriverMemberID, StoreID int64
	Plate                            string
	ServiceIDs                       []int64
	Goods                            bool // there are goods among the items
	AmountFen                        money.Fen
	OrderID                          int64
	At                               time.Time
}

// Offer is a group that could pay at the till.
type Offer struct {
	GroupID      int64     `json:"groupId"`
	Name         string    `json:"name"`
	PayerName    string    `json:"payerName" doc:"Masked"`
	AvailableFen money.Fen `json:"availableFen" doc:"The most that it pays of this bill, after caps and what the payer has"`
	Why          string    `json:"why,omitempty" doc:"Why it pays nothing now; empty: it does"`
	NeedsYes     bool      `json:"needsYes" doc:"The payer is asked first, and has not said yes yet"`
	ApprovalID   int64     `json:"approvalId,omitempty" doc:"The yes that fits this bill"`
}
