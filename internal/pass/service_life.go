package pass

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/secret"
)

// Pass reads a pass of the member; memberID 0 reads anybody's. Fault: fault.ErrNotFound.
func (s *Service) Pass(ctx context.Context, memberID, id int64) (Pass, error) {
	p, err := passByID(ctx, s.db, id, bizday.Of(s.db.Now(), bizday.DefaultZone), "")
	if err == nil && memberID != 0 && p.MemberID != memberID {
		err = fault.ErrNotFound
	}
	if err != nil {
		return Pass{}, err
	}
	return p, nil
}

// Held lists the passes of a member, newest first; ended ones too with all.
func (s *Service) Held(ctx context.Context, memberID int64, all bool) ([]Pass, error) {
	return heldBy(ctx, s.db, memberID, bizday.Of(s.db.Now(), bizday.DefaultZone), all)
}

// change locks the holder and the pass, in this order, changes the pass and saves it. memberID 0 is anybody's pass.
func (s *Service) change(ctx context.Context, memberID, id int64, fn func(ctx context.Context, tx *db.Tx, p *Pass) error) (Pass, error) {
	var out Pass
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		p, err := s.lockTx(ctx, tx, memberID, id)
		if err != nil {
			return err
		}
		if err := mayChange(ctx, p); err != nil {
			return err
		}
		if err := fn(ctx, tx, &p); err != nil {
			return err
		}
		if err := savePass(ctx, tx, p); err != nil {
			return err
		}
		out = p
		return nil
	})
	if err != nil {
		return Pass{}, err
	}
	return s.Pass(ctx, 0, out.ID)
}

// mayChange says whether who acts may change the pass: staff only where it may be used, when it is bound to stores. Fault: fault.ErrStore.
func mayChange(ctx context.Context, p Pass) error {
	who := actor.From(ctx)
	if who.Kind != actor.Staff || len(p.Terms.StoreIDs) == 0 || slices.ContainsFunc(p.Terms.StoreIDs, who.InStore) {
		return nil
	}
	return fault.ErrStore
}

// lockTx locks the holder and the pass. Fault: fault.ErrNotFound.
func (s *Service) lockTx(ctx context.Context, tx *db.Tx, memberID, id int64) (Pass, error) {
	seen, err := passByID(ctx, tx, id, "", "")
	if err != nil {
		return Pass{}, err
	}
	if memberID != 0 && seen.MemberID != memberID {
		return Pass{}, fault.ErrNotFound
	}
	if _, err := s.members.StandingTx(ctx, tx, seen.MemberID); err != nil {
		return Pass{}, err
	}
	p, err := passByID(ctx, tx, id, "", tx.ForUpdate())
	if err == nil && p.MemberID != seen.MemberID {
		err = fault.ErrBusyWrite // it was given away between the two reads
	}
	return p, err
}

// recordTx writes what staff did with a pass into the trail; owners' own doings stand in the pass's history.
func recordTx(ctx context.Context, tx *db.Tx, action string, p Pass, detail map[string]any) error {
	if actor.From(ctx).Kind != actor.Staff {
		return nil
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "pass", SubjectID: p.ID, SubjectLabel: p.No, StoreID: p.StoreID, Detail: detail})
}

// moveEndTx moves the end of a pass, and with it the expiry of its lots. A renewal that was announced for the old end is announced anew.
func (s *Service) moveEndTx(ctx context.Context, tx *db.Tx, p *Pass, end time.Time) error {
	p.ExpiresAt, p.NoticedAt = end, time.Time{}
	b, err := ledger.LockTx(ctx, tx, p.MemberID, ledger.Uses)
	if err != nil {
		return err
	}
	var legs []ledger.Leg
	for _, l := range p.Lines {
		if takes := allOf(b, l); len(takes) > 0 {
			legs = append(legs, ledger.Leg{Unit: ledger.Uses, Takes: takes, Lot: &ledger.NewLot{RefKind: ledger.LotPassLine, RefID: l.ID, ExpiresAt: clock.MaybeMillis(end)}})
		}
	}
	if len(legs) == 0 {
		return nil
	}
	_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindAdjust, StoreID: p.StoreID, BizDay: s.shops.BizDay(ctx, tx.Now, p.StoreID), RefKind: "pass", RefID: p.ID,
		Title: p.Name + " 有效期顺延", Memo: "至 " + lastDay(end)}, append(legs, ledger.UsesLeg(0))...)
	return err
}

// allOf takes everything that the lots of a line hold.
func allOf(b *ledger.Book, l Line) (out []ledger.Take) {
	for _, x := range b.Lots(ledger.Uses) {
		if x.RefKind == ledger.LotPassLine && x.RefID == l.ID && x.Remaining > 0 {
			out = append(out, ledger.Take{LotID: x.ID, Unit: ledger.Uses, Amount: x.Remaining})
		}
	}
	return out
}

// Pause stops the clock of a pass (X10); staff may pause beyond what the owner may. Faults: ErrPause, ErrState.
func (s *Service) Pause(ctx context.Context, memberID, id int64, reason string) (Pass, error) {
	return s.change(ctx, memberID, id, func(ctx context.Context, tx *db.Tx, p *Pass) error {
		switch {
		case p.State != StateActive || p.expired(tx.Now) || tx.Now.Before(p.StartsAt):
			return ErrState
		case p.ExpiresAt.IsZero():
			return ErrPause.Say("长期有效的卡不用暂停")
		case p.gifting(tx.Now):
			return ErrPause.Say("转赠中的卡不能暂停，请先收回")
		}
		longest := time.Duration(p.Terms.PauseDays)*day - p.Paused
		if actor.From(ctx).Kind != actor.Owner {
			longest = 3660 * day
		}
		if longest < day {
			return ErrPause.Say("暂停天数已用完（累计 %d 天）", p.Terms.PauseDays)
		}
		p.State, p.PausedAt = StatePaused, tx.Now
		p.PauseUntil = midnight(tx.Now).Add(longest)
		if err := recordTx(ctx, tx, "pass.pause", *p, map[string]any{"reason": reason}); err != nil {
			return err
		}
		return note(ctx, tx, p.ID, "pause", reason)
	})
}

// midnight is when the day of an instant began.
func midnight(t time.Time) time.Time {
	x := t.In(zone())
	return time.Date(x.Year(), x.Month(), x.Day(), 0, 0, 0, 0, zone()).UTC()
}

// Resume starts the clock again and moves the end by the days of the pause. Fault: ErrState.
func (s *Service) Resume(ctx context.Context, memberID, id int64) (Pass, error) {
	return s.change(ctx, memberID, id, s.resumeTx)
}

func (s *Service) resumeTx(ctx context.Context, tx *db.Tx, p *Pass) error {
	if p.State != StatePaused {
		return ErrState
	}
	until := tx.Now
	if until.After(p.PauseUntil) {
		until = p.PauseUntil
	}
	pushed := midnight(until).Sub(midnight(p.PausedAt))
	p.State, p.PausedAt, p.PauseUntil = StateActive, time.Time{}, time.Time{}
	p.Paused += pushed
	if pushed > 0 {
		if err := s.moveEndTx(ctx, tx, p, p.ExpiresAt.Add(pushed)); err != nil {
			return err
		}
	}
	if err := recordTx(ctx, tx, "pass.resume", *p, map[string]any{"days": int64(pushed / day)}); err != nil {
		return err
	}
	return note(ctx, tx, p.ID, "resume", fmt.Sprintf("顺延 %d 天", pushed/day))
}

// Extend moves the end of a pass by days; one that has expired opens again with all that expired. Fault: ErrState.
func (s *Service) Extend(ctx context.Context, id, days int64, reason string) (Pass, error) {
	return s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, p *Pass) error {
		if p.ExpiresAt.IsZero() || p.State != StateActive && p.State != StatePaused && p.State != StateExpired {
			return ErrState
		}
		from := p.ExpiresAt
		if p.State == StateExpired || p.EndPosting != 0 {
			if err := s.reopenTx(ctx, tx, p); err != nil {
				return err
			}
			from = later(from, midnight(tx.Now).Add(day))
		}
		if err := s.moveEndTx(ctx, tx, p, from.Add(time.Duration(days)*day)); err != nil {
			return err
		}
		if err := recordTx(ctx, tx, "pass.extend", *p, map[string]any{"days": days, "reason": reason}); err != nil {
			return err
		}
		return note(ctx, tx, p.ID, "extend", fmt.Sprintf("延长 %d 天：%s", days, reason))
	})
}

// reopenTx takes back what expiry took. A pass that was opened for a use that came back still names the posting that ended it.
func (s *Service) reopenTx(ctx context.Context, tx *db.Tx, p *Pass) error {
	b, err := ledger.LockTx(ctx, tx, p.MemberID, ledger.Uses)
	if err != nil {
		return err
	}
	p.MemberID = b.MemberID // who held it may have been merged into another member
	if p.EndPosting != 0 {
		if _, err := ledger.ReverseTx(ctx, tx, b, p.EndPosting, ledger.Post{Kind: ledger.KindReversal, StoreID: p.StoreID, BizDay: s.shops.BizDay(ctx, tx.Now, p.StoreID),
			RefKind: "pass", RefID: p.ID, Title: p.Name + " 恢复"}); err != nil {
			return err
		}
		for i := range p.Lines {
			l := &p.Lines[i]
			l.Left, l.Lost, l.ValueFen, l.LostFen = l.Left+l.Lost, 0, l.ValueFen+l.LostFen, 0
			if err := saveLine(ctx, tx, *l); err != nil {
				return err
			}
		}
		p.ValueFen, p.LostFen = p.ValueFen+p.LostFen, 0
	}
	p.State, p.EndPosting, p.EndedAt = StateActive, 0, time.Time{}
	return nil
}

// Plate binds a plate to a pass, or changes one for another (D07, X10): the first is free, a change has its days between. Staff may change it
// at any time. Faults: ErrPlate, ErrPlateCap, ErrPlateHot, ErrState.
func (s *Service) Plate(ctx context.Context, memberID, id int64, plate, old string) (Pass, error) {
	plate, _, complaint := member.ParsePlate(plate)
	if complaint != "" {
		return Pass{}, ErrPlate.Say("车牌号不正确：%s", complaint).On("plate", complaint)
	}
	old = member.NormalPlate(old)
	return s.change(ctx, memberID, id, func(ctx context.Context, tx *db.Tx, p *Pass) error {
		switch {
		case p.State != StateActive && p.State != StatePaused || p.gifting(tx.Now):
			return ErrState
		case p.Terms.Plates == 0:
			return ErrPlate.Say("这张卡不限车牌，不用绑定").On("plate", "不用绑定")
		}
		if old == "" {
			if int64(len(p.Plates)) >= p.Terms.Plates {
				return ErrPlateCap.On("old", "请选择要换掉的车牌")
			}
		} else {
			next := p.PlateAt.Add(time.Duration(p.Terms.PlateDays) * day)
			if !p.PlateAt.IsZero() && tx.Now.Before(next) && actor.From(ctx).Kind == actor.Owner {
				return ErrPlateHot.Say("%s 后才能再换车牌", next.In(zone()).Format(time.DateOnly))
			}
			if err := unbindPlates(ctx, tx, p.ID, old); err != nil {
				return err
			}
			p.PlateAt = tx.Now
		}
		if err := bindPlate(ctx, tx, p.ID, plate); err != nil {
			return err
		}
		if err := recordTx(ctx, tx, "pass.plate", *p, map[string]any{"plate": plate, "old": old}); err != nil {
			return err
		}
		return note(ctx, tx, p.ID, "plate", strings.TrimPrefix(old+" → "+plate, " → "))
	})
}

// Gift makes a code by which somebody else may claim the pass for seven days; until then it rests. It may be given on once, whole, and not on a
// day on which it was used. Fault: ErrNoGift.
func (s *Service) Gift(ctx context.Context, memberID, id int64) (Pass, error) {
	return s.change(ctx, memberID, id, func(ctx context.Context, tx *db.Tx, p *Pass) error {
		if p.gifting(tx.Now) {
			return nil // a second tap: the same code
		}
		if err := p.giftable(tx.Now); err != nil {
			return err
		}
		p.GiftCode = secret.Code(12)
		p.GiftUntil, p.RenewOn = tx.Now.Add(giftLife), false
		return note(ctx, tx, p.ID, "gift", "发出转赠")
	})
}

// TakeBack ends a gift that nobody has claimed. Fault: ErrState.
func (s *Service) TakeBack(ctx context.Context, memberID, id int64) (Pass, error) {
	return s.change(ctx, memberID, id, func(ctx context.Context, tx *db.Tx, p *Pass) error {
		if p.GiftCode == "" {
			return ErrState
		}
		p.GiftCode, p.GiftUntil = "", time.Time{}
		return note(ctx, tx, p.ID, "gift", "收回转赠")
	})
}

// Claim takes a pass that somebody gave; whoever is first has it. Plates are bound anew. Faults: ErrClaim, ErrNoGift, ErrPlate and those of
// member.Standing.Usable.
func (s *Service) Claim(ctx context.Context, memberID int64, code, plate string) (Pass, error) {
	code = strings.ToUpper(strings.TrimSpace(code))
	var id int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, err := byClaim(ctx, tx, code)
		if err != nil {
			return err
		}
		id = got
		return s.claimTx(ctx, tx, memberID, id, code, plate)
	})
	if err != nil {
		return Pass{}, err
	}
	return s.Pass(ctx, memberID, id)
}

func (s *Service) claimTx(ctx context.Context, tx *db.Tx, memberID, id int64, code, plate string) error {
	seen, err := passByID(ctx, tx, id, "", "")
	if err != nil {
		return err
	}
	giver := seen.MemberID
	if giver == memberID {
		return ErrNoGift.Say("这是您自己的卡，不用领取")
	}
	for _, m := range []int64{min(giver, memberID), max(giver, memberID)} {
		st, err := s.members.StandingTx(ctx, tx, m)
		if err != nil {
			return err
		}
		if err := st.Usable(); m == memberID && err != nil {
			return err
		}
	}
	p, err := passByID(ctx, tx, id, "", tx.ForUpdate())
	if err != nil {
		return err
	}
	if p.MemberID != giver || p.GiftCode != code || !p.gifting(tx.Now) || p.State != StateActive || p.expired(tx.Now) {
		return ErrClaim
	}
	if plate, err = plateFor(p.Terms.Plates, plate); err != nil {
		return err
	}
	if err := s.moveTx(ctx, tx, p, memberID); err != nil {
		return err
	}
	if err := unbindPlates(ctx, tx, p.ID, ""); err != nil {
		return err
	}
	if plate != "" {
		if err := bindPlate(ctx, tx, p.ID, plate); err != nil {
			return err
		}
	}
	p.MemberID, p.GivenBy, p.GiftCode, p.GiftUntil, p.RenewOn, p.PlateAt = memberID, giver, "", time.Time{}, false, time.Time{}
	if err := note(ctx, tx, p.ID, "claim", "已被领取"); err != nil {
		return err
	}
	return savePass(ctx, tx, p)
}

// moveTx moves what is left of a pass from its holder to somebody else; both are locked.
func (s *Service) moveTx(ctx context.Context, tx *db.Tx, p Pass, to int64) error {
	post := ledger.Post{Kind: ledger.KindPassGift, StoreID: p.StoreID, BizDay: s.shops.BizDay(ctx, tx.Now, p.StoreID), RefKind: "pass", RefID: p.ID, Title: "转赠 " + p.Name}
	books := map[int64]*ledger.Book{}
	for _, m := range []int64{min(p.MemberID, to), max(p.MemberID, to)} {
		b, err := ledger.LockTx(ctx, tx, m, ledger.Uses)
		if err != nil {
			return err
		}
		books[m] = b
	}
	var out, in []ledger.Leg
	var total int64
	for _, l := range p.Lines {
		takes := allOf(books[p.MemberID], l)
		if len(takes) == 0 {
			continue
		}
		var n int64
		for _, t := range takes {
			n += t.Amount
		}
		out = append(out, ledger.Debits(takes)...)
		in = append(in, lotLeg(l, n, p.ExpiresAt))
		total += n
	}
	if total == 0 {
		return nil
	}
	if _, err := ledger.PostTx(ctx, tx, books[p.MemberID], post, append(out, ledger.UsesLeg(total))...); err != nil {
		return err
	}
	post.Title = "获赠 " + p.Name
	_, err := ledger.PostTx(ctx, tx, books[to], post, append(in, ledger.UsesLeg(-total))...)
	return err
}

// Renewal turns the renewal of a pass on or off (D08). Faults: ErrRenew, ErrState.
func (s *Service) Renewal(ctx context.Context, memberID, id int64, on bool) (Pass, error) {
	return s.change(ctx, memberID, id, func(ctx context.Context, tx *db.Tx, p *Pass) error {
		if p.Terms.Renew == nil {
			return ErrRenew
		}
		if on && (p.State != StateActive && p.State != StatePaused || p.gifting(tx.Now)) {
			return ErrState
		}
		if p.RenewOn == on {
			return nil
		}
		p.RenewOn, p.RenewNote, p.NoticedAt = on, "", time.Time{}
		return note(ctx, tx, p.ID, "renewal", map[bool]string{true: "开通自动续期", false: "关闭自动续期"}[on])
	})
}
