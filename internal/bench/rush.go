package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/ledger"
)

// peers are systems that were measured once beside the same floor, on one machine with durable storage: 4,470 checkouts a second for the floor, 247
// for a Formance ledger as it comes with an account for each user, 900 for Blnk with one movement. They are not run here.
var peers = []struct {
	name                  string
	ofFloor, want, beyond float64
}{{"a Formance ledger as it comes", 247.0 / 4470, 10, 20}, {"Blnk with one movement", 900.0 / 4470, 3, 4}}

// P9: so many settle at once for a member whose card covers only some.
const (
	debitRush    = 2000
	debitCovered = 40
	dearFen      = (topupFen + bonusFen) / debitCovered
)

// debits has many tills settle at once on one balance. All but those that it covers are refused for the balance, and the books are exact.
func (b *bench) debits(ctx context.Context, name string, w *world) error {
	b.say("%s: %d settlements at once on a balance that covers %d", name, debitRush, debitCovered)
	class := []catalog.Price{{VehicleClassID: w.class, PriceFen: dearFen}}
	dear, err := w.Catalog.CreateService(actor.With(ctx, actor.Job("bench")), catalog.ServiceInput{Name: "漆面精洗", Kind: "wash", Minutes: 30, Prices: class})
	if err != nil {
		return err
	}
	var winners []float64
	for round := range b.seeds {
		plans, err := w.Catalog.Plans(ctx)
		if err != nil {
			return err
		}
		c, err := w.join(ctx, 90_000+round, plans[0].ID)
		if err != nil {
			return err
		}
		visit := w.visit(c, c.home)
		visit.Items = []checkout.Item{{Kind: catalog.KindService, ID: dear.ID, Qty: 1}}
		q, err := w.Checkout.Quote(actor.With(ctx, w.boss), visit)
		if err != nil {
			return err
		}
		pay := []checkout.Tender{{Kind: checkout.TenderBalance, AmountFen: q.TotalFen}}
		var done atomic.Int64
		var other atomic.Value
		var rush sync.WaitGroup
		for i := range debitRush {
			rush.Go(func() {
				_, err := w.Checkout.Settle(w.as(ctx, fmt.Sprintf("rush-%d-%06d", round, i)), visit, q.QuoteHash, pay)
				switch {
				case err == nil:
					done.Add(1)
				case !errors.Is(err, ledger.ErrInsufficient):
					other.Store(err)
				}
			})
		}
		rush.Wait()
		if err, bad := other.Load().(error); bad {
			return fmt.Errorf("a settlement was refused for another reason: %w", err)
		}
		winners = append(winners, float64(done.Load()))
	}
	b.exactly("P9", fmt.Sprintf("%s: %d debits at once on a balance that covers %d, successes in each of %d runs", name, debitRush, debitCovered, b.seeds), winners, debitCovered)
	return w.exact(ctx)
}

// copies has WeChat Pay's notification of one payment arrive a thousand times at once. The test that is run here fails unless it is credited once.
func (b *bench) copies(ctx context.Context) error {
	const n = 1000
	b.say("one payment notification, %d times at once", n)
	cmd := exec.CommandContext(ctx, "go", "test", "-v", "-count=1", "-run", "^TestP10", "./internal/payment", "-copies", fmt.Sprint(n))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("P10: %w\n%s", err, out)
	}
	_, said, _ := strings.Cut(string(out), "credits: ")
	var credits float64
	if _, err := fmt.Sscan(said, &credits); err != nil {
		return fmt.Errorf("P10: the test does not say how often it was credited: %w\n%s", err, out)
	}
	b.exactly("P10", fmt.Sprintf("SQLite: one payment notification delivered %d times at once, credits", n), []float64{credits}, 1)
	return nil
}
