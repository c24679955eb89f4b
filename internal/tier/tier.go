// Package tier is the membership programme: tiers, what they bring, who is in which and why, counted rights, paid memberships (C01–C13, A14).
//
// Model: a Tier has a name, a colour, a rank, a discount and a Programme: its rule, discounts by kind, member prices, rights, comforts. A
// member's tier is a pure function (Decide) of the ledger, the car, what somebody assigned and what was paid for; tier_members
// is only its last result, renewed within seconds of a payment and for everybody each night. A Right is a number of free uses per period:
// a Grant puts them into the ledger when the first of a period is wanted. A Plan sells a Membership: a tier and rights for a term.
// Owns: tier_tiers, tier_members, tier_assignments, tier_changes, tier_grants, tier_uses, tier_plans, tier_memberships, tier_runs,
// tier_earned, tier_cursors. Invariants: once EnsureDefault ran there is always exactly one default tier (held by a unique mark); a tier
// that anybody is in, or that a plan grants, is not deleted; each change of a member's tier is written with its reason; one grant
// per member, right and period; a membership is what was sold: later edits of the plan never change it (X02).
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
	ErrName       = fault.Define(fault.Conflict, "tier.name_taken", "已有同名的会员等级，请换一个名称")
	ErrUnknown    = fault.Define(fault.Invalid, "tier.unknown", "没有这个会员等级，请重新选择")
	ErrReason     = fault.Define(fault.Invalid, "tier.reason_missing", "请填写调整等级的原因，最多 200 个字")
	ErrDefault    = fault.Define(fault.Conflict, "tier.default_needed", "必须有一个默认等级，请改为把另一个等级设为默认")
	ErrInUse      = fault.Define(fault.Conflict, "tier.in_use", "这个等级正在使用，不能删除")
	ErrRight      = fault.Define(fault.Conflict, "tier.right_gone", "这项权益现在不能使用，请刷新查看")
	ErrRightUsed  = fault.Define(fault.Conflict, "tier.right_used_up", "这项权益本期次数已用完")
	ErrUseUndone  = fault.Define(fault.Conflict, "tier.use_undone", "这次使用已经撤销过了，请刷新查看")
	ErrUseOfOrder = fault.Define(fault.Conflict, "tier.use_of_order", "这次使用在结算单里，请撤销那张结算单")
	ErrRunning    = fault.Define(fault.Conflict, "tier.recompute_running", "正在重新计算，请等它完成")
	errNoDefault  = fault.Define(fault.Internal, "tier.no_default", "还没有默认会员等级，请联系管理员")
)

// Tier is a class of members. DiscountBP is the share that is paid: 9500 is 95 折, 10000 no discount.
type Tier struct {
	ID         int64    `json:"id" db:"id"`
	Name       string   `json:"name" db:"name"`
	Color      string   `json:"color" db:"color" doc:"#RRGGBB"`
	Rank       int      `json:"rank" db:"tier_rank" doc:"Higher is better"`
	DiscountBP money.BP `json:"discountBp" db:"discount_bp" doc:"Share that is paid of every kind without a discount of its own: 9500 is 5 % off"`
	Priority   bool     `json:"priority" db:"priority" doc:"Books ahead of others: a longer window and the reserved bays"`
	IsDefault  bool     `json:"isDefault" db:"-"`
	CardURL    string   `json:"cardUrl,omitempty" db:"-" doc:"The picture on the card's face"`
}

// Full is a tier with all that it brings.
type Full struct {
	Tier
	Programme Programme `json:"programme"`
}

// Input is what a tier is made of. IsDefault true makes it the default instead of the one before.
type Input struct {
	Name       string     `json:"name" maxLength:"20"`
	Color      string     `json:"color" pattern:"^#[0-9A-Fa-f]{6}$" doc:"#RRGGBB"`
	Rank       int        `json:"rank" minimum:"0" maximum:"99"`
	DiscountBP money.BP   `json:"discountBp" doc:"Share that is paid, 1 to 10000: 9500 is 5 % off"`
	Priority   *bool      `json:"priority,omitempty" doc:"Unchanged when absent, false for a new tier"`
	IsDefault  bool       `json:"isDefault,omitempty"`
	Programme  *Programme `json:"programme,omitempty" doc:"Unchanged when absent; a new tier begins without one"`
}

var colorForm = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// clean trims the input and names every value that is not acceptable. Fault: request.invalid.
func (in Input) clean() (Input, error) {
	in.Name = strings.TrimSpace(in.Name)
	var c fault.Complaints
	if n := utf8.RuneCountInString(in.Name); n < 1 || n > 20 || strings.ContainsFunc(in.Name, unicode.IsControl) {
		c.Bad("name", "请填写等级名称，最多 20 个字")
	}
	if !colorForm.MatchString(in.Color) {
		c.Bad("color", "应为 #RRGGBB 形式的颜色")
	}
	if in.Rank < 0 || in.Rank > 99 {
		c.Bad("rank", "应在 0 至 99 之间")
	}
	c.Bad("discountBp", absurdShare(in.DiscountBP))
	if in.Programme != nil {
		p := in.Programme.clean(&c)
		if in.IsDefault && p.Rule != nil {
			c.Bad("programme.rule", "默认等级人人都有，不需要升级条件")
		}
		in.Programme = &p
	}
	return in, c.First()
}

// absurdShare says what is wrong with a share that is paid.
func absurdShare(bp money.BP) string {
	switch {
	case bp <= 0:
		return "0 折等于免费；想送请用「免费权益」，折扣应大于 0"
	case bp > money.Whole:
		return "超过 100% 会比原价还贵；不打折请填 100%"
	}
	return ""
}

func (in Input) tier(id int64, priority bool) Tier {
	if in.Priority != nil {
		priority = *in.Priority
	}
	return Tier{ID: id, Name: in.Name, Color: strings.ToUpper(in.Color), Rank: in.Rank, DiscountBP: in.DiscountBP, Priority: priority, IsDefault: in.IsDefault}
}

func sortTiers(all []Full) {
	slices.SortFunc(all, func(a, b Full) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID)) })
}
