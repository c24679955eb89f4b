package checkout

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

// Receipt is an order as owner, staff and console see it.
type Receipt struct {
	OrderID          int64         `json:"orderId"`
	No               string        `json:"no"`
	Status           Status        `json:"status" enum:"awaiting_payment,settled,cancelled,reversed"`
	StoreID          int64         `json:"storeId"`
	StoreName        string        `json:"storeName"`
	StaffName        string        `json:"staffName"`
	MemberID         int64         `json:"memberId,omitempty"`
	MemberName       string        `json:"memberName,omitempty" doc:"Masked"`
	BookingID        int64         `json:"bookingId,omitempty"`
	Plate            string        `json:"plate"`
	VehicleClassName string        `json:"vehicleClassName"`
	Title            string        `json:"title"`
	At               time.Time     `json:"at"`
	Lines            []Line        `json:"lines"`
	TotalFen         money.Fen     `json:"totalFen"`
	Tenders          []TenderView  `json:"tenders"`
	BalanceAfterFen  *money.Fen    `json:"balanceAfterFen,omitempty"`
	Dispute          *DisputeView  `json:"dispute,omitempty"`
	Reversal         *Reversal     `json:"reversal,omitempty"`
	CodeURL          string        `json:"codeUrl,omitempty" doc:"While it waits: the customer scans it"`
	PayExpiresAt     *time.Time    `json:"payExpiresAt,omitempty"`
	SubtotalFen      money.Fen     `json:"subtotalFen"`
	SavedFen         money.Fen     `json:"savedFen" doc:"Against the list price"`
	Benefits         []BenefitView `json:"benefits" doc:"Passes, rights, coupons and points that were used"`
	PointsEarned     int64         `json:"pointsEarned,omitempty"`
	EarnerID         int64         `json:"earnerId,omitempty" doc:"For the shop"`
	EarnerName       string        `json:"earnerName,omitempty" doc:"Masked: whose account earned the points, when it is not the member's"`
	GroupID          int64         `json:"groupId,omitempty" doc:"Who paid the tender of kind group"`
	CanReverse       bool          `json:"canReverse"`
	CanReverseReason string        `json:"canReverseReason,omitempty"`
}

// TenderView is how a part was paid.
type TenderView struct {
	Kind         string    `json:"kind" enum:"balance,cash,card,alipay,wechat_native,deposit,points,group"`
	Label        string    `json:"label"`
	AmountFen    money.Fen `json:"amountFen"`
	PrincipalFen money.Fen `json:"principalFen,omitempty"`
	BonusFen     money.Fen `json:"bonusFen,omitempty"`
	ReceivedFen  money.Fen `json:"receivedFen,omitempty"`
	Reference    string    `json:"reference,omitempty"`
}

// Reversal says when and why an order was undone.
type Reversal struct {
	At        time.Time `json:"at"`
	Reason    string    `json:"reason"`
	StaffName string    `json:"staffName"`
}

// DisputeView is an owner's question and its answer.
type DisputeView struct {
	ID         int64      `json:"id"`
	At         time.Time  `json:"at"`
	OrderID    int64      `json:"orderId"`
	OrderNo    string     `json:"orderNo"`
	MemberID   int64      `json:"memberId"`
	MemberName string     `json:"memberName,omitempty"`
	StoreName  string     `json:"storeName"`
	StaffName  string     `json:"staffName"`
	Plate      string     `json:"plate"`
	TotalFen   money.Fen  `json:"totalFen"`
	Reason     string     `json:"reason" enum:"not_me,not_done,amount,other"`
	Note       string     `json:"note"`
	Status     string     `json:"status" enum:"open,upheld,rejected"`
	Answer     string     `json:"answer,omitempty"`
	ResolvedAt *time.Time `json:"resolvedAt,omitempty"`
}

func disputeView(d DisputeRecord, names map[int64]string) DisputeView {
	v := DisputeView{ID: d.ID, At: d.CreatedAt, OrderID: d.OrderID, OrderNo: d.OrderNo, MemberID: d.MemberID, MemberName: names[d.MemberID], StoreName: d.StoreName,
		StaffName: d.StaffName, Plate: d.Plate, TotalFen: d.Total, Reason: d.Reason, Note: d.Note, Status: d.Status, Answer: d.Answer}
	if !d.ResolvedAt.IsZero() {
		v.ResolvedAt = &d.ResolvedAt
	}
	return v
}

// receipt shows an order to whoever asks.
func (s *Service) receipt(ctx context.Context, o Order) (Receipt, error) {
	who := actor.From(ctx)
	v := Receipt{OrderID: o.ID, No: o.No, Status: o.Status, StoreID: o.StoreID, StoreName: o.StoreName, StaffName: o.StaffName, MemberID: o.MemberID, BookingID: o.BookingID, Plate: o.Plate,
		VehicleClassName: o.VehicleClassName, Title: o.Title, At: o.CreatedAt, Lines: o.Lines, TotalFen: o.Total, CodeURL: o.CodeURL,
		SubtotalFen: o.Subtotal, SavedFen: o.Discount, PointsEarned: o.PointsEarned, GroupID: o.GroupID, Benefits: []BenefitView{}}
	for _, b := range o.Benefits {
		v.Benefits = append(v.Benefits, BenefitView{b.Kind, b.Title, b.Qty, b.SavedFen, b.LeftAfter, b.State == benefitUndone})
	}
	names := map[int64]string{o.MemberID: o.MemberName}
	if o.MemberID != 0 {
		if o.MemberName == "" {
			var err error
			if names, err = s.members.MaskedNames(ctx, []int64{o.MemberID}); err != nil {
				return v, err
			}
		}
		v.MemberName = names[o.MemberID]
		if o.Status == Settled || o.Status == Reversed {
			v.BalanceAfterFen = &o.BalanceAfter
		}
	}
	for _, t := range o.Tenders {
		v.Tenders = append(v.Tenders, tenderView(who, o, t))
	}
	if who.Kind == actor.Staff {
		v.EarnerID = o.EarnerID
	}
	var err error
	if v.EarnerName, err = s.earnerName(ctx, o.EarnerID); err != nil {
		return v, err
	}
	if o.Dispute != nil {
		d := disputeView(*o.Dispute, names)
		v.Dispute = &d
	}
	if o.Status == Reversed {
		v.Reversal = &Reversal{At: o.ReversedAt, Reason: o.ReverseReason, StaffName: o.ReverseStaff}
	}
	if o.Status == Awaiting {
		v.PayExpiresAt = &o.ExpiresAt
	}
	if who.Kind == actor.Staff && o.Status == Settled {
		limit, err := s.reverseLimit(ctx)
		if err != nil {
			return v, err
		}
		if err := reversible(o, s.db.Now(), who.ID, who.Can(perm.ReverseAny), limit); err != nil {
			v.CanReverseReason = fault.As(err).Message
		}
		v.CanReverse = v.CanReverseReason == "" && who.Can(perm.CheckoutReverse)
	}
	return v, nil
}

// tenderView is a tender as somebody may see it: how a group's wallet is made up is its payer's.
func tenderView(who actor.Actor, o Order, t Paid) TenderView {
	v := TenderView{t.Kind, tenderLabel(t.Kind), t.AmountFen, t.PrincipalFen, t.BonusFen, t.ReceivedFen, t.Reference}
	if t.Kind == TenderGroup && who.Kind == actor.Owner && who.MemberID != o.PayerID {
		v.PrincipalFen, v.BonusFen = 0, 0
	}
	return v
}

// CheckoutAsk settles a quote.
type CheckoutAsk struct {
	Request
	QuoteHash string   `json:"quoteHash" minLength:"8" maxLength:"64"`
	Tenders   []Tender `json:"tenders" maxItems:"8"`
}

// DisputeAsk is an owner's question.
type DisputeAsk struct {
	Reason string `json:"reason" enum:"not_me,not_done,amount,other"`
	Note   string `json:"note,omitempty" maxLength:"500"`
}

// ReasonAsk carries why something is done.
type ReasonAsk struct {
	Reason string `json:"reason" minLength:"2" maxLength:"200"`
}

// ResolveAsk answers a dispute.
type ResolveAsk struct {
	Outcome string `json:"outcome" enum:"upheld,rejected"`
	Answer  string `json:"answer" minLength:"2" maxLength:"500"`
}

// Routes declares the operations of the slice.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "ownerOrder", Method: http.MethodGet, Path: "/api/owner/orders/{id}", Who: httpapi.Member, Summary: "My receipt"},
		func(ctx context.Context, in *httpapi.ByID) (Receipt, error) {
			o, err := s.Order(ctx, in.ID)
			if err == nil {
				err = s.own(ctx, s.db, o)
			}
			if err != nil {
				return Receipt{}, err
			}
			return s.receipt(ctx, o)
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerDispute", Method: http.MethodPost, Path: "/api/owner/orders/{id}/dispute", Who: httpapi.Member, Summary: "Ask about a deduction"},
		func(ctx context.Context, in *httpapi.ByIDBody[DisputeAsk]) (Receipt, error) {
			return s.show(ctx)(s.Dispute(ctx, in.ID, in.Body.Reason, in.Body.Note))
		})
	httpapi.Register(r, httpapi.Op{ID: "staffQuote", Method: http.MethodPost, Path: "/api/staff/quotes", Who: httpapi.Staff, Permission: perm.CheckoutSettle, Summary: "Price a visit"},
		func(ctx context.Context, in *httpapi.Body[Request]) (Quote, error) { return s.Quote(ctx, in.Body) })
	httpapi.Register(r, httpapi.Op{ID: "staffCheckout", Method: http.MethodPost, Path: "/api/staff/checkouts", Who: httpapi.Staff, Permission: perm.CheckoutSettle, Idempotent: true, Summary: "Settle a quote"},
		func(ctx context.Context, in *httpapi.Body[CheckoutAsk]) (Receipt, error) {
			o, err := s.Settle(ctx, in.Body.Request, in.Body.QuoteHash, in.Body.Tenders)
			if err == nil && o.Status == Awaiting {
				o, err = s.Poll(ctx, o.ID)
			}
			return s.show(ctx)(o, err)
		})
	s.deskRoutes(r)
	s.consoleRoutes(r)
}

// show turns a use case's result into a receipt.
func (s *Service) show(ctx context.Context) func(Order, error) (Receipt, error) {
	return func(o Order, err error) (Receipt, error) {
		if err != nil {
			return Receipt{}, err
		}
		return s.receipt(ctx, o)
	}
}

// inStore lets staff reach the orders of their stores only.
func (s *Service) inStore(ctx context.Context, id int64, f func(context.Context, int64) (Order, error)) (Receipt, error) {
	o, err := s.Order(ctx, id)
	if err != nil {
		return Receipt{}, err
	}
	if !actor.From(ctx).InStore(o.StoreID) {
		return Receipt{}, fault.ErrNotFound
	}
	return s.show(ctx)(f(ctx, id))
}

func (s *Service) deskRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "staffOrder", Method: http.MethodGet, Path: "/api/staff/orders/{id}", Who: httpapi.Staff, Permission: perm.CheckoutSettle, Summary: "Receipt, polled while it waits for payment"},
		func(ctx context.Context, in *httpapi.ByID) (Receipt, error) { return s.inStore(ctx, in.ID, s.Poll) })
	httpapi.Register(r, httpapi.Op{ID: "staffOrderCancel", Method: http.MethodPost, Path: "/api/staff/orders/{id}/cancel", Who: httpapi.Staff, Permission: perm.CheckoutSettle, Summary: "Give up an order that waits for payment"},
		func(ctx context.Context, in *httpapi.ByID) (Receipt, error) { return s.inStore(ctx, in.ID, s.Cancel) })
	httpapi.Register(r, httpapi.Op{ID: "staffOrderReverse", Method: http.MethodPost, Path: "/api/staff/orders/{id}/reverse", Who: httpapi.Staff, Permission: perm.CheckoutReverse, Idempotent: true, Summary: "Undo a settlement"},
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonAsk]) (Receipt, error) {
			return s.show(ctx)(s.Reverse(ctx, in.ID, in.Body.Reason))
		})
}

type disputeListInput struct {
	httpapi.Paging
	Status  string `query:"status" enum:"open,upheld,rejected"`
	StoreID int64  `query:"storeId" minimum:"0"`
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleOrder", Method: http.MethodGet, Path: "/api/console/orders/{id}", Who: httpapi.Console, Permission: perm.CheckoutRead, Summary: "Receipt"},
		func(ctx context.Context, in *httpapi.ByID) (Receipt, error) { return s.inStore(ctx, in.ID, s.Order) })
	httpapi.Register(r, httpapi.Op{ID: "consoleOrderReverse", Method: http.MethodPost, Path: "/api/console/orders/{id}/reverse", Who: httpapi.Console, Permission: perm.CheckoutReverse, Idempotent: true, Summary: "Undo a settlement"},
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonAsk]) (Receipt, error) {
			return s.show(ctx)(s.Reverse(ctx, in.ID, in.Body.Reason))
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleDisputeList", Method: http.MethodGet, Path: "/api/console/disputes", Who: httpapi.Console, Permission: perm.DisputeRead, Summary: "Owners' questions, newest first"},
		func(ctx context.Context, in *disputeListInput) (httpapi.Page[DisputeView], error) {
			return s.disputePage(ctx, in)
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleDisputeResolve", Method: http.MethodPost, Path: "/api/console/disputes/{id}/resolve", Who: httpapi.Console, Permission: perm.DisputeResolve, Summary: "Answer a question"},
		func(ctx context.Context, in *httpapi.ByIDBody[ResolveAsk]) (DisputeView, error) {
			d, err := s.Resolve(ctx, in.ID, in.Body.Outcome, in.Body.Answer)
			if err != nil {
				return DisputeView{}, err
			}
			names, err := s.members.MaskedNames(ctx, []int64{d.MemberID})
			return disputeView(d, names), err
		})
}

func (s *Service) disputePage(ctx context.Context, in *disputeListInput) (page httpapi.Page[DisputeView], err error) {
	who := actor.From(ctx)
	stores := who.Stores
	if who.AllStores {
		stores = nil
	} else if stores == nil {
		stores = []int64{}
	}
	if in.StoreID != 0 {
		if !who.InStore(in.StoreID) {
			return page, fault.ErrStore
		}
		stores = []int64{in.StoreID}
	}
	before, _ := strconv.ParseInt(in.After, 10, 64) // a cursor that is none starts from the newest
	list, err := listDisputes(ctx, s.db, in.Status, stores, before, in.Limit)
	if err != nil {
		return page, err
	}
	var ids []int64
	for _, d := range list {
		ids = append(ids, d.MemberID)
	}
	names, err := s.members.MaskedNames(ctx, ids)
	for _, d := range list {
		page.Items = append(page.Items, disputeView(d, names))
	}
	if len(list) == in.Limit {
		page.Next = strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return page, err
}
