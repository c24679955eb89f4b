package sale

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/wallet"
)

// Service sells.
type Service struct {
	db       *db.DB
	log      *slog.Logger
	members  *member.Service
	payments *payment.Service
	shops    *shop.Service
	settings *setting.Service
	products map[string]Product
	watchers []Watcher
}

// Watcher hears of a sale in the transaction that delivers it.
type Watcher func(ctx context.Context, tx *db.Tx, s Sale) error

// New returns the service and registers it as the fulfiller of its payments.
func New(d *db.DB, log *slog.Logger, m *member.Service, p *payment.Service, sh *shop.Service, st *setting.Service) *Service {
	s := &Service{db: d, log: log, members: m, payments: p, shops: sh, settings: st, products: map[string]Product{}}
	p.Fulfil(PurposeSale, fulfiller{s})
	return s
}

// Offer names who delivers sales of a kind, before any of them is made.
func (s *Service) Offer(kind string, p Product) { s.products[kind] = p }

// Watch names who hears of every sale that is delivered.
func (s *Service) Watch(w Watcher) { s.watchers = append(s.watchers, w) }

func (s *Service) product(kind string) (Product, error) {
	if p := s.products[kind]; p != nil {
		return p, nil
	}
	return nil, ErrKind.With(fmt.Errorf("sale: nobody offers %q", kind))
}

// Begin starts a purchase: by the owner in the app, or at a desk. What costs nothing, or is paid at once, is delivered at once. It is a money
// command: the same key returns the same sale. Faults: ErrMethod, ErrReference, ErrBalance, ErrCode, fault.ErrStore, those of the product, of
// member.Standing.MayTopUp and of wallet.Spend; wechat.unavailable when WeChat cannot be reached: the same command may be sent again.
func (s *Service) Begin(ctx context.Context, b Buy, p Pay) (Sale, payment.Prepared, error) {
	p, err := s.Ready(ctx, b.StoreID, p)
	if err != nil {
		id, err := idem.Or[int64](ctx, s.db, err)
		if err != nil {
			return Sale{}, payment.Prepared{}, err
		}
		return s.Started(ctx, id)
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (int64, error) {
			x, err := s.BeginTx(ctx, tx, b, p)
			return x.ID, err
		})
		id = got
		return err
	})
	if err != nil {
		return Sale{}, payment.Prepared{}, err
	}
	return s.Started(ctx, id)
}

// Ready checks a way of paying against who acts and finds the payer; it belongs before the transaction of BeginTx.
// Faults: ErrMethod, ErrReference, fault.ErrStore, shop.inactive.
func (s *Service) Ready(ctx context.Context, storeID int64, p Pay) (Pay, error) {
	who := actor.From(ctx)
	owner := who.Kind == actor.Owner
	if err := checkMethod(p, owner); err != nil {
		return p, err
	}
	if storeID != 0 || !owner {
		if !owner && !who.InStore(storeID) {
			return p, fault.ErrStore
		}
		if _, err := s.shops.Open(ctx, storeID); err != nil {
			return p, err
		}
	}
	if p.Method == MethodWeChat {
		var err error
		if p.App, p.OpenID, err = s.members.OpenID(ctx, who.ID); err != nil {
			return p, err
		}
	}
	return p, nil
}

// Started reads a sale with what is needed to pay it.
func (s *Service) Started(ctx context.Context, id int64) (Sale, payment.Prepared, error) {
	x, err := s.Sale(ctx, 0, id)
	if err != nil || x.State != StatePending || x.PaymentID == 0 {
		return x, payment.Prepared{}, err
	}
	prep, err := s.payments.Prepay(ctx, x.PaymentID)
	return x, prep, err
}

// BeginTx is Begin as a step of somebody else's transaction. It locks the member; p comes from Ready, unless it is MethodBalance by a job.
func (s *Service) BeginTx(ctx context.Context, tx *db.Tx, b Buy, p Pay) (Sale, error) {
	product, err := s.product(b.Kind)
	if err != nil {
		return Sale{}, err
	}
	st, err := s.members.StandingTx(ctx, tx, b.MemberID)
	if err != nil {
		return Sale{}, err
	}
	if err := st.MayTopUp(); err != nil {
		return Sale{}, err
	}
	b.SaleID, b.Qty = tx.NewID(), max(b.Qty, 1)
	terms, err := product.OfferTx(ctx, tx, b)
	if err != nil {
		return Sale{}, err
	}
	minutes, err := s.settings.Int(ctx, setting.TopupPayMinutes)
	if err != nil {
		return Sale{}, err
	}
	x := Sale{ID: b.SaleID, No: fmt.Sprintf("S%d", b.SaleID), Kind: b.Kind, SubjectID: b.SubjectID, MemberID: b.MemberID, StoreID: b.StoreID, Qty: b.Qty, Plate: b.Plate,
		Title: db.Clip(terms.Title, 100), PriceFen: terms.PriceFen, Account: terms.Account, Method: p.Method, Reference: p.Reference, State: StatePending, Data: b.Data,
		Snapshot: terms.Snapshot, CreatedAt: tx.Now, ExpiresAt: tx.Now.Add(time.Duration(minutes) * time.Minute), BizDay: s.shops.BizDay(ctx, tx.Now, b.StoreID)}
	who := actor.From(ctx)
	if who.Kind == actor.Staff {
		x.StaffID, x.StaffName = who.ID, who.Name
		if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "sale.desk", SubjectKind: "member", SubjectID: b.MemberID, SubjectLabel: x.No, StoreID: b.StoreID,
			Detail: map[string]any{"title": x.Title, "priceFen": x.PriceFen, "method": x.Method, "reference": x.Reference}}); err != nil {
			return Sale{}, err
		}
	}
	if x.PriceFen == 0 {
		x.Method = MethodFree
	}
	if x.Method == MethodWeChat || x.Method == MethodWeChatNative {
		return x, s.payableTx(ctx, tx, &x, p)
	}
	if x.Method == MethodBalance {
		if !terms.BalanceAllowed {
			return Sale{}, ErrBalance
		}
		if err := s.codeTx(ctx, tx, x, p); err != nil {
			return Sale{}, err
		}
	}
	if err := insertSale(ctx, tx, x); err != nil {
		return Sale{}, err
	}
	err = s.payTx(ctx, tx, product, &x)
	return x, err
}

// codeTx asks for the member code where the desk pays from stored value, as the till does. Faults: ErrCode and those of member.UseScanTx.
func (s *Service) codeTx(ctx context.Context, tx *db.Tx, x Sale, p Pay) error {
	if actor.From(ctx).Kind != actor.Staff {
		return nil
	}
	if p.ScanID != 0 {
		return s.members.UseScanTx(ctx, tx, p.ScanID, x.StoreID, x.MemberID, x.Plate, x.PriceFen)
	}
	need, err := s.settings.Bool(ctx, setting.RequireCode)
	if err == nil && need {
		err = ErrCode
	}
	return err
}

// payableTx writes the sale with its payment.
func (s *Service) payableTx(ctx context.Context, tx *db.Tx, x *Sale, p Pay) error {
	c := payment.Create{Purpose: PurposeSale, SubjectID: x.ID, App: p.App, TradeType: payment.JSAPI, AmountFen: x.PriceFen, OpenID: p.OpenID,
		Description: x.Title, ExpiresAt: x.ExpiresAt, StoreID: x.StoreID, MemberID: x.MemberID}
	if x.Method == MethodWeChatNative {
		c.App, c.OpenID, c.TradeType = "", "", payment.Native
	}
	made, err := s.payments.CreateTx(ctx, tx, c)
	if err != nil {
		return err
	}
	x.PaymentID = made.ID
	return insertSale(ctx, tx, *x)
}

// payTx delivers a pending sale and posts it. The guard on the state makes it happen once (N03, N05). Fault: ErrGone.
func (s *Service) payTx(ctx context.Context, tx *db.Tx, product Product, x *Sale) error {
	x.PaidAt, x.BizDay = tx.Now, s.shops.BizDay(ctx, tx.Now, x.StoreID)
	got, err := product.DeliverTx(ctx, tx, *x)
	if err != nil {
		return err
	}
	x.ResultID, x.Receipt = got.ID, append([]Line{{Title: x.Title, Explain: MethodLabel(x.Method), AmountFen: x.PriceFen}}, got.Lines...)
	units := got.Units
	if x.Method == MethodBalance {
		units = append([]ledger.Unit{ledger.Principal, ledger.Bonus}, units...)
	}
	var b *ledger.Book
	if len(units) > 0 {
		if b, err = ledger.LockTx(ctx, tx, x.MemberID, units...); err != nil {
			return err
		}
	}
	legs := append(got.Legs, ledger.ShopLeg(x.Account, x.PriceFen))
	if x.Method == MethodBalance {
		rule, err := s.settings.Text(ctx, setting.SpendOrder)
		if err != nil {
			return err
		}
		takes, err := wallet.Spend(b, tx.Now, x.PriceFen, rule)
		if err != nil {
			return err
		}
		x.sources = origins(b, takes)
		x.PrincipalFen, x.BonusFen = ledger.SumOf(takes, ledger.Principal), ledger.SumOf(takes, ledger.Bonus)
		legs = append(legs, ledger.Debits(takes)...)
	} else {
		legs = append(legs, ledger.ShopLeg(wallet.ShopAccount(x.Method), -x.PriceFen))
	}
	x.PostingID, err = ledger.PostTx(ctx, tx, orNobody(b, x.MemberID), ledger.Post{Kind: ledger.KindSale, StoreID: x.StoreID, BizDay: x.BizDay, RefKind: "sale", RefID: x.ID,
		Title: x.Title, Memo: MethodLabel(x.Method)}, legs...)
	if err != nil {
		return err
	}
	x.State = StatePaid
	if err := markPaid(ctx, tx, *x); err != nil {
		return err
	}
	for _, w := range s.watchers {
		if err := w(ctx, tx, *x); err != nil {
			return err
		}
	}
	return nil
}

// orNobody names the member of a posting that touches none of the member's accounts.
func orNobody(b *ledger.Book, memberID int64) *ledger.Book {
	if b == nil {
		return &ledger.Book{MemberID: memberID}
	}
	return b
}
