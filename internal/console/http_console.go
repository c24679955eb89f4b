package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

type orderInput struct {
	httpapi.Paging
	Q        string `query:"q" maxLength:"40" doc:"Order number, three characters of a plate, a member's phone or whole name"`
	Status   string `query:"status" enum:"awaiting_payment,settled,cancelled,reversed"`
	StoreID  int64  `query:"storeId" minimum:"0"`
	MemberID int64  `query:"memberId" minimum:"0"`
	Tender   string `query:"tender" enum:"balance,cash,card,alipay,wechat_native,deposit,points,group"`
	Disputed bool   `query:"disputed"`
	From     string `query:"from" maxLength:"10" doc:"Business date, YYYY-MM-DD"`
	To       string `query:"to" maxLength:"10" doc:"Business date, inclusive"`
	Sort     string `query:"sort" enum:"at,-at,total,-total" default:"-at"`
}

type topupInput struct {
	httpapi.Paging
	Q        string `query:"q" maxLength:"40" doc:"Top-up number, the member's phone or whole name"`
	State    string `query:"state" enum:"pending,credited,closed,refunded"`
	Method   string `query:"method" enum:"wechat,wechat_native,cash,card,alipay"`
	StoreID  int64  `query:"storeId" minimum:"0"`
	MemberID int64  `query:"memberId" minimum:"0"`
	From     string `query:"from" maxLength:"10" doc:"Business date, YYYY-MM-DD"`
	To       string `query:"to" maxLength:"10" doc:"Business date, inclusive"`
	Sort     string `query:"sort" enum:"at,-at" default:"-at"`
}

// Routes registers the lists and the pages of the console.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleOrderList", Method: http.MethodGet, Path: "/api/console/orders", Summary: "Orders", Who: httpapi.Console,
		Permission: perm.CheckoutRead}, s.orders)
	httpapi.Register(r, httpapi.Op{ID: "consoleTopupList", Method: http.MethodGet, Path: "/api/console/topups", Summary: "Top-ups", Who: httpapi.Console,
		Permission: perm.PaymentRead}, s.topups)
	s.pages(r)
}

func (s *Service) orders(ctx context.Context, in *orderInput) (page httpapi.Page[OrderRow], err error) {
	f := orderFilter{status: in.Status, tender: in.Tender, from: in.From, to: in.To, byTotal: strings.HasSuffix(in.Sort, "total"),
		desc: strings.HasPrefix(in.Sort, "-"), limit: in.Limit + 1, memberID: in.MemberID, disputedOnly: in.Disputed}
	if err = span(in.From, in.To); err != nil {
		return page, err
	}
	if f.stores, err = stores(ctx, in.StoreID); err != nil {
		return page, err
	}
	if f.find, err = s.find(in.Q); err != nil {
		return page, err
	}
	p, ok, err := parsePlace(in.After)
	if err != nil {
		return page, err
	}
	if ok {
		f.after = &p
	}
	rows, err := listOrders(ctx, s.db, f)
	if err != nil {
		return page, err
	}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		last := rows[in.Limit-1]
		page.Next = place{last.CreatedAt, last.ID}.String()
		if f.byTotal {
			page.Next = place{last.TotalFen, last.ID}.String()
		}
	}
	var ids []int64
	for _, o := range rows {
		if o.MemberID != 0 {
			ids = append(ids, o.MemberID)
		}
	}
	names, err := s.members.MaskedNames(ctx, ids)
	for _, o := range rows {
		page.Items = append(page.Items, OrderRow{ID: o.ID, No: o.No, At: clock.FromMillis(o.CreatedAt), StoreName: o.StoreName, StaffName: o.StaffName,
			MemberID: o.MemberID, MemberName: names[o.MemberID], Plate: o.Plate, Title: o.Title, TotalFen: money.Fen(o.TotalFen), TenderLabel: o.TenderLabel,
			Status: o.Status, Disputed: o.Disputed})
	}
	return page, err
}

func (s *Service) topups(ctx context.Context, in *topupInput) (page httpapi.Page[TopupRow], err error) {
	f := topupFilter{state: in.State, method: in.Method, from: in.From, to: in.To, memberID: in.MemberID, desc: in.Sort != "at", limit: in.Limit + 1}
	if err = span(in.From, in.To); err != nil {
		return page, err
	}
	if f.stores, err = stores(ctx, in.StoreID); err != nil {
		return page, err
	}
	if f.find, err = s.find(in.Q); err != nil {
		return page, err
	}
	p, ok, err := parsePlace(in.After)
	if err != nil {
		return page, err
	}
	if ok {
		f.after = &p
	}
	rows, err := listTopups(ctx, s.db, f)
	if err != nil {
		return page, err
	}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		page.Next = place{rows[in.Limit-1].CreatedAt, rows[in.Limit-1].ID}.String()
	}
	ids := make([]int64, 0, len(rows))
	for _, t := range rows {
		ids = append(ids, t.MemberID)
	}
	names, err := s.members.MaskedNames(ctx, ids)
	if err != nil {
		return page, err
	}
	all, err := s.shops.Stores(ctx)
	storeName := map[int64]string{0: "线上"}
	for _, st := range all {
		storeName[st.ID] = st.Name
	}
	for _, t := range rows {
		page.Items = append(page.Items, TopupRow{ID: t.ID, No: t.No, At: clock.FromMillis(t.CreatedAt), MemberID: t.MemberID, MemberName: names[t.MemberID],
			AmountFen: money.Fen(t.AmountFen), BonusFen: money.Fen(t.BonusFen), Method: t.Method, State: t.State, StoreName: storeName[t.StoreID],
			StaffName: t.StaffName, RefundedFen: money.Fen(t.RefundedFen)})
	}
	return page, err
}
