package campaign

import (
	"context"
	"errors"
	"testing"
	"time"

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

// What is given so often to a person counts with all the members that the person was.
func TestLimitsCountWhoWasMerged(t *testing.T) {
	r := newRig(t)
	r.rule(RuleInput{Trigger: AfterPurchase, Terms: Terms{MinFen: 10000, PerMember: 1}})
	keep, dup, third := r.join(""), r.join(""), r.join("")
	r.pay(dup, "cash", 20000, 0)
	r.sweep()
	r.want(dup, 100, "the first purchase")
	r.merge(dup, keep)
	r.pay(keep, "cash", 20000, 0)
	r.sweep()
	r.want(keep, 0, "the same person's second purchase")
	r.merge(keep, third) // and once more
	r.pay(third, "cash", 20000, 0)
	r.sweep()
	r.want(third, 0, "the same person's third purchase")
	r.exact()
}

func TestOneBirthdayGiftForWhoWasMerged(t *testing.T) {
	r := newRig(t)
	r.rule(RuleInput{Trigger: Birthday})
	keep, dup := r.join("1990-11-21"), r.join("1990-11-19")
	day := func() {
		r.clk.Advance(24 * time.Hour)
		r.sweep()
	}
	day()
	r.want(dup, 100, "on the 19th")
	r.merge(dup, keep)
	day()
	day()
	r.want(keep, 0, "on the 21st, the same person's")
	r.clk.Advance(363 * 24 * time.Hour)
	for range 4 {
		day()
	}
	r.want(keep, 100, "in the next year")
	r.exact()
}

func TestCodesCountWhoWasMerged(t *testing.T) {
	r := newRig(t)
	_, codes := r.batch(BatchInput{PerMember: 2})
	keep, dup := r.join(""), r.join("")
	use := func(m int64, code string) error {
		_, err := r.Redeem(r.owner(m), code)
		return err
	}
	must(t, use(dup, codes[0]))
	r.merge(dup, keep)
	must(t, use(keep, codes[1]))
	if err := use(keep, codes[2]); !errors.Is(err, ErrLimit) {
		t.Errorf("the third code of one person: %v", err)
	}
	r.want(keep, 100, "of the own code")
	r.exact()
}
