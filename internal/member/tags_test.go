package member

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// F13: words by which the shop finds people again. They go with a merge and end with the membership.
func TestTags(t *testing.T) {
	w := newWorld(t)
	_, one := w.member("13900000001")
	_, two := w.member("13900000002")
	staff := desk(t.Context(), 3)
	set := func(id int64, want []string, tags ...string) {
		t.Helper()
		got, err := w.SetTags(staff, id, tags)
		must(t, err)
		stored, err := w.Tags(staff, id)
		must(t, err)
		if !slices.Equal(got, want) || !slices.Equal(stored, want) {
			t.Errorf("answered %q, stored %q, want %q", got, stored, want)
		}
	}
	set(one.MemberID, []string{"VIP", "怕划痕"}, " 怕划痕 ", "VIP", "VIP")
	set(one.MemberID, []string{"VIP", "爱车族"}, "爱车族", "VIP")
	set(two.MemberID, []string{"VIP", "企业"}, "企业", "VIP")
	all, err := w.AllTags(staff)
	must(t, err)
	if len(all) != 3 || all[0] != (TagCount{"VIP", 2}) {
		t.Errorf("%v", all)
	}
	elsewhere := actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 4, Stores: []int64{8}})
	if all, err = w.AllTags(elsewhere); err != nil || len(all) == 3 && all[0].Members > 2 {
		t.Errorf("%v %v", all, err)
	}

	for _, bad := range [][]string{{""}, {"  "}, {"一二三四五六七八九十一二三"}, {"a\nb"}, {"a\x00"}, many(maxTags + 1)} {
		_, err := w.SetTags(staff, one.MemberID, bad)
		wants(t, err, fault.ErrInvalid)
		wantsField(t, err, "tags")
	}
	_, err = w.SetTags(staff, 404, []string{"VIP"})
	wants(t, err, fault.ErrNotFound)
	set(one.MemberID, []string{"VIP", "爱车族"}, "VIP", "爱车族") // nothing of what was refused was kept

	must(t, w.db.InTx(staff, func(ctx context.Context, tx *db.Tx) error { return w.MergeTx(ctx, tx, two.MemberID, one.MemberID) }))
	set(one.MemberID, []string{"VIP", "企业", "爱车族"}, mustTags(t, w, one.MemberID)...)
	if left := mustTags(t, w, two.MemberID); len(left) != 0 {
		t.Errorf("the merged member keeps %q", left)
	}
	_, err = w.SetTags(staff, two.MemberID, []string{"VIP"})
	wants(t, err, ErrMerged)

	_, err = w.Close(staff, one.MemberID, "搬走了")
	must(t, err)
	if left := mustTags(t, w, one.MemberID); len(left) != 0 {
		t.Errorf("who left is still called %q", left)
	}
	_, err = w.SetTags(staff, one.MemberID, []string{"VIP"})
	wants(t, err, ErrClosed)
}

func many(n int) (tags []string) {
	for i := range n {
		tags = append(tags, fmt.Sprint("标签", i))
	}
	return tags
}

func mustTags(t *testing.T, w *world, id int64) []string {
	t.Helper()
	tags, err := w.Tags(t.Context(), id)
	must(t, err)
	return tags
}
