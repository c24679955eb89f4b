package checkout

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wallet"
)

// Service runs the till.
type Service struct {
	db       *db.DB
	log      *slog.Logger
	members  *member.Service
	payments *payment.Service
	offers   *catalog.Service
	tiers    *tier.Service
	shops    *shop.Service
	settings *setting.Service
	messages *notify.Service
	till     *db.Combiner[need]
	visits   Visits
}

// New returns the service and registers it as the fulfiller of order payments.
func New(d *db.DB, log *slog.Logger, m *member.Service, p *payment.Service, c *catalog.Service, t *tier.Service, sh *shop.Service, st *setting.Service, n *notify.Service) *Service {
	s := &Service{db: d, log: log, members: m, payments: p, offers: c, tiers: t, shops: sh, settings: st, messages: n}
	s.till = db.NewCombiner(d, s.aheadTx)
	p.Fulfil(PurposeOrder, fulfiller{s})
	return s
}

// Quote is a price with what can pay it.
type Quote struct {
	QuoteHash   string    `json:"quoteHash"`
	Lines       []Line    `json:"lines"`
	SubtotalFen money.Fen `json:"subtotalFen"`
	DiscountFen money.Fen `json:"discountFen"`
	TotalFen    money.Fen `json:"totalFen"`
	Balance     *Cover    `json:"balance,omitempty" doc:"Absent for walk-ins"`
	DepositFen  money.Fen `json:"depositFen,omitempty" doc:"Paid when the visit was booked; counts here, and what is left over goes back"`
	Suggestion  []Tender  `json:"suggestion"`
}

// Cover says how far stored value goes.
type Cover struct {
	AvailableFen money.Fen `json:"availableFen"`
	UsableFen    money.Fen `json:"usableFen"`
	MissingFen   money.Fen `json:"missingFen"`
}

// frame is what a settlement needs that is read before its transaction: prices come from a copy at most two seconds old, and the
// hash of the quote guards the rest.
type frame struct {
	Request
	store      shop.Store
	className  string
	items      []catalog.Item
	maxManual  money.BP
	spendRule  string
	needsCode  bool
	tell       bool
	payMinutes int64
}

func (s *Service) frame(ctx context.Context, r Request) (f frame, err error) {
	who := actor.From(ctx)
	if !who.InStore(r.StoreID) {
		return f, fault.ErrStore
	}
	if r.ManualDiscount != nil && !who.Can(perm.CheckoutDiscount) {
		return f, fault.ErrForbidden.Say("您没有手工优惠的权限，请店长操作")
	}
	plate, _, complaint := member.ParsePlate(r.Plate)
	if complaint != "" {
		return f, ErrPlate.Say("车牌号不正确：%s", complaint).On("plate", complaint)
	}
	r.Plate = plate
	f.Request = r
	if f.store, err = s.shops.Store(ctx, r.StoreID); err != nil {
		return f, err
	}
	if f.className, err = s.offers.VehicleClassName(ctx, s.db, r.VehicleClassID); err != nil {
		return f, err
	}
	refs := make([]catalog.Ref, 0, len(r.Items))
	for _, it := range r.Items {
		refs = append(refs, catalog.Ref{Kind: it.Kind, ID: it.ID, Qty: it.Qty})
	}
	if f.items, err = s.offers.Items(ctx, s.db, r.StoreID, r.VehicleClassID, refs); err != nil {
		return f, err
	}
	return f, s.rules(ctx, &f)
}

func (s *Service) rules(ctx context.Context, f *frame) (err error) {
	var n int64
	if n, err = s.settings.Int(ctx, setting.MaxDiscountBP); err != nil {
		return err
	}
	f.maxManual = money.BP(n)
	if f.payMinutes, err = s.settings.Int(ctx, setting.TopupPayMinutes); err != nil {
		return err
	}
	if f.spendRule, err = s.settings.Text(ctx, setting.SpendOrder); err != nil {
		return err
	}
	if f.needsCode, err = s.settings.Bool(ctx, setting.RequireCode); err != nil {
		return err
	}
	f.tell, err = s.settings.Bool(ctx, setting.MessageDeduction)
	return err
}

func (s *Service) quote(ctx context.Context, r db.Reader, f frame, available, deposit money.Fen) (Quote, Priced, error) {
	t := tier.Tier{DiscountBP: money.Whole}
	if f.MemberID != 0 {
		var err error
		if t, err = s.tiers.OfMember(ctx, r, f.MemberID); err != nil {
			return Quote{}, Priced{}, err
		}
	}
	p, err := Price(f.items, f.className, t, f.ManualDiscount, f.maxManual)
	if err != nil {
		return Quote{}, Priced{}, err
	}
	q := Quote{QuoteHash: p.hash(f.Request), Lines: p.Lines, SubtotalFen: p.Subtotal, DiscountFen: p.Discount, TotalFen: p.Total,
		DepositFen: deposit, Suggestion: suggest(p.Total, available, deposit)}
	if f.MemberID != 0 {
		q.Balance = &Cover{AvailableFen: available, UsableFen: min(available, p.Total), MissingFen: max(p.Total-available, 0)}
	}
	return q, p, nil
}

// Quote prices a request. Faults: those of catalog.Items, ErrDiscount, fault.ErrStore, ErrVisit.
func (s *Service) Quote(ctx context.Context, r Request) (Quote, error) {
	f, err := s.frame(ctx, r)
	if err != nil {
		return Quote{}, err
	}
	var available money.Fen
	if r.MemberID != 0 {
		b, err := ledger.BalanceOf(ctx, s.db, r.MemberID)
		if err != nil {
			return Quote{}, err
		}
		available = money.Fen(b.Principal + b.Bonus - b.Held)
	}
	var deposit money.Fen
	if r.BookingID != 0 {
		if s.visits == nil {
			return Quote{}, ErrVisit
		}
		if deposit, err = s.visits.Deposit(ctx, s.db, f.claim(0)); err != nil {
			return Quote{}, err
		}
	}
	q, _, err := s.quote(ctx, s.db, f, available, deposit)
	return q, err
}

// Settle charges exactly the quote that was shown. It is a money command. With a WeChat Native tender the order waits for the payment and
// holds its stored-value part meanwhile. Faults: ErrQuoteChanged with the new quote, ledger.ErrInsufficient with what is missing,
// those of checkTenders, of member.Standing.Usable, of member.UseScanTx, ErrVisit and ErrDeposit.
func (s *Service) Settle(ctx context.Context, r Request, quoteHash string, tenders []Tender) (Order, error) {
	f, err := s.frame(ctx, r)
	if err != nil {
		id, err := idem.Or[int64](ctx, s.db, err)
		if err != nil {
			return Order{}, err
		}
		return s.Order(ctx, id)
	}
	var o Order
	err = s.charge(ctx, f, tenders, func(ctx context.Context, tx *db.Tx) error {
		fresh := tx.NewID()
		id, _, err := idem.OnceAs(ctx, tx, fresh, func() (err error) {
			o, err = s.settleTx(ctx, tx, f, fresh, quoteHash, tenders)
			return err
		})
		if id != fresh {
			o = Order{ID: id} // settled before under the same key
		}
		return err
	})
	if err != nil {
		return Order{}, err
	}
	if o.No != "" {
		return o, nil // just written: nothing to read back
	}
	return s.Order(ctx, o.ID)
}

// need is what a settlement reads and locks.
type need struct {
	key          idem.Key
	member, scan int64
}

// charge runs a settlement together with those of other tills at the same moment. One that waits for WeChat writes as it goes, and one of a booking
// locks it before its member, which is read ahead with the others' in a batch: both run alone.
func (s *Service) charge(ctx context.Context, f frame, tenders []Tender, run func(ctx context.Context, tx *db.Tx) error) error {
	if amountOf(tenders, TenderNative) > 0 || f.BookingID != 0 {
		return s.db.InTx(ctx, run)
	}
	n := need{member: f.MemberID, scan: f.ScanID}
	n.key, _ = idem.From(ctx)
	return s.till.Do(ctx, n, run)
}

// TillStats says how many settlements were combined.
func (s *Service) TillStats() db.CombinerStats { return s.till.Stats() }

// aheadTx reads and locks for several settlements at once: members before their wallets, each in ascending order, as everybody locks.
func (s *Service) aheadTx(ctx context.Context, tx *db.Tx, needs []need) error {
	var keys []idem.Key
	var members, scans []int64
	for _, n := range needs {
		keys = append(keys, n.key)
		if n.member != 0 {
			members = append(members, n.member)
		}
		if n.scan != 0 {
			scans = append(scans, n.scan)
		}
	}
	members, scans = ascending(members), ascending(scans)
	idem.AheadTx(tx, keys)
	if err := s.members.AheadTx(tx, members, scans); err != nil {
		return err
	}
	ledger.AheadTx(tx, members)
	if err := s.tiers.AheadTx(ctx, tx, members); err != nil {
		return err
	}
	return tx.Collect(ctx)
}

func ascending(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (s *Service) settleTx(ctx context.Context, tx *db.Tx, f frame, id int64, quoteHash string, tenders []Tender) (Order, error) {
	balance := amountOf(tenders, TenderBalance)
	var book *ledger.Book
	var name string
	deposit, err := s.claimTx(ctx, tx, f, id, amountOf(tenders, TenderDeposit))
	if err != nil {
		return Order{}, err
	}
	if f.MemberID != 0 {
		st, err := s.members.StandingTx(ctx, tx, f.MemberID)
		if err != nil {
			return Order{}, err
		}
		name = member.MaskName(st.Name)
		if balance > 0 {
			if err := st.Usable(); err != nil {
				return Order{}, err
			}
		}
		if book, err = ledger.LockTx(ctx, tx, f.MemberID); err != nil {
			return Order{}, err
		}
	}
	var available money.Fen
	if book != nil {
		available = wallet.Available(book)
	}
	q, p, err := s.quote(ctx, tx, f, available, deposit)
	if err != nil {
		return Order{}, err
	}
	if q.QuoteHash != quoteHash {
		return Order{}, ErrQuoteChanged.Give(map[string]any{"quote": q})
	}
	if err := checkTenders(p.Total, tenders, f.MemberID != 0); err != nil {
		return Order{}, err
	}
	if balance > available {
		return Order{}, ledger.ErrInsufficient.Say("余额不足，还差 %s，可以用其他方式补足", (balance - available).Yuan()).
			Give(map[string]any{"availableFen": available, "missingFen": balance - available, "suggestion": suggest(p.Total, available, deposit)})
	}
	if balance > 0 {
		if f.needsCode && f.ScanID == 0 {
			return Order{}, ErrNeedsCode
		}
		if f.ScanID != 0 {
			if err := s.members.UseScanTx(ctx, tx, f.ScanID, f.StoreID, f.MemberID, f.Plate, balance); err != nil {
				return Order{}, err
			}
		}
	}
	o, err := s.writeTx(ctx, tx, f, id, p, tenders, book)
	o.MemberName = name
	return o, err
}

func (s *Service) writeTx(ctx context.Context, tx *db.Tx, f frame, id int64, p Priced, tenders []Tender, book *ledger.Book) (Order, error) {
	who := actor.From(ctx)
	o := Order{ID: id, No: fmt.Sprintf("W%d", id), StoreID: f.StoreID, StoreName: f.store.Name, BizDay: bizday.Of(tx.Now, f.store.Timezone), MemberID: f.MemberID,
		ScanID: f.ScanID, BookingID: f.BookingID, Plate: f.Plate, VehicleClassID: f.VehicleClassID, VehicleClassName: f.className, Title: title(f.items), Subtotal: p.Subtotal,
		Discount: p.Discount, Total: p.Total, Status: Settled, StaffID: who.ID, StaffName: who.Name, TenderLabel: tenderLabels(tenders), CreatedAt: tx.Now, Lines: p.Lines}
	var takes []ledger.Take
	if n := amountOf(tenders, TenderBalance); n > 0 {
		var err error
		if takes, err = wallet.Spend(book, tx.Now, n, f.spendRule); err != nil {
			return Order{}, err
		}
	}
	for _, t := range tenders {
		paid := Paid{Tender: t, State: "taken"}
		if t.Kind == TenderBalance {
			paid.PrincipalFen, paid.BonusFen = ledger.SumOf(takes, ledger.Principal), ledger.SumOf(takes, ledger.Bonus)
		}
		o.Tenders = append(o.Tenders, paid)
	}
	if n := amountOf(tenders, TenderNative); n > 0 {
		err := s.awaitTx(ctx, tx, &o, f, n, book, takes)
		return o, err
	}
	if err := s.postTx(ctx, tx, &o, book, takes, f.tell); err != nil {
		return Order{}, err
	}
	insertOrder(tx, o)
	return o, s.endVisitTx(ctx, tx, o, true)
}

// postTx moves the money of an order that is paid and completes it.
func (s *Service) postTx(ctx context.Context, tx *db.Tx, o *Order, book *ledger.Book, takes []ledger.Take, tell bool) error {
	legs := ledger.Debits(takes)
	for _, t := range o.Tenders {
		if a := accountOf(t.Kind); a != "" {
			legs = append(legs, ledger.ShopLeg(a, -t.AmountFen))
		}
	}
	legs = append(legs, ledger.ShopLeg(ledger.Revenue, o.Total))
	if o.Total == 0 {
		legs = append(legs, ledger.ShopLeg(ledger.Cash, 0)) // a gift is booked too, so that every order has its posting
	}
	id, err := ledger.PostTx(ctx, tx, book, ledger.Post{Kind: ledger.KindConsume, StoreID: o.StoreID, BizDay: o.BizDay, RefKind: "order", RefID: o.ID,
		Title: o.Title, Memo: o.Plate}, legs...)
	if err != nil {
		return err
	}
	o.PostingID, o.Status, o.SettledAt = id, Settled, tx.Now
	if book == nil {
		return nil
	}
	o.BalanceAfter = money.Fen(book.Balance(ledger.Principal) + book.Balance(ledger.Bonus))
	if !tell {
		return nil
	}
	return s.tellTx(ctx, tx, *o, "deduction")
}

func (s *Service) tellTx(ctx context.Context, tx *db.Tx, o Order, event string) error {
	return s.messages.EnqueueNewTx(ctx, tx, notify.Message{MemberID: o.MemberID, Event: event, Dedupe: event + ":" + o.No, Page: fmt.Sprintf("pages/receipt/index?id=%d", o.ID),
		Data: map[string]string{"amount": o.Total.String(), "balance": o.BalanceAfter.String(), "store": o.StoreName, "plate": o.Plate, "title": o.Title, "staff": o.StaffName,
			"time": tx.Now.Format(time.RFC3339)}})
}

func amountOf(ts []Tender, kind string) money.Fen {
	for _, t := range ts {
		if t.Kind == kind {
			return t.AmountFen
		}
	}
	return 0
}

func accountOf(kind string) string {
	switch kind {
	case TenderCash:
		return ledger.Cash
	case TenderCard:
		return ledger.Card
	case TenderAlipay:
		return ledger.Alipay
	case TenderNative:
		return ledger.WeChat
	case TenderDeposit:
		return ledger.Deposits
	}
	return ""
}

func (s *Service) payUntil(now time.Time, minutes int64) time.Time {
	return now.Add(time.Duration(minutes) * time.Minute)
}
