package coupon

import (
	"context"
	"errors"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
)

// joined merges one member into another, as far as coupons know.
func (r *rig) joined(from, into int64) {
	r.t.Helper()
	must(r.t, r.db.InTx(actor.With(r.t.Context(), actor.Job("test")), func(ctx context.Context, tx *db.Tx) error {
		return errors.Join(r.Members.MergeTx(ctx, tx, from, into), r.MergeTx(ctx, tx, from, into))
	}))
}

// What one person may be given of a template counts with all the members that the person was, however it is given.
func TestLimitOfATemplateCountsWhoWasMerged(t *testing.T) {
	r := newRig(t)
	tpl := r.template("每人三张", func(in *TemplateInput) { in.PerMember = 3 })
	first, second, keep, other := r.member(), r.member(), r.member(), r.member()
	r.issue(tpl, first)
	r.issue(tpl, second)
	r.issue(tpl, other)
	r.joined(first, second)
	r.joined(second, keep) // the first leads on too
	issued, err := r.IssueBulk(r.ctx(), Bulk{TemplateID: tpl, MemberIDs: []int64{keep, other}, Each: 2})
	if err != nil || issued.Issued != 3 || issued.Skipped != 0 {
		t.Fatalf("%+v %v, want one for who was three, two for the other", issued, err)
	}
	err = r.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := r.IssueTx(ctx, tx, Issue{TemplateID: tpl, MemberID: keep, Source: "test"})
		return err
	})
	if !errors.Is(err, ErrLimit) {
		t.Errorf("a fourth: %v", err)
	}
	if again, err := r.IssueBulk(r.ctx(), Bulk{TemplateID: tpl, MemberIDs: []int64{keep, other}, Each: 1}); err != nil || again.Issued != 0 || again.Skipped != 2 {
		t.Errorf("%+v %v", again, err)
	}
	if ids, _ := r.usable(keep); len(ids) != 3 {
		t.Errorf("holds %v", ids)
	}
	r.clean()
}

func TestLimitOfAClaimPageCountsWhoWasMerged(t *testing.T) {
	r := newRig(t)
	page := r.page(t, r.template("领券"), 10, 2)
	from, into := r.member(), r.member()
	for _, m := range []int64{from, into} {
		_, err := r.Claim(r.owner(m), m, page.Code)
		must(t, err)
	}
	r.joined(from, into)
	if v, err := r.ClaimPageOf(t.Context(), into, page.Code); err != nil || v.Mine != 2 || v.State != "mine" {
		t.Errorf("%+v %v", v, err)
	}
	if _, err := r.Claim(r.owner(into), into, page.Code); !errors.Is(err, ErrClaimed) {
		t.Errorf("a third: %v", err)
	}
	r.clean()
}
