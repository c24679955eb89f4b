package main

import (
	"context"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db/dbtest"
)

// Whatever the benchmark does, the books are exact afterwards. No figure is asserted.
func TestVariantsLeaveExactBooks(t *testing.T) {
	ctx := t.Context()
	w, err := newWorld(ctx, dbtest.Config(t), 12)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	till, stop, err := w.listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	f, err := newFloor(ctx, w.DB, 12)
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{workers: 4}
	for _, v := range []variant{{"floor", f.random}, {"spread", w.spread}, {"hot store", w.hotStore}, {"hot member", w.hotMember}, {"over HTTP", till.overHTTP}} {
		if _, err := m.run(ctx, 150*time.Millisecond, v.do); err != nil {
			t.Errorf("%s: %v", v.name, err)
		}
	}
	if err := f.drop(ctx); err != nil {
		t.Error(err)
	}
	if err := w.exact(ctx); err != nil {
		t.Error(err)
	}
}

// A settlement answers from memory what it has just written, and the same again when it is sent twice.
func TestSettleAnswersWhatIsStored(t *testing.T) {
	w, err := newWorld(t.Context(), dbtest.Config(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	c := w.members[0]
	ctx := w.as(t.Context(), "settle-0001")
	first, err := w.Checkout.Settle(ctx, w.visit(c, c.home), c.atHome, c.pay())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := w.Checkout.Order(ctx, first.ID)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.Checkout.Settle(ctx, w.visit(c, c.home), c.atHome, c.pay())
	if err != nil {
		t.Fatal(err)
	}
	if first.MemberName == "" {
		t.Error("the answer does not name the member")
	}
	first.MemberName = "" // it stands in no row of the order
	if !reflect.DeepEqual(first, stored) || !reflect.DeepEqual(again, stored) {
		t.Errorf("answered %+v\nagain    %+v\nstored   %+v", first, again, stored)
	}
}

// A small rush and a small search do what the large ones do.
func TestBookingsInSmall(t *testing.T) {
	ctx := t.Context()
	w, err := newWorld(ctx, dbtest.Config(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s, err := w.newSeekers(ctx, workshop{2, 3, 3, 0.3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	busy, done := context.WithTimeout(ctx, 20*time.Millisecond)
	defer done()
	if err := s.book(busy); err != nil {
		t.Error(err)
	}
	if _, err := (&meter{workers: 2}).run(ctx, 50*time.Millisecond, s.search); err != nil {
		t.Error(err)
	}
	c, err := w.newCrowd(ctx, rush{24, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(2) {
		if n, _, err := c.run(ctx, seed); err != nil || n != 6 {
			t.Errorf("seed %d: %d winners, %v", seed, n, err)
		}
	}
	if err := w.exact(ctx); err != nil {
		t.Error(err)
	}
}

// A night over a few members does all that is measured over many.
func TestNight(t *testing.T) {
	w, err := newWorld(t.Context(), dbtest.Config(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b := &bench{out: io.Discard, begin: time.Now()}
	if err := b.oneNight(t.Context(), w, "test", night{120, 3}); err != nil {
		t.Error(err)
	}
}
