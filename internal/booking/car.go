package booking

import (
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/shop"
)

// ErrCar refuses a car that is booked elsewhere, or here, at that time.
var ErrCar = fault.Define(fault.Conflict, "booking.vehicle_booked", "这辆车在这个时间已有预约，请改时间或先取消那一个")

// CarBooked is the detail of booking.vehicle_booked: the booking in the way, where whoever asks may see it.
type CarBooked struct {
	BookingID int64 `json:"bookingId,omitempty"`
}

// carTime is an open booking, as far as another one of the same car needs to know it.
type carTime struct {
	ID, StoreID, MemberID int64
	Title                 string
	Kind                  Kind
	State                 State
	StartsAt, EndsAt      time.Time
}

// meets says whether a car that is wanted from start to end is wanted at x as well. A rescue is outside of time: help is not refused for a
// booking nor a booking for help, but one car is not rescued twice at once. It is pure.
func (x carTime) meets(k Kind, start, end time.Time) bool {
	if k == KindRescue || x.Kind == KindRescue {
		return k == x.Kind
	}
	return x.StartsAt.Before(end) && start.Before(x.EndsAt)
}

// asker is who is told why a car cannot come: the owner with this member id, or staff when it is 0. Staff see what is booked in their own stores,
// owners what is their own; of everybody else's booking nothing but the time is said, which is what the car cannot have.
type asker struct {
	memberID int64
	inStore  bool // staff of the store of the booking in the way
	walkIn   bool // the car stands at the door
}

// refuseCar says in one sentence why a plate cannot be booked, when, and what to do. other is the store of x, here the one that was asked. It is pure.
func refuseCar(plate string, x carTime, other, here shop.Store, who asker) error {
	own := who.memberID != 0 && who.memberID == x.MemberID
	when, where := clockText(other, x.StartsAt), other.Name
	if who.memberID != 0 && !own { // of another zone's store not even the zone
		when = clockText(here, x.StartsAt)
	}
	var detail CarBooked
	if own || who.memberID == 0 && who.inStore {
		detail.BookingID = x.ID
	}
	var text string
	switch {
	case x.Kind == KindRescue && own:
		text = fmt.Sprintf("%s 已有一单道路救援正在处理（%s），请看那一单的进度，或先取消它", plate, where)
	case x.Kind == KindRescue && who.memberID != 0:
		text = plate + " 已有一单道路救援正在处理，请联系门店"
	case x.Kind == KindRescue:
		text = fmt.Sprintf("%s 已有一单道路救援正在处理（%s），请先处理那一单", plate, where)
	case own && x.State.Active():
		text = fmt.Sprintf("%s 正在店里（%s），预计 %s 做好，请约在那以后", plate, where, clockText(other, x.EndsAt))
	case own && x.State == Held:
		text = fmt.Sprintf("%s 在 %s 的预约还在等您确认（%s），请先确认或取消那一个，或者改时间", plate, when, where)
	case own:
		text = fmt.Sprintf("%s 在 %s 已有预约（%s），请改时间或先取消那一个", plate, when, where)
	case who.memberID != 0:
		text = fmt.Sprintf("%s 在 %s 已有预约，请换一个时间；要动那一个，请让预约的人操作或联系门店", plate, when)
	case who.walkIn && who.inStore && x.StoreID == here.ID:
		text = fmt.Sprintf("%s 在 %s 已有预约（%s），不用排队，请在那一单里办理到店", plate, when, x.Title)
	case who.inStore:
		text = fmt.Sprintf("%s 在 %s 已有预约（%s，%s），请改时间，或先改期、取消那一单；一次到店做几项，请约成一单", plate, when, where, x.Title)
	default:
		text = fmt.Sprintf("%s 在 %s 已有预约（%s），请改时间，或请那家店先改期、取消", plate, when, where)
	}
	return ErrCar.Say("%s", text).Give(detail)
}
