package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// What a member who was merged into another held once comes to life with the other: a pass whose end is moved, and one that was used up and is charged
// again.
func TestMergeOfEndedPasses(t *testing.T) {
	s := start(t).open()
	keep, dup := s.join("林晓舟"), s.join("林晓舟")
	once := dup.buyPass(s.passPlan(obj{"name": "洗车单次卡", "priceFen": 3500, "lines": []obj{{"serviceIds": []int64{s.shop.wash}, "times": 1, "listFen": 3500}}}))
	s.shop.desk.settle(s.visit(dup.id, dup.plate), []obj{}...)
	short := dup.buyPass(s.passPlan(obj{"validMonths": 0, "validDays": 1}))
	s.later(50 * time.Hour)
	if err := s.Passes.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	keep, dup = keep.again(), dup.again()
	s.boss.token = s.anonymous().post("/api/staff/session", obj{"method": "password", "username": "boss", "password": bossPassword}).s("session.accessToken")
	for id, state := range map[int64]string{once: "used", short: "expired"} {
		if s.count(`SELECT COUNT(*) FROM pass_passes WHERE id = ? AND state = ?`, id, state) != 1 {
			t.Fatalf("%v is not %s", dup.get(fmt.Sprintf("/api/owner/passes/%d", id)), state)
		}
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
	s.sub("one that was used up is charged again", func(*testing.T) {
		s.boss.post(fmt.Sprintf("/api/staff/passes/%d/recharge", once), obj{"storeId": s.shop.store, "memberId": keep.id, "tender": "cash"})
		left(once, 5)
	})
}

// Who said no to offers as one of two members gets none after their merge.
func TestMergeKeepsTheStricterChoice(t *testing.T) {
	s := start(t).open()
	const path = "/api/owner/message-preference"
	keep, dup := s.join("林晓舟"), s.join("林晓舟")
	choose := func(o owner, marketing bool, off ...string) {
		o.want(http.MethodPut, path, obj{"off": append([]string{}, off...), "sms": true, "calls": true, "marketing": marketing, "fromMinute": 540, "toMinute": 1200})
	}
	choose(keep, true)
	choose(dup, false, "wishes")
	s.shop.manager.merge(dup.id, keep.id)
	if x := keep.get(path); x.b("preference.marketing") || x.at("preference.off.0") != "wishes" || x.i("preference.fromMinute") != 540 {
		t.Errorf("%v", x)
	}
	s.exact()
}
