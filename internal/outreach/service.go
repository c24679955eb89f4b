package outreach

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/shop"
)

// People finds members by the coupons' filter: what it reads belongs to other slices.
type People interface {
	// Find lists active members after the given one in ascending order.
	Find(ctx context.Context, f coupon.Filter, after int64, limit int) ([]int64, error)
	// Textable are those of some members who are active and have a verified phone, in ascending order.
	Textable(ctx context.Context, ids []int64) ([]int64, error)
}

// History tells what members did and have: it belongs to other slices.
type History interface {
	// Visits are the days of members' settled visits since a date, in their order.
	Visits(ctx context.Context, members []int64, since string) (map[int64][]Visit, error)
	// Born are the active members with a birthday in a month, "11".
	Born(ctx context.Context, month string) ([]Born, error)
	// Holdings is what members have here.
	Holdings(ctx context.Context, members []int64) (map[int64]Holding, error)
}

// Born is a member and their birthday.
type Born struct {
	MemberID int64
	StoreID  int64
	Birthday string
}

// Deps are what the service needs of the others.
type Deps struct {
	DB       *db.DB
	Log      *slog.Logger
	Queue    *jobs.Queue
	Members  *member.Service
	Shops    *shop.Service
	Coupons  *coupon.Service
	Points   *points.Service
	Messages *notify.Service
	People   People
	History  History
	ShopName func(ctx context.Context) (string, error)
	Texts    bool // the shop has an SMS provider
}

// Service runs the use cases of outreach.
type Service struct {
	Deps
	db *db.DB
}

// New returns the service and registers the handler of campaigns.
func New(d Deps) *Service {
	s := &Service{Deps: d, db: d.DB}
	d.Queue.Handle(jobMass, s.massJob)
	return s
}

// Rule is who counts as missing, and what the lists may give.
func (s *Service) Rule(ctx context.Context) (Rule, error) { return readRule(ctx, s.db, "") }

// SaveRule changes it. Fault: request.invalid.
func (s *Service) SaveRule(ctx context.Context, r Rule) (Rule, error) {
	var c fault.Complaints
	r.check(&c)
	for i, id := range r.CouponIDs {
		if err := s.knownCoupon(ctx, id); errors.Is(err, ErrCoupon) || slices.Contains(r.CouponIDs[:i], id) {
			c.Bad(fmt.Sprintf("couponIds[%d]", i), "没有这种优惠券，已停发，或重复了")
		} else if err != nil {
			return r, err
		}
	}
	if err := c.Err(); err != nil {
		return r, err
	}
	return r, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := readRule(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		if err := saveRule(ctx, tx, r); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "outreach.rule", SubjectKind: "setting", SubjectLabel: "客户维系", Detail: map[string]any{"from": was, "to": r}})
	})
}

// knownCoupon says whether a template can be given. Fault: ErrCoupon.
func (s *Service) knownCoupon(ctx context.Context, id int64) error {
	_, err := s.Coupons.TitleOf(ctx, s.db, id)
	if errors.Is(err, coupon.ErrTemplate) {
		return ErrCoupon.On("templateId", "请重新选择")
	}
	return err
}

// today is the business date of the shop as a whole.
func (s *Service) today() string { return bizday.Of(s.db.Now(), bizday.DefaultZone) }

// EraseTx forgets what was noted about a member who leaves: open lines end, words and outcomes go.
func (s *Service) EraseTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	return eraseMember(ctx, tx, memberID)
}
