package coupon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/pricing"
)

type aheadKey struct{}

// AheadTx reads the coupons of several members at once, with the next db.Tx.Collect, for Usable and MayHave in the same transaction.
func (s *Service) AheadTx(tx *db.Tx, members []int64) error {
	if len(members) == 0 {
		return nil
	}
	return openSoon(tx, members, func(open map[int64][]row) { tx.Stash(aheadKey{}, open) })
}

// MayHave is false when AheadTx found that a member has no coupon.
func (s *Service) MayHave(tx *db.Tx, memberID int64) bool {
	rows, known := db.Stashed[map[int64][]row](tx, aheadKey{})[memberID]
	return len(rows) > 0 || !known
}

// forget drops what was read ahead of a member whose coupons change.
func forget(tx *db.Tx, memberID int64) {
	delete(db.Stashed[map[int64][]row](tx, aheadKey{}), memberID)
}

func aloneKey(memberID int64, day string) string { return fmt.Sprintf("%d:%s", memberID, day) }

// Usable lists a member's available coupons for the quote; those that do not count here or today say why.
func (s *Service) Usable(ctx context.Context, r db.Reader, a Ask) ([]pricing.Coupon, error) {
	if a.MemberID == 0 {
		return nil, nil
	}
	rows, known := []row(nil), false
	if tx, ok := r.(*db.Tx); ok {
		rows, known = db.Stashed[map[int64][]row](tx, aheadKey{})[a.MemberID]
	}
	if !known {
		open, err := openOf(ctx, r, []int64{a.MemberID})
		if err != nil {
			return nil, err
		}
		rows = open[a.MemberID]
	}
	var out []pricing.Coupon
	alone := ""
	for _, c := range rows {
		if c.ExpiresAt <= a.At.UnixMilli() {
			continue // the job will say so
		}
		t, err := s.terms(ctx, r, c.TermsID)
		if err != nil {
			return nil, err
		}
		p := t.price(c.ID, c.ExpiresAt)
		switch {
		case c.StartsAt > a.At.UnixMilli():
			p.Why = bizday.Of(clock.FromMillis(c.StartsAt), bizday.DefaultZone) + " 起可用"
		case len(t.StoreIDs) > 0 && !slices.Contains(t.StoreIDs, a.StoreID):
			p.Why = "不能在本店使用"
		case len(t.ClassIDs) > 0 && a.ClassID != 0 && !slices.Contains(t.ClassIDs, a.ClassID):
			p.Why = "不适用于这个车型"
		case t.Stack == pricing.StackNone:
			if alone == "" {
				used, err := aloneUsed(ctx, r, aloneKey(a.MemberID, a.BizDay))
				if err != nil {
					return nil, err
				}
				alone = map[bool]string{true: "used", false: "free"}[used]
			}
			if alone == "used" {
				p.Why = "这种券每天限用一张，今天已用过"
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// WhyNot says of coupons that are asked for by name, and that Usable does not list, why not. Of another member's it shows nothing else, and what
// does not exist is left out.
func (s *Service) WhyNot(ctx context.Context, r db.Reader, memberID int64, ids []int64) (out []pricing.Coupon, err error) {
	for _, id := range ids {
		c, err := byID(ctx, r, id, "")
		if errors.Is(err, fault.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p := pricing.Coupon{ID: id, Title: "优惠券", Why: "不属于这位会员，请重新选择"}
		if c.MemberID == memberID {
			t, err := s.terms(ctx, r, c.TermsID)
			if err != nil {
				return nil, err
			}
			p = t.price(id, c.ExpiresAt)
			p.Why = c.ended()
		}
		out = append(out, p)
	}
	return out, nil
}

// ended says why a coupon is not there to be used, in words that follow its name.
func (c row) ended() string {
	switch {
	case c.State == Held && c.RefKind == refGift:
		return "已转赠，等待好友领取"
	case c.State == Held:
		return "正在另一单中使用，请换一张或先取消那一单"
	case c.State == Used:
		return "已经用过"
	case c.State == Void:
		return "已作废"
	case c.State == Expired || c.ExpiresAt > 0:
		return "已于 " + lastDay(c.ExpiresAt) + " 到期"
	}
	return "现在不能使用"
}

// HoldTx promises coupons to something that is about to use them: all or none. day is the store's business date, on which one that goes with no
// other may be used once. Faults, each on its field couponIds[i]: ErrForeign, ErrHeld,
// ErrUsed, ErrExpired, ErrVoid, ErrNotYet, ErrAlone.
func (s *Service) HoldTx(ctx context.Context, tx *db.Tx, memberID int64, ids []int64, refKind string, refID int64, day string) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := lockRows(ctx, tx, ids)
	if err != nil {
		return err
	}
	forget(tx, memberID)
	alone := 0
	for i, id := range ids {
		on := func(f *fault.Error) error { return f.On(fmt.Sprintf("couponIds[%d]", i), f.Message) }
		c, ok := rows[id]
		if !ok || c.MemberID != memberID || memberID == 0 {
			return on(ErrForeign)
		}
		if slices.Contains(ids[:i], id) {
			return on(ErrHeld)
		}
		if f := refusal(c.State); f != nil {
			return on(f)
		}
		switch {
		case c.ExpiresAt <= tx.Millis():
			return on(ErrExpired)
		case c.StartsAt > tx.Millis():
			return on(ErrNotYet)
		}
		t, err := s.terms(ctx, tx, c.TermsID)
		if err != nil {
			return err
		}
		h := holdRow{ID: tx.NewID(), CouponID: id, Live: &c.ID, MemberID: memberID, RefKind: refKind, RefID: refID, State: Held, CreatedAt: tx.Millis()}
		if t.Stack == pricing.StackNone && refKind != refGift {
			if alone++; alone > 1 {
				return on(ErrAlone)
			}
			key := aloneKey(memberID, day)
			h.Alone = &key
		}
		if err := tx.Insert(ctx, "coupon_holds", h); err != nil {
			if !errors.Is(err, db.ErrDuplicate) {
				return err
			}
			if h.Alone != nil {
				return on(ErrAlone)
			}
			return on(ErrHeld)
		}
		if err := moveState(ctx, tx, id, Available, Held, refKind, refID); err != nil {
			return err
		}
	}
	return nil
}

// lockHeld locks the coupons that a reference holds or used.
func lockHeld(ctx context.Context, tx *db.Tx, refKind string, refID int64) ([]holdRow, map[int64]row, error) {
	holds, err := liveHolds(ctx, tx, refKind, refID)
	if err != nil || len(holds) == 0 {
		return nil, nil, err
	}
	ids := make([]int64, 0, len(holds))
	for _, h := range holds {
		ids = append(ids, h.CouponID)
	}
	rows, err := lockRows(ctx, tx, ids)
	if err != nil {
		return nil, nil, err
	}
	holds, err = liveHolds(ctx, tx, refKind, refID) // as it is under the lock
	return holds, rows, err
}

// UseTx spends what the reference holds.
func (s *Service) UseTx(ctx context.Context, tx *db.Tx, refKind string, refID int64) error {
	holds, _, err := lockHeld(ctx, tx, refKind, refID)
	if err != nil {
		return err
	}
	for _, h := range holds {
		if h.State != Held {
			continue
		}
		if err := endHold(ctx, tx, h, Used); err != nil {
			return err
		}
		if err := moveState(ctx, tx, h.CouponID, Held, Used, refKind, refID); err != nil {
			return err
		}
	}
	return nil
}

// ReleaseTx gives back what the reference held or used: an order that is cancelled or taken back does not cost its coupon (N15). What has
// expired meanwhile is expired. Who was merged into another member meanwhile gets nothing: the other does.
func (s *Service) ReleaseTx(ctx context.Context, tx *db.Tx, refKind string, refID int64) error {
	holds, rows, err := lockHeld(ctx, tx, refKind, refID)
	if err != nil {
		return err
	}
	for _, h := range holds {
		c := rows[h.CouponID]
		forget(tx, c.MemberID)
		if err := endHold(ctx, tx, h, "released"); err != nil {
			return err
		}
		to := Available
		if c.ExpiresAt <= tx.Millis() {
			to = Expired
		}
		if err := moveState(ctx, tx, c.ID, c.State, to, "", 0); err != nil {
			return err
		}
		holder, err := s.Members.Holder(ctx, tx, c.MemberID)
		if err != nil {
			return err
		}
		if holder != c.MemberID { // who used it was merged into another member since
			if err := giveTx(ctx, tx, c.ID, holder); err != nil {
				return err
			}
		}
	}
	return nil
}
