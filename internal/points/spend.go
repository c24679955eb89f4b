package points

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
)

func short(b *ledger.Book, n int64) error {
	have := usable(b)
	return ErrInsufficient.Say("积分不足，还差 %d 分", n-have).On("points", fmt.Sprintf("可用 %d 分", have)).
		Give(map[string]int64{"available": have, "missing": n - have, "debt": b.Balance(ledger.PointsDebt)})
}

// SpendTx chooses the lots that give n points, oldest expiry first (N12), and returns the legs that take them. The book holds the member's
// points, and their debt too when it may exist. Fault: ErrInsufficient.
func (s *Service) SpendTx(_ context.Context, _ *db.Tx, b *ledger.Book, n int64) ([]ledger.Leg, error) {
	if n <= 0 {
		return nil, nil
	}
	if n > usable(b) {
		return nil, short(b, n)
	}
	takes, err := b.TakeOldest(ledger.Points, n)
	if err != nil {
		return nil, err
	}
	return append(ledger.Debits(takes), ledger.PointsLeg(n)), nil
}

// TakeTx takes points for a reference that may have to give them back; once per reference. Faults: ErrAmount, ErrInsufficient.
func (s *Service) TakeTx(ctx context.Context, tx *db.Tx, memberID, n int64, refKind string, refID int64, title string) error {
	if n < 1 || n > MaxPoints {
		return ErrAmount
	}
	b, err := ledger.LockTx(ctx, tx, memberID, units()...)
	if err != nil {
		return err
	}
	legs, err := s.SpendTx(ctx, tx, b, n)
	if err != nil {
		return err
	}
	id, err := ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindPointsSpend, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: refKind, RefID: refID, Title: title}, legs...)
	if err != nil {
		return err
	}
	return tx.Insert(ctx, "points_takes", takeRow{ID: tx.NewID(), RefKind: refKind, RefID: refID, MemberID: memberID, Points: n, PostingID: id, CreatedAt: tx.Millis()})
}

// ReturnTx gives back what TakeTx took, into the lots that it came from. Given back before, or never taken, is no error.
func (s *Service) ReturnTx(ctx context.Context, tx *db.Tx, refKind string, refID int64) error {
	t, err := takeOf(ctx, tx, refKind, refID, tx.ForUpdate())
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil || t.ReturnID != 0 {
		return err
	}
	b, err := ledger.LockTx(ctx, tx, t.MemberID, units()...)
	if err != nil {
		return err
	}
	p := ledger.Post{Kind: ledger.KindPointsReturn, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: refKind, RefID: refID, Title: "退回积分"}
	id, err := ledger.ReverseTx(ctx, tx, b, t.PostingID, p)
	if err != nil {
		return err
	}
	if err := payDebtTx(ctx, tx, b, p); err != nil {
		return err
	}
	return markReturned(ctx, tx, t.ID, id)
}

// Adjust gives (or with a negative number takes) points by hand. It is a money command. Faults: ErrAmount, ErrReason, ErrInsufficient,
// not_found, member.ErrClosed, member.ErrMerged.
func (s *Service) Adjust(ctx context.Context, memberID, n int64, reason string) (Summary, error) {
	reason = strings.TrimSpace(reason)
	switch {
	case n == 0 || n > MaxPoints || n < -MaxPoints:
		return Summary{}, ErrAmount.On("points", "请填写 1 至 1,000,000，扣减填负数")
	case utf8.RuneCountInString(reason) < 2 || utf8.RuneCountInString(reason) > 100:
		return Summary{}, ErrReason.On("reason", "2 至 100 个字")
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, _, err := idem.Once(ctx, tx, func() (int64, error) { return s.adjustTx(ctx, tx, memberID, n, reason) })
		return err
	})
	if err != nil {
		return Summary{}, err
	}
	return s.Of(ctx, memberID)
}

func (s *Service) adjustTx(ctx context.Context, tx *db.Tx, memberID, n int64, reason string) (int64, error) {
	st, err := s.members.StandingTx(ctx, tx, memberID)
	if err != nil {
		return 0, err
	}
	switch st.Status {
	case member.StatusClosed:
		return 0, member.ErrClosed
	case member.StatusMerged:
		return 0, member.ErrMerged
	}
	b, err := ledger.LockTx(ctx, tx, memberID, units()...)
	if err != nil {
		return 0, err
	}
	p := ledger.Post{Kind: ledger.KindPointsAdjust, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "points_adjust", RefID: tx.NewID(), Title: "门店调整积分", Memo: reason}
	var id int64
	if n > 0 {
		ends, err := s.expiry(ctx, tx.Now, 0)
		if err != nil {
			return 0, err
		}
		if id, err = creditTx(ctx, tx, b, n, ends, p); err != nil {
			return 0, err
		}
	} else {
		legs, err := s.SpendTx(ctx, tx, b, -n)
		if err != nil {
			return 0, err
		}
		if id, err = ledger.PostTx(ctx, tx, b, p, legs...); err != nil {
			return 0, err
		}
	}
	return id, audit.RecordTx(ctx, tx, audit.Entry{Action: "points.adjust", SubjectKind: "member", SubjectID: memberID, SubjectLabel: member.MaskName(st.Name),
		Detail: map[string]any{"points": n, "reason": reason, "postingId": id}})
}

// ForfeitTx ends all points and debts of a member who leaves: they are worth no money.
func (s *Service) ForfeitTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	books, err := ledger.LockManyTx(ctx, tx, []int64{memberID}, units()...) // opens no account for who never had points
	if err != nil {
		return err
	}
	b := books[memberID]
	takes := all(b.Lots(ledger.Points, ledger.PointsDebt))
	if len(takes) == 0 {
		return nil
	}
	legs := ledger.Debits(takes)
	if n := int64(ledger.SumOf(takes, ledger.Points)); n > 0 {
		legs = append(legs, ledger.PointsLeg(n))
	}
	if n := int64(ledger.SumOf(takes, ledger.PointsDebt)); n > 0 {
		legs = append(legs, debtLeg(n))
	}
	_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindPointsExpire, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "member", RefID: memberID, Title: "注销会员，积分清零"}, legs...)
	return err
}

func all(lots []ledger.Lot) (takes []ledger.Take) {
	for _, l := range lots {
		if l.Remaining > 0 {
			takes = append(takes, ledger.Take{LotID: l.ID, Unit: l.Unit, Amount: l.Remaining})
		}
	}
	return takes
}
