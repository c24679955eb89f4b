package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/tier"
)

// givers connects who gives each kind of present.
func (a *App) givers() {
	a.Gifts.Connect(campaign.Points, pointGifts{a.Points})
	a.Gifts.Connect(campaign.Coupon, couponGifts{a.Coupons})
	a.Gifts.Connect(campaign.Pass, passGifts{a.Passes})
	a.Gifts.Connect(campaign.Membership, membershipGifts{a.Tiers})
	a.Gifts.Connect(campaign.Tier, tierGifts{a.Tiers, a.Members})
	a.Wallet.Gifts = a.Gifts.TopupGifts
}

// pointGifts gives points.
type pointGifts struct{ points *points.Service }

func (pointGifts) Check(_ context.Context, _ db.Reader, _, n int64) (string, error) {
	return fmt.Sprintf("%d 积分", n), nil
}

func (p pointGifts) GiveTx(ctx context.Context, tx *db.Tx, g campaign.Grant) ([]int64, error) {
	return nil, p.points.GiveTx(ctx, tx, points.Gift{MemberID: g.MemberID, N: g.N, Source: pointSource(g.Source), Dedupe: g.Dedupe, Title: g.Title})
}

func (p pointGifts) TakeBackTx(ctx context.Context, tx *db.Tx, g campaign.Grant) error {
	if g.Whole() {
		return p.points.TakeBackTx(ctx, tx, g.Dedupe, "收回："+g.Title)
	}
	return p.points.TakeBackPartTx(ctx, tx, g.Dedupe, g.Take, "收回："+g.Title)
}

// pointSource is how points call where a gift comes from.
func pointSource(source string) string {
	switch source {
	case "referral", "referral_grade", "share":
		return points.FromReferral
	case campaign.Birthday:
		return points.FromBirthday
	case campaign.Review:
		return points.FromReview
	case "code":
		return points.FromCode
	}
	return points.FromActivity
}

// ratings tells the campaigns who rated what.
type ratings struct{ bookings *booking.Service }

func (r ratings) RatedSince(ctx context.Context, since time.Time, limit int) ([]campaign.Rated, error) {
	list, err := r.bookings.RatedSince(ctx, since, limit)
	out := make([]campaign.Rated, 0, len(list))
	for _, x := range list {
		out = append(out, campaign.Rated{RefID: x.BookingID, MemberID: x.MemberID, Stars: x.Stars, At: x.At})
	}
	return out, err
}

// couponGifts gives coupons.
type couponGifts struct{ coupons *coupon.Service }

func (c couponGifts) Check(ctx context.Context, r db.Reader, id, n int64) (string, error) {
	name, err := c.coupons.TitleOf(ctx, r, id)
	return times(name, n), err
}

func (c couponGifts) GiveTx(ctx context.Context, tx *db.Tx, g campaign.Grant) ([]int64, error) {
	for left, part := g.N, 0; left > 0; part++ { // coupons come by twenties
		n := min(left, 20)
		if _, err := c.coupons.IssueTx(ctx, tx, coupon.Issue{TemplateID: g.ID, MemberID: g.MemberID, N: n, Source: g.Source, SourceID: g.GiftID, Dedupe: partOf(g, part), Tell: part == 0}); err != nil {
			return nil, err
		}
		left -= n
	}
	return nil, nil
}

func (c couponGifts) TakeBackTx(ctx context.Context, tx *db.Tx, g campaign.Grant) error {
	take := g.Take
	for left, part := g.N, 0; left > 0; part++ {
		n := min(left, 20)
		if g.Take < g.N-g.Back { // some stay: only what is not in use goes back
			voided, err := c.coupons.TakeBackSomeTx(ctx, tx, g.MemberID, partOf(g, part), n, take)
			if err != nil {
				return err
			}
			take -= voided
		} else if _, err := c.coupons.TakeBackTx(ctx, tx, g.MemberID, partOf(g, part), n); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

func partOf(g campaign.Grant, part int) string {
	if part == 0 {
		return g.Dedupe
	}
	return fmt.Sprintf("%s/%d", g.Dedupe, part)
}

// times is how a number of things is written: 免费洗车 ×3.
func times(name string, n int64) string {
	if n == 1 || name == "" {
		return name
	}
	return fmt.Sprintf("%s ×%d", name, n)
}

// passGifts gives passes.
type passGifts struct{ passes *pass.Service }

func (p passGifts) Check(ctx context.Context, r db.Reader, id, n int64) (string, error) {
	name, err := p.passes.TitleOf(ctx, r, id)
	return times(name, n), err
}

func (p passGifts) GiveTx(ctx context.Context, tx *db.Tx, g campaign.Grant) (refs []int64, err error) {
	for k := range g.N {
		id, err := p.passes.GiveTx(ctx, tx, pass.Gift{PlanID: g.ID, MemberID: g.MemberID, Dedupe: partOf(g, int(k)), Why: g.Title})
		if err != nil {
			return nil, err
		}
		refs = append(refs, id)
	}
	return refs, nil
}

func (p passGifts) TakeBackTx(ctx context.Context, tx *db.Tx, g campaign.Grant) error {
	for _, id := range g.Refs {
		if err := p.passes.RevokeTx(ctx, tx, id, "收回："+g.Title); err != nil {
			return err
		}
	}
	return nil
}

// membershipGifts gives paid memberships without their price.
type membershipGifts struct{ tiers *tier.Service }

func (m membershipGifts) Check(ctx context.Context, r db.Reader, id, n int64) (string, error) {
	name, err := m.tiers.PlanTitle(ctx, r, id)
	return times(name, n), err
}

func (m membershipGifts) GiveTx(ctx context.Context, tx *db.Tx, g campaign.Grant) (refs []int64, err error) {
	for range g.N {
		id, err := m.tiers.GiveMembershipTx(ctx, tx, g.MemberID, g.ID)
		if err != nil {
			return nil, err
		}
		refs = append(refs, id)
	}
	return refs, nil
}

func (m membershipGifts) TakeBackTx(ctx context.Context, tx *db.Tx, g campaign.Grant) error {
	for _, id := range g.Refs {
		if err := m.tiers.EndMembershipTx(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// tierGifts puts members into a better tier for so many months; who is there already, or higher, keeps what they have.
type tierGifts struct {
	tiers   *tier.Service
	members *member.Service
}

func (t tierGifts) find(ctx context.Context, id int64) (tier.Tier, error) {
	all, err := t.tiers.Tiers(ctx)
	if i := slices.IndexFunc(all, func(x tier.Tier) bool { return x.ID == id }); i >= 0 {
		return all[i], err
	}
	return tier.Tier{}, cmp.Or(err, error(tier.ErrUnknown))
}

func (t tierGifts) Check(ctx context.Context, _ db.Reader, id, n int64) (string, error) {
	x, err := t.find(ctx, id)
	return fmt.Sprintf("%s %d 个月", x.Name, n), err
}

func (t tierGifts) GiveTx(ctx context.Context, tx *db.Tx, g campaign.Grant) ([]int64, error) {
	have, err := t.tiers.OfMember(ctx, tx, g.MemberID) // refreshes the copy that find reads, through this transaction
	if err != nil {
		return nil, err
	}
	to, err := t.find(ctx, g.ID)
	if err != nil || have.Rank >= to.Rank {
		return nil, err
	}
	return []int64{to.ID}, t.tiers.AssignTx(ctx, tx, tier.Assign{MemberID: g.MemberID, TierID: g.ID, Reason: g.Title, Until: tx.Now.AddDate(0, int(g.N), 0)})
}

func (t tierGifts) TakeBackTx(ctx context.Context, tx *db.Tx, g campaign.Grant) error {
	holder, err := t.members.Holder(ctx, tx, g.MemberID) // who got it may have been merged into another member
	if err != nil {
		return err
	}
	for _, id := range g.Refs {
		if err := t.tiers.ReleaseTx(ctx, tx, holder, id, "收回："+g.Title); err != nil {
			return err
		}
	}
	return nil
}
