package coupon

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
)

// GiftLink is a coupon on its way to a friend.
type GiftLink struct {
	Code      string    `json:"code"`
	Path      string    `json:"path" doc:"Page of the mini-program to share"`
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expiresAt" doc:"Then the coupon comes back by itself"`
}

const giftPath = "pages/club/gift/index?code="

// code is the signed name of a gift: it cannot be guessed, and what it opens is in the row, which is taken once.
func (s *Service) code(g giftRow) string {
	return strconv.FormatInt(g.ID, 36) + "." + s.Box.Sign("coupon.gift", fmt.Sprintf("%d:%d:%d", g.ID, g.CouponID, g.From))
}

// link is the page that a friend opens. It carries the giver's invite code: who joins by it is the giver's friend.
func (s *Service) link(ctx context.Context, g giftRow) (*GiftLink, error) {
	code := s.code(g)
	path := giftPath + code
	if s.Invite != nil {
		invite, err := s.Invite(ctx, g.From)
		if err != nil {
			return nil, err
		}
		path += "&invite=" + invite
	}
	return &GiftLink{Code: code, Path: path, URL: s.BaseURL + path, ExpiresAt: clock.FromMillis(g.ExpiresAt)}, nil
}

// opened reads the gift that a code names. Fault: ErrCode.
func (s *Service) opened(ctx context.Context, r db.Reader, code, lock string) (giftRow, error) {
	head, _, _ := strings.Cut(strings.TrimSpace(code), ".")
	id, err := strconv.ParseInt(head, 36, 64)
	if err != nil {
		return giftRow{}, ErrCode
	}
	g, err := giftByID(ctx, r, id, lock)
	if err != nil {
		return g, err
	}
	if _, mac, ok := strings.Cut(strings.TrimSpace(code), "."); !ok || !s.Box.Verify("coupon.gift", fmt.Sprintf("%d:%d:%d", g.ID, g.CouponID, g.From), mac) {
		return giftRow{}, ErrCode
	}
	return g, nil
}

// Gift sends a coupon on its way: until a friend takes it nobody can use it, and the giver may take it back. It is a money command.
// Faults: those of HoldTx, ErrGiftNo.
func (s *Service) Gift(ctx context.Context, memberID, couponID int64) (GiftLink, error) {
	days, err := s.Settings.Int(ctx, setting.CouponGiftDays)
	if err != nil {
		return GiftLink{}, err
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		id, _, err = idem.Once(ctx, tx, func() (int64, error) {
			c, err := byID(ctx, tx, couponID, tx.ForUpdate())
			if err != nil {
				return 0, err
			}
			if c.MemberID != memberID {
				return 0, fault.ErrNotFound
			}
			t, err := s.terms(ctx, tx, c.TermsID)
			if err != nil {
				return 0, err
			}
			if !t.Giftable || c.GiftedFrom != 0 {
				return 0, ErrGiftNo
			}
			g := giftRow{ID: tx.NewID(), CouponID: couponID, From: memberID, State: "open", CreatedAt: tx.Millis(),
				ExpiresAt: min(tx.Now.AddDate(0, 0, int(days)).UnixMilli(), c.ExpiresAt)}
			if err := s.giftHoldTx(ctx, tx, c, g); err != nil {
				return 0, err
			}
			return g.ID, tx.Insert(ctx, "coupon_gifts", g)
		})
		return err
	})
	if err != nil {
		return GiftLink{}, err
	}
	g, err := giftByID(ctx, s.db, id, "")
	if err != nil {
		return GiftLink{}, err
	}
	link, err := s.link(ctx, g)
	if err != nil {
		return GiftLink{}, err
	}
	return *link, nil
}

// giftHoldTx holds a coupon for a gift, also one whose time has not come yet.
func (s *Service) giftHoldTx(ctx context.Context, tx *db.Tx, c row, g giftRow) error {
	if f := refusal(c.State); f != nil {
		return f
	}
	if c.ExpiresAt <= tx.Millis() {
		return ErrExpired
	}
	forget(tx, c.MemberID)
	h := holdRow{ID: tx.NewID(), CouponID: c.ID, Live: &c.ID, MemberID: c.MemberID, RefKind: refGift, RefID: g.ID, State: Held, CreatedAt: tx.Millis()}
	if err := tx.Insert(ctx, "coupon_holds", h); errors.Is(err, db.ErrDuplicate) {
		return ErrHeld
	} else if err != nil {
		return err
	}
	return moveState(ctx, tx, c.ID, Available, Held, refGift, g.ID)
}

// TakeBack ends a gift that nobody took. Faults: not_found, ErrGiftOver.
func (s *Service) TakeBack(ctx context.Context, memberID, couponID int64) (CouponView, error) {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		c, err := byID(ctx, tx, couponID, "")
		if err != nil {
			return err
		}
		switch {
		case c.MemberID != memberID && c.GiftedFrom != memberID:
			return fault.ErrNotFound
		case c.MemberID != memberID || c.State != Held || c.RefKind != refGift:
			return ErrGiftOver
		}
		return s.endGiftTx(ctx, tx, c.RefID, "cancelled")
	})
	if err != nil {
		return CouponView{}, err
	}
	return s.one(ctx, couponID)
}

// endGiftTx ends an open gift, so that its coupon is the giver's again. Fault: ErrGiftOver.
func (s *Service) endGiftTx(ctx context.Context, tx *db.Tx, id int64, state string) error {
	g, err := giftByID(ctx, tx, id, tx.ForUpdate())
	if err != nil {
		return err
	}
	if err := endGift(ctx, tx, g.ID, 0, state); err != nil {
		return err
	}
	return s.ReleaseTx(ctx, tx, refGift, id)
}

// GiftView is what a friend sees before taking it.
type GiftView struct {
	Code      string    `json:"code"`
	From      string    `json:"from" doc:"Masked name of the giver"`
	Coupon    Offer     `json:"coupon"`
	LastDay   string    `json:"lastDay"`
	State     string    `json:"state" enum:"open,accepted,cancelled,expired"`
	Mine      bool      `json:"mine" doc:"I gave it"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// GiftOf shows a gift by its code. Fault: ErrCode.
func (s *Service) GiftOf(ctx context.Context, memberID int64, code string) (v GiftView, err error) {
	g, err := s.opened(ctx, s.db, code, "")
	if err != nil {
		return v, err
	}
	c, err := byID(ctx, s.db, g.CouponID, "")
	if err != nil {
		return v, err
	}
	names, err := s.Members.MaskedNames(ctx, []int64{g.From})
	if err != nil {
		return v, err
	}
	if v.Coupon, err = s.offer(ctx, c.TermsID); err != nil {
		return v, err
	}
	v.Code, v.From, v.LastDay, v.State, v.Mine, v.ExpiresAt = s.code(g), names[g.From], lastDay(c.ExpiresAt), g.State, memberID == g.From && memberID != 0, clock.FromMillis(g.ExpiresAt)
	if g.State == "open" && g.ExpiresAt <= s.db.Now().UnixMilli() {
		v.State = "expired"
	}
	return v, nil
}

// Accept takes a gift: once, by one friend. It is a money command. Faults: ErrCode, ErrGiftOver, ErrGiftOwn, those of member.Standing.Usable.
func (s *Service) Accept(ctx context.Context, memberID int64, code string) (CouponView, error) {
	var id int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		id, _, err = idem.Once(ctx, tx, func() (int64, error) {
			st, err := s.Members.StandingTx(ctx, tx, memberID)
			if err != nil {
				return 0, err
			}
			if err := st.MayTopUp(); err != nil {
				return 0, err
			}
			return s.acceptTx(ctx, tx, st, code)
		})
		return err
	})
	if err != nil {
		return CouponView{}, err
	}
	return s.one(ctx, id)
}

func (s *Service) acceptTx(ctx context.Context, tx *db.Tx, st member.Standing, code string) (int64, error) {
	g, err := s.opened(ctx, tx, code, tx.ForUpdate())
	if err != nil {
		return 0, err
	}
	switch {
	case g.From == st.MemberID:
		return 0, ErrGiftOwn
	case g.State != "open" || g.ExpiresAt <= tx.Millis():
		return 0, ErrGiftOver
	}
	if err := endGift(ctx, tx, g.ID, st.MemberID, "accepted"); err != nil {
		return 0, err
	}
	holds, rows, err := lockHeld(ctx, tx, refGift, g.ID)
	if err != nil {
		return 0, err
	}
	if len(holds) != 1 {
		return 0, ErrGiftOver
	}
	forget(tx, g.From)
	forget(tx, st.MemberID)
	if err := endHold(ctx, tx, holds[0], "released"); err != nil {
		return 0, err
	}
	if err := handOver(ctx, tx, g.CouponID, g.From, st.MemberID); err != nil {
		return 0, err
	}
	t, err := s.terms(ctx, tx, rows[g.CouponID].TermsID)
	if err != nil {
		return 0, err
	}
	return g.CouponID, s.Messages.EnqueueTx(ctx, tx, notify.Message{MemberID: g.From, Event: notify.CouponReceived, Dedupe: fmt.Sprintf("coupon_gift:%d", g.ID), Page: "pages/club/coupons/index",
		Data: map[string]string{"title": t.Name, "time": tx.Now.Format(time.RFC3339), "hint": "您送出的券已被朋友领取"}})
}
