package app

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/points"
)

// givers connects who gives each kind of present.
func (a *App) givers() {
	a.Gifts.Connect(campaign.Points, pointGifts{a.Points})
	a.Gifts.Connect(campaign.Coupon, couponGifts{a.Coupons})
}

// pointGifts gives points.
type pointGifts struct{ points *points.Service }

func (pointGifts) Check(_ context.Context, _ db.Reader, _, n int64) (string, error) {
	return fmt.Sprintf("%d 积分", n), nil
}

func (p pointGifts) GiveTx(ctx context.Context, tx *db.Tx, g campaign.Grant) error {
	return p.points.GiveTx(ctx, tx, points.Gift{MemberID: g.MemberID, N: g.N, Source: pointSource(g.Source), Dedupe: g.Dedupe, Title: g.Title})
}

func (p pointGifts) TakeBackTx(ctx context.Context, tx *db.Tx, g campaign.Grant) error {
	return p.points.TakeBackTx(ctx, tx, g.Dedupe, "收回："+g.Title)
}

// pointSource is how points call where a gift comes from.
func pointSource(source string) string {
	switch source {
	case "referral", "referral_grade":
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

func (c couponGifts) GiveTx(ctx context.Context, tx *db.Tx, g campaign.Grant) error {
	for left, part := g.N, 0; left > 0; part++ { // coupons come by twenties
		n := min(left, 20)
		if _, err := c.coupons.IssueTx(ctx, tx, coupon.Issue{TemplateID: g.ID, MemberID: g.MemberID, N: n, Source: g.Source, SourceID: g.GiftID, Dedupe: partOf(g, part), Tell: part == 0}); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

func (c couponGifts) TakeBackTx(ctx context.Context, tx *db.Tx, g campaign.Grant) error {
	for left, part := g.N, 0; left > 0; part++ {
		n := min(left, 20)
		if _, err := c.coupons.TakeBackTx(ctx, tx, g.MemberID, partOf(g, part), n); err != nil {
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
