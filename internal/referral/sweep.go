package referral

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/notify"
)

const (
	chunk    = 500
	patience = 90 * time.Second
)

// Jobs registers the sweep.
func (s *Service) Jobs(q *jobs.Queue) { q.Every("referral.sweep", 10*time.Second, s.Sweep) }

// Sweep looks at new invitations, rewards those whose friends have paid, ends those that waited too long, and takes back rewards whose payments
// went back. It may run again at any time: the state of each invitation decides.
func (s *Service) Sweep(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("推荐奖励"))
	rules, err := readRules(ctx, s.db)
	if err != nil {
		return err
	}
	end := s.db.Now().Add(patience)
	err = s.each(ctx, end, func(after int64) ([]Invite, error) { return inState(ctx, s.db, StateNew, after, chunk) }, func(list []Invite) error {
		for _, i := range list {
			if _, err := s.examine(ctx, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.shares(ctx, rules, end); err != nil {
		return err
	}
	err = s.each(ctx, end, func(after int64) ([]Invite, error) { return inState(ctx, s.db, StatePending, after, chunk) }, func(list []Invite) error { return s.pay(ctx, rules, list) })
	if err != nil {
		return err
	}
	since := s.db.Now().AddDate(0, 0, -rules.BackDays)
	return s.each(ctx, end, func(after int64) ([]Invite, error) { return rewardedSince(ctx, s.db, since, after, chunk) }, func(list []Invite) error { return s.back(ctx, list) })
}

// each goes through a list in chunks, in the order of ids.
func (s *Service) each(ctx context.Context, end time.Time, read func(after int64) ([]Invite, error), do func([]Invite) error) error {
	after := int64(0)
	for s.db.Now().Before(end) && ctx.Err() == nil {
		list, err := read(after)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := do(list); err != nil {
			return err
		}
		after = list[len(list)-1].ID
		if len(list) < chunk {
			return nil
		}
	}
	return ctx.Err()
}

// face is what a member is known by: blind indexes only.
type face struct{ phone, people, plates []string }

func (s *Service) face(ctx context.Context, memberID int64) (f face, err error) {
	m, err := s.Members.Get(ctx, memberID)
	if err != nil {
		return f, err
	}
	if m.Phone != "" {
		f.phone = []string{s.Members.PhoneIndex(m.Phone)}
	}
	ids, err := s.Members.Identities(ctx, memberID)
	if err != nil {
		return f, err
	}
	for _, x := range ids {
		f.people = append(f.people, s.Box.Index("referral.openid", x.App+":"+x.OpenID))
		if x.UnionID != "" {
			f.people = append(f.people, s.Box.Index("referral.unionid", x.UnionID))
		}
	}
	cars, err := s.Members.Vehicles(ctx, memberID)
	for _, v := range cars {
		f.plates = append(f.plates, s.Box.Index("referral.plate", v.Plate))
	}
	return f, err
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// examine decides what becomes of a new or pending invitation: a friend who was invited before gets nothing, what is suspect waits for a manager (N16).
func (s *Service) examine(ctx context.Context, seen Invite) (out Invite, err error) {
	friend, err := s.face(ctx, seen.InviteeID)
	if err != nil {
		return seen, err
	}
	inviter, err := s.face(ctx, seen.InviterID)
	if err != nil {
		return seen, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		i, err := inviteByID(ctx, tx, seen.ID, tx.ForUpdate())
		if err != nil {
			return err
		}
		if out = i; i.State != StateNew && i.State != StatePending {
			return nil
		}
		from := i.State
		known, err := s.knownTx(ctx, tx, &i, friend)
		if err != nil {
			return err
		}
		if meet(friend.plates, inviter.plates) {
			i.flag(FlagSelfPlate)
		}
		if from == StateNew {
			if err := s.crowdTx(ctx, tx, &i); err != nil {
				return err
			}
		}
		switch {
		case known || meet(friend.people, inviter.people) || meet(friend.phone, inviter.phone):
			i.State, i.Reason = StateRejected, "这位好友以前已经被邀请过，或与推荐人是同一人"
		case len(i.Flags) > 0 && !i.Accepted:
			i.State = StateSuspect
		default:
			i.State = StatePending
		}
		if i.State == from && len(i.Flags) == len(out.Flags) {
			return nil
		}
		out = i
		if i.State == StateRejected {
			if err := s.unshareTx(ctx, tx, i); err != nil {
				return err
			}
		}
		return move(ctx, tx, i, from)
	})
	return out, err
}

// knownTx keeps what the friend is known by and says whether an earlier invitation knows them.
func (s *Service) knownTx(ctx context.Context, tx *db.Tx, i *Invite, f face) (known bool, err error) {
	for kind, marks := range map[string][]string{"phone": f.phone, "openid": f.people} {
		for _, m := range marks {
			taken, err := keepMark(ctx, tx, kind, m, *i)
			if err != nil {
				return false, err
			}
			known = known || taken
		}
	}
	for _, m := range f.plates {
		taken, err := keepMark(ctx, tx, "plate", m, *i)
		if err != nil {
			return false, err
		}
		if taken {
			i.flag(FlagPlate)
		}
	}
	return known, nil
}

// crowdTx flags friends who come in a crowd.
func (s *Service) crowdTx(ctx context.Context, tx *db.Tx, i *Invite) error {
	rules, err := readRules(ctx, tx)
	if err != nil {
		return err
	}
	all, _, err := near(ctx, tx, i.InviterID, i.CreatedAt.Add(-time.Hour), "")
	if err != nil {
		return err
	}
	if all > rules.FastCount {
		i.flag(FlagFast)
	}
	_, here, err := near(ctx, tx, i.InviterID, i.CreatedAt.Add(-24*time.Hour), i.place)
	if here >= 3 {
		i.flag(FlagPlace)
	}
	return err
}

// pay rewards those whose friends have brought money by now, and ends those that waited too long.
func (s *Service) pay(ctx context.Context, rules Rules, list []Invite) error {
	ids := make([]int64, len(list))
	for n, i := range list {
		ids[n] = i.InviteeID
	}
	brought, err := ledger.BroughtBy(ctx, s.db, ids)
	if err != nil {
		return err
	}
	now := s.db.Now()
	for _, i := range list {
		b := brought[i.InviteeID]
		// Who paid before the invitation was merged with a customer, and is no new friend.
		paid := b.NetFen >= rules.MinPaidFen && !b.First.After(i.ExpiresAt) && !b.First.Before(i.CreatedAt)
		switch {
		case paid && rules.On:
			err = s.reward(ctx, rules, i)
		case !paid && now.After(i.ExpiresAt):
			i.State = StateExpired
			err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return move(ctx, tx, i, StatePending) })
			if errors.Is(err, ErrState) {
				err = nil
			}
		}
		if f := new(fault.Error); errors.As(err, &f) && f.Kind < 500 {
			// The next ones must not wait for it, and nobody reads a log every ten seconds: a manager is told.
			err = s.stuck(ctx, i, f.Message)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stuck puts an invitation whose reward cannot be given on the manager's list.
func (s *Service) stuck(ctx context.Context, seen Invite, why string) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		i, err := inviteByID(ctx, tx, seen.ID, tx.ForUpdate())
		if err != nil || i.State != StatePending {
			return err
		}
		i.State, i.Reason, i.DecidedBy = StateSuspect, db.Clip(why, 200), ""
		i.flag(FlagGift)
		return move(ctx, tx, i, StatePending)
	})
}

func dedupe(i Invite, side string) string { return fmt.Sprintf("referral:%d:%s", i.ID, side) }

// reward gives both sides what they were promised, once. Over the cap of the day it waits.
func (s *Service) reward(ctx context.Context, rules Rules, seen Invite) error {
	i, err := s.examine(ctx, seen) // cars may have been added since
	if err != nil || i.State != StatePending {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		i, err := inviteByID(ctx, tx, seen.ID, tx.ForUpdate())
		if err != nil || i.State != StatePending {
			return err
		}
		brought, err := ledger.BroughtBy(ctx, tx, []int64{i.InviteeID})
		if err != nil {
			return err
		}
		if i.PaidFen = brought[i.InviteeID].NetFen; i.PaidFen < rules.MinPaidFen {
			return nil
		}
		usable, err := s.usableTx(ctx, tx, i)
		if err != nil {
			return err
		}
		if !usable[i.InviterID] {
			i.State, i.Reason = StateRejected, "推荐人已不是有效会员"
			if err := s.unshareTx(ctx, tx, i); err != nil {
				return err
			}
			return move(ctx, tx, i, StatePending)
		}
		day := bizday.Of(tx.Now, bizday.DefaultZone)
		counted, err := countDay(ctx, tx, countRewarded, i.InviterID, day, rules.DailyCap)
		if err != nil || !counted {
			return err
		}
		i.State, i.RewardAt, i.day = StateRewarded, tx.Now, day
		if err := move(ctx, tx, i, StatePending); err != nil {
			return err
		}
		return s.giveTx(ctx, tx, rules, i, usable[i.InviteeID])
	})
}

// usableTx locks both members in the order of their ids and says who may be given something.
func (s *Service) usableTx(ctx context.Context, tx *db.Tx, i Invite) (map[int64]bool, error) {
	out := map[int64]bool{}
	for _, id := range []int64{min(i.InviterID, i.InviteeID), max(i.InviterID, i.InviteeID)} {
		st, err := s.Members.StandingTx(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		out[id] = st.MayTopUp() == nil
	}
	return out, nil
}

func (s *Service) giveTx(ctx context.Context, tx *db.Tx, rules Rules, i Invite, friendToo bool) error {
	gives := []campaign.Give{}
	if len(rules.InviterGift) > 0 {
		gives = append(gives, campaign.Give{MemberID: i.InviterID, Source: "referral", RefID: i.ID, Dedupe: dedupe(i, "inviter"), Title: "推荐好友奖励", Gift: rules.InviterGift})
	}
	if len(rules.FriendGift) > 0 && friendToo {
		gives = append(gives, campaign.Give{MemberID: i.InviteeID, Source: "referral", RefID: i.ID, Dedupe: dedupe(i, "friend"), Title: "新朋友见面礼", Gift: rules.FriendGift})
	}
	n, err := rewarded(ctx, tx, i.InviterID)
	if err != nil {
		return err
	}
	for _, g := range rules.Grades {
		if g.Friends <= n {
			gives = append(gives, campaign.Give{MemberID: i.InviterID, Source: "referral_grade", RefID: i.ID, Dedupe: gradeDedupe(i.InviterID, g.Friends), Title: fmt.Sprintf("成功推荐 %d 位好友", g.Friends), Gift: g.Gift})
		}
	}
	slices.SortStableFunc(gives, func(a, b campaign.Give) int { return int(min(max(a.MemberID-b.MemberID, -1), 1)) })
	for _, g := range gives {
		given, err := s.Gifts.GiveTx(ctx, tx, g)
		if err != nil {
			return err
		}
		if !given {
			continue
		}
		title, err := s.Gifts.Title(ctx, tx, g.Gift)
		if err != nil {
			return err
		}
		if err := s.Messages.EnqueueTx(ctx, tx, notify.Message{MemberID: g.MemberID, Event: notify.ReferralRewarded, Dedupe: g.Dedupe, Page: "pages/club/referral",
			Data: map[string]string{"title": g.Title, "gift": title, "time": tx.Now.Format(time.RFC3339)}}); err != nil {
			return err
		}
	}
	return nil
}

func gradeDedupe(inviterID int64, friends int) string {
	return fmt.Sprintf("referral_grade:%d:%d", inviterID, friends)
}

// back takes rewards back whose friends' payments went back altogether.
func (s *Service) back(ctx context.Context, list []Invite) error {
	ids := make([]int64, len(list))
	for n, i := range list {
		ids[n] = i.InviteeID
	}
	brought, err := ledger.BroughtBy(ctx, s.db, ids)
	if err != nil {
		return err
	}
	for _, seen := range list {
		if brought[seen.InviteeID].NetFen > 0 {
			continue
		}
		if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			i, err := inviteByID(ctx, tx, seen.ID, tx.ForUpdate())
			if err != nil || i.State != StateRewarded {
				return err
			}
			now, err := ledger.BroughtBy(ctx, tx, []int64{i.InviteeID})
			if err != nil || now[i.InviteeID].NetFen > 0 {
				return err
			}
			if err := s.takeBackTx(ctx, tx, i); err != nil {
				return err
			}
			i.State = StateTakenBack
			i.flag(FlagRefund)
			i.DecidedBy = ""
			return move(ctx, tx, i, StateRewarded)
		}); err != nil {
			return err
		}
	}
	return nil
}

// takeBackTx takes back what both sides got for a rewarded invitation, and the grades that the inviter no longer reaches.
func (s *Service) takeBackTx(ctx context.Context, tx *db.Tx, i Invite) error {
	if _, err := s.usableTx(ctx, tx, i); err != nil {
		return err
	}
	sides := []string{dedupe(i, "inviter"), dedupe(i, "friend")}
	if i.InviteeID < i.InviterID {
		slices.Reverse(sides)
	}
	rules, err := readRules(ctx, tx)
	if err != nil {
		return err
	}
	n, err := rewarded(ctx, tx, i.InviterID) // this one still counts
	if err != nil {
		return err
	}
	for _, g := range rules.Grades {
		if g.Friends == n {
			sides = append(sides, gradeDedupe(i.InviterID, g.Friends))
		}
	}
	for _, d := range sides {
		if _, err := s.Gifts.TakeBackTx(ctx, tx, d); err != nil {
			return err
		}
	}
	return nil
}
