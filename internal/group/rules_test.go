package group

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

func TestCreditCodeHasItsCheckDigit(t *testing.T) {
	for _, good := range []string{"91350100M000100Y43", "91350100m000100y43", " 9135 0100 M000 100Y 43 "} {
		if code, complaint := CreditCode(good); complaint != "" || code != "91350100M000100Y43" {
			t.Errorf("%q: %q, %s", good, code, complaint)
		}
	}
	for bad, why := range map[string]string{
		"91350100M000100Y44":  "校验位",
		"91350100M000100Y34":  "校验位",
		"91350101M000100Y43":  "校验位",
		"91350100M000100Y4":   "18 位",
		"91350100M000100Y433": "18 位",
		"":                    "18 位",
		"91350100I000100Y43":  "字母",
		"9135A100M000100Y43":  "数字",
		"91350100M000100Y4！":  "18 位",
	} {
		if _, complaint := CreditCode(bad); !strings.Contains(complaint, why) {
			t.Errorf("%q: %q, want %s", bad, complaint, why)
		}
	}
}

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04 -0700", s+" +0800")
	if err != nil {
		panic(err)
	}
	return t
}

func fenOf(n money.Fen) *money.Fen { return &n }

func TestRulesDecide(t *testing.T) {
	const shanghai, perth = "Asia/Shanghai", "Pacific/Auckland" // Auckland is 5 hours ahead in November
	wednesday := at("2026-11-18 10:00")
	for name, c := range map[string]struct {
		place Place
		ask   Ask
		spent money.Fen
		zone  string
		want  *fault.Error
	}{
		"nothing is limited":        {},
		"plate":                     {place: Place{Rules: Rules{Plates: []string{"浙A12345"}}}, ask: Ask{Plate: "浙A12345"}},
		"another plate":             {place: Place{Rules: Rules{Plates: []string{"浙A12345"}}}, ask: Ask{Plate: "浙A12346"}, want: ErrPlate},
		"services":                  {place: Place{Rules: Rules{ServiceIDs: []int64{1, 2}}}, ask: Ask{ServiceIDs: []int64{2}}},
		"one service too many":      {place: Place{Rules: Rules{ServiceIDs: []int64{1, 2}}}, ask: Ask{ServiceIDs: []int64{2, 3}}, want: ErrService},
		"goods beside services":     {place: Place{Rules: Rules{ServiceIDs: []int64{1}}}, ask: Ask{ServiceIDs: []int64{1}, Goods: true}, want: ErrService},
		"the last day":              {place: Place{Until: "2026-11-18"}},
		"the day after":             {place: Place{Until: "2026-11-17"}, want: ErrPlaceOver},
		"the last day elsewhere":    {place: Place{Until: "2026-11-18"}, ask: Ask{At: at("2026-11-18 22:00")}, zone: perth, want: ErrPlaceOver},
		"weekday":                   {place: Place{Rules: Rules{Weekdays: []int{3}}}},
		"another weekday":           {place: Place{Rules: Rules{Weekdays: []int{0, 1, 2, 4, 5, 6}}}, want: ErrHours},
		"from ten on":               {place: Place{Rules: Rules{FromMinute: 600, ToMinute: 720}}},
		"until ten":                 {place: Place{Rules: Rules{FromMinute: 480, ToMinute: 600}}, want: ErrHours},
		"before ten":                {place: Place{Rules: Rules{FromMinute: 601, ToMinute: 720}}, want: ErrHours},
		"by the clock of the store": {place: Place{Rules: Rules{FromMinute: 900, ToMinute: 960}}, zone: perth},
		"past midnight, begun":      {place: Place{Rules: Rules{FromMinute: 1320, ToMinute: 120, Weekdays: []int{3}}}, ask: Ask{At: at("2026-11-18 23:00")}},
		"past midnight, next day":   {place: Place{Rules: Rules{FromMinute: 1320, ToMinute: 120, Weekdays: []int{3}}}, ask: Ask{At: at("2026-11-19 01:59")}},
		"past midnight, over":       {place: Place{Rules: Rules{FromMinute: 1320, ToMinute: 120, Weekdays: []int{3}}}, ask: Ask{At: at("2026-11-19 02:00")}, want: ErrHours},
		"past midnight, day before": {place: Place{Rules: Rules{FromMinute: 1320, ToMinute: 120, Weekdays: []int{3}}}, ask: Ask{At: at("2026-11-18 01:00")}, want: ErrHours},
		"the order's cap":           {place: Place{Rules: Rules{CapPerOrderFen: 5000}}, ask: Ask{AmountFen: 5000}},
		"above the order's cap":     {place: Place{Rules: Rules{CapPerOrderFen: 5000}}, ask: Ask{AmountFen: 5001}, want: ErrOrderCap},
		"the month's cap":           {place: Place{Rules: Rules{CapPerMonthFen: 5000}}, ask: Ask{AmountFen: 2000}, spent: 3000},
		"above the month's cap":     {place: Place{Rules: Rules{CapPerMonthFen: 5000}}, ask: Ask{AmountFen: 2001}, spent: 3000, want: ErrMonthCap},
		"a cap that was lowered":    {place: Place{Rules: Rules{CapPerMonthFen: 5000}}, ask: Ask{AmountFen: 1}, spent: 9000, want: ErrMonthCap},
	} {
		if c.ask.At.IsZero() {
			c.ask.At = wednesday
		}
		if c.zone == "" {
			c.zone = shanghai
		}
		err := c.place.allow(c.ask, c.spent, c.zone)
		if (c.want == nil) != (err == nil) || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		room := c.place.Rules.room(c.ask.AmountFen, c.spent)
		if room < 0 || room > c.ask.AmountFen || (c.want == ErrOrderCap || c.want == ErrMonthCap) != (room < c.ask.AmountFen) {
			t.Errorf("%s: room %d of %d", name, room, c.ask.AmountFen)
		}
	}
	if (Rules{}).asks(1<<40) || !(Rules{ApprovalOverFen: fenOf(0)}).asks(1) || (Rules{ApprovalOverFen: fenOf(100)}).asks(100) || !(Rules{ApprovalOverFen: fenOf(100)}).asks(101) {
		t.Error("when the payer is asked")
	}
	for want, r := range map[string]Rules{"每天": {}, "周一、五 09:00 至 18:30": {Weekdays: []int{1, 5}, FromMinute: 540, ToMinute: 1110}, "每天 22:00 至次日 02:00": {FromMinute: 1320, ToMinute: 120}} {
		if got := r.when(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestPlacesAreChecked(t *testing.T) {
	known := func(id int64) bool { return id < 10 }
	clean := func(kind string, p Place) (Place, []fault.Field) {
		p, err := p.clean(kind, "2026-11-18", known)
		if err == nil {
			return p, nil
		}
		return p, fault.As(err).Fields
	}
	p, f := clean(Corporate, Place{CardKind: CardVIP, Rules: Rules{Plates: []string{"浙a·12345", "浙A12345"}, ServiceIDs: []int64{3, 1, 3}, Weekdays: []int{6, 0, 1, 2, 3, 4, 5}}})
	if f != nil || p.Until != "2027-11-19" || len(p.Rules.Plates) != 1 || len(p.Rules.ServiceIDs) != 2 || p.Rules.Weekdays != nil {
		t.Errorf("%+v %v", p, f)
	}
	for field, c := range map[string]struct {
		kind string
		p    Place
	}{
		"cardKind":                {Family, Place{CardKind: CardVIP}},
		"until":                   {Corporate, Place{CardKind: CardTemporary}},
		"rules.plates[0]":         {Family, Place{CardKind: CardDriver, Rules: Rules{Plates: []string{"ABC"}}}},
		"rules.serviceIds":        {Family, Place{CardKind: CardDriver, Rules: Rules{ServiceIDs: []int64{10}}}},
		"rules.weekdays":          {Family, Place{CardKind: CardDriver, Rules: Rules{Weekdays: []int{7}}}},
		"rules.fromMinute":        {Family, Place{CardKind: CardDriver, Rules: Rules{FromMinute: 60, ToMinute: 60}}},
		"rules.capPerOrderFen":    {Family, Place{CardKind: CardDriver, Rules: Rules{CapPerOrderFen: 200, CapPerMonthFen: 100}}},
		"rules.capPerMonthFen":    {Family, Place{CardKind: CardDriver, Rules: Rules{CapPerMonthFen: -1}}},
		"rules.approvalOverFen":   {Family, Place{CardKind: CardDriver, Rules: Rules{ApprovalOverFen: fenOf(-1)}}},
		"note":                    {Family, Place{CardKind: CardDriver, Note: "甲\n乙"}},
		"until: no date":          {Family, Place{CardKind: CardDriver, Until: "2026-02-30"}},
		"until: gone":             {Family, Place{CardKind: CardDriver, Until: "2026-11-17"}},
		"until: temporary at all": {Corporate, Place{CardKind: CardTemporary, Until: "2027-02-19"}},
	} {
		_, f := clean(c.kind, c.p)
		want, _, _ := strings.Cut(field, ":")
		if len(f) != 1 || f[0].Field != want || f[0].Message == "" {
			t.Errorf("%s: %v", field, f)
		}
	}
}
