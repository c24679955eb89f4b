// Package tier gives members a tier and the discount that comes with it (C01, C05).
//
// Model: a Tier has a name, a colour, a rank and a discount as the share that is paid; a member is in the tier that
// somebody assigned, with the reason, or in the default tier.
// Owns: tier_tiers, tier_members. Invariants: once EnsureDefault ran there is always exactly one default tier (held by
// a unique mark); a tier is never deleted; an assignment always names its reason and who made it.
package tier

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// Faults of this package.
var (
	ErrName      = fault.Define(fault.Conflict, "tier.name_taken", "已有同名的会员等级，请换一个名称")
	ErrUnknown   = fault.Define(fault.Invalid, "tier.unknown", "没有这个会员等级，请重新选择")
	ErrReason    = fault.Define(fault.Invalid, "tier.reason_missing", "请填写调整等级的原因，最多 200 个字")
	ErrDefault   = fault.Define(fault.Conflict, "tier.default_needed", "必须有一个默认等级，请改为把另一个等级设为默认")
	errNoDefault = fault.Define(fault.Internal, "tier.no_default", "还没有默认会员等级，请联系管理员")
)

// Tier is a class of members. DiscountBP is the share that is paid: 9500 is 95 折, 10000 no discount.
type Tier struct {
	ID         int64    `json:"id" db:"id"`
	Name       string   `json:"name" db:"name"`
	Color      string   `json:"color" db:"color" doc:"#RRGGBB"`
	Rank       int      `json:"rank" db:"tier_rank" doc:"Higher is better"`
	DiscountBP money.BP `json:"discountBp" db:"discount_bp" doc:"Share that is paid: 9500 is 5 % off"`
	Priority   bool     `json:"priority" db:"priority" doc:"Books ahead of others: a longer window and the reserved bays"`
	IsDefault  bool     `json:"isDefault" db:"-"`
}

// Input is what a tier is made of. IsDefault true makes it the default instead of the one before.
type Input struct {
	Name       string   `json:"name" maxLength:"20"`
	Color      string   `json:"color" pattern:"^#[0-9A-Fa-f]{6}$" doc:"#RRGGBB"`
	Rank       int      `json:"rank" minimum:"0" maximum:"99"`
	DiscountBP money.BP `json:"discountBp" minimum:"1" maximum:"10000"`
	Priority   *bool    `json:"priority,omitempty" doc:"Unchanged when absent, false for a new tier"`
	IsDefault  bool     `json:"isDefault,omitempty"`
}

var colorForm = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// clean trims the input and names every value that is not acceptable. Fault: request.invalid.
func (in Input) clean() (Input, error) {
	in.Name = strings.TrimSpace(in.Name)
	f := fault.ErrInvalid
	if n := utf8.RuneCountInString(in.Name); n < 1 || n > 20 || strings.ContainsFunc(in.Name, unicode.IsControl) {
		f = f.On("name", "请填写等级名称，最多 20 个字")
	}
	if !colorForm.MatchString(in.Color) {
		f = f.On("color", "应为 #RRGGBB 形式的颜色")
	}
	if in.Rank < 0 || in.Rank > 99 {
		f = f.On("rank", "应在 0 至 99 之间")
	}
	if in.DiscountBP < 1 || in.DiscountBP > money.Whole {
		f = f.On("discountBp", "折扣应大于 0 且不超过 10 折")
	}
	if len(f.Fields) > 0 {
		return in, f
	}
	return in, nil
}

func (in Input) tier(id int64, priority bool) Tier {
	if in.Priority != nil {
		priority = *in.Priority
	}
	return Tier{id, in.Name, strings.ToUpper(in.Color), in.Rank, in.DiscountBP, priority, in.IsDefault}
}

func sortTiers(all []Tier) {
	slices.SortFunc(all, func(a, b Tier) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID)) })
}
