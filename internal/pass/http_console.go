package pass

import (
	"context"
	"net/http"
	"strconv"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Record is a pass as the console's list shows it.
type Record struct {
	View
	MemberID   int64  `json:"memberId"`
	MemberName string `json:"memberName" doc:"Masked"`
	StoreName  string `json:"storeName"`
}

// RecordDetail is a pass as the console shows it.
type RecordDetail struct {
	Detail
	MemberID   int64  `json:"memberId"`
	MemberName string `json:"memberName" doc:"Masked"`
	PayerID    int64  `json:"payerId,omitempty" doc:"Who paid, where somebody else holds it"`
	StoreName  string `json:"storeName"`
}

// RefundAsk confirms a refund plan.
type RefundAsk struct {
	Fault    string `json:"fault" enum:"shop,customer" doc:"Whose doing it is"`
	Reason   string `json:"reason" minLength:"2" maxLength:"200"`
	PlanHash string `json:"planHash" minLength:"8" maxLength:"64"`
	StoreID  int64  `json:"storeId,omitempty" minimum:"0" doc:"Where the refund is handled; 0 is where it was sold"`
}

// ReasonAsk carries why something is done.
type ReasonAsk struct {
	Reason string `json:"reason" minLength:"2" maxLength:"200"`
}

// ExtendAsk moves the end of a pass.
type ExtendAsk struct {
	Days   int64  `json:"days" minimum:"1" maximum:"3660"`
	Reason string `json:"reason" minLength:"2" maxLength:"180"`
}

type listInput struct {
	httpapi.Paging
	MemberID int64  `query:"memberId" minimum:"0"`
	Status   string `query:"status" enum:"active,paused,used,expired,refunded"`
	Q        string `query:"q" maxLength:"40" doc:"Number, name or plate"`
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Who: httpapi.Console, Permission: permission, Summary: summary}
	}
	httpapi.Register(r, op("consolePassPlanList", http.MethodGet, "/pass-plans", "Every plan", perm.PassRead),
		func(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[Plan], error) {
			all, err := s.Plans(ctx)
			return httpapi.Cut(all, *in, func(p Plan) int64 { return p.ID }), err
		})
	httpapi.Register(r, op("consolePassPlanCreate", http.MethodPost, "/pass-plans", "Add a plan", perm.CatalogWrite),
		func(ctx context.Context, in *httpapi.Body[PlanInput]) (Plan, error) {
			return s.CreatePlan(ctx, in.Body)
		})
	httpapi.Register(r, op("consolePassPlanUpdate", http.MethodPut, "/pass-plans/{id}", "Change a plan for those who buy it from now on", perm.CatalogWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[PlanInput]) (Plan, error) {
			return s.UpdatePlan(ctx, in.ID, in.Body)
		})
	httpapi.Register(r, op("consolePassList", http.MethodGet, "/passes", "Passes, newest first", perm.PassRead),
		func(ctx context.Context, in *listInput) (httpapi.Page[Record], error) { return s.page(ctx, in) })
	httpapi.Register(r, op("consolePass", http.MethodGet, "/passes/{id}", "A pass with its frozen terms, uses and history", perm.PassRead),
		func(ctx context.Context, in *httpapi.ByID) (RecordDetail, error) {
			return s.record(ctx)(s.Pass(ctx, 0, in.ID))
		})
	httpapi.Register(r, op("consolePassRefundPlan", http.MethodGet, "/passes/{id}/refund-plan", "What would go back, and how it is computed", perm.PassRefund),
		func(ctx context.Context, in *refundPlanInput) (RefundPlan, error) {
			return s.RefundPlanFor(ctx, 0, in.ID, in.Fault)
		})
	refund := op("consolePassRefund", http.MethodPost, "/passes/{id}/refund", "End a pass and give back what the calculator says", perm.PassRefund)
	refund.Idempotent = true
	httpapi.Register(r, refund, func(ctx context.Context, in *httpapi.ByIDBody[RefundAsk]) (RefundPlan, error) {
		return s.Refund(ctx, in.ID, in.Body.StoreID, in.Body.Fault, in.Body.Reason, in.Body.PlanHash)
	})
	httpapi.Register(r, op("consolePassPause", http.MethodPost, "/passes/{id}/pause", "Stop the clock of a pass", perm.PassRefund),
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonAsk]) (RecordDetail, error) {
			return s.record(ctx)(s.Pause(ctx, 0, in.ID, in.Body.Reason))
		})
	httpapi.Register(r, op("consolePassResume", http.MethodPost, "/passes/{id}/resume", "Start the clock again", perm.PassRefund),
		func(ctx context.Context, in *httpapi.ByID) (RecordDetail, error) {
			return s.record(ctx)(s.Resume(ctx, 0, in.ID))
		})
	httpapi.Register(r, op("consolePassExtend", http.MethodPost, "/passes/{id}/extend", "Move the end of a pass; an expired one opens again", perm.PassRefund),
		func(ctx context.Context, in *httpapi.ByIDBody[ExtendAsk]) (RecordDetail, error) {
			return s.record(ctx)(s.Extend(ctx, in.ID, in.Body.Days, in.Body.Reason))
		})
	httpapi.Register(r, op("consolePassPlate", http.MethodPost, "/passes/{id}/plate", "Bind a plate, or change one, without waiting", perm.PassRefund),
		func(ctx context.Context, in *httpapi.ByIDBody[PlateAsk]) (RecordDetail, error) {
			return s.record(ctx)(s.Plate(ctx, 0, in.ID, in.Body.Plate, in.Body.Old))
		})
}

func (s *Service) storeName(ctx context.Context, id int64) string {
	if st, err := s.shops.Store(ctx, id); err == nil {
		return st.Name
	}
	return "线上"
}

// record shows what a use case returned.
func (s *Service) record(ctx context.Context) func(Pass, error) (RecordDetail, error) {
	return func(p Pass, err error) (RecordDetail, error) {
		if err != nil {
			return RecordDetail{}, err
		}
		d, err := s.detail(ctx, p, false)
		if err != nil {
			return RecordDetail{}, err
		}
		names, err := s.members.MaskedNames(ctx, []int64{p.MemberID})
		v := RecordDetail{Detail: d, MemberID: p.MemberID, MemberName: names[p.MemberID], StoreName: s.storeName(ctx, p.StoreID)}
		if p.PayerID != p.MemberID {
			v.PayerID = p.PayerID
		}
		return v, err
	}
}

func (s *Service) page(ctx context.Context, in *listInput) (page httpapi.Page[Record], err error) {
	before, _ := strconv.ParseInt(in.After, 10, 64) // a cursor that is none starts from the newest
	list, err := listPasses(ctx, s.db, filter{member: in.MemberID, state: in.Status, q: in.Q, before: before}, in.Limit)
	if err != nil {
		return page, err
	}
	var ids []int64
	for _, p := range list {
		ids = append(ids, p.MemberID)
	}
	names, err := s.members.MaskedNames(ctx, ids)
	for _, p := range list {
		page.Items = append(page.Items, Record{View: view(p, s.db.Now(), false), MemberID: p.MemberID, MemberName: names[p.MemberID], StoreName: s.storeName(ctx, p.StoreID)})
	}
	if len(list) == in.Limit {
		page.Next = strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return page, err
}
