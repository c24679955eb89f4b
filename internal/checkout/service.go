package checkout

import (
	"cmp"
	"context"
	"errors"
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
	"github.com/liangche/liangche/internal/pricing"
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
	assets   Assets
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
	SavedFen    money.Fen `json:"savedFen" doc:"Against the list price"`
	Benefits    *Chosen   `json:"benefits,omitempty" doc:"What of the member's passes, rights and coupons is in the price; absent for walk-ins"`
	Offers      *Offers   `json:"offers,omitempty" doc:"What the member has; absent for walk-ins"`
	Hints       []string  `json:"hints" doc:"What staff should tell the customer"`
	ForOthers   bool      `json:"forOthers,omitempty" doc:"Somebody else's account may earn the points of this bill"`
	EarnerName  string    `json:"earnerName,omitempty" doc:"Masked: whose account was named"`
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
	payMinutes int64
	forOthers  bool
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
	return s.earners(ctx, f)
}

// price decides what a request costs with what the member has. It reads the member's tier alone.
func (s *Service) price(ctx context.Context, r db.Reader, f frame, h holdings) (pricing.Result, []pricing.Item, error) {
	in := pricing.Input{VehicleClass: f.className, Covers: h.covers, Coupons: h.coupons, Points: h.points, Choice: f.choice(), Manual: f.ManualDiscount, MaxManual: f.maxManual}
	var fixed map[int64]money.Fen
	if f.MemberID != 0 {
		var err error
		if in.Tier, fixed, err = s.tiers.Terms(ctx, r, f.MemberID, f.VehicleClassID); err != nil {
			return pricing.Result{}, nil, err
		}
	}
	in.Items = Items(f.items, fixed)
	p, err := pricing.Decide(in)
	return p, in.Items, err
}

// quoteOf shows a price with what can pay it.
func quoteOf(f frame, p pricing.Result, items []pricing.Item, h holdings, m means) Quote {
	m.points = p.PointsFen
	q := Quote{QuoteHash: hash(f.Request, p), Lines: p.Lines, SubtotalFen: p.Subtotal, DiscountFen: p.Discount, TotalFen: p.Total, SavedFen: p.Discount,
		DepositFen: m.deposit, Hints: h.hints}
	if q.Hints == nil {
		q.Hints = []string{}
	}
	if f.GroupID != 0 {
		for _, g := range h.groups {
			if g.GroupID == f.GroupID && !g.NeedsYes {
				m.group = g.AvailableFen
			}
		}
	}
	q.Suggestion = suggest(p.Total, m)
	if f.MemberID != 0 {
		q.Balance = &Cover{AvailableFen: m.available, UsableFen: min(m.available, p.Total), MissingFen: max(p.Total-m.available, 0)}
		q.Benefits = &Chosen{Covers: p.Covers, CouponIDs: p.Coupons, PointsFen: p.PointsFen, Points: pricing.PointsFor(p.PointsFen, h.points.PerYuan)}
		if q.Benefits.Covers == nil {
			q.Benefits.Covers = []pricing.CoverUse{}
		}
		if q.Benefits.CouponIDs == nil {
			q.Benefits.CouponIDs = []int64{}
		}
		q.Offers = h.offers(p, items)
	}
	return q
}

// Quote prices a request. Faults: those of catalog.Items, of pricing.Decide, fault.ErrStore, ErrVisit.
func (s *Service) Quote(ctx context.Context, r Request) (Quote, error) {
	f, err := s.frame(ctx, r)
	if err != nil {
		return Quote{}, err
	}
	var m means
	if r.MemberID != 0 {
		b, err := ledger.BalanceOf(ctx, s.db, r.MemberID)
		if err != nil {
			return Quote{}, err
		}
		m.available = money.Fen(b.Principal + b.Bonus - b.Held)
	}
	if r.BookingID != 0 {
		if s.visits == nil {
			return Quote{}, ErrVisit
		}
		if m.deposit, err = s.visits.Deposit(ctx, s.db, f.claim(0)); err != nil {
			return Quote{}, err
		}
	}
	h, err := s.holdings(ctx, s.db, f, s.db.Now())
	if err != nil {
		return Quote{}, err
	}
	if err := s.alsoFor(ctx, f, &h); err != nil {
		return Quote{}, err
	}
	p, items, err := s.price(ctx, s.db, f, h)
	if err != nil {
		return Quote{}, err
	}
	if err := s.groupsFor(ctx, f, p.Total-p.PointsFen-m.deposit, &h); err != nil {
		return Quote{}, err
	}
	q := quoteOf(f, p, items, h, m)
	q.ForOthers = f.forOthers
	q.EarnerName, err = s.earnerName(ctx, f.EarnerID)
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
	err = s.charge(ctx, f, tenders, func(ctx context.Context, tx *db.Tx, alone bool) error {
		fresh := tx.NewID()
		id, _, err := idem.OnceAs(ctx, tx, fresh, func() (err error) {
			o, err = s.settleTx(ctx, tx, f, alone, fresh, quoteHash, tenders)
			return err
		})
		if id != fresh {
			o = Order{ID: id} // settled before under the same key
		}
		return err
	})
	if errors.Is(err, ErrQuoteChanged) {
		q, err := s.Quote(ctx, r)
		if err != nil {
			return Order{}, err
		}
		return Order{}, ErrQuoteChanged.Give(map[string]any{"quote": q})
	}
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
	any          bool // whatever lowers the bill
}

// errAlone ends a settlement that ran with others and found that its member has something that may lower the bill.
var errAlone = errors.New("checkout: to be settled alone")

// alone says whether a settlement must not run together with others: one that waits for WeChat writes as it goes, one of a booking locks it
// before its member, which is read ahead with the others' in a batch, and one that uses what a member has locks that as well.
func (f frame) alone(tenders []Tender) bool {
	for _, kind := range []string{TenderNative, TenderPoints, TenderGroup} {
		if amountOf(tenders, kind) > 0 {
			return true
		}
	}
	b := f.Benefits
	return f.BookingID != 0 || f.EarnerID != 0 || (b != nil && !b.Auto && f.wantsAny())
}

// charge runs a settlement, together with those of other tills at the same moment unless it must be alone, or turns out to be one that must.
func (s *Service) charge(ctx context.Context, f frame, tenders []Tender, run func(ctx context.Context, tx *db.Tx, alone bool) error) error {
	if !f.alone(tenders) {
		n := need{member: f.MemberID, scan: f.ScanID, any: f.wantsAny()}
		n.key, _ = idem.From(ctx)
		err := s.till.Do(ctx, n, func(ctx context.Context, tx *db.Tx) error { return run(ctx, tx, false) })
		if !errors.Is(err, errAlone) {
			return err
		}
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return run(ctx, tx, true) })
}

// TillStats says how many settlements were combined.
func (s *Service) TillStats() db.CombinerStats { return s.till.Stats() }

// aheadTx reads and locks for several settlements at once: members before their wallets, each in ascending order, as everybody locks.
func (s *Service) aheadTx(ctx context.Context, tx *db.Tx, needs []need) error {
	var keys []idem.Key
	var members, scans, any []int64
	for _, n := range needs {
		keys = append(keys, n.key)
		if n.member != 0 {
			members = append(members, n.member)
		}
		if n.any {
			any = append(any, n.member)
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
	if err := s.assets.aheadTx(ctx, tx, members, ascending(any)); err != nil {
		return err
	}
	return tx.Collect(ctx)
}

func ascending(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (s *Service) settleTx(ctx context.Context, tx *db.Tx, f frame, alone bool, id int64, quoteHash string, tenders []Tender) (Order, error) {
	balance := amountOf(tenders, TenderBalance)
	m, err := s.claimTx(ctx, tx, f, id, amountOf(tenders, TenderDeposit))
	if err != nil {
		return Order{}, err
	}
	payer, err := s.groupTx(ctx, tx, f, id, tenders)
	if err != nil {
		return Order{}, err
	}
	if err := s.namedTx(ctx, tx, f, amountOf(tenders, TenderGroup)); err != nil {
		return Order{}, err
	}
	var st member.Standing
	if f.MemberID != 0 {
		if st, err = s.members.StandingTx(ctx, tx, f.MemberID); err != nil {
			return Order{}, err
		}
	}
	h, err := s.holdingsTx(ctx, tx, f, alone, st)
	if err != nil {
		return Order{}, err
	}
	if amountOf(tenders, TenderPoints) > 0 {
		if err := s.pointsFor(ctx, tx, f, &h); err != nil {
			return Order{}, err
		}
	}
	p, _, err := s.price(ctx, tx, f, h)
	if err != nil {
		return Order{}, err
	}
	same := hash(f.Request, p) == quoteHash
	var book *ledger.Book
	if f.MemberID != 0 {
		if balance > 0 || (same && uses(p, tenders)) {
			if err := st.Usable(); err != nil {
				return Order{}, err
			}
		}
		if same {
			if err := s.holdCouponsTx(ctx, tx, f, id, p, tenders); err != nil {
				return Order{}, err
			}
		}
		if book, err = ledger.LockTx(ctx, tx, cmp.Or(payer, f.MemberID)); err != nil {
			return Order{}, err
		}
		m.available = wallet.Available(book)
	}
	if !same {
		return Order{}, ErrQuoteChanged
	}
	if err := checkTenders(p.Total, tenders, f.MemberID != 0); err != nil {
		return Order{}, err
	}
	if n := amountOf(tenders, TenderPoints); n > p.PointsMaxFen {
		at := slices.IndexFunc(tenders, func(t Tender) bool { return t.Kind == TenderPoints })
		return Order{}, ErrPoints.Say("积分最多抵扣 %s，请减少", p.PointsMaxFen.Yuan()).On(fmt.Sprintf("tenders[%d].amountFen", at), "最多 "+p.PointsMaxFen.Yuan()).Give(map[string]any{"maxFen": p.PointsMaxFen, "maxPoints": p.PointsMax})
	}
	if n := amountOf(tenders, TenderGroup); n > m.available {
		return Order{}, ledger.ErrInsufficient.Say("付款人的余额不足，请换一种收款方式补足")
	}
	if balance > m.available {
		return Order{}, ledger.ErrInsufficient.Say("余额不足，还差 %s，可以用其他方式补足", (balance - m.available).Yuan()).
			Give(map[string]any{"availableFen": m.available, "missingFen": balance - m.available, "suggestion": suggest(p.Total, m)})
	}
	if stored := balance + amountOf(tenders, TenderGroup); stored > 0 { // the own or somebody else's: the code is the driver's
		if f.needsCode && f.ScanID == 0 {
			return Order{}, ErrNeedsCode
		}
		if f.ScanID != 0 {
			if err := s.members.UseScanTx(ctx, tx, f.ScanID, f.StoreID, f.MemberID, f.Plate, stored); err != nil {
				return Order{}, err
			}
		}
	}
	o, err := s.writeTx(ctx, tx, f, h, id, p, tenders, book, payer)
	if f.MemberID != 0 {
		o.MemberName = member.MaskName(st.Name)
	}
	return o, err
}

func (s *Service) writeTx(ctx context.Context, tx *db.Tx, f frame, h holdings, id int64, p pricing.Result, tenders []Tender, book *ledger.Book, payer int64) (Order, error) {
	who := actor.From(ctx)
	o := Order{ID: id, No: fmt.Sprintf("W%d", id), StoreID: f.StoreID, StoreName: f.store.Name, BizDay: bizday.Of(tx.Now, f.store.Timezone), MemberID: f.MemberID,
		ScanID: f.ScanID, BookingID: f.BookingID, Plate: f.Plate, VehicleClassID: f.VehicleClassID, VehicleClassName: f.className, Title: title(f.items), Subtotal: p.Subtotal,
		Discount: p.Discount, Total: p.Total, Status: Settled, StaffID: who.ID, StaffName: who.Name, TenderLabel: tenderLabels(tenders), CreatedAt: tx.Now, Lines: p.Lines,
		Items: soldOf(f.items, p), PayerID: payer, EarnerID: f.EarnerID}
	if payer != 0 {
		o.GroupID = f.GroupID
	}
	var takes []ledger.Take
	if n := amountOf(tenders, TenderBalance) + amountOf(tenders, TenderGroup); n > 0 {
		var err error
		if takes, err = wallet.Spend(book, tx.Now, n, f.spendRule); err != nil {
			return Order{}, err
		}
	}
	for _, t := range tenders {
		paid := Paid{Tender: t, State: "taken"}
		if t.Kind == TenderBalance || t.Kind == TenderGroup {
			paid.PrincipalFen, paid.BonusFen = ledger.SumOf(takes, ledger.Principal), ledger.SumOf(takes, ledger.Bonus)
		}
		o.Tenders = append(o.Tenders, paid)
	}
	if uses(p, tenders) {
		if err := s.useTx(ctx, tx, &o, h, p); err != nil {
			return Order{}, err
		}
	}
	if n := amountOf(tenders, TenderNative); n > 0 {
		err := s.awaitTx(ctx, tx, &o, f, n, book, takes)
		return o, err
	}
	if err := s.postTx(ctx, tx, &o, book, takes); err != nil {
		return Order{}, err
	}
	insertOrder(tx, o)
	return o, s.endVisitTx(ctx, tx, o, true)
}

// postTx moves the money of an order that is paid and completes it.
func (s *Service) postTx(ctx context.Context, tx *db.Tx, o *Order, book *ledger.Book, takes []ledger.Take) error {
	legs := ledger.Debits(takes)
	for _, t := range o.Tenders {
		if a := accountOf(t.Kind); a != "" {
			legs = append(legs, ledger.ShopLeg(a, -t.AmountFen))
		}
	}
	legs = append(legs, ledger.ShopLeg(ledger.Revenue, o.Total+o.Recognised))
	if o.Recognised > 0 {
		legs = append(legs, ledger.ShopLeg(ledger.Passes, -o.Recognised))
	}
	if o.Total == 0 && o.Recognised == 0 {
		legs = append(legs, ledger.ShopLeg(ledger.Cash, 0)) // a gift is booked too, so that every order has its posting
	}
	id, err := ledger.PostTx(ctx, tx, book, ledger.Post{Kind: ledger.KindConsume, StoreID: o.StoreID, BizDay: o.BizDay, RefKind: "order", RefID: o.ID,
		Title: o.Title, Memo: o.Plate}, legs...)
	if err != nil {
		return err
	}
	o.PostingID, o.Status, o.SettledAt = id, Settled, tx.Now
	if book != nil {
		if err := s.balanceAfterTx(ctx, tx, o, book); err != nil {
			return err
		}
	}
	if o.PointsEarned, err = s.earnTx(ctx, tx, *o); err != nil || book == nil {
		return err
	}
	if err := s.tellPayerTx(ctx, tx, *o, book, "deduction"); err != nil {
		return err
	}
	return s.tellTx(ctx, tx, *o, "deduction")
}

// tellPayerTx tells who paid for somebody else what left or came back to the wallet.
func (s *Service) tellPayerTx(ctx context.Context, tx *db.Tx, o Order, book *ledger.Book, event string) error {
	t := o.tender(TenderGroup)
	if t == nil || o.PayerID == o.MemberID {
		return nil
	}
	o.MemberID, o.Total, o.BalanceAfter, o.No = o.PayerID, t.AmountFen, money.Fen(book.Balance(ledger.Principal)+book.Balance(ledger.Bonus)), o.No+":payer"
	return s.tellTx(ctx, tx, o, event)
}

// balanceAfterTx notes what the member of an order holds after it: never what somebody else who pays does.
func (s *Service) balanceAfterTx(ctx context.Context, tx *db.Tx, o *Order, book *ledger.Book) error {
	if book.MemberID == o.MemberID {
		o.BalanceAfter = money.Fen(book.Balance(ledger.Principal) + book.Balance(ledger.Bonus))
		return nil
	}
	b, err := ledger.BalanceOf(ctx, tx, o.MemberID)
	o.BalanceAfter = money.Fen(b.Principal + b.Bonus)
	return err
}

// pageOf is where a message about an order leads: its receipt is the driver's alone.
func pageOf(o Order) string {
	if o.PayerID == o.MemberID && o.GroupID != 0 {
		return fmt.Sprintf("pages/club/groups/statement?id=%d", o.GroupID)
	}
	return fmt.Sprintf("pages/receipt/index?id=%d", o.ID)
}

func (s *Service) tellTx(ctx context.Context, tx *db.Tx, o Order, event string) error {
	return s.messages.EnqueueNewTx(ctx, tx, notify.Message{MemberID: o.MemberID, Event: event, Dedupe: event + ":" + o.No, Page: pageOf(o),
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
	case TenderPoints:
		return ledger.PointsPaid
	}
	return ""
}

func (s *Service) payUntil(now time.Time, minutes int64) time.Time {
	return now.Add(time.Duration(minutes) * time.Minute)
}
