package mall

import (
	"context"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
)

// What one person may have of an item counts with all the members that the person was.
func TestLimitCountsWhoWasMerged(t *testing.T) {
	r := newRig(t)
	i := r.item(ItemInput{Stock: 9, PerMember: 3})
	keep, dup := r.join(1000), r.join(1000)
	o := r.ordered(dup, r.ask(i, 2))
	_, err := r.Deliver(r.desk(r.store), o.ID, r.code(o))
	must(t, err)
	must(t, r.db.InTx(actor.With(t.Context(), actor.Job("test")), func(ctx context.Context, tx *db.Tx) error { return r.Members.MergeTx(ctx, tx, dup, keep) }))
	r.ordered(keep, r.ask(i, 1))
	_, _, err = r.Order(r.owner(keep), keep, r.ask(i, 1))
	r.wantErr(err, ErrLimit)
	r.exact()
}
