package mall

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/sale"
)

// Ask is what a member wants, at the price that was shown.
type Ask struct {
	ItemID   int64     `json:"itemId" minimum:"1"`
	Qty      int64     `json:"qty" minimum:"1" maximum:"99"`
	Points   int64     `json:"points" minimum:"0" maximum:"1000000" doc:"Of one, as shown"`
	MoneyFen money.Fen `json:"moneyFen,omitempty" minimum:"0" maximum:"9999999" doc:"Of one, as shown"`
	Delivery string    `json:"delivery,omitempty" enum:"collect,ship" doc:"Of goods; collect unless told"`
	StoreID  int64     `json:"storeId,omitempty" minimum:"0" doc:"Where goods are collected"`
	Address  *Address  `json:"address,omitempty" doc:"Where goods are sent"`
	Pay      string    `json:"pay,omitempty" enum:"wechat,balance" doc:"How the money is paid, if there is any"`
}

// onceTx runs a command once per Idempotency-Key; jobs and seeds have none.
func onceTx(ctx context.Context, tx *db.Tx, id int64, fn func() error) (int64, error) {
	if _, ok := idem.From(ctx); !ok {
		return id, fn()
	}
	got, _, err := idem.Once(ctx, tx, func() (int64, error) { return id, fn() })
	return got, err
}

// Order exchanges points, and begins the payment of the money where there is some. It is a money command. Faults: ErrStock, ErrLimit, ErrTier,
// ErrClosed, ErrChanged, ErrShip, points.ErrInsufficient, those of sale.Begin and of member.Standing.
func (s *Service) Order(ctx context.Context, memberID int64, a Ask) (Order, payment.Prepared, error) {
	a, err := s.checkAsk(ctx, a)
	if err != nil {
		return s.orderedBefore(ctx, a, err)
	}
	if a.MoneyFen > 0 {
		return s.orderForMoney(ctx, memberID, a)
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		oid := tx.NewID()
		got, err := onceTx(ctx, tx, oid, func() error {
			st, err := s.Members.StandingTx(ctx, tx, memberID)
			if err != nil {
				return err
			}
			if err := st.Usable(); err != nil {
				return err
			}
			o, err := s.reserveTx(ctx, tx, oid, memberID, 0, a)
			if err != nil {
				return err
			}
			return s.readyTx(ctx, tx, &o)
		})
		id = got
		return err
	})
	if err != nil {
		return Order{}, payment.Prepared{}, err
	}
	o, err := orderByID(ctx, s.db, id, "")
	return o, payment.Prepared{}, err
}

// orderedBefore is the order that the same command made before, and refusal otherwise.
func (s *Service) orderedBefore(ctx context.Context, a Ask, refusal error) (o Order, prep payment.Prepared, err error) {
	id, err := idem.Or[int64](ctx, s.db, refusal)
	switch {
	case err != nil:
		return o, prep, err
	case a.MoneyFen == 0:
		o, err = orderByID(ctx, s.db, id, "")
		return o, prep, err
	}
	if _, prep, err = s.Sales.Started(ctx, id); err == nil { // the key is that of its sale
		o, err = orderBySale(ctx, s.db, id, "")
	}
	return o, prep, err
}

func (s *Service) orderForMoney(ctx context.Context, memberID int64, a Ask) (Order, payment.Prepared, error) {
	if a.Pay == "" {
		a.Pay = sale.MethodWeChat
	}
	data, err := json.Marshal(a)
	if err != nil {
		return Order{}, payment.Prepared{}, err
	}
	if a.Address != nil { // what a sale keeps is not sealed
		sealed, err := s.sealAddress(*a.Address)
		if err != nil {
			return Order{}, payment.Prepared{}, err
		}
		b := a
		b.Address = nil
		if data, err = json.Marshal(saleData{b, sealed}); err != nil {
			return Order{}, payment.Prepared{}, err
		}
	}
	x, prep, err := s.Sales.Begin(ctx, sale.Buy{Kind: SaleKind, SubjectID: a.ItemID, MemberID: memberID, StoreID: a.StoreID, Qty: a.Qty, Data: data}, sale.Pay{Method: a.Pay})
	if err != nil {
		return Order{}, payment.Prepared{}, err
	}
	o, err := orderBySale(ctx, s.db, x.ID, "")
	return o, prep, err
}

// saleData is what the sale of an order keeps.
type saleData struct {
	Ask
	Sealed string `json:"sealed,omitempty"`
}

// checkAsk checks what can be checked without a lock. Faults: fault.ErrInvalid, ErrShip, those of shop.Open.
func (s *Service) checkAsk(ctx context.Context, a Ask) (Ask, error) {
	if a.Qty < 1 || a.Qty > maxQty {
		return a, fault.ErrInvalid.On("qty", "数量应为 1 至 99")
	}
	i, err := itemByID(ctx, s.db, a.ItemID, "")
	if err != nil {
		return a, err
	}
	switch {
	case i.gift(1) != nil:
		a.Delivery, a.StoreID, a.Address = Auto, 0, nil
	case a.Delivery == Ship:
		if !i.Ship {
			return a, fault.ErrInvalid.On("delivery", "这件礼品只能到店领取")
		}
		if a.Address == nil {
			return a, ErrShip.On("address", "请填写收货地址")
		}
		clean, err := a.Address.clean()
		if err != nil {
			return a, err
		}
		a.Address, a.StoreID = &clean, 0
	default:
		a.Delivery, a.Address = Collect, nil
		if a.StoreID == 0 {
			return a, fault.ErrInvalid.On("storeId", "请选择取货门店")
		}
		if _, err := s.Shops.Open(ctx, a.StoreID); err != nil {
			return a, err
		}
	}
	return a, nil
}

// reserveTx takes stock and points for an order of a locked member and writes it. Faults: ErrStock, ErrLimit, ErrTier, ErrClosed, ErrChanged,
// points.ErrInsufficient.
func (s *Service) reserveTx(ctx context.Context, tx *db.Tx, id, memberID, saleID int64, a Ask) (Order, error) {
	i, err := itemByID(ctx, tx, a.ItemID, "")
	if err != nil {
		return Order{}, err
	}
	if why := i.open(tx.Now); why != "" {
		return Order{}, ErrClosed.Say("%s：%s", i.Name, why)
	}
	if i.Points != a.Points || i.MoneyFen != a.MoneyFen {
		return Order{}, ErrChanged.Say("现在需要 %s，请确认后再兑换", costText(i.Points, i.MoneyFen)).Give(map[string]any{"points": i.Points, "moneyFen": i.MoneyFen})
	}
	if (i.gift(1) != nil) != (a.Delivery == Auto) || a.Delivery == Ship && !i.Ship {
		return Order{}, ErrChanged
	}
	if err := s.mayOrder(ctx, tx, i, memberID, a.Qty); err != nil {
		return Order{}, err
	}
	o := Order{ID: id, No: fmt.Sprintf("M%d", id), ItemID: i.ID, MemberID: memberID, StoreID: a.StoreID, ItemKind: i.Kind, SubjectID: i.SubjectID, Title: i.Name, Image: i.Image, Qty: a.Qty,
		Points: i.Points * a.Qty, MoneyFen: i.MoneyFen * money.Fen(a.Qty), State: Pending, Delivery: a.Delivery, SaleID: saleID, CreatedAt: tx.Now}
	if a.Address != nil {
		if o.address, err = s.sealAddress(*a.Address); err != nil {
			return Order{}, err
		}
	}
	if err := insertOrder(ctx, tx, o); err != nil {
		return Order{}, err
	}
	if o.Points > 0 {
		if err := s.Points.TakeTx(ctx, tx, memberID, o.Points, refOrder, o.ID, db.Clip("兑换 "+i.Name, 60)); err != nil {
			return Order{}, err
		}
	}
	err = moveStock(ctx, tx, moveRow{ItemID: i.ID, OrderID: o.ID, Kind: MoveOrder, Amount: -o.Qty, Reason: o.No})
	if errors.Is(err, ErrStock) {
		left, rerr := itemByID(ctx, tx, i.ID, "")
		if rerr != nil {
			return Order{}, rerr
		}
		if left.Stock > 0 {
			return Order{}, ErrStock.Say("只剩 %d 件了，请减少数量", left.Stock).On("qty", fmt.Sprintf("最多 %d 件", left.Stock))
		}
		return Order{}, ErrStock.On("qty", "已兑完")
	}
	return o, err
}

// mayOrder checks tier and limit of a locked member. Faults: ErrTier, ErrLimit.
func (s *Service) mayOrder(ctx context.Context, tx *db.Tx, i Item, memberID, qty int64) error {
	if i.MinTierID != 0 {
		have, err := s.Tiers.OfMember(ctx, tx, memberID)
		if err != nil {
			return err
		}
		reached, name, err := s.rank(ctx, i.MinTierID, have.ID)
		if err != nil {
			return err
		}
		if !reached {
			return ErrTier.Say("%s 及以上会员才能兑换", name).On("itemId", "等级未达到")
		}
	}
	if i.PerMember > 0 {
		had, err := s.orderedAll(ctx, tx, memberID)
		if err != nil {
			return err
		}
		if n := had[i.ID]; n+qty > int64(i.PerMember) {
			return ErrLimit.Say("每人限兑 %d 件，您还能兑 %d 件", i.PerMember, max(int64(i.PerMember)-n, 0)).On("qty", "超过了可兑数量")
		}
	}
	return nil
}

// readyTx makes a pending order ready once nothing is owed: things wait for their owner, the rest is given at once.
func (s *Service) readyTx(ctx context.Context, tx *db.Tx, o *Order) error {
	var index *string
	var sealed string
	o.State, o.ReadyAt = Ready, tx.Now
	switch o.Delivery {
	case Auto:
		o.State, o.EndedAt = Collected, tx.Now
	case Collect:
		var err error
		if index, sealed, err = s.newPickup(); err != nil {
			return err
		}
	}
	if err := markReady(ctx, tx, *o, index, sealed); err != nil {
		return err
	}
	o.code = sealed
	switch o.Delivery {
	case Auto:
		_, err := s.Gifts.GiveTx(ctx, tx, campaign.Give{MemberID: o.MemberID, Source: "mall", RefID: o.ID, Dedupe: fmt.Sprintf("mall:%d", o.ID), Title: o.Title,
			Gift: giftOf(o.ItemKind, o.SubjectID, o.Qty)})
		return err
	case Collect:
		return s.tellTx(ctx, tx, *o, notify.MallReady, "到店出示取货码领取")
	}
	return nil
}

// product is what sale sells of the mall.
type product struct{ *Service }

// OfferTx writes the order and takes its stock and points.
func (p product) OfferTx(ctx context.Context, tx *db.Tx, b sale.Buy) (sale.Terms, error) {
	var d saleData
	if err := json.Unmarshal(b.Data, &d); err != nil {
		return sale.Terms{}, err
	}
	d.Address = nil
	o, err := p.reserveTx(ctx, tx, tx.NewID(), b.MemberID, b.SaleID, d.Ask)
	if err != nil {
		return sale.Terms{}, err
	}
	if d.Sealed != "" {
		if err := setAddress(ctx, tx, o.ID, d.Sealed); err != nil {
			return sale.Terms{}, err
		}
	}
	title := "兑换 " + o.Title
	if o.Qty > 1 {
		title += fmt.Sprintf(" ×%d", o.Qty)
	}
	return sale.Terms{Title: title, PriceFen: o.MoneyFen, Account: ledger.Revenue, BalanceAllowed: o.ItemKind == KindGood}, nil
}

// DeliverTx makes the order ready.
func (p product) DeliverTx(ctx context.Context, tx *db.Tx, x sale.Sale) (sale.Delivered, error) {
	o, err := orderBySale(ctx, tx, x.ID, tx.ForUpdate())
	if err != nil {
		return sale.Delivered{}, err
	}
	if o.State != Pending {
		return sale.Delivered{}, sale.ErrGone
	}
	if err := p.readyTx(ctx, tx, &o); err != nil {
		return sale.Delivered{}, err
	}
	return sale.Delivered{ID: o.ID, Lines: []sale.Line{{Title: o.Title, Explain: fmt.Sprintf("另用 %d 积分", o.Points)}}}, nil
}

// ReleaseTx gives stock and points of an order back that nobody paid.
func (p product) ReleaseTx(ctx context.Context, tx *db.Tx, x sale.Sale) error {
	o, err := orderBySale(ctx, tx, x.ID, tx.ForUpdate())
	if errors.Is(err, fault.ErrNotFound) || err == nil && o.State != Pending {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := p.Members.StandingTx(ctx, tx, o.MemberID); err != nil {
		return err
	}
	return p.giveBackTx(ctx, tx, o, 0, "没有付款")
}

// giveBackTx ends an order from the state that was read under its lock, and gives points and stock back: once, because the state decides.
func (s *Service) giveBackTx(ctx context.Context, tx *db.Tx, o Order, refundID int64, reason string) error {
	who := actor.From(ctx)
	if err := markCancelled(ctx, tx, o, o.State, refundID, db.Clip(reason, 200), db.Clip(who.Name, 64)); err != nil {
		return err
	}
	if o.Points > 0 {
		if err := s.Points.ReturnTx(ctx, tx, refOrder, o.ID); err != nil {
			return err
		}
	}
	return moveStock(ctx, tx, moveRow{ItemID: o.ItemID, OrderID: o.ID, Kind: MoveReturn, Amount: o.Qty, Reason: db.Clip(reason, 200), ByName: db.Clip(who.Name, 60)})
}

// Cancel ends an order that its owner has not got yet and gives points, money and stock back. memberID 0 is the shop. It is a money command.
// Faults: ErrState, fault.ErrNotFound, those of sale.
func (s *Service) Cancel(ctx context.Context, memberID, id int64, reason string) (Order, error) {
	seen, err := s.Get(ctx, memberID, id)
	if err != nil {
		return seen, err
	}
	if seen.State == Pending && seen.SaleID != 0 { // WeChat is asked first: if it was paid meanwhile, it is ready instead
		if _, err := s.Sales.Cancel(ctx, 0, seen.SaleID); err != nil {
			return seen, err
		}
		return orderByID(ctx, s.db, id, "")
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := onceTx(ctx, tx, id, func() error { return s.cancelTx(ctx, tx, seen, reason) })
		return err
	})
	if err != nil {
		return seen, err
	}
	return orderByID(ctx, s.db, id, "")
}

func (s *Service) cancelTx(ctx context.Context, tx *db.Tx, seen Order, reason string) error {
	var paid money.Fen
	if seen.SaleID != 0 {
		locked, err := s.Sales.LockTx(ctx, tx, seen.SaleID)
		if err != nil {
			return err
		}
		for _, x := range locked {
			paid = x.Left()
		}
	}
	o, err := orderByID(ctx, tx, seen.ID, tx.ForUpdate())
	if err != nil {
		return err
	}
	if o.State != Ready {
		return ErrState.Say("%s，不能取消", stateText(o))
	}
	st, err := s.Members.StandingTx(ctx, tx, o.MemberID)
	if err != nil {
		return err
	}
	var refundID int64
	if o.SaleID != 0 && paid > 0 {
		if refundID, err = s.Sales.RefundTx(ctx, tx, sale.Refund{SaleID: o.SaleID, AmountFen: paid, Reason: db.Clip("取消兑换 "+o.Title, 100)}); err != nil {
			return err
		}
	}
	if err := s.giveBackTx(ctx, tx, o, refundID, reason); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "mall_order.cancel", SubjectKind: "mall_order", SubjectID: o.ID, SubjectLabel: o.No + " " + st.PhoneMasked, StoreID: o.StoreID,
		Detail: map[string]any{"reason": reason, "points": o.Points, "moneyFen": paid}})
}

func stateText(o Order) string {
	switch o.State {
	case Pending:
		return "订单还没付款"
	case Collected:
		if o.Delivery == Auto {
			return "已经发放到账户"
		}
		return "已经领取"
	case Shipped:
		return "已经寄出"
	case Cancelled:
		return "已经取消"
	}
	return "可以领取"
}

// Get reads an order of the member; memberID 0 reads anybody's. Fault: fault.ErrNotFound.
func (s *Service) Get(ctx context.Context, memberID, id int64) (Order, error) {
	o, err := orderByID(ctx, s.db, id, "")
	if err == nil && memberID != 0 && o.MemberID != memberID {
		return Order{}, fault.ErrNotFound
	}
	return o, err
}

// In is an order as staff may see it: what is collected in a store, by those who work there. Fault: fault.ErrNotFound.
func (s *Service) In(ctx context.Context, id int64) (Order, error) {
	o, err := s.Get(ctx, 0, id)
	if err == nil && o.StoreID != 0 && !actor.From(ctx).InStore(o.StoreID) {
		return Order{}, fault.ErrNotFound
	}
	return o, err
}

// Find looks an order up by its pickup code, in the acting staff's stores. Faults: ErrCode, ErrStore.
func (s *Service) Find(ctx context.Context, code string) (Order, error) {
	plain := plainCode(code)
	if plain == "" {
		return Order{}, ErrCode.On("code", "取货码是 10 位数字")
	}
	o, err := orderByCode(ctx, s.db, s.Box.Index(colCode, plain))
	if err != nil {
		return o, err
	}
	if !actor.From(ctx).InStore(o.StoreID) {
		return Order{}, ErrStore
	}
	return o, nil
}

// Deliver hands a ready order out to who shows its code, once. It is a money command. Faults: ErrCode, ErrState, ErrStore.
func (s *Service) Deliver(ctx context.Context, id int64, code string) (Order, error) {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := onceTx(ctx, tx, id, func() error {
			o, err := orderByID(ctx, tx, id, tx.ForUpdate())
			if err != nil {
				return err
			}
			if !actor.From(ctx).InStore(o.StoreID) {
				return ErrStore
			}
			plain := plainCode(code)
			byCode, err := orderByCode(ctx, tx, s.Box.Index(colCode, plain))
			if plain == "" || err != nil || byCode.ID != id {
				return ErrCode.On("code", "取货码和订单不符，请重新扫码")
			}
			if o.State != Ready {
				return ErrState.Say("%s，不能再领", stateText(o))
			}
			who := actor.From(ctx)
			if err := markCollected(ctx, tx, id, db.Clip(who.Name, 64)); err != nil {
				return err
			}
			return audit.RecordTx(ctx, tx, audit.Entry{Action: "mall_order.collect", SubjectKind: "mall_order", SubjectID: id, SubjectLabel: o.No, StoreID: o.StoreID,
				Detail: map[string]any{"title": o.Title, "qty": o.Qty}})
		})
		return err
	})
	if err != nil {
		return Order{}, err
	}
	return orderByID(ctx, s.db, id, "")
}

// PickupCode is the code of a member's ready order, "" when there is none. Fault: fault.ErrNotFound.
func (s *Service) PickupCode(ctx context.Context, memberID, id int64) (string, error) {
	o, err := s.Get(ctx, memberID, id)
	if err != nil || o.State != Ready || o.code == "" {
		return "", err
	}
	return s.Box.Open(colCode, o.code)
}

// Parcel is how something was sent.
type Parcel struct {
	Carrier    string `json:"carrier" minLength:"1" maxLength:"20"`
	TrackingNo string `json:"trackingNo" minLength:"4" maxLength:"40" pattern:"^[A-Za-z0-9-]+$"`
}

// Send notes that a ready order was sent; a second number corrects the first. It is a money command. Fault: ErrState.
func (s *Service) Send(ctx context.Context, id int64, p Parcel) (Order, error) {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := onceTx(ctx, tx, id, func() error {
			o, err := orderByID(ctx, tx, id, tx.ForUpdate())
			if err != nil {
				return err
			}
			if o.Delivery != Ship || o.State != Ready && o.State != Shipped {
				return ErrState.Say("%s，不能寄出", stateText(o))
			}
			if err := markShipped(ctx, tx, id, p.Carrier, p.TrackingNo, db.Clip(actor.From(ctx).Name, 64)); err != nil {
				return err
			}
			o.Carrier, o.TrackingNo = p.Carrier, p.TrackingNo
			if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "mall_order.ship", SubjectKind: "mall_order", SubjectID: id, SubjectLabel: o.No, Detail: p}); err != nil {
				return err
			}
			return s.tellTx(ctx, tx, o, notify.MallShipped, p.Carrier)
		})
		return err
	})
	if err != nil {
		return Order{}, err
	}
	return orderByID(ctx, s.db, id, "")
}
