package member

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// left is why nothing is done any more with a member who has gone.
func (r memberRow) left() error {
	if r.Status == StatusMerged {
		return ErrMerged
	}
	return ErrClosed
}

// mayMerge says what keeps a member from being merged.
func mayMerge(st Standing) *fault.Error {
	switch st.Status {
	case StatusActive:
	case StatusReview, StatusRejected:
		return ErrMergeReview
	case StatusSuspended:
		return ErrMergeSuspended
	case StatusClosing:
		return ErrMergeClosing
	default:
		return ErrMergeLeft
	}
	if st.CardStatus == CardFrozen || st.CardStatus == CardLost {
		return ErrMergeCard
	}
	return nil
}

// MergeLook says what of a member would go to another, and what is in the way. It takes no lock: StandingTx of both belongs before it.
func (s *Service) MergeLook(ctx context.Context, r db.Reader, _ string, from, into int64) (moves map[string][]string, blocks []*fault.Error, err error) {
	for _, id := range []int64{from, into} {
		m, err := s.readMember(ctx, r, id, "")
		if err != nil {
			return nil, nil, err
		}
		st := Standing{MemberID: id, Status: m.Status}
		if c, err := currentCard(ctx, r, id, ""); err == nil {
			st.CardID, st.CardStatus = c.ID, c.Status
		} else if !errors.Is(err, ErrNoCard) {
			return nil, nil, err
		}
		if f := mayMerge(st); f != nil {
			blocks = append(blocks, f.Give(map[string]int64{"memberId": id}))
		}
	}
	moves = map[string][]string{}
	cars, err := vehiclesOf(ctx, r, from)
	if err != nil {
		return nil, nil, err
	}
	have, err := vehiclesOf(ctx, r, into)
	if err != nil {
		return nil, nil, err
	}
	known := map[string]bool{}
	for _, v := range have {
		known[v.Plate] = true
	}
	for _, v := range cars {
		if !known[v.Plate] {
			moves["vehicles"] = append(moves["vehicles"], v.Plate)
		}
	}
	people, err := identitiesOf(ctx, r, from, "")
	if err != nil {
		return nil, nil, err
	}
	for _, x := range people {
		name := "公众号"
		if x.App == AppMini {
			name = "小程序"
		}
		moves["identities"] = append(moves["identities"], name)
	}
	cards, err := oldCardsOf(ctx, r, from, "")
	for _, c := range cards {
		moves["oldCards"] = append(moves["oldCards"], tail(c.No))
	}
	return moves, blocks, err
}

// MergeTx makes a member another: WeChat accounts, cars and old cards go over, the card, its codes and everything that is signed in end, the phone is
// free. Name and phone stay sealed with the history. Both members are locked. Faults: those of MergeLook.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	m, err := s.readMember(ctx, tx, from, tx.ForUpdate())
	if err != nil {
		return err
	}
	to := "另一位会员"
	if c, err := currentCard(ctx, tx, into, ""); err == nil {
		to = "会员卡 " + MaskCardNo(c.No)
	} else if !errors.Is(err, ErrNoCard) {
		return err
	}
	m.Status, m.StatusReason, m.PhoneIndex = StatusMerged, "已并入"+to, nil
	if err := s.saveTx(ctx, tx, m); err != nil {
		return err
	}
	if err := leadTx(ctx, tx, from, into); err != nil {
		return err
	}
	if c, err := currentCard(ctx, tx, from, tx.ForUpdate()); err == nil {
		if err := moveCardTx(ctx, tx, c, c.Status, c.Status, CardClosed, "会员已合并，请使用"+to); err != nil {
			return err
		}
	} else if !errors.Is(err, ErrNoCard) {
		return err
	}
	people, err := identitiesOf(ctx, tx, from, tx.ForUpdate())
	if err != nil {
		return err
	}
	for _, x := range people {
		if err := takeIdentityTx(ctx, tx, x, into); err != nil {
			return err
		}
	}
	if err := takeVehiclesTx(ctx, tx, from, into); err != nil {
		return err
	}
	if err := takeTagsTx(ctx, tx, from, into); err != nil {
		return err
	}
	return takeOldCardsTx(ctx, tx, from, into)
}

// wipeMergedTx forgets those who were merged into a member who leaves: they are the same person.
func (s *Service) wipeMergedTx(ctx context.Context, tx *db.Tx, memberID int64, reason string) error {
	ids, err := s.MergedInto(ctx, tx, memberID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		m, err := s.readMember(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		if err := s.wipeTx(ctx, tx, m, reason); err != nil {
			return err
		}
		if err := deleteVehiclesTx(ctx, tx, id); err != nil {
			return err
		}
		if s.opt.EraseTx != nil {
			if err := s.opt.EraseTx(ctx, tx, id); err != nil {
				return err
			}
		}
	}
	return nil
}
