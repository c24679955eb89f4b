package referral

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/notify"
)

// shares rewards those whose shared pages brought new members (F03): once for each, so many a day.
func (s *Service) shares(ctx context.Context, rules Rules, end time.Time) error {
	if !rules.ShareOn {
		return nil
	}
	since := max(rules.ShareSince, s.db.Now().Add(-shareWithin).UnixMilli())
	return s.each(ctx, end, func(after int64) ([]Invite, error) { return unshared(ctx, s.db, since, after, chunk) }, func(list []Invite) error {
		for _, i := range list {
			err := s.share(ctx, rules, i)
			if f := new(fault.Error); errors.As(err, &f) && f.Kind < 500 {
				s.Log.WarnContext(ctx, "a reward for sharing was not given", "invite", i.ID, "err", err) // such as a coupon that ran out: while it is near it stays due
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) share(ctx context.Context, rules Rules, seen Invite) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		i, err := inviteByID(ctx, tx, seen.ID, tx.ForUpdate())
		if err != nil || i.share != "" || i.State != StatePending && i.State != StateRewarded {
			return err
		}
		usable, err := s.usableTx(ctx, tx, i)
		if err != nil || !usable[i.InviterID] || !usable[i.InviteeID] {
			return err
		}
		counted, err := countDay(ctx, tx, countShared, i.InviterID, bizday.Of(tx.Now, bizday.DefaultZone), rules.ShareCap)
		if err != nil || !counted {
			return err
		}
		if err := moveShare(ctx, tx, i.ID, "", shareGiven); err != nil {
			return err
		}
		g := campaign.Give{MemberID: i.InviterID, Source: "share", RefID: i.ID, Dedupe: dedupe(i, "share"), Title: "分享奖励", Gift: rules.ShareGift}
		given, err := s.Gifts.GiveTx(ctx, tx, g)
		if err != nil || !given {
			return err
		}
		title, err := s.Gifts.Title(ctx, tx, g.Gift)
		if err != nil {
			return err
		}
		return s.Messages.EnqueueTx(ctx, tx, notify.Message{MemberID: g.MemberID, Event: notify.ReferralRewarded, Dedupe: g.Dedupe, Page: "pages/club/referral",
			Data: map[string]string{"title": fmt.Sprintf("朋友看了您分享的%s，领卡了", viaTexts[i.Via]), "gift": title, "time": tx.Now.Format(time.RFC3339)}})
	})
}

// unshareTx takes back what sharing brought: the invitation was none.
func (s *Service) unshareTx(ctx context.Context, tx *db.Tx, i Invite) error {
	if i.share != shareGiven {
		return nil
	}
	if _, err := s.usableTx(ctx, tx, i); err != nil {
		return err
	}
	if err := moveShare(ctx, tx, i.ID, shareGiven, shareBack); err != nil {
		return err
	}
	_, err := s.Gifts.TakeBackTx(ctx, tx, dedupe(i, "share"))
	return err
}

// Sharing is what a page needs to know when a member shares it.
type Sharing struct {
	Code  string `json:"code" doc:"Goes into the link as invite, with via beside it"`
	On    bool   `json:"on" doc:"The shop rewards sharing now"`
	Gift  string `json:"gift,omitempty" doc:"What the member gets for each new member, in words"`
	Daily int    `json:"daily,omitempty" doc:"At most so many a day"`
}

// Sharing tells a member's code and what sharing brings.
func (s *Service) Sharing(ctx context.Context, memberID int64) (out Sharing, err error) {
	c, err := s.Code(ctx, memberID)
	if err != nil {
		return out, err
	}
	rules, err := s.Rules(ctx)
	if err != nil {
		return out, err
	}
	if out.Code = c.Code; !rules.ShareOn {
		return out, nil
	}
	out.On, out.Daily = true, rules.ShareCap
	out.Gift, err = s.Gifts.Title(ctx, s.db, rules.ShareGift)
	return out, err
}
