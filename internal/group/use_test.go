package group

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
)

// TestN09TwoTillsNeverPassTheCap: many tills at the month's cap take exactly what it allows, and the payer's wallet with it.
func TestN09TwoTillsNeverPassTheCap(t *testing.T) {
	r := newRig(t)
	g, _ := r.family(Place{Rules: Rules{CapPerMonthFen: 10_000, CapPerOrderFen: 4000}})
	r.join(g, r.bruno, Place{}) // without a cap, at the same time
	var wg sync.WaitGroup
	errs := make(chan error, 40)
	for i := range 20 {
		wg.Go(func() { errs <- r.pay(r.till(g, r.anna, 3000)) })
		if i%2 == 0 {
			wg.Go(func() { errs <- r.pay(r.till(g, r.bruno, 700)) })
		}
	}
	wg.Wait()
	close(errs)
	done, refused := 0, 0
	for err := range errs {
		switch {
		case err == nil:
			done++
		case errors.Is(err, ErrMonthCap):
			refused++
		default:
			t.Error(err)
		}
	}
	if done != 3+10 || refused != 17 {
		t.Errorf("%d paid, %d refused", done, refused)
	}
	if a, b := r.spentNow(g, r.anna), r.spentNow(g, r.bruno); a != 9000 || b != 7000 {
		t.Errorf("spent %d and %d", a, b)
	}
	if left := r.balance(r.payer); left != 1_000_000-16_000 {
		t.Errorf("the payer has %d left", left)
	}
	wants(t, r.pay(r.till(g, r.anna, 1001)), ErrMonthCap)
	must(t, r.pay(r.till(g, r.anna, 1000)))
	r.sound()
}

// TestN09OneApprovalPaysOnce: two tills with the same yes.
func TestN09OneApprovalPaysOnce(t *testing.T) {
	r := newRig(t)
	g, _ := r.family(Place{Rules: Rules{ApprovalOverFen: fenOf(1000)}})
	a := r.till(g, r.anna, 5000)
	must(t, r.pay(r.till(g, r.anna, 1000)))
	wants(t, r.pay(a), ErrApproval)
	y, err := r.AskPayer(r.staff(), a, "精洗")
	must(t, err)
	wants(t, r.pay(a), ErrApproval)
	_, err = r.AskPayer(r.staff(), a, "精洗")
	wants(t, err, ErrAsked)
	if _, err = r.Answer(r.owner(r.anna), y.ID, true, ""); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("the driver answered: %v", err)
	}
	_, err = r.Answer(r.owner(r.payer), y.ID, true, "去吧")
	must(t, err)
	_, err = r.Answer(r.owner(r.payer), y.ID, false, "")
	wants(t, err, ErrApproved)

	dearer, plate, service, goods := a, a, a, a
	dearer.AmountFen++
	plate.Plate = "浙A99999"
	service.ServiceIDs = []int64{r.wash, r.wax}
	goods.Goods = true
	for _, other := range []Ask{dearer, plate, service, goods} {
		wants(t, r.pay(other), ErrApproval)
	}
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range cap(errs) {
		wg.Go(func() {
			again := a
			again.OrderID = r.db.NewID()
			errs <- r.pay(again)
		})
	}
	wg.Wait()
	close(errs)
	done := 0
	for err := range errs {
		if err == nil {
			done++
		} else {
			wants(t, err, ErrApproval)
		}
	}
	if done != 1 || r.spentNow(g, r.anna) != 6000 {
		t.Errorf("%d paid with one yes, %d spent", done, r.spentNow(g, r.anna))
	}
	r.sound()
}

func TestApprovalsEnd(t *testing.T) {
	r := newRig(t)
	g, d := r.family(Place{Rules: Rules{ApprovalOverFen: fenOf(0), CapPerOrderFen: 9000}})
	a := r.till(g, r.anna, 5000)
	ask := func() Approval {
		t.Helper()
		y, err := r.AskPayer(r.staff(), a, "精洗")
		must(t, err)
		return y
	}
	y := ask()
	r.clk.Advance(15 * time.Minute)
	_, err := r.Answer(r.owner(r.payer), y.ID, true, "")
	wants(t, err, ErrApproved)
	if got, _ := r.Asked(r.staff(), y.ID); got.StateAt(r.clk.Now()) != ApprovalExpired {
		t.Errorf("%+v", got)
	}
	y = ask()
	_, err = r.Answer(r.owner(r.payer), y.ID, false, "今天不行")
	must(t, err)
	wants(t, r.pay(a), ErrApproval)
	y = ask()
	_, err = r.Answer(r.owner(r.payer), y.ID, true, "")
	must(t, err)
	r.clk.Advance(15 * time.Minute)
	wants(t, r.pay(a), ErrApproval) // a yes is good for as long as a question

	// A yes whose order came to nothing can be used again while it is in time.
	y = ask()
	_, err = r.Answer(r.owner(r.payer), y.ID, true, "")
	must(t, err)
	must(t, r.pay(a))
	r.undo(a.OrderID)
	r.undo(a.OrderID)
	if r.spentNow(g, r.anna) != 0 {
		t.Error("an undone use counts")
	}
	a.OrderID = r.db.NewID()
	must(t, r.pay(a))

	// What needs no yes is not asked, what the rules forbid is not asked either.
	dear := a
	dear.AmountFen = 9001
	_, err = r.AskPayer(r.staff(), dear, "精洗")
	wants(t, err, ErrOrderCap)
	_, err = r.PutDriver(r.owner(r.payer), g.ID, d.ID, Place{CardKind: CardDriver, Rules: Rules{ApprovalOverFen: fenOf(5000)}})
	must(t, err)
	_, err = r.AskPayer(r.staff(), a, "精洗")
	wants(t, err, ErrNoneAsked)

	// At most three questions of a driver at once.
	_, err = r.PutDriver(r.owner(r.payer), g.ID, d.ID, Place{CardKind: CardDriver, Rules: Rules{ApprovalOverFen: fenOf(0)}})
	must(t, err)
	for i := range 4 {
		q := a
		q.AmountFen = money.Fen(10_000 * (i + 1))
		_, err = r.AskPayer(r.staff(), q, "精洗")
		if i < 3 {
			must(t, err)
		}
	}
	wants(t, err, ErrAsked)
	list, err := approvalsOf(t.Context(), r.db, r.payer, 0, 100)
	if err != nil || len(list) != 7 || list[0].ID < list[1].ID {
		t.Errorf("%d %v", len(list), err)
	}
	r.sound()
}

func TestWhoMayNotPay(t *testing.T) {
	r := newRig(t)
	g, d := r.family(Place{Until: "2026-11-20"})
	try := func() error { return r.pay(r.till(g, r.anna, 100)) }
	must(t, try())
	wants(t, r.pay(r.till(g, r.bruno, 100)), ErrNoDriver)
	wants(t, r.pay(r.till(g, r.payer, 100)), ErrNoDriver)
	zero := r.till(g, r.anna, 0)
	wants(t, r.pay(zero), fault.ErrInvalid)
	zero.GroupID, zero.AmountFen = 42, 5
	wants(t, r.pay(zero), fault.ErrNotFound)

	must(t, r.members.Suspend(r.staff(), r.payer, "查账"))
	wants(t, try(), ErrPayer)
	must(t, r.members.Reinstate(r.staff(), r.payer, "好了"))
	must(t, r.members.Suspend(r.staff(), r.anna, "查账"))
	wants(t, try(), ErrDriver)
	must(t, r.members.Reinstate(r.staff(), r.anna, "好了"))
	_, err := r.Suspend(r.staff(), g.ID, true, "欠款")
	must(t, err)
	wants(t, try(), ErrSuspended)
	_, err = r.Suspend(r.staff(), g.ID, true, "欠款")
	wants(t, err, ErrState)
	_, err = r.Suspend(r.staff(), g.ID, false, "")
	must(t, err)
	must(t, try())
	r.clk.Advance(3 * 24 * time.Hour)
	wants(t, try(), ErrPlaceOver)
	_, err = r.PutDriver(r.owner(r.payer), g.ID, d.ID, Place{CardKind: CardDriver})
	must(t, err)
	must(t, try())
	_, err = r.Dissolve(r.owner(r.payer), g.ID, "")
	must(t, err)
	wants(t, try(), ErrEnded)
	r.sound()
}

// A payer's empty wallet refuses, and nothing is counted.
func TestAnEmptyWalletCountsNothing(t *testing.T) {
	r := newRig(t)
	g, _ := r.family(Place{Rules: Rules{CapPerMonthFen: 5_000_000}})
	wants(t, r.pay(r.till(g, r.anna, 1_000_001)), ledger.ErrInsufficient)
	if r.spentNow(g, r.anna) != 0 {
		t.Error("counted without paying")
	}
	must(t, r.pay(r.till(g, r.anna, 1_000_000)))
	r.sound()
}

func TestTheMonthIsTheStoresAndSurvivesLeaving(t *testing.T) {
	r := newRig(t)
	g, _ := r.family(Place{Rules: Rules{CapPerMonthFen: 5000}})
	must(t, r.pay(r.till(g, r.anna, 5000)))
	must(t, r.Leave(r.owner(r.anna), g.ID))
	wants(t, r.pay(r.till(g, r.anna, 1)), ErrNoDriver)
	r.join(g, r.anna, Place{Rules: Rules{CapPerMonthFen: 5000}})
	wants(t, r.pay(r.till(g, r.anna, 1)), ErrMonthCap)
	r.clk.Set(time.Date(2026, 11, 30, 15, 59, 0, 0, time.UTC)) // 23:59 in Shanghai
	wants(t, r.pay(r.till(g, r.anna, 1)), ErrMonthCap)
	r.clk.Advance(time.Minute)
	must(t, r.pay(r.till(g, r.anna, 5000)))
	r.sound()
}

func TestTheTillSeesWhatCouldPay(t *testing.T) {
	r := newRig(t)
	g, _ := r.family(Place{Rules: Rules{CapPerMonthFen: 5000, ApprovalOverFen: fenOf(3000)}})
	look := func(amount money.Fen) Offer {
		t.Helper()
		a := r.till(g, r.anna, amount)
		a.GroupID, a.At = 0, r.clk.Now()
		list, err := r.Usable(r.staff(), r.db, a)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v %v", list, err)
		}
		return list[0]
	}
	if o := look(2000); o.GroupID != g.ID || o.AvailableFen != 2000 || o.Why != "" || o.NeedsYes || o.Name != "王家" || o.PayerName == "王付款" {
		t.Errorf("%+v", o)
	}
	if o := look(20_000); o.AvailableFen != 5000 || !o.NeedsYes || o.ApprovalID != 0 {
		t.Errorf("%+v", o)
	}
	y, err := r.AskPayer(r.staff(), r.till(g, r.anna, 5000), "精洗")
	must(t, err)
	if o := look(5000); !o.NeedsYes || o.ApprovalID != y.ID {
		t.Errorf("%+v", o)
	}
	_, err = r.Answer(r.owner(r.payer), y.ID, true, "")
	must(t, err)
	if o := look(5000); o.NeedsYes || o.ApprovalID != y.ID {
		t.Errorf("%+v", o)
	}
	must(t, r.pay(r.till(g, r.anna, 5000)))
	if o := look(1); o.Why == "" || o.AvailableFen != 0 {
		t.Errorf("%+v", o)
	}
	must(t, r.members.Suspend(r.staff(), r.payer, "查账"))
	if o := look(1); o.Why != ErrPayer.Message {
		t.Errorf("%+v", o)
	}
	a := r.till(g, r.bruno, 1)
	if list, err := r.Usable(r.staff(), r.db, a); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}
