package mall

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wechat"
)

// ItemView is an item as the console shows it.
type ItemView struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Kind        string     `json:"kind" enum:"good,service,coupon,pass,membership"`
	SubjectID   int64      `json:"subjectId,omitempty"`
	Image       string     `json:"image,omitempty" doc:"Key"`
	ImageURL    string     `json:"imageUrl,omitempty"`
	Points      int64      `json:"points"`
	MoneyFen    money.Fen  `json:"moneyFen"`
	Stock       int64      `json:"stock"`
	LowStock    int64      `json:"lowStock"`
	Low         bool       `json:"low" doc:"Little is left"`
	PerMember   int        `json:"perMember" doc:"0 for no limit"`
	MinTierID   int64      `json:"minTierId,omitempty"`
	MinTierName string     `json:"minTierName,omitempty"`
	Ship        bool       `json:"ship"`
	SaleFrom    time.Time  `json:"saleFrom"`
	SaleTo      *time.Time `json:"saleTo,omitempty"`
	Active      bool       `json:"active"`
	Sort        int        `json:"sort"`
}

// Offer is an item as a member sees it.
type Offer struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Kind        string     `json:"kind" enum:"good,service,coupon,pass,membership"`
	ImageURL    string     `json:"imageUrl,omitempty"`
	Points      int64      `json:"points"`
	MoneyFen    money.Fen  `json:"moneyFen"`
	Stock       int64      `json:"stock"`
	PerMember   int        `json:"perMember,omitempty" doc:"Absent: no limit"`
	MyLeft      *int64     `json:"myLeft,omitempty" doc:"How many this member may still have; absent: no limit"`
	MinTierName string     `json:"minTierName,omitempty"`
	Ship        bool       `json:"ship" doc:"May be sent instead of collected"`
	SaleTo      *time.Time `json:"saleTo,omitempty"`
	Why         string     `json:"why,omitempty" doc:"Why it cannot be had now; absent when it can"`
}

// OrderView is an order as its owner and the desk see it.
type OrderView struct {
	ID         int64      `json:"id"`
	No         string     `json:"no"`
	ItemID     int64      `json:"itemId"`
	Title      string     `json:"title"`
	ImageURL   string     `json:"imageUrl,omitempty"`
	Kind       string     `json:"kind" enum:"good,service,coupon,pass,membership"`
	Qty        int64      `json:"qty"`
	Points     int64      `json:"points" doc:"Of all"`
	MoneyFen   money.Fen  `json:"moneyFen" doc:"Of all"`
	State      string     `json:"state" enum:"pending,ready,collected,shipped,cancelled"`
	StateText  string     `json:"stateText"`
	Delivery   string     `json:"delivery" enum:"collect,ship,auto"`
	StoreID    int64      `json:"storeId,omitempty"`
	StoreName  string     `json:"storeName,omitempty"`
	PickupCode string     `json:"pickupCode,omitempty" doc:"While it is ready: 10 digits, shown as a QR code; only to its owner"`
	Address    *Address   `json:"address,omitempty" doc:"To its owner, and to who sends it"`
	Carrier    string     `json:"carrier,omitempty"`
	TrackingNo string     `json:"trackingNo,omitempty"`
	SaleID     int64      `json:"saleId,omitempty" doc:"Of the money: ownerSaleCheck, ownerSalePay"`
	Reason     string     `json:"reason,omitempty"`
	MayCancel  bool       `json:"mayCancel"`
	CreatedAt  time.Time  `json:"createdAt"`
	ReadyAt    *time.Time `json:"readyAt,omitempty"`
	EndedAt    *time.Time `json:"endedAt,omitempty"`
}

// DeskOrder is an order with whose it is.
type DeskOrder struct {
	OrderView
	MemberID    int64  `json:"memberId"`
	MemberName  string `json:"memberName" doc:"Masked"`
	MemberPhone string `json:"memberPhone" doc:"Masked"`
	StaffName   string `json:"staffName,omitempty"`
}

// Ordered is an order that was made, with what the phone needs to pay for it.
type Ordered struct {
	Order OrderView           `json:"order"`
	Pay   *wechat.JSAPIParams `json:"pay,omitempty"`
}

// CodeAsk carries a scanned or typed pickup code.
type CodeAsk struct {
	Code string `json:"code" minLength:"1" maxLength:"40"`
}

// CancelAsk says why.
type CancelAsk struct {
	Reason string `json:"reason,omitempty" maxLength:"100"`
}

func (s *Service) itemView(ctx context.Context, i Item) (ItemView, error) {
	v := ItemView{ID: i.ID, Name: i.Name, Description: i.Description, Kind: i.Kind, SubjectID: i.SubjectID, Image: i.Image, ImageURL: s.ImageURL(i.Image), Points: i.Points, MoneyFen: i.MoneyFen,
		Stock: i.Stock, LowStock: i.LowStock, Low: i.Stock <= i.LowStock, PerMember: i.PerMember, MinTierID: i.MinTierID, Ship: i.Ship, SaleFrom: i.SaleFrom, SaleTo: clock.Pointer(i.SaleTo), Active: i.Active, Sort: i.Sort}
	if i.MinTierID != 0 {
		if _, name, err := s.rank(ctx, i.MinTierID, 0); err == nil {
			v.MinTierName = name
		}
	}
	return v, nil
}

// offers are what a member sees of items.
func (s *Service) offers(ctx context.Context, memberID int64, items []Item) ([]Offer, error) {
	mine, err := s.orderedAll(ctx, s.db, memberID)
	if err != nil {
		return nil, err
	}
	have, err := s.Points.Of(ctx, memberID)
	if err != nil {
		return nil, err
	}
	level, err := s.Tiers.OfMember(ctx, s.db, memberID)
	if err != nil {
		return nil, err
	}
	out := make([]Offer, 0, len(items))
	for _, i := range items {
		o := Offer{ID: i.ID, Name: i.Name, Description: i.Description, Kind: i.Kind, ImageURL: s.ImageURL(i.Image), Points: i.Points, MoneyFen: i.MoneyFen, Stock: i.Stock, PerMember: i.PerMember,
			Ship: i.Ship, SaleTo: clock.Pointer(i.SaleTo), Why: i.open(s.db.Now())}
		reached := true
		if i.MinTierID != 0 {
			if reached, o.MinTierName, err = s.rank(ctx, i.MinTierID, level.ID); err != nil {
				return nil, err
			}
		}
		if i.PerMember > 0 {
			left := max(int64(i.PerMember)-mine[i.ID], 0)
			o.MyLeft = &left
		}
		switch {
		case o.Why != "":
		case i.Stock <= 0:
			o.Why = "已兑完"
		case !reached:
			o.Why = o.MinTierName + "及以上可兑"
		case o.MyLeft != nil && *o.MyLeft == 0:
			o.Why = "已达到每人可兑数量"
		case have.Available < i.Points:
			o.Why = "积分不足"
		}
		out = append(out, o)
	}
	return out, nil
}

func (s *Service) orderView(ctx context.Context, o Order) OrderView {
	v := OrderView{ID: o.ID, No: o.No, ItemID: o.ItemID, Title: o.Title, ImageURL: s.ImageURL(o.Image), Kind: o.ItemKind, Qty: o.Qty, Points: o.Points, MoneyFen: o.MoneyFen, State: o.State,
		StateText: label(o), Delivery: o.Delivery, StoreID: o.StoreID, Carrier: o.Carrier, TrackingNo: o.TrackingNo, SaleID: o.SaleID, Reason: o.Reason,
		MayCancel: mayFollow(o.State, Cancelled), CreatedAt: o.CreatedAt, ReadyAt: clock.Pointer(o.ReadyAt), EndedAt: clock.Pointer(o.EndedAt)}
	if st, err := s.Shops.Store(ctx, o.StoreID); o.StoreID != 0 && err == nil {
		v.StoreName = st.Name
	}
	return v
}

func label(o Order) string {
	switch o.State {
	case Pending:
		return "待付款"
	case Ready:
		if o.Delivery == Ship {
			return "待发货"
		}
		return "待领取"
	case Collected:
		if o.Delivery == Auto {
			return "已发放"
		}
		return "已领取"
	case Shipped:
		return "已寄出"
	}
	return "已取消"
}

// own is an order as its owner sees it.
func (s *Service) own(ctx context.Context, o Order) (v OrderView, err error) {
	v = s.orderView(ctx, o)
	if o.State == Ready && o.code != "" {
		if v.PickupCode, err = s.Box.Open(colCode, o.code); err != nil {
			return v, err
		}
	}
	v.Address, err = s.openAddress(o)
	return v, err
}

func (s *Service) ordered(ctx context.Context, o Order, p payment.Prepared, err error) (Ordered, error) {
	if err != nil {
		return Ordered{}, err
	}
	v, err := s.own(ctx, o)
	return Ordered{Order: v, Pay: p.Jsapi}, err
}

func (s *Service) desk(ctx context.Context, list []Order) ([]DeskOrder, error) {
	var ids []int64
	for _, o := range list {
		ids = append(ids, o.MemberID)
	}
	names, err := s.Members.MaskedContacts(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]DeskOrder, 0, len(list))
	for _, o := range list {
		who := names[o.MemberID]
		if who == (member.Contact{}) {
			who.Name = "已注销"
		}
		out = append(out, DeskOrder{OrderView: s.orderView(ctx, o), MemberID: o.MemberID, MemberName: who.Name, MemberPhone: who.Phone, StaffName: o.StaffName})
	}
	return out, nil
}

func (s *Service) oneDesk(ctx context.Context, o Order, err error) (DeskOrder, error) {
	if err != nil {
		return DeskOrder{}, err
	}
	list, err := s.desk(ctx, []Order{o})
	if err != nil {
		return DeskOrder{}, err
	}
	return list[0], nil
}

// sender shows an order with its address to who is to send it, and leaves a trace of that.
func (s *Service) sender(ctx context.Context, o Order, err error) (DeskOrder, error) {
	v, err := s.oneDesk(ctx, o, err)
	if err != nil || o.address == "" || o.State != Ready || !actor.From(ctx).Can(perm.MallWrite) {
		return v, err
	}
	if v.Address, err = s.openAddress(o); err != nil {
		return v, err
	}
	return v, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "mall_order.address", SubjectKind: "mall_order", SubjectID: o.ID, SubjectLabel: o.No})
	})
}
