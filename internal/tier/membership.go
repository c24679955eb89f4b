package tier

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/sale"
)

// SaleKind is what memberships are called among sales.
const SaleKind = "membership"

// The kinds of paid membership (A14).
const (
	PlanDiscount = "discount"
	PlanService  = "service"
)

// The states of a membership.
const (
	MembershipActive   = "active"
	MembershipEnded    = "ended"
	MembershipRefunded = "refunded"
)

// Limits of plans.
const (
	maxMonths          = 60
	maxPlanPrice       = money.Fen(99_999_99)
	ahead              = 3 * 365 * 24 * time.Hour // so far ahead may be renewed
	maxPlanNote        = 500
	giftMark     int64 = -1 // times the membership's id: the sale of one that was given
)

// Faults of memberships.
var (
	ErrPlanName  = fault.Define(fault.Conflict, "tier.plan_name_taken", "已有同名的付费会员方案，请换一个名称")
	ErrPlanGone  = fault.Define(fault.Conflict, "tier.plan_unavailable", "这个付费会员现在不能购买，请重新选择")
	ErrPlanAhead = fault.Define(fault.Conflict, "tier.plan_far_ahead", "已经续费到三年以后，请临近到期再续")
	ErrNoRenewal = fault.Define(fault.Conflict, "tier.not_renewable", "这份会员不能自动续费，到期后可以再买")
	ErrMergePlan = fault.Define(fault.Conflict, "tier.merge_same_plan", "两位会员都有同一种付费会员，请先退掉其中一份，再合并")
	ErrEnded     = fault.Define(fault.Conflict, "tier.membership_ended", "这份会员已经结束，没有可退的部分")
)

// Plan is a paid membership that is for sale: a tier for a term, and rights.
type Plan struct {
	ID       int64     `json:"id"`
	Name     string    `json:"name"`
	Kind     string    `json:"kind" enum:"discount,service"`
	PriceFen money.Fen `json:"priceFen"`
	Months   int       `json:"months"`
	TierID   int64     `json:"tierId,omitempty" doc:"Granted for the term; 0 is none"`
	TierName string    `json:"tierName,omitempty"`
	Rights   []Right   `json:"rights"`
	Note     string    `json:"note"`
	Image    string    `json:"image,omitempty" doc:"Key of its picture"`
	ImageURL string    `json:"imageUrl,omitempty"`
	OnSale   bool      `json:"onSale"`
	Sort     int       `json:"sort"`
}

// PlanInput is what a plan is made of. Editing it never changes a membership that was sold (X02).
type PlanInput struct {
	Name     string    `json:"name" maxLength:"30"`
	Kind     string    `json:"kind" enum:"discount,service"`
	PriceFen money.Fen `json:"priceFen"`
	Months   int       `json:"months"`
	TierID   int64     `json:"tierId,omitempty" minimum:"0"`
	Rights   []Right   `json:"rights,omitempty"`
	Note     string    `json:"note,omitempty" maxLength:"500"`
	Image    string    `json:"image,omitempty" maxLength:"80"`
	OnSale   *bool     `json:"onSale,omitempty" doc:"true when absent"`
	Sort     int       `json:"sort,omitempty" minimum:"0" maximum:"9999"`
}

// Membership is a paid membership of a member, with the terms under which it was sold.
type Membership struct {
	ID        int64     `json:"id"`
	MemberID  int64     `json:"memberId"`
	SaleID    int64     `json:"saleId,omitempty" doc:"Absent for one that was given"`
	Plan      Plan      `json:"plan" doc:"As it was sold"`
	PriceFen  money.Fen `json:"priceFen"`
	EarnedFen money.Fen `json:"earnedFen" doc:"Of the months that are over"`
	StartsAt  time.Time `json:"startsAt"`
	EndsAt    time.Time `json:"endsAt"`
	State     string    `json:"state" enum:"active,ended,refunded"`
	RefundFen money.Fen `json:"refundFen" doc:"What could be given back today, by the days that are left"`
	CreatedAt time.Time `json:"createdAt"`
	Renewable bool      `json:"renewable" doc:"It was bought and runs: it may follow itself from stored value, at the price for which it was sold"`
	RenewOn   bool      `json:"renewOn"`
	RenewNote string    `json:"renewNote,omitempty" doc:"Why the renewal failed"`
}

func (in PlanInput) clean() (PlanInput, error) {
	var c fault.Complaints
	in.Name, in.Note, in.Image = strings.TrimSpace(in.Name), strings.TrimSpace(in.Note), strings.TrimSpace(in.Image)
	c.Bad("name", badText(in.Name, 1, 30))
	if in.Kind != PlanDiscount && in.Kind != PlanService {
		c.Bad("kind", "请选择折扣会员或服务会员")
	}
	switch {
	case in.PriceFen <= 0:
		c.Bad("priceFen", "价格应大于 0；免费的等级请用升级条件")
	case in.PriceFen > maxPlanPrice:
		c.Bad("priceFen", "价格最多 "+maxPlanPrice.Yuan())
	}
	if in.Months < 1 || in.Months > maxMonths {
		c.Bad("months", "期限应在 1 至 60 个月之间")
	}
	if n := len([]rune(in.Note)); n > maxPlanNote {
		c.Bad("note", "最多 500 个字")
	}
	if in.Image != "" && !keyForm.MatchString(in.Image) {
		c.Bad("image", "没有这张图片，请重新上传")
	}
	if in.TierID == 0 && len(in.Rights) == 0 {
		c.Bad("tierId", "请选择授予的等级，或添加至少一项权益，否则买了没有用")
	}
	in.Rights = cleanRights(&c, "rights", in.Rights, true)
	return in, c.First()
}

type membershipRow struct {
	ID        int64  `db:"id"`
	MemberID  int64  `db:"member_id"`
	PlanID    int64  `db:"plan_id"`
	SaleID    int64  `db:"sale_id"`
	Snapshot  string `db:"snapshot"`
	TierID    int64  `db:"tier_id"`
	PriceFen  int64  `db:"price_fen"`
	EarnedFen int64  `db:"earned_fen"`
	EarnAt    int64  `db:"earn_at"`
	StoreID   int64  `db:"store_id"`
	StartsAt  int64  `db:"starts_at"`
	EndsAt    int64  `db:"ends_at"`
	Warned    bool   `db:"warned"`
	State     string `db:"state"`
	CreatedAt int64  `db:"created_at"`
	RenewOn   bool   `db:"renew_on"`
	RenewNote string `db:"renew_note"`
	NoticedAt int64  `db:"noticed_at"`
	RenewsID  *int64 `db:"renews_id"` // the membership that it follows by itself: unique
}

func (m membershipRow) renewable() bool { return m.State == MembershipActive && m.SaleID > 0 }

func (m membershipRow) renewal() sale.Renewal {
	return sale.Renewal{On: m.RenewOn, Note: m.RenewNote, NoticedAt: clock.Maybe(m.NoticedAt)}
}

func (m membershipRow) plan() (p Plan, err error) { return p, json.Unmarshal([]byte(m.Snapshot), &p) }

// addMonths is the same day n months later, or the month's last day where it has no such day.
func addMonths(day time.Time, n int) time.Time {
	first := time.Date(day.Year(), day.Month()+time.Month(n), 1, 0, 0, 0, 0, day.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day.Day(), last)-1)
}

// term is until when n months last that begin at an instant: to the end of the day. What begins at midnight is the day before's sequel.
func term(start time.Time, n int) time.Time {
	t := start.Add(-time.Millisecond).In(bizday.Location(bizday.DefaultZone))
	return addMonths(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location()), n).AddDate(0, 0, 1)
}

// earned is what of the price the months that are over at an instant are worth, and when the next one is over: zero when all are.
func (m membershipRow) earned(months int, at time.Time) (money.Fen, time.Time) {
	start, done := time.UnixMilli(m.StartsAt), 0
	if at.Before(start) {
		return 0, start
	}
	for done < months && !term(start, done+1).After(at) {
		done++
	}
	if done >= months {
		return money.Fen(m.PriceFen), time.Time{}
	}
	return money.Fen(m.PriceFen) * money.Fen(done) / money.Fen(months), term(start, done+1)
}

// refundable is what can be given back at an instant: the price of the days that have not begun, and never what was earned already.
func (m membershipRow) refundable(at time.Time) money.Fen {
	day := int64(24 * time.Hour / time.Millisecond)
	now := at.UnixMilli()
	if m.State != MembershipActive || now >= m.EndsAt {
		return 0
	}
	all := max((m.EndsAt-m.StartsAt)/day, 1)
	left := min((m.EndsAt-now)/day, all)
	if now < m.StartsAt {
		left = all
	}
	return min(money.Fen(m.PriceFen)*money.Fen(left)/money.Fen(all), money.Fen(m.PriceFen-m.EarnedFen))
}
