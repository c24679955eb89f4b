// Package remind tells members in time what time alone makes due: the annual inspection, the insurance and the maintenance of a car (B07, B08,
// J08), the next wash by the car's own rhythm (J07), a tier that is about to fall, a birthday (J06).
//
// Model: a Rule is one kind of reminder, with its terms (how many days ahead, …); its switch is that of its event in the messages. A Car is what
// the owner or the shop told of a vehicle; its dues follow from that, from the Table of inspections and from the shop's intervals. A run goes
// through everybody for one rule on one day, page by page.
// Owns: remind_cars, remind_terms, remind_runs.
// Invariants: a page's messages and its cursor are written in one transaction, so two instances or a kill double and lose nothing (N29); a dedupe
// key names what is reminded of, never the day on which that happens; after an outage the newest reminder alone is sent, and none that
// makes no sense any more (Message.Until); what is marketing goes by the messages' rules for marketing (N30); who is suspended or left hears
// nothing.
//
// Elsewhere, because one place there knows the moment: bookings remind of themselves (the evening before, an hour before, late, changed, car
// ready), the till and the wallet write receipts, passes, points, coupons and paid memberships warn before they end, tiers tell of a change. The
// list of Rules names them all, so that the shop sets every reminder on one page.
package remind

import (
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
)

// Faults of this package.
var (
	ErrRule  = fault.Define(fault.NotFound, "remind.rule_unknown", "没有这种提醒，请刷新页面后再试")
	ErrNoDue = fault.Define(fault.Conflict, "remind.nothing_due", "现在没有需要办理的事项，请刷新后再看")
)

// Where a rule's days are kept.
const (
	here    = ""  // in remind_terms
	nowhere = "-" // it is told at once
)

// Rule is a kind of reminder. Its name is that of its event in the messages.
type Rule struct {
	Event   string
	Help    string // when it comes, in Chinese
	Setting string // the setting that keeps its days, or one of here, nowhere
	Unit    string // of the setting: days, minutes, hour
	Default Terms  // of those that are kept here
	Steps   int    // how many days it may have; 0: the day itself
}

// Terms are what a shop may choose of a rule that is kept here.
type Terms struct {
	Days        []int `json:"days" maxItems:"3" doc:"So many days ahead, first one first; of the next wash: so many days after the usual one"`
	EveryKm     int64 `json:"everyKm,omitempty" minimum:"0" maximum:"100000" doc:"maintenance_due: so often, unless the car's own says otherwise"`
	EveryMonths int   `json:"everyMonths,omitempty" minimum:"0" maximum:"60"`
	Least       int   `json:"least,omitempty" minimum:"0" maximum:"20" doc:"next_wash: so many washes before there is a rhythm"`
}

// Rules lists every reminder in the order in which the console shows them.
func Rules() []Rule {
	return []Rule{
		{Event: notify.BookingConfirmed, Help: "预约成功后马上发送", Setting: nowhere},
		{Event: notify.BookingTomorrow, Help: "到店前一天的这个钟点发送", Setting: setting.BookingTomorrowHour, Unit: "hour"},
		{Event: notify.BookingReminder, Help: "到店前这么久发送", Setting: setting.BookingRemindMinutes, Unit: "minutes"},
		{Event: notify.BookingLate, Help: "过了预约时间还没到，告诉车主工位保留到几点", Setting: nowhere},
		{Event: notify.BookingChanged, Help: "门店改期或前车延误时马上发送", Setting: nowhere},
		{Event: notify.CarReady, Help: "完工后马上发送", Setting: nowhere},
		{Event: notify.Deduction, Help: "结算后马上发送", Setting: nowhere},
		{Event: notify.Topup, Help: "充值到账后马上发送", Setting: nowhere},
		{Event: notify.PassExpiring, Help: "次卡、期卡到期前", Setting: setting.PassWarnDays, Unit: "days"},
		{Event: notify.PointsExpiring, Help: "积分到期前", Setting: setting.PointsWarnDays, Unit: "days"},
		{Event: notify.CouponExpiring, Help: "优惠券到期前", Setting: setting.CouponWarnDays, Unit: "days"},
		{Event: notify.MembershipEnds, Help: "付费会员到期前", Setting: setting.TierRenewDays, Unit: "days"},
		{Event: notify.TierChanged, Help: "升级或降级后马上发送", Setting: nowhere},
		{Event: notify.TierFalling, Help: "再不来店等级就要下调时", Default: Terms{Days: []int{14}}, Steps: 1},
		{Event: notify.NextWash, Help: "按每辆车自己的洗车间隔，过了平常的日子还没来、也没有预约", Default: Terms{Days: []int{2}, Least: 4}, Steps: 1},
		{Event: notify.MaintenanceDue, Help: "按里程或月数，先到为准", Default: Terms{Days: []int{14, 0}, EveryKm: 10000, EveryMonths: 6}, Steps: 2},
		{Event: notify.InspectionDue, Help: "按注册日期和“年检周期”", Default: Terms{Days: []int{30, 7}}, Steps: 2},
		{Event: notify.InsuranceDue, Help: "按车主填写的保险到期日", Default: Terms{Days: []int{30, 7}}, Steps: 2},
		{Event: notify.Birthday, Help: "生日当天；只发给同意接收祝福的会员", Steps: 0},
	}
}

// ruleOf finds a rule. Fault: ErrRule.
func ruleOf(event string) (Rule, error) {
	for _, r := range Rules() {
		if r.Event == event {
			return r, nil
		}
	}
	return Rule{}, ErrRule
}

// ours says whether this package's runs carry the rule out.
func (r Rule) ours() bool { return r.Setting == here }

// check says what is wrong with terms; nil when nothing is.
func (r Rule) check(t Terms) error {
	var c fault.Complaints
	if len(t.Days) != r.Steps && !(r.Steps == 2 && len(t.Days) == 1) {
		c.Bad("days", "请填写提前几天提醒")
	}
	for i, d := range t.Days {
		if d < 0 || d > 90 {
			c.Bad(fmt.Sprintf("days[%d]", i), "请填写 0 到 90 之间的天数")
		} else if i > 0 && d >= t.Days[i-1] {
			c.Bad(fmt.Sprintf("days[%d]", i), "第二次提醒要比第一次更接近到期日")
		}
	}
	switch r.Event {
	case notify.MaintenanceDue:
		c.Between("everyKm", t.EveryKm, 1000, 100_000)
		c.Between("everyMonths", int64(t.EveryMonths), 1, 60)
	case notify.NextWash:
		c.Between("least", int64(t.Least), 3, 20)
	}
	return c.First()
}

// Words for dates. They are business dates, "2006-01-02".

// days is how many days lie between two dates; negative when to is before from.
func days(from, to string) int {
	a, err := time.Parse(time.DateOnly, from)
	b, err2 := time.Parse(time.DateOnly, to)
	if err != nil || err2 != nil {
		return 0
	}
	return int(b.Sub(a) / (24 * time.Hour))
}

// addMonths is the same day n months on, or the last one of a shorter month.
func addMonths(date string, n int) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1).Format(time.DateOnly)
}

// monthEnd is the last day of the month n months after date's.
func monthEnd(date string, n int) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return time.Date(t.Year(), t.Month()+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// Step is which of a rule's reminders is to be sent on a day.
type Step struct {
	No    int    // counts from 0
	Until string // the last day on which it makes sense
}

// step decides which reminder of a due date is to be sent today: the newest whose day has come, so that an outage is made up for by one message
// and never by an old one. late is for how many days after the due date it still makes sense. seen is when the owner saw the date last: what was due by
// then need not be told. ok is false when there is nothing to send. It is pure.
func step(due string, ahead []int, today, seen string, late int) (s Step, ok bool) {
	if due == "" {
		return s, false
	}
	for i, d := range slices.Backward(ahead) {
		day := bizday.Add(due, -d)
		if today < day {
			continue
		}
		s = Step{No: i, Until: bizday.Add(due, late)}
		if i+1 < len(ahead) {
			s.Until = bizday.Add(due, -ahead[i+1]-1)
		}
		return s, today <= s.Until && (seen == "" || seen < day)
	}
	return s, false
}

// ends is the first instant after a date, in China.
func ends(date string) time.Time {
	_, to, err := bizday.Bounds(date, bizday.DefaultZone)
	if err != nil {
		return time.Time{}
	}
	return to
}

// inWords says how far away a date is.
func inWords(today, date string) string {
	switch n := days(today, date); {
	case n == 0:
		return "今天"
	case n == 1:
		return "明天"
	case n < 0:
		return fmt.Sprintf("已过 %d 天", -n)
	case n <= 60:
		return fmt.Sprintf("还有 %d 天", n)
	default:
		return fmt.Sprintf("约 %d 个月后", (n+15)/30)
	}
}

// monthText is a date as people say a month: 2026年11月.
func monthText(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.Format("2006年1月")
}

// dayText is a date as people say it: 2026年11月3日.
func dayText(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.Format("2006年1月2日")
}
