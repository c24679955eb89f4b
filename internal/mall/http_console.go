package mall

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

type orderListInput struct {
	httpapi.Paging
	State    string `query:"state" enum:"pending,ready,collected,shipped,cancelled"`
	Delivery string `query:"delivery" enum:"collect,ship,auto"`
	StoreID  int64  `query:"storeId" minimum:"0"`
	ItemID   int64  `query:"itemId" minimum:"0"`
	MemberID int64  `query:"memberId" minimum:"0"`
	No       string `query:"no" maxLength:"32" doc:"An order number as a whole"`
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string, money bool) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console/mall" + path, Summary: summary, Who: httpapi.Console, Permission: permission, Idempotent: money}
	}
	items := func(read func(ctx context.Context) ([]Item, error)) func(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[ItemView], error) {
		return func(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[ItemView], error) {
			list, err := read(ctx)
			if err != nil {
				return httpapi.Page[ItemView]{}, err
			}
			out := make([]ItemView, 0, len(list))
			for _, i := range list {
				v, err := s.itemView(ctx, i)
				if err != nil {
					return httpapi.Page[ItemView]{}, err
				}
				out = append(out, v)
			}
			return httpapi.Cut(out, *in, func(v ItemView) int64 { return v.ID }), nil
		}
	}
	httpapi.Register(r, op("consoleMallItemList", http.MethodGet, "/items", "All items, also the inactive ones", perm.MallRead, false),
		items(func(ctx context.Context) ([]Item, error) { return readItems(ctx, s.db, true) }))
	httpapi.Register(r, op("consoleMallLow", http.MethodGet, "/low", "Items of which little is left", perm.MallRead, false),
		items(func(ctx context.Context) ([]Item, error) { return lowItems(ctx, s.db) }))
	save := func(ctx context.Context, id int64, in ItemInput) (ItemView, error) {
		i, err := s.SaveItem(ctx, id, in)
		if err != nil {
			return ItemView{}, err
		}
		return s.itemView(ctx, i)
	}
	httpapi.Register(r, op("consoleMallItemCreate", http.MethodPost, "/items", "Add an item", perm.MallWrite, false),
		func(ctx context.Context, in *httpapi.Body[ItemInput]) (ItemView, error) { return save(ctx, 0, in.Body) })
	httpapi.Register(r, op("consoleMallItemUpdate", http.MethodPut, "/items/{id}", "Change an item; orders keep what they were promised", perm.MallWrite, false),
		func(ctx context.Context, in *httpapi.ByIDBody[ItemInput]) (ItemView, error) {
			return save(ctx, in.ID, in.Body)
		})
	httpapi.Register(r, op("consoleMallStock", http.MethodPost, "/items/{id}/stock", "Bring the stock up or down", perm.MallWrite, true),
		func(ctx context.Context, in *httpapi.ByIDBody[StockChange]) (ItemView, error) {
			i, err := s.ChangeStock(ctx, in.ID, in.Body)
			if err != nil {
				return ItemView{}, err
			}
			return s.itemView(ctx, i)
		})
	httpapi.Register(r, op("consoleMallOrderList", http.MethodGet, "/orders", "Orders, newest first", perm.MallRead, false),
		func(ctx context.Context, in *orderListInput) (out httpapi.Page[DeskOrder], err error) {
			f := orderFilter{memberID: in.MemberID, storeID: in.StoreID, itemID: in.ItemID, state: in.State, delivery: in.Delivery, no: in.No}
			if who := actor.From(ctx); !who.AllStores {
				f.stores = append([]int64{}, who.Stores...)
			}
			list, next, err := s.page(ctx, f, in.Paging)
			if err != nil {
				return out, err
			}
			out.Next = next
			out.Items, err = s.desk(ctx, list)
			return out, err
		})
	httpapi.Register(r, op("consoleMallOrder", http.MethodGet, "/orders/{id}", "One order; with its address for who sends it, which leaves a trace", perm.MallRead, false),
		func(ctx context.Context, in *httpapi.ByID) (DeskOrder, error) {
			o, err := s.In(ctx, in.ID)
			return s.sender(ctx, o, err)
		})
	httpapi.Register(r, op("consoleMallShip", http.MethodPost, "/orders/{id}/ship", "Note how an order was sent", perm.MallWrite, true),
		func(ctx context.Context, in *httpapi.ByIDBody[Parcel]) (DeskOrder, error) {
			if _, err := s.In(ctx, in.ID); err != nil {
				return DeskOrder{}, err
			}
			o, err := s.Send(ctx, in.ID, in.Body)
			return s.oneDesk(ctx, o, err)
		})
	httpapi.Register(r, op("consoleMallCancel", http.MethodPost, "/orders/{id}/cancel", "End an order: points, money and stock come back", perm.MallWrite, true),
		func(ctx context.Context, in *httpapi.ByIDBody[CancelAsk]) (DeskOrder, error) {
			if in.Body.Reason == "" {
				return DeskOrder{}, errReason()
			}
			if _, err := s.In(ctx, in.ID); err != nil {
				return DeskOrder{}, err
			}
			o, err := s.Cancel(ctx, 0, in.ID, in.Body.Reason)
			return s.oneDesk(ctx, o, err)
		})
}
