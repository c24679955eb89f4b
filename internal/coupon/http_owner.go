package coupon

import (
	"context"
	"math"
	"net/http"
	"strconv"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
)

type ownerListInput struct {
	httpapi.Paging
	State string `query:"state" enum:"available,used,expired" doc:"available also holds those that are promised to an order or a friend; expired also the void ones"`
}

type codeInput struct {
	Code string `path:"code" minLength:"4" maxLength:"80"`
}

// CodeAsk carries what the owner typed or was sent.
type CodeAsk struct {
	Code string `json:"code" minLength:"4" maxLength:"80"`
}

// statesOf are the states behind a tab of a list.
func statesOf(tab string) []string {
	switch tab {
	case "available":
		return []string{Available, Held}
	case "used":
		return []string{Used}
	case "expired":
		return []string{Expired, Void}
	}
	return nil
}

func (s *Service) page(ctx context.Context, f listFilter, p httpapi.Paging, withNames bool) (page httpapi.Page[CouponView], err error) {
	if f.before, err = strconv.ParseInt(p.After, 10, 64); err != nil || f.before <= 0 {
		f.before = math.MaxInt64 // a cursor that is none starts from the newest
	}
	rows, err := list(ctx, s.db, f, p.Limit)
	if err != nil {
		return page, err
	}
	if len(rows) == p.Limit {
		page.Next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	page.Items, err = s.views(ctx, rows, withNames)
	return page, err
}

// Routes declares the operations of the slice.
func (s *Service) Routes(r *httpapi.Router) {
	me := func(ctx context.Context) int64 { return actor.From(ctx).MemberID }
	guesses := httpapi.NewGuesses()
	claim := func(ctx context.Context, code string) (CouponView, error) {
		return httpapi.Try(ctx, guesses, s.db.Now(), func() (CouponView, error) { return s.Claim(ctx, me(ctx), code) }, ErrCode)
	}
	httpapi.Register(r, httpapi.Op{ID: "ownerCoupons", Method: http.MethodGet, Path: "/api/owner/coupons", Who: httpapi.Member, Summary: "My coupons, newest first"},
		func(ctx context.Context, in *ownerListInput) (httpapi.Page[CouponView], error) {
			return s.page(ctx, listFilter{member: me(ctx), states: statesOf(in.State)}, in.Paging, false)
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerCouponClaimPage", Method: http.MethodGet, Path: "/api/owner/coupon-claims/{code}", Who: httpapi.Owner, Summary: "What a claim page gives, and whether I may still take it"},
		func(ctx context.Context, in *codeInput) (OwnerClaim, error) {
			return httpapi.Try(ctx, guesses, s.db.Now(), func() (OwnerClaim, error) { return s.ClaimPageOf(ctx, me(ctx), in.Code) }, ErrCode)
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerCouponClaim", Method: http.MethodPost, Path: "/api/owner/coupon-claims/{code}", Who: httpapi.Member, Idempotent: true, Summary: "Take one"},
		func(ctx context.Context, in *codeInput) (CouponView, error) { return claim(ctx, in.Code) })
	httpapi.Register(r, httpapi.Op{ID: "ownerCouponCode", Method: http.MethodPost, Path: "/api/owner/coupon-codes", Who: httpapi.Member, Idempotent: true, Summary: "Take one by a code that I typed"},
		func(ctx context.Context, in *httpapi.Body[CodeAsk]) (CouponView, error) {
			return claim(ctx, in.Body.Code)
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerCouponGift", Method: http.MethodPost, Path: "/api/owner/coupons/{id}/gift", Who: httpapi.Member, Idempotent: true, Summary: "Send a coupon on its way to a friend"},
		func(ctx context.Context, in *httpapi.ByID) (GiftLink, error) { return s.Gift(ctx, me(ctx), in.ID) })
	httpapi.Register(r, httpapi.Op{ID: "ownerCouponGiftCancel", Method: http.MethodPost, Path: "/api/owner/coupons/{id}/gift/cancel", Who: httpapi.Member, Summary: "Take back what no friend has taken"},
		func(ctx context.Context, in *httpapi.ByID) (CouponView, error) {
			return s.TakeBack(ctx, me(ctx), in.ID)
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerCouponGiftPage", Method: http.MethodGet, Path: "/api/owner/coupon-gifts/{code}", Who: httpapi.Owner, Summary: "What a friend gives me"},
		func(ctx context.Context, in *codeInput) (GiftView, error) {
			return httpapi.Try(ctx, guesses, s.db.Now(), func() (GiftView, error) { return s.GiftOf(ctx, me(ctx), in.Code) }, ErrCode)
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerCouponAccept", Method: http.MethodPost, Path: "/api/owner/coupon-gifts", Who: httpapi.Member, Idempotent: true, Summary: "Take what a friend gives me"},
		func(ctx context.Context, in *httpapi.Body[CodeAsk]) (CouponView, error) {
			return httpapi.Try(ctx, guesses, s.db.Now(), func() (CouponView, error) { return s.Accept(ctx, me(ctx), in.Body.Code) }, ErrCode)
		})
	s.staffRoutes(r)
	s.consoleRoutes(r)
}
