// Package outreach is how the shop turns to its members by itself: who stayed away, whose birthday it is, holidays, a text to many (C12, F13–F16, J06).
//
// Model: a Rule says when somebody counts as missing. A Task is a line of the staff's list: a member who stays away beyond their own rhythm, or has a
// birthday in the month; staff call or text, and note what came of it; whether the member came back is seen later. A Holiday greets, and gives, on a date. A
// Campaign is one text to all that a filter finds; the filter is the coupons'.
// Owns: outreach_rules, outreach_tasks, outreach_marks, outreach_holidays, outreach_runs, outreach_campaigns.
// Invariants: none of it goes by subscribe or template message that the owner did not ask for (N30): by SMS with consent, or by a person; one absence and one
// birthday make one task, by a unique key; a campaign reaches a member once, by the message's dedupe key, written together with how far it is, across
// kills and instances; consent, quiet hours and the cap are looked at when a text is sent; who left, is suspended or objected gets nothing.
package outreach

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
)

// The kinds of tasks.
const (
	Missed   = "missed"
	Birthday = "birthday"
)

// The states of a task.
const (
	Open    = "open"
	Handled = "handled"
	Back    = "back" // came by themselves
	Gone    = "gone" // left, or the month is over
)

// What came of a call.
const (
	Coming      = "coming"
	Considering = "considering"
	NoAnswer    = "no_answer" // stays open
	Refused     = "refused"   // wants no more calls and offers
	WrongNumber = "wrong_number"
	Greeted     = "greeted"
	Other       = "other"
)

// Outcomes lists what may come of a call.
func Outcomes() []string {
	return []string{Coming, Considering, NoAnswer, Refused, WrongNumber, Greeted, Other}
}

// Faults of this package.
var (
	ErrDone      = fault.Define(fault.Conflict, "outreach.done", "已经有同事处理过了，请刷新列表")
	ErrNoCalls   = fault.Define(fault.Conflict, "outreach.no_calls", "这位会员不希望接到电话")
	ErrNoPhone   = fault.Define(fault.Conflict, "outreach.no_phone", "这位会员没有可联系的手机号")
	ErrConsent   = fault.Define(fault.Conflict, "outreach.no_consent", "这位会员没有同意接收短信优惠，请改打电话")
	ErrTexted    = fault.Define(fault.Conflict, "outreach.texted", "已经给这位会员发过短信")
	ErrNoText    = fault.Define(fault.Conflict, "outreach.no_template", "还没有配置这类短信，请店长到「消息 → 模板」填写")
	ErrCoupon    = fault.Define(fault.Invalid, "outreach.coupon", "这种券不能在这里发，请重新选择")
	ErrState     = fault.Define(fault.Conflict, "outreach.campaign_state", "这次群发现在不能这样操作，请刷新后再看")
	ErrNobody    = fault.Define(fault.Conflict, "outreach.nobody", "没有符合条件又同意接收短信的会员")
	ErrNoChannel = fault.Define(fault.Conflict, "outreach.no_sms", "店铺还没有接入短信")
)

// Rule says who is missing, and what the lists may give.
type Rule struct {
	Missed        bool    `json:"missed" doc:"Keep the list of members who stay away"`
	SilentDays    int     `json:"silentDays" minimum:"7" maximum:"365" doc:"At least so many days without a visit"`
	MinVisits     int     `json:"minVisits" minimum:"1" maximum:"50" doc:"Only who came so often"`
	RhythmPercent int     `json:"rhythmPercent" minimum:"100" maximum:"1000" doc:"And longer than so much of the usual gap between visits"`
	ForgetDays    int     `json:"forgetDays" minimum:"30" maximum:"1095" doc:"After so many days nobody asks any more"`
	BackDays      int     `json:"backDays" minimum:"7" maximum:"180" doc:"A visit within so many days after the call counts as its success"`
	Birthdays     bool    `json:"birthdays" doc:"Keep the month's birthdays"`
	CouponIDs     []int64 `json:"couponIds" maxItems:"20" doc:"Coupon templates that staff may give from the lists; none by default, they cost money"`
	PriceLi       int     `json:"priceLi" minimum:"0" maximum:"1000" doc:"What one text message costs, in thousandths of a yuan"`
}

// DefaultRule is what counts until the shop chose. The lists cost nothing; coupons are off.
func DefaultRule() Rule {
	return Rule{Missed: true, SilentDays: 45, MinVisits: 2, RhythmPercent: 200, ForgetDays: 365, BackDays: 30, Birthdays: true, CouponIDs: []int64{}, PriceLi: 50}
}

func (r *Rule) check(c *fault.Complaints) {
	c.Between("silentDays", int64(r.SilentDays), 7, 365)
	c.Between("minVisits", int64(r.MinVisits), 1, 50)
	c.Between("rhythmPercent", int64(r.RhythmPercent), 100, 1000)
	c.Between("forgetDays", int64(r.ForgetDays), 30, 1095)
	c.Between("backDays", int64(r.BackDays), 7, 180)
	c.Between("priceLi", int64(r.PriceLi), 0, 1000)
	if r.ForgetDays <= r.SilentDays {
		c.Bad("forgetDays", "应大于未到店天数")
	}
	if r.CouponIDs == nil {
		r.CouponIDs = []int64{}
	}
}

// Visit is a day on which a member was there, and where.
type Visit struct {
	Day     string
	StoreID int64
}

// daysFrom is how many days after a date another is.
func daysFrom(a, b string) int {
	x, err := time.Parse(time.DateOnly, a)
	y, err2 := time.Parse(time.DateOnly, b)
	if err != nil || err2 != nil {
		return 0
	}
	return int(y.Sub(x) / (24 * time.Hour))
}

// rhythm is the usual gap between visits in days: the median of the last twelve; 0 while there is none. The visits are in the order of their days.
func rhythm(visits []Visit) int {
	var gaps []int
	for i := len(visits) - 1; i > 0 && len(gaps) < 12; i-- {
		if g := daysFrom(visits[i-1].Day, visits[i].Day); g > 0 {
			gaps = append(gaps, g)
		}
	}
	if len(gaps) == 0 {
		return 0
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// missing says whether somebody with these visits is missed on a day.
func (r Rule) missing(visits []Visit, today string) bool {
	if len(visits) < max(r.MinVisits, 1) {
		return false
	}
	silent := daysFrom(visits[len(visits)-1].Day, today)
	return silent >= r.SilentDays && silent <= r.ForgetDays && silent*100 >= rhythm(visits)*r.RhythmPercent
}

// cameBack is the first visit after a day, "" when there is none.
func cameBack(visits []Visit, after string) string {
	for _, v := range visits {
		if v.Day > after {
			return v.Day
		}
	}
	return ""
}

// thisYear is when a birthday is celebrated in a year; who was born on a 29 February celebrates on the 28th of other years.
func thisYear(birthday, year string) string {
	if len(birthday) != 10 {
		return ""
	}
	day := year + birthday[4:]
	if strings.HasSuffix(day, "-02-29") && !bizday.Valid(day) {
		day = year + "-02-28"
	}
	return day
}

// salute is how a member is addressed in a text.
func salute(name, gender string) string {
	name = strings.TrimSpace(name)
	if name == "" {
		return "车主"
	}
	first, n := utf8.DecodeRuneInString(name)
	if utf8.RuneCountInString(name) > 4 || first < 0x4e00 || n == len(name) {
		return name
	}
	switch gender {
	case "male":
		return string(first) + "先生"
	case "female":
		return string(first) + "女士"
	}
	return name
}

// Task is a line of the staff's lists.
type Task struct {
	ID         int64
	Kind       string
	MemberID   int64
	StoreID    int64 // where the member was last, or belongs to; 0: any
	DueDay     string
	LastDay    string // of the last visit; ""
	Visits     int
	RhythmDays int // 0: not known
	State      string
	Outcome    string
	Tries      int
	Note       string
	TemplateID int64 // of the coupon that was given; 0 none
	BackDay    string
	StaffName  string
	TextedAt   time.Time
	HandledAt  time.Time
}

// Person is what a line shows of the member.
type Person struct {
	Name, Phone string // masked
	Birthday    string // "11-18"
	Reachable   bool   // has a phone
	MayCall     bool
	MayText     bool
	FromMinute  int
	ToMinute    int
	Holding     Holding
}

// Holding is what a member still has here: what makes them come back.
type Holding struct {
	BalanceFen money.Fen
	Points     int64
	Passes     int
	Coupons    int
}

// Holiday greets on a date, and gives something to members of some tiers.
type Holiday struct {
	ID         int64   `json:"id"`
	Name       string  `json:"name"`
	Day        string  `json:"day" doc:"YYYY-MM-DD; its year does not matter when it is yearly"`
	Yearly     bool    `json:"yearly" doc:"Each year on this day; festivals of the lunar calendar are entered anew"`
	Words      string  `json:"words"`
	Greet      bool    `json:"greet" doc:"Sends the greeting by SMS to who consented"`
	TierIDs    []int64 `json:"tierIds" doc:"Only these tiers; empty: all members"`
	TemplateID int64   `json:"templateId" doc:"Coupon that is given; 0: none"`
	Points     int     `json:"points" doc:"Points that are given"`
	Next       string  `json:"next" doc:"When it comes next; empty: it is over"`
	Greeted    int     `json:"greeted" doc:"At its last date"`
	Gifted     int     `json:"gifted"`
}

// HolidayInput is what a holiday is made of.
type HolidayInput struct {
	Name       string  `json:"name" minLength:"1" maxLength:"12"`
	Day        string  `json:"day" minLength:"10" maxLength:"10"`
	Yearly     bool    `json:"yearly,omitempty"`
	Words      string  `json:"words,omitempty" maxLength:"35" doc:"Of the greeting, as the template's value hint"`
	Greet      bool    `json:"greet,omitempty"`
	TierIDs    []int64 `json:"tierIds,omitempty" maxItems:"50"`
	TemplateID int64   `json:"templateId,omitempty" minimum:"0"`
	Points     int     `json:"points,omitempty" minimum:"0" maximum:"100000"`
}

func (in *HolidayInput) check(c *fault.Complaints) {
	c.Text("name", &in.Name, 1, 12, false)
	c.Text("words", &in.Words, 0, 35, false)
	c.Between("points", int64(in.Points), 0, 100_000)
	if !bizday.Valid(in.Day) {
		c.Bad("day", "请填写日期，如 2027-02-06")
	}
	if in.Greet && in.Words == "" {
		c.Bad("words", "请填写祝福语")
	}
	if in.TierIDs == nil {
		in.TierIDs = []int64{}
	}
}

// on says whether the holiday is on a day.
func (h Holiday) on(day string) bool {
	if h.Yearly {
		return thisYear(h.Day, day[:4]) == day
	}
	return h.Day == day
}

// next is when the holiday comes, from a day on; "" when it is over.
func (h Holiday) next(today string) string {
	if !h.Yearly {
		if h.Day < today {
			return ""
		}
		return h.Day
	}
	if d := thisYear(h.Day, today[:4]); d >= today {
		return d
	}
	var year int
	_, _ = fmt.Sscanf(today[:4], "%d", &year) // a business date
	return thisYear(h.Day, fmt.Sprintf("%04d", year+1))
}

// Suggestions are holidays that most shops keep, with their next dates.
func Suggestions(today string) []HolidayInput {
	all := []HolidayInput{{Name: "元旦", Day: "2027-01-01", Yearly: true, Words: "新年快乐，感谢一路同行"}, {Name: "国庆节", Day: "2026-10-01", Yearly: true, Words: "国庆快乐，出行平安"},
		{Name: "劳动节", Day: "2026-05-01", Yearly: true, Words: "节日快乐，出行平安"},
		{Name: "春节", Day: "2027-02-06", Words: "新春快乐，阖家幸福"}, {Name: "端午节", Day: "2027-06-09", Words: "端午安康"}, {Name: "中秋节", Day: "2027-09-15", Words: "中秋快乐，阖家团圆"},
		{Name: "春节", Day: "2028-01-26", Words: "新春快乐，阖家幸福"}, {Name: "端午节", Day: "2028-05-28", Words: "端午安康"}, {Name: "中秋节", Day: "2028-10-03", Words: "中秋快乐，阖家团圆"}}
	var out []HolidayInput
	seen := map[string]bool{}
	for _, h := range all {
		if (h.Yearly || h.Day >= today) && !seen[h.Name] {
			seen[h.Name] = true
			out = append(out, h)
		}
	}
	return out
}

// segments is how many messages a text with its signature costs: 70 characters, or 67 each when it is longer.
func segments(sign, body string) int {
	n := utf8.RuneCountInString(body)
	if sign != "" {
		n += utf8.RuneCountInString(sign) + 2
	}
	if n <= 70 {
		return 1
	}
	return (n + 66) / 67
}

// filled puts values into the places of a provider's text: {1} in their order, or ${name}.
func filled(body string, fields []notify.Field, data map[string]string) string {
	var pairs []string
	for i, f := range fields {
		v, fixed := strings.CutPrefix(f.From, "=")
		if !fixed {
			v = data[f.From]
		}
		pairs = append(pairs, fmt.Sprintf("${%s}", f.Key), v, fmt.Sprintf("{%d}", i+1), v)
	}
	return strings.NewReplacer(pairs...).Replace(body)
}
