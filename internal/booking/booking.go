// Package booking is the life of a booking: from the wish for a time to the car that is ready, for every kind and every channel.
//
// Model: a Booking is one visit of one car with its Items (services) and Segments (a bay and a technician for a span of cells, travel and
// changeover included); it moves through the states of its kind, each change leaving an event. A held booking waits for the owner
// and expires by itself; a deposit is a payment that is counted at the till, given back, or forfeited by a rule that was said before.
// Owns: booking_bookings, booking_items, booking_segments, booking_events, booking_photos, booking_ratings, booking_waits, booking_locks.
// Invariants: whatever the channel, a time is taken by one function and its cells are unique per resource (N18, N19, N20); a booking
// that lives holds exactly the cells of its segments, one that ended holds none of the future (N21, N22); every change of state names the state
// that it comes from; one active job per plate (N33); no car is planned twice at the
// same time, in whichever store and by whomever: who plans holds the car's lock until the commit; a deposit that came too late goes back by itself (N06); what an owner loses by cancelling is
// shown before and checked when it happens; an override relaxes rules of people and hours, never an occupied cell, and says who and why; what nobody
// accepts, seats or finishes ends, or is extended, only up to a limit; where somebody is, what they wrote and a guest's name and phone are stored sealed.
package booking

import (
	"slices"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// Kind says what sort of visit a booking is.
type Kind string

// The kinds.
const (
	KindVisit  Kind = "visit"
	KindAtHome Kind = "at_home" // the van comes to the customer
	KindPickup Kind = "pickup"  // a driver fetches the car and brings it back
	KindRepair Kind = "repair"
	KindErrand Kind = "errand" // annual inspection and the like, done for the customer
	KindRescue Kind = "rescue" // now, wherever the car stands
	KindOther  Kind = "other"  // test drive, return to factory, recall
)

// The channels through which a booking comes.
const (
	ChannelMini     = "mini_program"
	ChannelH5       = "h5"
	ChannelOfficial = "official_account"
	ChannelLink     = "link"
	ChannelDesk     = "desk"
	ChannelPhone    = "phone"
	ChannelWalkIn   = "walk_in"
)

// State is where a booking stands.
type State string

// The states.
const (
	Queued     State = "queued"     // a walk-in waits for a bay
	Requested  State = "requested"  // a rescue or errand that nobody accepted yet
	Held       State = "held"       // the time is kept while the owner confirms or pays
	Confirmed  State = "confirmed"  //
	Dispatched State = "dispatched" // our people are on their way
	Arrived    State = "arrived"    // the car is here, or we are at the car
	InService  State = "in_service" //
	Done       State = "done"       //
	Settled    State = "settled"    // paid at the till
	Cancelled  State = "cancelled"  //
	Expired    State = "expired"    // the hold ran out
	NoShow     State = "no_show"    //
)

// The states of a deposit.
const (
	DepositNone      = "none"
	DepositDue       = "due"
	DepositPaid      = "paid"
	DepositRefunding = "refunding"
	DepositRefunded  = "refunded"
	DepositForfeited = "forfeited"
	DepositUsed      = "used"
)

// PurposeDeposit is the payment purpose of deposits.
const PurposeDeposit = "deposit"

// ways lists which state may follow which where everybody comes to the shop.
var ways = map[State][]State{
	Held:      {Confirmed, Expired, Cancelled},
	Requested: {Confirmed, Cancelled},
	Queued:    {Arrived, Cancelled},
	Confirmed: {Arrived, InService, Cancelled, NoShow},
	Arrived:   {InService, Cancelled},
	InService: {Done, Cancelled},    // the shop gives up: the deposit goes back
	Done:      {Settled, Cancelled}, // the shop takes nothing for it
	Settled:   {Done},               // the order was reversed
}

// awayWays are the ways of kinds for which our people leave the shop: only somebody whom they did not meet there was not there.
var awayWays = map[State][]State{
	Held:       {Confirmed, Expired, Cancelled},
	Requested:  {Confirmed, Cancelled},
	Confirmed:  {Dispatched, Arrived, InService, Cancelled},
	Dispatched: {Arrived, Cancelled, NoShow},
	Arrived:    {InService, Cancelled, NoShow},
	InService:  {Done, Cancelled},
	Done:       {Settled, Cancelled},
	Settled:    {Done},
}

// kindWays is the table of states of every kind.
var kindWays = map[Kind]map[State][]State{
	KindVisit: ways, KindRepair: ways, KindOther: ways,
	KindAtHome: awayWays, KindPickup: awayWays, KindErrand: awayWays, KindRescue: awayWays,
}

// mayMove says whether a booking of the kind may go from one state to the other.
func mayMove(k Kind, from, to State) bool { return slices.Contains(kindWays[k][from], to) }

// open are the states of a booking that is still to come or under way: they count against the limit of a member.
var open = []State{Queued, Requested, Held, Confirmed, Dispatched, Arrived, InService}

// IsOpen says whether the booking is still to come or under way.
func (s State) IsOpen() bool { return slices.Contains(open, s) }

// Active says whether the car is being dealt with: one such job per plate (N33).
func (s State) Active() bool { return s == Arrived || s == InService }

// holdsCells says whether a booking in the state keeps its future cells.
func (s State) holdsCells() bool { return s.IsOpen() && s != Queued }

// Faults of this package.
var (
	ErrState        = fault.Define(fault.Conflict, "booking.state", "预约状态已变化，请刷新查看")
	ErrVersion      = fault.Define(fault.Conflict, "booking.version", "这个预约刚刚被别人改过，请看过最新安排后再调整")
	ErrGone         = fault.Define(fault.Conflict, "booking.slot_gone", "这个时间刚刚被约走了，请换一个时间")
	ErrPast         = fault.Define(fault.Invalid, "booking.past", "这个时间已经过去或来不及准备了，请选择晚一点的时间")
	ErrHours        = fault.Define(fault.Invalid, "booking.outside_hours", "这个时间门店不营业，请选择营业时间内的时间")
	ErrWindow       = fault.Define(fault.Invalid, "booking.beyond_window", "这个日期还没有开放预约，请选择近一点的日期")
	ErrClosedDay    = fault.Define(fault.Invalid, "booking.closed_day", "这一天门店休息，请换一天")
	ErrTechnician   = fault.Define(fault.Invalid, "booking.technician_unavailable", "这位技师现在不能预约，请选择其他技师或不指定")
	ErrBay          = fault.Define(fault.Invalid, "booking.bay_unavailable", "这个工位不能使用，请选择其他工位")
	ErrKind         = fault.Define(fault.Invalid, "booking.kind", "所选项目不支持这种预约方式，请换一种方式或项目")
	ErrMixed        = fault.Define(fault.Invalid, "booking.mixed", "这些项目需要不同的师傅，请分开预约")
	ErrNoService    = fault.Define(fault.Invalid, "booking.no_service", "请至少选择一个项目")
	ErrClass        = fault.Define(fault.Invalid, "booking.vehicle_class_missing", "请先补充爱车的车型，才能算出时间和价格")
	ErrPlate        = fault.Define(fault.Invalid, "booking.plate", "车牌号不正确，请检查")
	ErrContact      = fault.Define(fault.Invalid, "booking.contact", "请填写正确的联系电话")
	ErrAddress      = fault.Define(fault.Invalid, "booking.address_missing", "请填写上门地址")
	ErrLimit        = fault.Define(fault.Conflict, "booking.open_limit", "您还有未完成的预约，完成或取消后再约新的")
	ErrDepositDue   = fault.Define(fault.Conflict, "booking.deposit_due", "这个预约需要先付定金，付款后自动确认")
	ErrHoldOver     = fault.Define(fault.Conflict, "booking.hold_expired", "保留时间已过，请重新选择时间")
	ErrActive       = fault.Define(fault.Conflict, "booking.plate_active", "这辆车已有正在进行的服务，请先完成它")
	ErrMove         = fault.Define(fault.Conflict, "booking.move_refused", "不能这样安排，请看说明")
	ErrCancel       = fault.Define(fault.Conflict, "booking.cancel_denied", "现在不能自行取消，请联系门店")
	ErrTerms        = fault.Define(fault.Conflict, "booking.cancel_terms", "取消规则刚刚有变化，请看过新的说明后再决定")
	ErrNobody       = fault.Define(fault.Conflict, "booking.nobody_free", "没有空闲的人员可以接单，请指定一位或稍后再试")
	ErrMergeHeld    = fault.Define(fault.Conflict, "booking.merge_held", "有一个预约还在等待确认或付定金，请先完成或取消它，再合并")
	ErrMergeWorking = fault.Define(fault.Conflict, "booking.merge_working", "有一单服务正在进行或还没有结算，请先完工结算或取消，再合并")
	ErrRating       = fault.Define(fault.Conflict, "booking.rating_denied", "服务完成后才能评价，每次服务评价一次")
)

// Extra holds what only some kinds have.
type Extra struct {
	Fault         string `json:"fault,omitempty" maxLength:"300" doc:"Repair and rescue: what is wrong"`
	Destination   string `json:"destination,omitempty" maxLength:"200" doc:"Rescue: where to take the car; errand: where it is done"`
	ReturnAddress string `json:"returnAddress,omitempty" maxLength:"200" doc:"Pick-up: where the car goes back to, when elsewhere"`
	ContactName   string `json:"contactName,omitempty" maxLength:"30" doc:"Who hands the car over"`
	Closing       string `json:"closing,omitempty" maxLength:"500" doc:"Rescue and errand: how it ended, written by staff"`
}

// Item is a service of a booking, as it was priced and timed when it was booked.
type Item struct {
	ServiceID int64     `json:"serviceId"`
	Title     string    `json:"title"`
	Minutes   int       `json:"minutes"`
	PriceFen  money.Fen `json:"priceFen" doc:"List price for the vehicle class"`
}

// Booking is one visit of one car, whole. Cells are five minutes, counted from the epoch (see slot).
type Booking struct {
	ID                 int64
	No                 string
	StoreID            int64
	BizDay             string // of the start, in the store's zone
	Kind               Kind
	Channel            string
	State              State
	MemberID           int64 // 0 for somebody known by phone or plate alone
	MemberTier         string
	Priority           bool
	ContactName        string // sealed; "" when the member is the contact
	ContactPhone       string // sealed
	Plate              string
	VehicleID          int64 // of the member's cars; 0 for one that is known by its plate alone
	VehicleClassID     int64
	VehicleClassName   string
	Title              string
	Minutes            int
	PriceFen           money.Fen
	StartsAt, EndsAt   time.Time // as the customer sees them
	FromCell, ToCell   int64     // what is reserved, travel and changeover included
	TravelMinutes      int
	DepositFen         money.Fen
	DepositState       string
	DepositUsedFen     money.Fen // counted at the till
	DepositBackFen     money.Fen // given back
	PaymentID          int64
	PaidPostingID      int64 // took the deposit
	OutPostingID       int64 // gave it back or turned it into revenue; 0 while it is kept or when the till's posting did it
	FreeCancelUntil    time.Time
	HoldExpiresAt      time.Time // zero when it is not held
	Version            int64
	OrderID            int64
	WishedTechnicianID int64
	SameTechnician     bool
	Explain            string // one line for the desk: why this bay and technician
	Sealed             string // the four lines below, as they are stored: they are empty until unseal fills them in
	Note, Address      string
	LatE6, LngE6       int64
	Extra              Extra
	CancelledBy        string // "", "owner", "shop", "system"
	CancelReason       string
	CreatedByKind      string
	CreatedByID        int64
	CreatedByName      string
	CreatedAt          time.Time
	ConfirmedAt        time.Time // zero when it did not happen, like those below
	DispatchedAt       time.Time
	ArrivedAt          time.Time
	StartedAt          time.Time
	FinishedAt         time.Time
	EndedAt            time.Time // cancelled, expired or no-show
	RemindedAt         time.Time
	Items              []Item
	Segments           []Segment
}

// Segment is a part of a booking on one bay with one technician. FromCell to ToCell is what is reserved, ServiceFrom to ServiceTo what the
// customer sees of it.
type Segment struct {
	No                     int
	BayKind, Skill         string // "" for none
	MinLevel               int
	BayID, TechnicianID    int64 // 0 for none
	FromCell, ToCell       int64
	ServiceFrom, ServiceTo int64
}

// Event is an entry of a booking's log.
type Event struct {
	ID        int64
	BookingID int64
	StoreID   int64
	At        time.Time
	Kind      string
	Text      string
	ActorKind string
	ActorID   int64
	ActorName string
}

// The kinds of event.
const (
	EventCreated     = "created"
	EventConfirmed   = "confirmed"
	EventPaid        = "paid"
	EventExpired     = "expired"
	EventCancelled   = "cancelled"
	EventRefund      = "refund"
	EventForfeited   = "forfeited"
	EventNoShow      = "no_show"
	EventRescheduled = "rescheduled"
	EventExcused     = "excused" // free to move or cancel, for a reason of the shop
	EventMoved       = "moved"
	EventForced      = "forced"
	EventAccepted    = "accepted"
	EventDispatched  = "dispatched"
	EventArrived     = "arrived"
	EventStarted     = "started"
	EventFinished    = "finished"
	EventMerged      = "merged" // it is another member's now: the two were one person
)

// CancelTerms are what cancelling now would mean for the owner.
type CancelTerms struct {
	Allowed   bool      `json:"allowed"`
	RefundFen money.Fen `json:"refundFen"`
	Text      string    `json:"text" doc:"Says what happens, in Chinese; shown before the owner decides"`
}

// cancelTerms decides what an owner who cancels at instant now gets back. forfeits is the shop's rule for late ones. It is pure.
func cancelTerms(b Booking, now time.Time, forfeits bool) CancelTerms {
	switch b.State {
	case Held, Requested, Queued, Confirmed:
	case Cancelled, Expired, NoShow:
		return CancelTerms{Text: "这个预约已经结束"}
	default:
		return CancelTerms{Text: "服务已经开始，需要取消请联系门店"}
	}
	if b.DepositState != DepositPaid {
		return CancelTerms{Allowed: true, Text: "可以免费取消"}
	}
	if !forfeits || !now.After(b.FreeCancelUntil) {
		return CancelTerms{Allowed: true, RefundFen: b.DepositFen, Text: "现在取消，定金 " + b.DepositFen.Yuan() + " 原路退回"}
	}
	return CancelTerms{Allowed: true, Text: "已过免费取消时间，现在取消，定金 " + b.DepositFen.Yuan() + " 不退"}
}

// kindLabel names a kind.
func kindLabel(k Kind) string {
	switch k {
	case KindAtHome:
		return "上门服务"
	case KindPickup:
		return "取送车"
	case KindRepair:
		return "维修"
	case KindErrand:
		return "代办"
	case KindRescue:
		return "道路救援"
	case KindOther:
		return "其他"
	}
	return "到店"
}
