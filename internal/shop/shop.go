// Package shop holds the stores of the business (M01): where they are, when they work and which bays they have (K01).
//
// Model: a Store has a name, an address, a phone number, opening hours as text for people and a time zone that decides its
// business dates; a store that closed is inactive and stays readable, because history names it. It works by the hours of the
// weekday, unless a Day says otherwise: the store's own row beats the one of all stores. A Bay takes one car at a time.
// Owns: shop_stores, shop_hours, shop_days, shop_bays. Invariants: the time zone is one that the system knows; two active
// stores, and two bays of one store, never share a name; the hours of a week do not overlap; a bay is never deleted; reads are
// served from a copy of at most two seconds of age, and a write shows at once in the instance that made it.
package shop

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
)

// Faults of this package.
var (
	ErrName     = fault.Define(fault.Conflict, "shop.name_taken", "已有一家营业中的门店叫这个名字，请换一个")
	ErrInactive = fault.Define(fault.Conflict, "shop.inactive", "这家门店已停用，请选择其他门店")
	ErrBayName  = fault.Define(fault.Conflict, "shop.bay_name_taken", "这家门店已有同名的工位，请换一个名称")
	ErrLast     = fault.Define(fault.Conflict, "shop.last", "至少要保留一家营业中的门店")
)

// Store is one place of business.
type Store struct {
	ID        int64  `json:"id" db:"id"`
	Name      string `json:"name" db:"name"`
	Address   string `json:"address" db:"address"`
	Phone     string `json:"phone" db:"phone"`
	Timezone  string `json:"timezone" db:"timezone" doc:"IANA name; decides the store's business dates"`
	HoursText string `json:"hoursText" db:"hours_text"`
	Active    bool   `json:"active" db:"active"`
}

// BizDay is the store's business date at instant t.
func (s Store) BizDay(t time.Time) string { return bizday.Of(t, s.Timezone) }

// Input is what a store is made of. Active nil means true for a new store and unchanged for an old one; Timezone ""
// means Asia/Shanghai.
type Input struct {
	Name      string `json:"name" maxLength:"40"`
	Address   string `json:"address,omitempty" maxLength:"200"`
	Phone     string `json:"phone,omitempty" maxLength:"30"`
	Timezone  string `json:"timezone,omitempty" maxLength:"64" doc:"IANA name, Asia/Shanghai when empty"`
	HoursText string `json:"hoursText,omitempty" maxLength:"100"`
	Active    *bool  `json:"active,omitempty"`
}

var phoneForm = regexp.MustCompile(`^\+?[0-9][0-9 -]{4,28}$`)

// clean trims the input and names every value that is not acceptable. Fault: request.invalid.
func (in Input) clean() (Input, error) {
	for _, p := range []*string{&in.Name, &in.Address, &in.Phone, &in.Timezone, &in.HoursText} {
		*p = strings.TrimSpace(*p)
	}
	if in.Timezone == "" {
		in.Timezone = bizday.DefaultZone
	}
	f := fault.ErrInvalid
	bad := func(field, message string) { f = f.On(field, message) }
	if !text(in.Name, 1, 40) {
		bad("name", "请填写门店名称，最多 40 个字")
	}
	if !text(in.Address, 0, 200) {
		bad("address", "最多 200 个字，不能换行")
	}
	if in.Phone != "" && !phoneForm.MatchString(in.Phone) {
		bad("phone", "请填写电话号码，例如 0571-88880001")
	}
	if !text(in.HoursText, 0, 100) {
		bad("hoursText", "最多 100 个字，不能换行")
	}
	// "Local" and "" load too, but mean whatever the server's machine is set to.
	if _, err := time.LoadLocation(in.Timezone); err != nil || !strings.Contains(in.Timezone, "/") && in.Timezone != "UTC" {
		bad("timezone", "没有这个时区，例如 Asia/Shanghai")
	}
	if len(f.Fields) > 0 {
		return in, f
	}
	return in, nil
}

// text says whether s is one line of min to most characters.
func text(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return utf8.ValidString(s) && n >= least && n <= most && !strings.ContainsFunc(s, unicode.IsControl)
}
