package mall

import (
	"context"
	"net/http"
	"strconv"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Routes registers the operations of the mall.
func (s *Service) Routes(r *httpapi.Router) {
	s.ownerRoutes(r)
	s.staffRoutes(r)
	s.consoleRoutes(r)
}

type ownerOrdersInput struct {
	httpapi.Paging
	State string `query:"state" enum:"pending,ready,collected,shipped,cancelled"`
}

func (s *Service) ownerRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/owner/mall" + path, Summary: summary, Who: httpapi.Member, Idempotent: method == http.MethodPost}
	}
	httpapi.Register(r, op("ownerMallItems", http.MethodGet, "/items", "What there is for points"),
		func(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[Offer], error) {
			items, err := readItems(ctx, s.db, false)
			if err != nil {
				return httpapi.Page[Offer]{}, err
			}
			shown := items[:0]
			for _, i := range items {
				if i.SaleTo.IsZero() || s.db.Now().Before(i.SaleTo) {
					shown = append(shown, i)
				}
			}
			out, err := s.offers(ctx, actor.From(ctx).MemberID, shown)
			return httpapi.Cut(out, *in, func(o Offer) int64 { return o.ID }), err
		})
	httpapi.Register(r, op("ownerMallItem", http.MethodGet, "/items/{id}", "One item"),
		func(ctx context.Context, in *httpapi.ByID) (Offer, error) {
			i, err := itemByID(ctx, s.db, in.ID, "")
			if err != nil {
				return Offer{}, err
			}
			out, err := s.offers(ctx, actor.From(ctx).MemberID, []Item{i})
			if err != nil {
				return Offer{}, err
			}
			return out[0], nil
		})
	httpapi.Register(r, op("ownerMallOrderCreate", http.MethodPost, "/orders", "Exchange points"),
		func(ctx context.Context, in *httpapi.Body[Ask]) (Ordered, error) {
			o, p, err := s.Order(ctx, actor.From(ctx).MemberID, in.Body)
			return s.ordered(ctx, o, p, err)
		})
	httpapi.Register(r, op("ownerMallOrders", http.MethodGet, "/orders", "My orders, newest first"),
		func(ctx context.Context, in *ownerOrdersInput) (out httpapi.Page[OrderView], err error) {
			list, next, err := s.page(ctx, orderFilter{memberID: actor.From(ctx).MemberID, state: in.State}, in.Paging)
			for _, o := range list {
				out.Items = append(out.Items, s.orderView(ctx, o))
			}
			out.Next = next
			return out, err
		})
	httpapi.Register(r, op("ownerMallOrder", http.MethodGet, "/orders/{id}", "My order, with its pickup code"),
		func(ctx context.Context, in *httpapi.ByID) (OrderView, error) {
			o, err := s.Get(ctx, actor.From(ctx).MemberID, in.ID)
			if err != nil {
				return OrderView{}, err
			}
			return s.own(ctx, o)
		})
	httpapi.Register(r, op("ownerMallOrderCancel", http.MethodPost, "/orders/{id}/cancel", "Give an order up: points and money come back"),
		func(ctx context.Context, in *httpapi.ByIDBody[CancelAsk]) (OrderView, error) {
			o, err := s.Cancel(ctx, actor.From(ctx).MemberID, in.ID, orText(in.Body.Reason, "本人取消"))
			if err != nil {
				return OrderView{}, err
			}
			return s.own(ctx, o)
		})
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// page reads a page of orders and what comes after it.
func (s *Service) page(ctx context.Context, f orderFilter, p httpapi.Paging) ([]Order, string, error) {
	list, err := readOrders(ctx, s.db, f, p.After, p.Limit+1)
	if err != nil || len(list) <= p.Limit {
		return list, "", err
	}
	return list[:p.Limit], strconv.FormatInt(list[p.Limit-1].ID, 10), nil
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	guesses := httpapi.NewGuesses()
	httpapi.Register(r, httpapi.Op{ID: "staffMallCollect", Method: http.MethodPost, Path: "/api/staff/mall/collect", Summary: "Look an order up by its pickup code", Who: httpapi.Staff, Permission: perm.MallDeliver},
		func(ctx context.Context, in *httpapi.Body[CodeAsk]) (DeskOrder, error) {
			o, err := httpapi.Try(ctx, guesses, s.db.Now(), func() (Order, error) { return s.Find(ctx, in.Body.Code) }, ErrCode)
			return s.oneDesk(ctx, o, err)
		})
	httpapi.Register(r, httpapi.Op{ID: "staffMallDeliver", Method: http.MethodPost, Path: "/api/staff/mall/orders/{id}/deliver", Summary: "Hand an order out to who shows its code", Who: httpapi.Staff,
		Permission: perm.MallDeliver, Idempotent: true},
		func(ctx context.Context, in *httpapi.ByIDBody[CodeAsk]) (DeskOrder, error) {
			o, err := httpapi.Try(ctx, guesses, s.db.Now(), func() (Order, error) { return s.Deliver(ctx, in.ID, in.Body.Code) }, ErrCode)
			return s.oneDesk(ctx, o, err)
		})
}
