// Package rain keeps the promise that follows a wash: what happens when it rains (X09).
//
// Model: a Rule says what rain brings: a voucher for those whose wash is at most so many hours old, a free change for the bookings of the day, days
// for period passes. A Day is a store's business date on which it rained, switched on by staff or by a weather Provider, with the rule frozen in it; a
// job gives what follows. A voucher belongs to one wash, a credit to one pass and date.
// Owns: rain_rules, rain_days, rain_vouchers, rain_credits.
// Invariants: a store's date is rainy once at a time, by a unique key; a wash brings one voucher, a pass and date one credit, by unique keys, across
// kills and instances; a member gets at most so many vouchers a month, counted under the member's lock; what is undone is taken back whole or not at
// all; a wash that is reversed loses its voucher while that is unused.
package rain

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// The states of a day.
const (
	Giving = "giving" // the job has not been through, or the day is not over
	Done   = "done"
	Undone = "undone"
)

// Who says that it rained.
const (
	Manual    = "manual"
	Automatic = "automatic"
)

const (
	given     = "given"
	takenBack = "taken_back"
)

// Limits.
const (
	dayMinutes = 1440
	maxHours   = 168
	backDays   = 7  // so far back a day may be marked
	followDays = 40 // so long a reversed wash still takes its voucher with it
)

// Faults of this package.
var (
	ErrMarked = fault.Define(fault.Conflict, "rain.marked", "这一天已经登记过下雨，请刷新后再看")
	ErrUsed   = fault.Define(fault.Conflict, "rain.used", "已有补洗券被使用、转赠或已过期，不能撤销这次下雨登记")
	ErrPassed = fault.Define(fault.Conflict, "rain.pass_running", "已有期卡靠顺延的天数在使用，不能撤销这次下雨登记")
	ErrUndone = fault.Define(fault.Conflict, "rain.undone", "这次下雨登记已经撤销")
	ErrTooOld = fault.Define(fault.Invalid, "rain.date", "只能登记今天和最近 7 天")
)

// Rule says what rain brings. Everything that costs money is off until somebody turns it on.
type Rule struct {
	Vouchers   bool      `json:"vouchers" doc:"Whoever was washed shortly before gets a coupon"`
	TemplateID int64     `json:"templateId" minimum:"0" doc:"Coupon template of the voucher"`
	Hours      int       `json:"hours" minimum:"1" maximum:"168" doc:"So long a wash is protected"`
	ServiceIDs []int64   `json:"serviceIds" maxItems:"200" doc:"Services that count; empty: every service of the kind wash"`
	MinFen     money.Fen `json:"minFen" minimum:"0" maximum:"9999999" doc:"The wash cost at least so much, paid by money, stored value or a pass"`
	PerMonth   int       `json:"perMonth" minimum:"1" maximum:"31" doc:"At most so many vouchers a calendar month for one member"`
	Rebooking  bool      `json:"rebooking" doc:"Owners with a booking on the day are told that they may move it free of charge"`
	PassDays   int       `json:"passDays" minimum:"0" maximum:"7" doc:"So many days are added to period passes; 0: none"`
	Automatic  bool      `json:"automatic" doc:"A weather provider marks days by itself, where one is connected"`
}

// DefaultRule is what counts until the shop chose: nothing is given.
func DefaultRule() Rule { return Rule{Hours: 48, PerMonth: 2, ServiceIDs: []int64{}} }

// on says whether rain brings anything.
func (r Rule) on() bool { return r.Vouchers || r.Rebooking || r.PassDays > 0 }

func (r *Rule) check(c *fault.Complaints) {
	c.Between("hours", int64(r.Hours), 1, maxHours)
	c.Between("perMonth", int64(r.PerMonth), 1, 31)
	c.Between("passDays", int64(r.PassDays), 0, 7)
	c.Between("minFen", int64(r.MinFen), 0, 9_999_999)
	if r.Vouchers && r.TemplateID == 0 {
		c.Bad("templateId", "请选择补洗券")
	}
	if r.ServiceIDs == nil {
		r.ServiceIDs = []int64{}
	}
	for i, id := range r.ServiceIDs {
		if slices.Contains(r.ServiceIDs[:i], id) {
			c.Bad(fmt.Sprintf("serviceIds[%d]", i), "重复了")
		}
	}
}

// Wash is a settled order of a member.
type Wash struct {
	OrderID, MemberID int64
	At                time.Time
	Plate             string
	WorthFen          money.Fen // what was charged, and what passes paid
	Services          []Item
}

// Item is a service that was done to the car.
type Item struct {
	ID   int64
	Kind string
}

// counts says whether a wash is protected: one of the right services, worth enough. A free re-wash brings no voucher again.
func (r Rule) counts(w Wash) bool {
	if w.MemberID == 0 || w.WorthFen < max(r.MinFen, 1) {
		return false
	}
	return slices.ContainsFunc(w.Services, func(s Item) bool {
		if len(r.ServiceIDs) == 0 {
			return s.Kind == "wash"
		}
		return slices.Contains(r.ServiceIDs, s.ID)
	})
}

// Day is a store's business date on which it rained.
type Day struct {
	ID         int64
	StoreID    int64
	Date       string
	FromMinute int // of the day, when it began; 0: nobody knows
	Source     string
	Note       string
	Rule       Rule // as it was when the day was marked
	State      string
	Vouchers   int // given by now
	Passes     int
	Bookings   int
	StaffName  string
	CreatedAt  time.Time
	UndoneAt   time.Time
}

// protected is when a wash must have been for this rain: [from, to). It was done before the rain began, or, where nobody knows when that was, before
// somebody noted it; and so late that it was still protected.
func (d Day) protected(zone string) (from, to time.Time, err error) {
	begins, err := bizday.At(d.Date, d.FromMinute, zone)
	if err != nil {
		return from, to, err
	}
	from, to = begins.Add(-time.Duration(d.Rule.Hours)*time.Hour), begins
	if d.FromMinute == 0 {
		if _, to, err = bizday.Bounds(d.Date, zone); to.After(d.CreatedAt) {
			to = d.CreatedAt
		}
	}
	return from, to, err
}

// Mark says that it rained.
type Mark struct {
	StoreID    int64  `json:"storeId" minimum:"1"`
	Date       string `json:"date" maxLength:"10" doc:"YYYY-MM-DD, today or at most a week ago"`
	FromMinute int    `json:"fromMinute,omitempty" minimum:"0" maximum:"1439" doc:"When it began, in minutes of the day; 0: not known"`
	Note       string `json:"note,omitempty" maxLength:"100"`
}

func (m *Mark) check(c *fault.Complaints) {
	c.Between("fromMinute", int64(m.FromMinute), 0, dayMinutes-1)
	c.Text("note", &m.Note, 0, 100, false)
	if !bizday.Valid(m.Date) {
		c.Bad("date", "请填写日期，如 2026-11-18")
	}
}

// Outlook is what marking a day would bring, counted now.
type Outlook struct {
	Vouchers int `json:"vouchers"`
	Passes   int `json:"passes"`
	Bookings int `json:"bookings"`
}

// Shower is what a weather provider knows of a place and date.
type Shower struct {
	Rained     bool
	FromMinute int // of the day; 0 where only the day is known
}

// Provider tells the weather. It is asked for the stores' places on the day itself and the day after, some times a day; its failures are tried again.
type Provider interface {
	Rained(ctx context.Context, place, date string) (Shower, error)
}
