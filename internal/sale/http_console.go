package sale

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

// Record is a sale as the console shows it.
type Record struct {
	View
	MemberID     int64        `json:"memberId"`
	MemberName   string       `json:"memberName" doc:"Masked"`
	StoreID      int64        `json:"storeId"`
	StoreName    string       `json:"storeName"`
	StaffName    string       `json:"staffName,omitempty"`
	Plate        string       `json:"plate,omitempty"`
	Reference    string       `json:"reference,omitempty"`
	PaymentID    int64        `json:"paymentId,omitempty"`
	PrincipalFen money.Fen    `json:"principalFen,omitempty" doc:"Of stored value"`
	BonusFen     money.Fen    `json:"bonusFen,omitempty"`
	Refunds      []RefundView `json:"refunds,omitempty"`
}

// RefundView is money of a sale that went back.
type RefundView struct {
	RefundID  int64      `json:"refundId"`
	No        string     `json:"no"`
	AmountFen money.Fen  `json:"amountFen"`
	BonusFen  money.Fen  `json:"bonusFen,omitempty" doc:"Of amountFen: back to bonus"`
	Method    string     `json:"method"`
	State     string     `json:"state" enum:"processing,done,attention"`
	Reason    string     `json:"reason"`
	StaffName string     `json:"staffName"`
	CreatedAt time.Time  `json:"createdAt"`
	DoneAt    *time.Time `json:"doneAt,omitempty"`
}

// ShowBack turns a refund into what the console shows.
func ShowBack(b Back) RefundView {
	v := RefundView{RefundID: b.ID, No: b.No, AmountFen: b.AmountFen, BonusFen: b.BonusFen, Method: b.Method, State: b.State, Reason: b.Reason, StaffName: b.StaffName, CreatedAt: b.CreatedAt}
	if !b.DoneAt.IsZero() {
		v.DoneAt = &b.DoneAt
	}
	return v
}

type listInput struct {
	httpapi.Paging
	MemberID int64  `query:"memberId" minimum:"0"`
	StoreID  int64  `query:"storeId" minimum:"0"`
	Kind     string `query:"kind" maxLength:"24"`
	State    string `query:"state" enum:"pending,paid,closed,refunded"`
}

func (s *Service) records(ctx context.Context, list []Sale) ([]Record, error) {
	var ids, members []int64
	for _, x := range list {
		ids, members = append(ids, x.ID), append(members, x.MemberID)
	}
	names, err := s.members.MaskedNames(ctx, members)
	if err != nil {
		return nil, err
	}
	backs, err := refundsOf(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Record, 0, len(list))
	for _, x := range list {
		v := Record{View: Show(x), MemberID: x.MemberID, MemberName: names[x.MemberID], StoreID: x.StoreID, StoreName: "线上", StaffName: x.StaffName, Plate: x.Plate,
			Reference: x.Reference, PaymentID: x.PaymentID, PrincipalFen: x.PrincipalFen, BonusFen: x.BonusFen}
		if st, err := s.shops.Store(ctx, x.StoreID); err == nil {
			v.StoreName = st.Name
		}
		for _, b := range backs {
			if b.SaleID == x.ID {
				v.Refunds = append(v.Refunds, ShowBack(b))
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleSaleList", Method: http.MethodGet, Path: "/api/console/sales", Who: httpapi.Console, Permission: perm.PassRead, Summary: "Sales of passes, memberships and the mall, newest first"},
		func(ctx context.Context, in *listInput) (page httpapi.Page[Record], err error) {
			who := actor.From(ctx)
			f := Filter{MemberID: in.MemberID, StoreID: in.StoreID, Kind: in.Kind, State: in.State}
			if in.StoreID != 0 && !who.InStore(in.StoreID) {
				return page, fault.ErrStore
			}
			if !who.AllStores {
				f.Stores = append([]int64{}, who.Stores...)
			}
			f.Before, _ = strconv.ParseInt(in.After, 10, 64) // a cursor that is none starts from the newest
			list, err := listSales(ctx, s.db, f, in.Limit)
			if err != nil {
				return page, err
			}
			page.Items, err = s.records(ctx, list)
			if len(list) == in.Limit {
				page.Next = strconv.FormatInt(list[len(list)-1].ID, 10)
			}
			return page, err
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleSale", Method: http.MethodGet, Path: "/api/console/sales/{id}", Who: httpapi.Console, Permission: perm.PassRead, Summary: "A sale with its refunds"},
		func(ctx context.Context, in *httpapi.ByID) (Record, error) {
			x, err := s.Sale(ctx, 0, in.ID)
			if err == nil && x.StoreID != 0 && !actor.From(ctx).InStore(x.StoreID) {
				err = fault.ErrNotFound
			}
			if err != nil {
				return Record{}, err
			}
			list, err := s.records(ctx, []Sale{x})
			if err != nil {
				return Record{}, err
			}
			return list[0], nil
		})
}
