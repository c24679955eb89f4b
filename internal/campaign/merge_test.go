package campaign

import (
	"context"
	"testing"

	"github.com/liangche/liangche/internal/db"
)

// merge makes one member another, as far as gifts see it.
func (r *rig) merge(from, into int64) {
	r.t.Helper()
	must(r.t, r.db.InTx(r.ctx(), func(ctx context.Context, tx *db.Tx) error { return r.members.MergeTx(ctx, tx, from, into) }))
}

// What somebody earned in the last moments before they became another member is that one's, once.
func TestWhatIsDueGoesToTheOtherMember(t *testing.T) {
	r := newRig(t)
	r.rule(RuleInput{Trigger: AfterPurchase, Terms: Terms{MinFen: 10000}})
	keep, dup := r.join(""), r.join("")
	r.pay(dup, "cash", 20000, 0)
	r.merge(dup, keep)
	r.sweep()
	r.want(keep, 100, "the purchase before the merge")
	r.sweep()
	r.want(keep, 100, "another sweep")
	r.exact()
}
