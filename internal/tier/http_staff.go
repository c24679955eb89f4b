package tier

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/sale"
)

// DeskRights are a member's rights at the desk.
type DeskRights struct {
	Tier        Tier         `json:"tier"`
	Brings      []string     `json:"brings" doc:"In words"`
	Rights      []RightLeft  `json:"rights" doc:"free_use is taken at the till, counted is noted here"`
	Uses        []Used       `json:"uses" doc:"Newest first, at most 20"`
	Memberships []Membership `json:"memberships"`
	Plans       []Plan       `json:"plans" doc:"What can be sold"`
}

// UseRequest notes the use of a counted right.
type UseRequest struct {
	MemberID int64  `json:"memberId" minimum:"1"`
	RightID  int64  `json:"rightId" minimum:"1"`
	Qty      int64  `json:"qty,omitempty" minimum:"1" maximum:"366" default:"1"`
	StoreID  int64  `json:"storeId" minimum:"1"`
	Plate    string `json:"plate,omitempty" maxLength:"20"`
	Note     string `json:"note,omitempty" maxLength:"200"`
}

// SellRequest sells a paid membership at the desk.
type SellRequest struct {
	MemberID  int64  `json:"memberId" minimum:"1"`
	PlanID    int64  `json:"planId" minimum:"1"`
	StoreID   int64  `json:"storeId" minimum:"1"`
	Pay       string `json:"pay" enum:"wechat_native,cash,card,alipay,balance"`
	Reference string `json:"reference,omitempty" maxLength:"64"`
	ScanID    int64  `json:"scanId,omitempty" minimum:"0" doc:"Of the member code, for balance"`
}

type deskInput struct {
	MemberID int64 `query:"memberId" required:"true" minimum:"1"`
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/staff/" + path, Summary: summary, Who: httpapi.Staff, Permission: permission, Idempotent: method == http.MethodPost}
	}
	httpapi.Register(r, op("staffMemberRights", http.MethodGet, "member-rights", "A member's rights, what is left of them and what can be sold", perm.MemberRead),
		func(ctx context.Context, in *deskInput) (DeskRights, error) { return s.deskRights(ctx, in.MemberID) })
	httpapi.Register(r, op("staffRightUse", http.MethodPost, "right-uses", "Note the use of a counted right: an errand, a rescue, a disinfection", perm.CheckoutSettle),
		func(ctx context.Context, in *httpapi.Body[UseRequest]) (DeskRights, error) {
			b := in.Body
			if _, err := s.Use(ctx, Errand{MemberID: b.MemberID, RightID: b.RightID, Qty: max(b.Qty, 1), StoreID: b.StoreID, Plate: b.Plate, Note: b.Note}); err != nil {
				return DeskRights{}, err
			}
			return s.deskRights(ctx, b.MemberID)
		})
	httpapi.Register(r, op("staffRightUseUndo", http.MethodPost, "right-uses/{id}/undo", "Take the use of a counted right back", perm.CheckoutSettle),
		func(ctx context.Context, in *httpapi.ByID) (DeskRights, error) {
			if err := s.Undo(ctx, in.ID); err != nil {
				return DeskRights{}, err
			}
			u, err := useByID(ctx, s.db, in.ID, "")
			if err != nil {
				return DeskRights{}, err
			}
			return s.deskRights(ctx, u.MemberID)
		})
	httpapi.Register(r, op("staffMembershipSell", http.MethodPost, "memberships", "Sell or renew a paid membership", perm.PassSell),
		func(ctx context.Context, in *httpapi.Body[SellRequest]) (sale.Started, error) {
			if s.Sales == nil {
				return sale.Started{}, fault.ErrNotFound
			}
			b := in.Body
			return sale.ShowStarted(s.Sales.Begin(ctx, sale.Buy{Kind: SaleKind, SubjectID: b.PlanID, MemberID: b.MemberID, StoreID: b.StoreID},
				sale.Pay{Method: b.Pay, Reference: b.Reference, ScanID: b.ScanID}))
		})
}

func (s *Service) deskRights(ctx context.Context, memberID int64) (d DeskRights, err error) {
	f, err := s.fullOf(ctx, s.db, memberID)
	if err != nil {
		return d, err
	}
	d.Tier, d.Brings = f.Tier, brings(f)
	if d.Rights, err = s.RightsLeft(ctx, memberID); err != nil {
		return d, err
	}
	if d.Uses, err = s.UsesOf(ctx, memberID, 20); err != nil {
		return d, err
	}
	if d.Memberships, err = s.Memberships(ctx, memberID); err != nil {
		return d, err
	}
	d.Plans, err = s.Plans(ctx, true)
	return d, err
}
