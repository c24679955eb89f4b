package app_test

import (
	"fmt"
	"testing"
	"time"
)

// What a member who was merged into another held once comes to life with the other: a pass whose end is moved.
func TestMergeOfEndedPasses(t *testing.T) {
	s := start(t).open()
	keep, dup := s.join("林晓舟"), s.join("林晓舟")
	short := dup.buyPass(s.passPlan(obj{"validMonths": 0, "validDays": 1}))
	s.later(50 * time.Hour)
	if err := s.Passes.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	keep, dup = keep.again(), dup.again()
	s.boss.token = s.anonymous().post("/api/staff/session", obj{"method": "password", "username": "boss", "password": bossPassword}).s("session.accessToken")
	if s.count(`SELECT COUNT(*) FROM pass_passes WHERE id = ? AND state = 'expired'`, short) != 1 {
		t.Fatal(dup.get(fmt.Sprintf("/api/owner/passes/%d", short)))
	}
	s.boss.merge(dup.id, keep.id)
	s.exact()
	left := func(id, want int64) {
		t.Helper()
		if x := keep.get(fmt.Sprintf("/api/owner/passes/%d", id)); x.s("state") != "active" || x.i("lines.0.left") != want {
			t.Errorf("%v, want %d left", x, want)
		}
		s.exact()
	}
	s.sub("one that had expired is extended", func(*testing.T) {
		s.boss.post(fmt.Sprintf("/api/console/passes/%d/extend", short), obj{"days": 30, "reason": "补偿停业"})
		left(short, 10)
		if r := s.boss.settle(s.visit(keep.id, dup.plate), []obj{}...); r.i("totalFen") != 0 {
			t.Errorf("%v", r)
		}
		left(short, 9)
	})
}
