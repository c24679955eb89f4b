package app

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/points"
)

// givers connects who gives each kind of present.
func (a *App) givers() {
	a.Gifts.Connect(campaign.Points, pointGifts{a.Points})
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
