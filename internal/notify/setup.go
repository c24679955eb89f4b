package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/setting"
)

// Field fills one place of a template. WeChat names the places ("thing1"); of an SMS template the order counts for some providers and
// the name for others.
type Field struct {
	Key   string `json:"key" minLength:"1" maxLength:"32"`
	Label string `json:"label" maxLength:"20" doc:"What the provider calls it, for people"`
	From  string `json:"from" minLength:"1" maxLength:"60" doc:"Name of a value of the event; after = a fixed text"`
}

// Template is what a shop uses for an event on a channel.
type Template struct {
	Channel string
	Event   string
	ID      string
	Sign    string // SMS: the signature; "" is the configured one
	Body    string // the provider's text, for the preview
	Fields  []Field
	Broken  string // why it does not work; "" while it does
	Stored  bool   // chosen in the console; otherwise from the configuration
	Since   time.Time
}

// Rule says whether and how far an event's messages go.
type Rule struct {
	Event  string
	On     bool
	SMS    bool // after WeChat
	Calls  bool // after SMS: the staff's call list
	Chosen bool // by the shop; otherwise as the catalogue says
}

// setup is what the shop chose, with the defaults filled in.
type setup struct {
	templates map[[2]string]Template // channel, event
	rules     map[string]Rule
	quietFrom int // minutes of the day; equal to quietTo: none
	quietTo   int
	perDay    int // 0: any number
	perWeek   int
}

func (s setup) template(channel, event string) Template {
	return s.templates[[2]string{channel, event}]
}

// used is the template that an event is sent with. Who is late was told by the template of the reminder before it had one of its own.
func (s setup) used(channel, event string) Template {
	t := s.template(channel, event)
	if t.ID == "" && event == BookingLate {
		return s.template(channel, BookingReminder)
	}
	return t
}

// shared says whether other events use a template too: a grant for it is then for no event alone.
func (s setup) shared(t Template) bool {
	n := 0
	for key, other := range s.templates {
		if key[0] == t.Channel && other.ID == t.ID {
			n++
		}
	}
	return t.ID != "" && n > 1
}

// current is the setup, at most two seconds old.
func (s *Service) current(ctx context.Context) (setup, error) {
	return s.copy.Get(ctx, s.db.Now(), func(ctx context.Context) (setup, error) { return s.loadSetup(ctx, s.db, "") })
}

// forget makes the next reader see what a transaction wrote.
func (s *Service) forgetAfter(ctx context.Context, tx *db.Tx) {
	tx.AfterCommit(func() {
		s.copy.Renew(ctx, tx.Now, func(ctx context.Context) (setup, error) { return s.loadSetup(ctx, s.db, "") })
	})
}

func (s *Service) loadSetup(ctx context.Context, r db.Reader, lock string) (out setup, err error) {
	out = setup{templates: map[[2]string]Template{}, rules: map[string]Rule{}}
	for channel, all := range map[string]map[string]TemplateConfig{MiniProgram: s.opt.Templates, OfficialAccount: s.opt.OfficialTemplates} {
		for event, t := range all {
			if t.ID != "" {
				out.templates[[2]string{channel, event}] = Template{Channel: channel, Event: event, ID: t.ID, Fields: fieldsOf(t.Fields)}
			}
		}
	}
	rows, err := readTemplates(ctx, r, lock)
	if err != nil {
		return out, err
	}
	for _, x := range rows {
		t, err := x.template()
		if err != nil {
			return out, err
		}
		out.templates[[2]string{x.Channel, x.Event}] = t
	}
	for _, e := range Events() {
		rule := Rule{Event: e.Event, On: true, SMS: e.SMS, Calls: e.Call}
		if key := switchOf(e.Event); key != "" {
			if rule.On, err = s.switches.Bool(ctx, key); err != nil {
				return out, err
			}
		}
		out.rules[e.Event] = rule
	}
	chosen, err := readRules(ctx, r, lock)
	if err != nil {
		return out, err
	}
	for _, x := range chosen {
		out.rules[x.Event] = Rule{Event: x.Event, On: x.Enabled, SMS: x.SMS, Calls: x.Calls, Chosen: true}
	}
	for key, to := range map[string]*int{setting.MessageQuietFrom: &out.quietFrom, setting.MessageQuietTo: &out.quietTo} {
		text, err := s.switches.Text(ctx, key)
		if err != nil {
			return out, err
		}
		*to = minuteOf(text)
	}
	for key, to := range map[string]*int{setting.MessageCapDay: &out.perDay, setting.MessageCapWeek: &out.perWeek} {
		n, err := s.switches.Int(ctx, key)
		if err != nil {
			return out, err
		}
		*to = int(n)
	}
	return out, nil
}

// rule is how an event is treated; one that the catalogue does not know is sent by WeChat alone.
func (s setup) rule(event string) Rule {
	if r, ok := s.rules[event]; ok {
		return r
	}
	return Rule{Event: event, On: true}
}

func (x templateRow) template() (Template, error) {
	t := Template{Channel: x.Channel, Event: x.Event, ID: x.TemplateID, Sign: x.Sign, Body: x.Body, Broken: x.Broken, Stored: true, Since: clock.FromMillis(x.UpdatedAt)}
	err := json.Unmarshal([]byte(x.Layout), &t.Fields)
	return t, err
}

// fieldsOf orders the fields of a configured template by the number that ends their key.
func fieldsOf(from map[string]string) []Field {
	keys := slices.SortedFunc(maps.Keys(from), func(a, b string) int {
		if d := numberOf(a) - numberOf(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	out := make([]Field, 0, len(keys))
	for _, k := range keys {
		out = append(out, Field{Key: k, From: from[k]})
	}
	return out
}

func numberOf(key string) (n int) {
	for _, c := range key[len(strings.TrimRight(key, "0123456789")):] {
		n = n*10 + int(c-'0')
	}
	return n
}

// minuteOf reads "21:30"; what is no time is midnight.
func minuteOf(text string) int {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0
	}
	return t.Hour()*60 + t.Minute()
}

// clockOf writes what minuteOf reads.
func clockOf(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// quietUntil is the end of the quiet time [from, to) in which t lies, or t when it lies in none. The times are minutes of the zone's day; the
// end may be on the next one.
func quietUntil(t time.Time, from, to int, zone string) time.Time {
	local := t.In(bizday.Location(zone))
	m := local.Hour()*60 + local.Minute()
	day := 0
	switch {
	case from == to:
		return t
	case from < to && (m < from || m >= to), from > to && m < from && m >= to:
		return t
	case from > to && m >= from:
		day = 1440
	}
	end, err := bizday.At(local.Format(time.DateOnly), to+day, zone)
	if err != nil || !end.After(t) {
		return t
	}
	return end
}

// opens is when a message that can wait may go out: outside the shop's quiet hours and within the member's own. Where the two leave no
// time, the member's count alone.
func opens(t time.Time, s setup, p Preference, zone string) time.Time {
	at := t
	for range 4 {
		next := quietUntil(at, s.quietFrom, s.quietTo, zone)
		next = quietUntil(next, p.ToMinute, p.FromMinute, zone)
		if next.Equal(at) {
			return at
		}
		at = next
	}
	return quietUntil(t, p.ToMinute, p.FromMinute, zone)
}
