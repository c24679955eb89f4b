package coupon

import (
	"context"
	"testing"

	"github.com/liangche/liangche/internal/db"
)

// N11, N15: a coupon whose reason is gone while something uses or holds it stays with that, and does not come back when that ends without it.
func TestN11TakenBackWhileInUse(t *testing.T) {
	r := newRig(t)
	m := r.member()
	tpl := r.template("消费有礼")
	given := func(key string) (id int64) {
		must(t, r.tx(func(ctx context.Context, tx *db.Tx) error {
			ids, err := r.IssueTx(ctx, tx, Issue{TemplateID: tpl, MemberID: m, Source: "test", Dedupe: key})
			if err == nil {
				id = ids[0]
			}
			return err
		}))
		return id
	}
	takeBack := func(key string, want int64) {
		t.Helper()
		must(t, r.tx(func(ctx context.Context, tx *db.Tx) error {
			n, err := r.TakeBackTx(ctx, tx, m, key, 1)
			if n != want {
				t.Errorf("%d voided, want %d", n, want)
			}
			return err
		}))
	}
	idle, used, held, sent := given("idle"), given("used"), given("held"), given("sent")
	must(t, r.hold(m, 1, used))
	must(t, r.use(1))
	must(t, r.hold(m, 2, held))
	_, err := r.Gift(r.owner(m), m, sent)
	must(t, err)
	takeBack("idle", 1)
	takeBack("used", 0)
	takeBack("held", 0)
	takeBack("sent", 0)
	r.is(idle, Void)
	r.is(used, Used)
	r.is(held, Held)
	must(t, r.release(1)) // the order is reversed
	must(t, r.release(2)) // the order was not paid
	_, err = r.TakeBack(r.owner(m), m, sent)
	must(t, err)
	for _, id := range []int64{used, held, sent} {
		r.is(id, Expired)
	}
	r.clean()
}

// A part of what was given goes back: only what is not in use.
func TestSomeAreTakenBack(t *testing.T) {
	r := newRig(t)
	m := r.member()
	tpl := r.template("每满一百")
	var ids []int64
	must(t, r.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		ids, err = r.IssueTx(ctx, tx, Issue{TemplateID: tpl, MemberID: m, N: 4, Source: "test", Dedupe: "four"})
		return err
	}))
	must(t, r.hold(m, 1, ids[0]))
	must(t, r.use(1))
	for _, want := range []int64{2, 1, 0} {
		must(t, r.tx(func(ctx context.Context, tx *db.Tx) error {
			n, err := r.TakeBackSomeTx(ctx, tx, m, "four", 4, 2)
			if n != want {
				t.Errorf("%d voided, want %d", n, want)
			}
			return err
		}))
	}
	r.is(ids[0], Used)
	for _, id := range ids[1:] {
		r.is(id, Void)
	}
	r.clean()
}
