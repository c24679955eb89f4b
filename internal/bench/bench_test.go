package main

import (
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
