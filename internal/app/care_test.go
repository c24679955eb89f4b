package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/bizday"
)

// B07, J08: an owner hands in what is known of the car, sees what comes next, is told in time, and says that it was done; the desk sees the same.
func TestCareOfACar(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	vehicle := o.get("/api/owner/vehicles").i("items.0.id")
	path := fmt.Sprintf("/api/owner/vehicles/%d/care", vehicle)
	list := o.get("/api/owner/care")
	if list.s("items.0.next") != "" || list.s("items.0.dues.1.state") != "unknown" || len(list.list("kinds")) != 5 || list.i("everyMonths") != 6 {
		t.Fatalf("nothing is known: %v", list)
	}
	ends := s.day(40)
	got := o.want(http.MethodPut, path, obj{"kind": "private", "registeredOn": s.day(-700), "insuredTo": ends, "servicedOn": s.day(-10), "servicedKm": 30000, "km": 31000})
	if !strings.Contains(got.s("next"), "年检") || got.i("km") != 31000 {
		t.Errorf("told: %v", got)
	}
	if desk := s.shop.desk.get(fmt.Sprintf("/api/staff/members/%d/care", o.id)); desk.s("items.0.next") != got.s("next") {
		t.Errorf("the desk sees %v", desk)
	}
	told := s.shop.desk.want(http.MethodPut, fmt.Sprintf("/api/staff/members/%d/vehicles/%d/care", o.id, vehicle), obj{"kind": "private", "registeredOn": s.day(-700), "insuredTo": ends, "servicedOn": s.day(-10),
		"servicedKm": 30000, "km": 31000, "everyMonths": 3})
	if told.i("everyMonths") != 3 {
		t.Errorf("told by the desk: %v", told)
	}
	if d := s.boss.post(fmt.Sprintf("/api/console/members/%d/vehicles/%d/care/done", o.id, vehicle), obj{"event": "maintenance_due", "km": 31500}); d.s("servicedOn") != s.day(0) || d.i("km") != 31500 {
		t.Errorf("done by the console: %v", d)
	}
	s.shop.desk.fails("not_found", http.MethodGet, "/api/staff/members/4242/care", nil)
	s.shop.desk.fails("not_found", http.MethodPut, fmt.Sprintf("/api/staff/members/%d/vehicles/4242/care", o.id), obj{"kind": "private"})
	if v := o.get("/api/owner/vehicles"); v.i("items.0.mileageKm") != 31500 {
		t.Errorf("the car's own page says %v", v)
	}
	s.explain([]refused{
		{"a car of another kind", o.caller, http.MethodPut, path, obj{"kind": "tank"}, "request.invalid", "kind", "类型"},
		{"registered tomorrow", o.caller, http.MethodPut, path, obj{"kind": "private", "registeredOn": s.day(1)}, "request.invalid", "registeredOn", "注册日期"},
		{"no date", o.caller, http.MethodPut, path, obj{"kind": "private", "insuredTo": "2026-02-30"}, "request.invalid", "insuredTo", "到期日"},
		{"serviced before it was built", o.caller, http.MethodPut, path, obj{"kind": "private", "registeredOn": s.day(-10), "servicedOn": s.day(-11)}, "request.invalid", "servicedOn", "保养"},
		{"an odometer that ran backwards", o.caller, http.MethodPut, path, obj{"kind": "private", "servicedOn": s.day(-10), "servicedKm": 5000, "km": 4000}, "request.invalid", "km", "里程"},
		{"insured for ever", o.caller, http.MethodPost, path + "/done", obj{"event": "insurance_due", "on": "2099-01-01"}, "request.invalid", "on", "到期日"},
	})
	o.fails("request.invalid", http.MethodPost, path+"/done", obj{"event": "holiday"})
	s.later(11 * 24 * time.Hour)
	o, s.boss = o.again(), s.login()
	if err := s.Reminders.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := s.clk.Now().In(bizday.Location(bizday.DefaultZone))
	if want := int64(0); now.Hour() >= 9 {
		want = 1
		if n := s.count(`SELECT COUNT(*) FROM notify_messages WHERE event = 'insurance_due' AND member_id = ?`, o.id); n != want {
			t.Errorf("told %d times of the insurance", n)
		}
	}
	done := o.post(path+"/done", obj{"event": "insurance_due"})
	if done.s("insuredTo") != addYear(ends) {
		t.Errorf("insured to %s, was %s", done.s("insuredTo"), ends)
	}
	o.post("/api/owner/account/close", obj{"reason": "搬家"})
	if n := s.count(`SELECT COUNT(*) FROM remind_cars`); n != 0 {
		t.Errorf("%d cars of somebody who left", n)
	}
	s.exact()
}

func addYear(date string) string {
	t, _ := time.Parse(time.DateOnly, date)
	return t.AddDate(1, 0, 0).Format(time.DateOnly)
}

// The console: each rule with its switch and window, the outlook, the table of inspections.
func TestRemindersInTheConsole(t *testing.T) {
	s := start(t).open()
	const rules, table = "/api/console/reminders", "/api/console/inspections"
	all := s.boss.get(rules)
	if n := len(all.list("items")); n < 19 || all.i("hour") != 9 {
		t.Fatalf("%d rules: %v", n, all)
	}
	saved := s.boss.want(http.MethodPut, rules+"/inspection_due", obj{"on": false, "terms": obj{"days": []int{60, 10}}})
	for _, x := range saved.list("items") {
		if x.s("event") == "inspection_due" && (x["on"] != false || fmt.Sprint(x.at("terms.days")) != "[60 10]") {
			t.Errorf("saved: %v", x)
		}
	}
	s.boss.want(http.MethodPut, rules+"/pass_expiring", obj{"on": true, "value": 14, "terms": obj{"days": []int{}}})
	s.boss.want(http.MethodPut, "/api/console/reminder-hour", obj{"hour": 10})
	law := s.boss.get(table + "/law")
	if got := s.boss.want(http.MethodPut, table, law); fmt.Sprint(got) != fmt.Sprint(law) {
		t.Errorf("the law as it was sent: %v", got)
	}
	if got := s.boss.get("/api/console/reminder-outlook"); got.s("from") != s.day(0) || got.i("days") != 7 {
		t.Errorf("outlook: %v", got)
	}
	gap := obj{"kinds": []obj{{"kind": "private", "title": "私家车", "stages": []obj{{"fromYear": 0, "toYear": 4, "everyMonths": 24, "onSite": false}, {"fromYear": 5, "toYear": 0, "everyMonths": 12, "onSite": true}}}}}
	s.explain([]refused{
		{"days backwards", s.boss, http.MethodPut, rules + "/insurance_due", obj{"on": true, "terms": obj{"days": []int{7, 30}}}, "request.invalid", "days[1]", "更接近"},
		{"no days", s.boss, http.MethodPut, rules + "/insurance_due", obj{"on": true, "terms": obj{"days": []int{}}}, "request.invalid", "days", "几天"},
		{"a rhythm of two", s.boss, http.MethodPut, rules + "/next_wash", obj{"on": true, "terms": obj{"days": []int{2}, "least": 2}}, "request.invalid", "least", ""},
		{"a gap in the table", s.boss, http.MethodPut, table, gap, "request.invalid", "kinds[0].stages[1].fromYear", "接着算"},
	})
	s.boss.fails("remind.rule_unknown", http.MethodPut, rules+"/nonsense", obj{"on": true, "terms": obj{"days": []int{}}})
	s.shop.desk.fails("permission.denied", http.MethodGet, rules, nil)
	s.exact()
}
