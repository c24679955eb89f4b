package tier

import (
	"context"
	"net/http"
	"strconv"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

// Row is a tier as the console lists it.
type Row struct {
	Full
	Members *int64 `json:"members,omitempty" doc:"Who was moved into it; absent for the default tier, which holds everybody else"`
}

// PreviewRequest asks what would become of everybody.
type PreviewRequest struct {
	TierID int64 `json:"tierId,omitempty" minimum:"0" doc:"0 for a new tier"`
	Tier   Input `json:"tier"`
}

// SetRequest gives a member a tier by hand.
type SetRequest struct {
	TierID int64  `json:"tierId" minimum:"1"`
	Reason string `json:"reason" maxLength:"200"`
	Until  string `json:"until,omitempty" maxLength:"10" doc:"Last day, YYYY-MM-DD; absent: for good"`
	Fixed  *bool  `json:"fixed,omitempty" doc:"true: exactly this tier; false: at least this one; absent: exactly when it is lower than what the rules give"`
}

// ReasonRequest says why.
type ReasonRequest struct {
	Reason string `json:"reason" maxLength:"200"`
}

// Progression is how far the newest recomputation of everybody got.
type Progression struct {
	Run *Run `json:"run,omitempty" doc:"Absent when there was none"`
}

// Refunded is what went back of a membership.
type Refunded struct {
	AmountFen money.Fen `json:"amountFen"`
}

// MemberTier is a member's place with the uses of rights.
type MemberTier struct {
	Mine
	Uses []Used `json:"uses" doc:"Newest first, at most 50"`
}

type membersInput struct {
	httpapi.Paging
	ID int64 `path:"id" minimum:"1"`
}

// Routes registers the operations for the console, owners and staff.
func (s *Service) Routes(r *httpapi.Router) {
	s.consoleRoutes(r)
	s.ownerRoutes(r)
	s.staffRoutes(r)
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console/" + path, Summary: summary, Who: httpapi.Console, Permission: permission, MaxBody: 512 << 10}
	}
	httpapi.Register(r, op("consoleTierList", http.MethodGet, "tiers", "All tiers with what they bring, lowest first", perm.CatalogRead),
		func(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[Row], error) {
			all, err := s.rows(ctx)
			return httpapi.Cut(all, *in, func(t Row) int64 { return t.ID }), err
		})
	httpapi.Register(r, op("consoleTierCreate", http.MethodPost, "tiers", "Add a tier", perm.TierWrite),
		func(ctx context.Context, in *httpapi.Body[Input]) (Full, error) { return s.CreateFull(ctx, in.Body) })
	httpapi.Register(r, op("consoleTierUpdate", http.MethodPut, "tiers/{id}", "Change a tier; who is in it follows with the next recomputation", perm.TierWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[Input]) (Full, error) {
			return s.UpdateFull(ctx, in.ID, in.Body)
		})
	httpapi.Register(r, op("consoleTierDelete", http.MethodDelete, "tiers/{id}", "Delete a tier that is not in use", perm.TierWrite),
		func(ctx context.Context, in *httpapi.ByID) (httpapi.None, error) {
			return httpapi.None{}, s.Delete(ctx, in.ID)
		})
	httpapi.Register(r, op("consoleTierPreview", http.MethodPost, "tiers/preview", "How many members would be where; writes nothing", perm.TierWrite),
		func(ctx context.Context, in *httpapi.Body[PreviewRequest]) (Preview, error) {
			return s.Preview(ctx, in.Body.TierID, in.Body.Tier)
		})
	httpapi.Register(r, op("consoleTierRecompute", http.MethodPost, "tiers/recompute", "Compute everybody's tier now, in the background", perm.TierWrite),
		func(ctx context.Context, _ *httpapi.None) (Run, error) { return s.Recompute(ctx) })
	httpapi.Register(r, op("consoleTierRun", http.MethodGet, "tiers/run", "How far the newest recomputation got", perm.CatalogRead),
		func(ctx context.Context, _ *httpapi.None) (Progression, error) {
			run, err := s.LastRun(ctx)
			return Progression{run}, err
		})
	httpapi.Register(r, op("consoleTierMembers", http.MethodGet, "tiers/{id}/members", "Who was moved into a tier, and why", perm.MemberRead),
		func(ctx context.Context, in *membersInput) (page httpapi.Page[InTier], err error) {
			var after int64
			if in.After != "" {
				if after, err = strconv.ParseInt(in.After, 10, 64); err != nil {
					return page, fault.ErrInvalid.On("after", "请从头翻页")
				}
			}
			page.Items, err = s.Members(ctx, in.ID, after, in.Limit+1)
			if len(page.Items) > in.Limit {
				page.Items = page.Items[:in.Limit]
				page.Next = strconv.FormatInt(page.Items[in.Limit-1].MemberID, 10)
			}
			return page, err
		})
	httpapi.Register(r, op("consoleMemberTier", http.MethodGet, "members/{id}/tier", "Where a member stands, why, and what they have left", perm.MemberRead),
		func(ctx context.Context, in *httpapi.ByID) (MemberTier, error) { return s.memberTier(ctx, in.ID) })
	httpapi.Register(r, op("consoleMemberTierSet", http.MethodPut, "members/{id}/tier", "Give a member a tier by hand", perm.TierWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[SetRequest]) (MemberTier, error) {
			b := in.Body
			if err := s.Give(ctx, Assign{MemberID: in.ID, TierID: b.TierID, Reason: b.Reason, Fixed: b.Fixed}, b.Until); err != nil {
				return MemberTier{}, err
			}
			return s.memberTier(ctx, in.ID)
		})
	httpapi.Register(r, op("consoleMemberTierRelease", http.MethodPost, "members/{id}/tier/release", "Take back what was given by hand: the rules decide", perm.TierWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonRequest]) (MemberTier, error) {
			if err := s.Release(ctx, in.ID, in.Body.Reason); err != nil {
				return MemberTier{}, err
			}
			return s.memberTier(ctx, in.ID)
		})
	httpapi.Register(r, op("consoleMembershipPlanList", http.MethodGet, "membership-plans", "All paid memberships", perm.CatalogRead),
		func(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[Plan], error) {
			all, err := s.Plans(ctx, false)
			return httpapi.Cut(all, *in, func(p Plan) int64 { return p.ID }), err
		})
	httpapi.Register(r, op("consoleMembershipPlanCreate", http.MethodPost, "membership-plans", "Add a paid membership", perm.TierWrite),
		func(ctx context.Context, in *httpapi.Body[PlanInput]) (Plan, error) {
			return s.SavePlan(ctx, 0, in.Body)
		})
	httpapi.Register(r, op("consoleMembershipPlanUpdate", http.MethodPut, "membership-plans/{id}", "Change a paid membership; what was sold stays as it was sold", perm.TierWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[PlanInput]) (Plan, error) {
			return s.SavePlan(ctx, in.ID, in.Body)
		})
	refund := op("consoleMembershipRefund", http.MethodPost, "memberships/{id}/refund", "End a membership and give the days that are left back", perm.PassRefund)
	refund.Idempotent = true
	httpapi.Register(r, refund, func(ctx context.Context, in *httpapi.ByIDBody[ReasonRequest]) (Refunded, error) {
		n, err := s.RefundMembership(ctx, in.ID, in.Body.Reason)
		return Refunded{n}, err
	})
}

func (s *Service) rows(ctx context.Context) ([]Row, error) {
	all, err := s.Programmes(ctx)
	if err != nil {
		return nil, err
	}
	n, err := countMembers(ctx, s.db)
	out := make([]Row, 0, len(all))
	for _, f := range all {
		row := Row{Full: f}
		if !f.IsDefault {
			in := n[f.ID]
			row.Members = &in
		}
		out = append(out, row)
	}
	return out, err
}

func (s *Service) memberTier(ctx context.Context, id int64) (m MemberTier, err error) {
	if m.Mine, err = s.Of(ctx, id); err != nil {
		return m, err
	}
	m.Uses, err = s.UsesOf(ctx, id, 50)
	return m, err
}
