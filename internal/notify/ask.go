package notify

import (
	"cmp"
	"context"
	"slices"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
)

// moments are when the app asks an owner, and what it is useful to ask for then, the most useful first (X04).
var moments = map[string][]string{
	"after_join":    {Deduction, CarReady, Refund, BookingChanged, CouponExpiring},
	"after_pay":     {Deduction, CarReady, NextWash, CouponExpiring, PointsExpiring},
	"after_topup":   {Deduction, Topup, Refund, PassRenewal},
	"after_booking": {BookingReminder, BookingChanged, CarReady, BookingCancelled, BookingTomorrow, BookingConfirmed},
	"after_offer":   {BookingOffer, BookingReminder, CarReady},
	"after_pass":    {PassExpiring, PassRenewal, Deduction, CarReady},
	"after_mall":    {MallReady, MallShipped, PointsExpiring},
	"after_coupon":  {CouponExpiring, CouponReceived, RainVoucher},
	"after_car":     {InspectionDue, InsuranceDue, MaintenanceDue, NextWash},
	"preferences":   {Deduction, CarReady, BookingReminder, BookingChanged, PassExpiring, CouponExpiring, InspectionDue, NextWash},
}

// enough is how many grants of a template are plenty: nobody is asked for more.
const enough = 5

// Ask picks up to three templates of the mini-program to ask the acting owner for at a moment: what matters most and has the fewest grants
// left comes first; what the shop does not send, what the owner does not want and what there is plenty of is left out. Faults:
// session.required, request.invalid.
func (s *Service) Ask(ctx context.Context, moment string) ([]string, error) {
	who := actor.From(ctx)
	if who.Kind != actor.Owner {
		return nil, fault.ErrNoSession
	}
	events, ok := moments[moment]
	if !ok {
		return nil, fault.ErrInvalid.On("moment", "没有这个时机")
	}
	out := []string{}
	if who.App != MiniProgram {
		return out, nil // only there can be asked
	}
	set, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	pref := defaultPreference()
	if who.MemberID != 0 {
		if pref, err = s.preferenceOf(ctx, who.MemberID); err != nil {
			return nil, err
		}
	}
	app, openID, err := s.dir.OpenID(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	rows, err := readGrants(ctx, s.db, Recipient{App: app, OpenID: openID})
	if err != nil {
		return nil, err
	}
	left := map[string]int{}
	for _, r := range rows {
		left[r.TemplateID] = r.Left
	}
	type candidate struct{ id, left, worth, place int }
	var ids []string
	var found []candidate
	for i, event := range events {
		e, _ := eventInfo(event)
		t := set.template(MiniProgram, event)
		if t.ID == "" || t.Broken != "" || !set.rule(event).On || !pref.wants(e) || left[t.ID] >= enough || slices.Contains(ids, t.ID) {
			continue
		}
		found = append(found, candidate{len(ids), left[t.ID], e.Worth, i})
		ids = append(ids, t.ID)
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(min(a.left, 2), min(b.left, 2)), cmp.Compare(b.worth, a.worth), cmp.Compare(a.place, b.place))
	})
	for _, c := range found[:min(len(found), 3)] {
		out = append(out, ids[c.id])
	}
	return out, nil
}

// Moments names them.
func Moments() []string {
	out := make([]string, 0, len(moments))
	for m := range moments {
		out = append(out, m)
	}
	slices.Sort(out)
	return out
}
