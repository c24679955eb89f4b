package checkout_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/wallet"
)

// tills are settlements that arrive at the same moment.
type tills struct {
	*shopfloor.Floor
	wg      sync.WaitGroup
	blocked []int64
	free    chan struct{}
}

// open makes a business with n members who hold 580.00 each.
func open(t *testing.T, n int) (f *shopfloor.Floor, members []int64) {
	f = shopfloor.New(t)
	for i := range n {
		m := f.Member("会员", fmt.Sprintf("1390000%04d", i), fmt.Sprintf("浙A%05d", i))
		f.Topup(f.West, m, 50000, wallet.MethodCash)
		members = append(members, m)
	}
	return f, members
}

// hold keeps every batch waiting until release: what comes meanwhile is one batch.
func hold(f *shopfloor.Floor) *tills {
	f.T.Helper()
	h := &tills{Floor: f, free: make(chan struct{})}
	for i := range 2 {
		m := f.Member("占位", fmt.Sprintf("1380000%04d", i), fmt.Sprintf("浙B%05d", i))
		f.Topup(f.West, m, 50000, wallet.MethodCash)
		h.blocked = append(h.blocked, m)
	}
	locked := make(chan struct{})
	h.wg.Go(func() {
		shopfloor.Must(f.T, f.DB.InTx(f.T.Context(), func(ctx context.Context, tx *db.Tx) error {
			for _, m := range h.blocked {
				if _, err := f.Members.StandingTx(ctx, tx, m); err != nil {
					return err
				}
			}
			locked <- struct{}{}
			<-h.free
			return nil
		}))
	})
	<-locked
	leaders := f.Checkout.TillStats().Leaders // all of them have to be held, or nobody would wait
	if leaders > len(h.blocked) {
		f.T.Fatalf("%d leaders, and only %d members to hold them", leaders, len(h.blocked))
	}
	for i, m := range h.blocked[:leaders] {
		r := h.wash(m)
		h.wg.Go(func() {
			_, err := f.Checkout.Settle(h.as(fmt.Sprintf("blocked-%d", m), "x"), r, h.hash(r), balance(4500))
			shopfloor.Must(f.T, err)
		})
		for f.Checkout.TillStats().Running <= i || f.Checkout.TillStats().Waiting > 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(30 * time.Millisecond) // from the waiting list to the lock
	}
	return h
}

// picked waits until n commands wait.
func (h *tills) picked(n int) {
	for begin := time.Now(); h.Checkout.TillStats().Waiting != n; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			h.T.Fatalf("%+v, want %d to wait", h.Checkout.TillStats(), n)
		}
	}
	time.Sleep(30 * time.Millisecond) // from the waiting list to the lock
}

func (h *tills) as(key, hash string) context.Context {
	return idem.With(actor.With(h.T.Context(), h.Staff()), idem.Key{Actor: "staff:7", Key: key, Hash: hash})
}

func (h *tills) wash(m int64) checkout.Request {
	return checkout.Request{StoreID: h.West, MemberID: m, Plate: "浙A12345", VehicleClassID: h.Car, Items: []checkout.Item{{Kind: catalog.KindService, ID: h.Wash, Qty: 1}}}
}

func (h *tills) hash(r checkout.Request) string {
	q, err := h.Checkout.Quote(actor.With(h.T.Context(), h.Staff()), r)
	shopfloor.Must(h.T, err)
	return q.QuoteHash
}

func balance(fen money.Fen) []checkout.Tender {
	return []checkout.Tender{{Kind: checkout.TenderBalance, AmountFen: fen}}
}

// comes rings a settlement up that waits for release.
func (h *tills) comes(ctx context.Context, r checkout.Request, hash string, tenders []checkout.Tender, check func(checkout.Order, error)) {
	h.T.Helper()
	waiting := h.Checkout.TillStats().Waiting
	h.wg.Go(func() { check(h.Checkout.Settle(ctx, r, hash, tenders)) })
	for h.Checkout.TillStats().Waiting == waiting {
		time.Sleep(time.Millisecond)
	}
}

// release lets all waiting settlements go, waits for them and looks at the books. alone is how many had to run again by themselves.
func (h *tills) release(alone int64) {
	h.T.Helper()
	close(h.free)
	h.wg.Wait()
	if s := h.Checkout.TillStats(); s.Alone != alone {
		h.T.Errorf("%+v, want %d alone", s, alone)
	}
	exact(h.Floor)
}

// exact fails unless every book is.
func exact(f *shopfloor.Floor) {
	f.T.Helper()
	say := func(p string) { f.T.Error("audit:", p) }
	shopfloor.Must(f.T, ledger.Audit(f.T.Context(), f.DB, say, func(int) {}))
	shopfloor.Must(f.T, f.Checkout.Audit(f.T.Context(), say))
}

func (h *tills) holds(m int64, want money.Fen) {
	h.T.Helper()
	b, err := ledger.BalanceOf(h.T.Context(), h.DB, m)
	shopfloor.Must(h.T, err)
	if money.Fen(b.Principal+b.Bonus) != want {
		h.T.Errorf("member %d holds %d, want %d", m, b.Principal+b.Bonus, want)
	}
}

func is(t testing.TB, want error) func(checkout.Order, error) {
	return func(_ checkout.Order, err error) {
		if !errors.Is(err, want) || (want == nil && err != nil) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

// One settlement that is refused harms none of those that are rung up at the same moment.
func TestRefusedSettlementHarmsNobody(t *testing.T) {
	f, m := open(t, 6)
	h := hold(f)
	wash := h.hash(h.wash(m[0]))
	hashes := make([]string, len(m))
	for i := range m {
		hashes[i] = h.hash(h.wash(m[i]))
	}
	h.comes(h.as("key-0", "x"), h.wash(m[0]), wash, balance(4500), is(t, nil))
	h.comes(h.as("key-1", "x"), h.wash(m[1]), "anotherquote", balance(4500), func(_ checkout.Order, err error) {
		if q, ok := fault.As(err).Detail.(map[string]any)["quote"].(checkout.Quote); !ok || q.QuoteHash != hashes[1] {
			t.Errorf("no new quote with %v", err)
		}
		is(t, checkout.ErrQuoteChanged)(checkout.Order{}, err)
	})
	h.comes(h.as("key-2", "x"), h.wash(m[2]), hashes[2], balance(4499), is(t, checkout.ErrTenders))
	h.comes(h.as("key-3", "x"), h.wash(m[3]), hashes[3], balance(4500), is(t, nil))
	h.comes(h.as("", "x"), h.wash(m[4]), hashes[4], balance(4500), is(t, nil))            // an empty key is a key
	h.comes(h.as("key-6", "x"), h.wash(1), wash, balance(4500), is(t, fault.ErrNotFound)) // nobody has this id
	scanned := h.wash(m[5])
	scanned.ScanID = 1
	h.comes(h.as("key-7", "x"), scanned, h.hash(scanned), balance(4500), is(t, member.ErrCodeUnknown))
	walkIn := h.wash(0)
	h.comes(h.as("key-5", "x"), walkIn, h.hash(walkIn), []checkout.Tender{{Kind: checkout.TenderCash, AmountFen: 4500}}, is(t, nil))
	h.comes(actor.With(t.Context(), h.Staff()), h.wash(m[5]), hashes[5], balance(4500), is(t, idem.ErrMissing))
	h.release(0)
	for i, want := range []money.Fen{53500, 58000, 58000, 53500, 53500, 58000} {
		h.holds(m[i], want)
	}
}

// N08 in a batch and across batches: one key, one order, the same answer; another request under the key is refused.
func TestN08OneKeyAtSeveralTills(t *testing.T) {
	f, m := open(t, 3)
	h := hold(f)
	r := h.wash(m[0])
	hash := h.hash(r)
	var first atomic.Int64
	same := func(o checkout.Order, err error) {
		shopfloor.Must(t, err)
		if !first.CompareAndSwap(0, o.ID) && first.Load() != o.ID {
			t.Errorf("orders %d and %d", first.Load(), o.ID)
		}
		if o.Total != 4500 || len(o.Lines) != 1 {
			t.Errorf("answered %+v", o)
		}
	}
	for range 4 {
		h.comes(h.as("one-key", "x"), r, hash, balance(4500), same)
	}
	h.comes(h.as("one-key", "another"), h.wash(m[1]), h.hash(h.wash(m[1])), balance(4500), is(t, idem.ErrReused))
	h.comes(h.as("another-key", "x"), h.wash(m[2]), h.hash(h.wash(m[2])), balance(4500), is(t, nil))
	h.release(0)
	for range 3 { // and later, alone and when the price is another one by now
		same(f.Checkout.Settle(h.as("one-key", "x"), r, "anotherquote", balance(4500)))
	}
	_, err := f.Checkout.Settle(h.as("one-key", "another"), r, hash, balance(4500))
	is(t, idem.ErrReused)(checkout.Order{}, err)
	// The key of a refused settlement is free.
	refused := h.as("refused", "x")
	_, err = f.Checkout.Settle(refused, r, "anotherquote", balance(4500))
	is(t, checkout.ErrQuoteChanged)(checkout.Order{}, err)
	_, err = f.Checkout.Settle(refused, r, hash, balance(4500))
	is(t, nil)(checkout.Order{}, err)
	h.holds(m[0], 58000-2*4500)
	h.holds(m[1], 58000)
	exact(f)
}

// One member at several tills: each settlement finds what those before it have left, and a refused one leaves no trace in between.
func TestOneMemberAtSeveralTills(t *testing.T) {
	f, m := open(t, 1)
	h := hold(f)
	r, wax := h.wash(m[0]), h.wash(m[0])
	wax.Items = []checkout.Item{{Kind: catalog.KindService, ID: h.Wax, Qty: 1}}
	rHash, waxHash := h.hash(r), h.hash(wax)
	after := map[money.Fen]bool{}
	var mu sync.Mutex
	settled := func(o checkout.Order, err error) {
		shopfloor.Must(t, err)
		mu.Lock()
		defer mu.Unlock()
		after[o.BalanceAfter] = true
	}
	short := func(_ checkout.Order, err error) {
		if d, ok := fault.As(err).Detail.(map[string]any); !ok || d["missingFen"] != money.Fen(15500) {
			t.Errorf("%v misses %v", err, d)
		}
		is(t, ledger.ErrInsufficient)(checkout.Order{}, err)
	}
	h.comes(h.as("key-1", "x"), wax, waxHash, balance(20000), settled) // 380.00 left
	h.comes(h.as("key-2", "x"), r, rHash, balance(4499), is(t, checkout.ErrTenders))
	h.comes(h.as("key-3", "x"), wax, waxHash, balance(20000), settled) // 180.00 left
	h.comes(h.as("key-4", "x"), r, rHash, balance(4500), settled)      // 135.00 left
	h.comes(h.as("key-5", "x"), r, rHash, balance(4500), settled)      // 90.00 left
	h.comes(h.as("key-6", "x"), r, rHash, balance(4500), settled)      // 45.00 left
	h.comes(h.as("key-7", "x"), wax, waxHash, balance(20000), short)
	h.comes(h.as("key-8", "x"), r, rHash, balance(4500), settled) // nothing left
	h.release(0)
	h.holds(m[0], 0)
	for _, left := range []money.Fen{38000, 18000, 13500, 9000, 4500, 0} {
		if !after[left] {
			t.Errorf("nobody was told of %d left", left)
		}
	}
}

// N07: a scan pays once, also when two tills use it at the same moment.
func TestN07OneScanAtTwoTills(t *testing.T) {
	f, m := open(t, 2)
	scan, err := f.Members.Scan(f.Ctx(), f.West, f.Code(m[0]))
	shopfloor.Must(t, err)
	other, err := f.Members.Scan(f.Ctx(), f.West, f.Code(m[1]))
	shopfloor.Must(t, err)
	h := hold(f)
	r, s := h.wash(m[0]), h.wash(m[1])
	r.ScanID, s.ScanID = scan.ScanID, other.ScanID
	wrong := h.wash(m[1])
	wrong.ScanID = scan.ScanID
	h.comes(h.as("key-1", "x"), r, h.hash(r), balance(4499), is(t, checkout.ErrTenders)) // refused: the scan is still good
	h.comes(h.as("key-2", "x"), r, h.hash(r), balance(4500), is(t, nil))
	h.comes(h.as("key-3", "x"), r, h.hash(r), balance(4500), is(t, member.ErrCodeUsed))
	h.comes(h.as("key-4", "x"), s, h.hash(s), balance(4500), is(t, nil))
	h.comes(h.as("key-5", "x"), wrong, h.hash(wrong), balance(4500), is(t, member.ErrCodeUnknown))
	h.release(0)
	h.holds(m[0], 53500)
	h.holds(m[1], 53500)
}

// A batch that the engine refuses is done again, one by one, and each settlement exactly once.
func TestRefusedBatchIsDoneAgainAlone(t *testing.T) {
	f, m := open(t, 4)
	if f.DB.Dialect() != db.SQLite {
		t.Skip("the trigger is SQLite's; TestKeyOfAnotherInstance shows the same on a server")
	}
	_, err := f.DB.SQLDB().ExecContext(t.Context(), fmt.Sprintf(`CREATE TRIGGER refuse BEFORE INSERT ON checkout_orders WHEN NEW.member_id = %d
		BEGIN SELECT RAISE(ABORT, 'refused'); END`, m[2]))
	shopfloor.Must(t, err)
	h := hold(f)
	for i, id := range m {
		r := h.wash(id)
		h.comes(h.as(fmt.Sprintf("key-%d", i), "x"), r, h.hash(r), balance(4500), func(_ checkout.Order, err error) {
			if (err != nil) != (i == 2) {
				t.Errorf("settlement %d: %v", i, err)
			}
		})
	}
	h.release(4)
	for i, want := range []money.Fen{53500, 53500, 58000, 53500} {
		h.holds(m[i], want)
	}
}

// Another instance runs the command of a client that sent it twice, while ours is on its way: the whole batch is done again, and once.
func TestKeyOfAnotherInstance(t *testing.T) {
	f, m := open(t, 4)
	if f.DB.Dialect() == db.SQLite {
		t.Skip("an embedded database has one instance")
	}
	h := hold(f)
	locked, free := make(chan struct{}), make(chan struct{})
	h.wg.Go(func() {
		shopfloor.Must(t, f.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := f.Members.StandingTx(ctx, tx, m[0])
			locked <- struct{}{}
			<-free
			return err
		}))
	})
	<-locked
	for i, id := range m {
		check := is(t, nil)
		if i == 2 {
			check = is(t, idem.ErrReused)
		}
		r := h.wash(id)
		h.comes(h.as(fmt.Sprintf("key-%d", i), "x"), r, h.hash(r), balance(4500), check)
	}
	close(h.free)
	h.picked(0) // the batch has looked its keys up and waits for the first member
	shopfloor.Must(t, f.DB.InTx(idem.With(t.Context(), idem.Key{Actor: "staff:7", Key: "key-2", Hash: "another"}), func(ctx context.Context, tx *db.Tx) error {
		_, _, err := idem.Once(ctx, tx, func() (int, error) { return 1, nil })
		return err
	}))
	close(free)
	h.free = make(chan struct{})
	h.release(4)
	for i, want := range []money.Fen{53500, 53500, 58000, 53500} {
		h.holds(m[i], want)
	}
}

// P9: 2,000 debits at once on a balance that covers 40: exactly 40, and the history is exact.
func TestP9TwoThousandDebitsOnABalanceForForty(t *testing.T) {
	f := shopfloor.New(t)
	m := f.Member("热门会员", "13900000001", "浙A12345")
	f.Topup(f.West, m, 180000, wallet.MethodCash)
	h := &tills{Floor: f}
	r := h.wash(m)
	hash := h.hash(r)
	var settled, refused atomic.Int64
	left := make([]atomic.Int64, 41)
	for i := range 2000 {
		h.wg.Go(func() {
			o, err := f.Checkout.Settle(h.as(fmt.Sprintf("key-%d", i), "x"), r, hash, balance(4500))
			switch {
			case err == nil:
				settled.Add(1)
				left[o.BalanceAfter/4500].Add(1)
			case errors.Is(err, ledger.ErrInsufficient):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	h.wg.Wait()
	if settled.Load() != 40 || refused.Load() != 1960 {
		t.Errorf("%d settled and %d refused, want 40 and 1960", settled.Load(), refused.Load())
	}
	for i := range 40 {
		if n := left[i].Load(); n != 1 {
			t.Errorf("%d were told that %d is left, want 1", n, i*4500)
		}
	}
	h.holds(m, 0)
	exact(f)
	if s := f.Checkout.TillStats(); s.Alone != 0 || s.Combined != 2000 || s.Batches > 1000 {
		t.Errorf("%+v", s)
	}
}
