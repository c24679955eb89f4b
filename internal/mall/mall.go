// Package mall is where members exchange points, with or without money, for goods, services, coupons, passes and memberships (E04).
//
// Model: an Item costs points and perhaps money, has a stock, a limit per member, a lowest tier and a time in which it is sold. An Order is
// pending (money is to be paid) → ready → collected by its pickup code, or shipped; or cancelled. What is no thing is given at once and the
// order is collected. Every change of a stock is a move with its reason.
// Owns: mall_items, mall_orders, mall_moves. Points are taken by points, money by sale, presents are given by campaign.
// Invariants: a stock is changed by one guarded statement and is never below zero (N34); stock = Σ moves; a member never orders more than the
// limit, under the member's lock; a cancelled order gives points, money and stock back exactly once; a pickup code opens one order once; where
// something is sent lies sealed and is forgotten when the member leaves.
package mall

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
)

// The kinds of items.
const (
	KindGood       = "good"
	KindService    = "service" // a voucher: the coupon of a template
	KindCoupon     = "coupon"
	KindPass       = "pass"
	KindMembership = "membership"
)

// The states of an order.
const (
	Pending   = "pending" // waits for the money
	Ready     = "ready"
	Collected = "collected"
	Shipped   = "shipped"
	Cancelled = "cancelled"
)

// How an order reaches its owner.
const (
	Collect = "collect"
	Ship    = "ship"
	Auto    = "auto" // given at once
)

// The kinds of stock moves.
const (
	MoveAdjust = "adjust"
	MoveOrder  = "order"
	MoveReturn = "return"
)

// SaleKind is the kind of product that sale knows.
const SaleKind = "mall"

// refOrder marks what points keep for an order.
const refOrder = "mall_order"

// Limits.
const (
	maxStock = 1_000_000
	maxQty   = 99
)

// Faults of this package.
var (
	ErrStock   = fault.Define(fault.Conflict, "mall.out_of_stock", "手慢了，已经兑完，请看看别的")
	ErrLimit   = fault.Define(fault.Conflict, "mall.limit", "已达到每人可兑数量")
	ErrTier    = fault.Define(fault.Conflict, "mall.tier", "您的会员等级还不能兑换")
	ErrClosed  = fault.Define(fault.Conflict, "mall.not_on_sale", "这件礼品现在不能兑换")
	ErrChanged = fault.Define(fault.Conflict, "mall.changed", "所需积分或金额刚有变化，请确认后再兑换")
	ErrState   = fault.Define(fault.Conflict, "mall.state", "订单状态已经变了，请刷新查看")
	ErrCode    = fault.Define(fault.Invalid, "mall.code_unknown", "没有这个取货码，请核对后再试")
	ErrStore   = fault.Define(fault.Conflict, "mall.other_store", "这个订单不在本店取货")
	ErrOpen    = fault.Define(fault.Conflict, "mall.uncollected", "还有兑换的礼品没有领取，请先领取或取消")
	ErrShip    = fault.Define(fault.Invalid, "mall.address", "请填写收货人、手机号和地址")
)

// Item is something to be had for points.
type Item struct {
	ID          int64
	Name        string
	Description string
	Kind        string
	SubjectID   int64 // good, coupon template, pass plan, membership plan; of a good 0 when it is in no price list
	Image       string
	Points      int64
	MoneyFen    money.Fen
	Stock       int64
	LowStock    int64
	PerMember   int
	MinTierID   int64
	Ship        bool
	SaleFrom    time.Time
	SaleTo      time.Time
	Active      bool
	Sort        int
	CreatedAt   time.Time
}

// open says whether the item is on sale at t; otherwise why not, in Chinese.
func (i Item) open(t time.Time) string {
	switch {
	case !i.Active:
		return "已下架"
	case t.Before(i.SaleFrom):
		return "还没到开始兑换的时间"
	case !i.SaleTo.IsZero() && !t.Before(i.SaleTo):
		return "兑换时间已过"
	}
	return ""
}

// gift is what is given at once for so many of the item; nil for a thing.
func (i Item) gift(qty int64) campaign.Gift { return giftOf(i.Kind, i.SubjectID, qty) }

func giftOf(kind string, id, qty int64) campaign.Gift {
	switch kind {
	case KindService, KindCoupon:
		return campaign.Gift{{Kind: campaign.Coupon, ID: id, N: qty}}
	case KindPass:
		return campaign.Gift{{Kind: campaign.Pass, ID: id, N: qty}}
	case KindMembership:
		return campaign.Gift{{Kind: campaign.Membership, ID: id, N: qty}}
	}
	return nil
}

// ItemInput is what an item is made of. The stock of an item that exists is changed by consoleMallStock.
type ItemInput struct {
	Name        string     `json:"name" maxLength:"60"`
	Description string     `json:"description,omitempty" maxLength:"500"`
	Kind        string     `json:"kind" enum:"good,service,coupon,pass,membership"`
	SubjectID   int64      `json:"subjectId,omitempty" minimum:"0" doc:"Good (may be 0), coupon template for service and coupon, pass plan, membership plan"`
	Image       string     `json:"image,omitempty" maxLength:"64" doc:"Key from consoleImageUpload"`
	Points      int64      `json:"points" minimum:"0" maximum:"1000000"`
	MoneyFen    money.Fen  `json:"moneyFen,omitempty" minimum:"0" maximum:"9999999" doc:"Beside the points; only for goods, services and coupons"`
	Stock       int64      `json:"stock,omitempty" minimum:"0" maximum:"1000000" doc:"Of a new item"`
	LowStock    int64      `json:"lowStock,omitempty" minimum:"0" maximum:"1000000" doc:"At so many it is in the low-stock list"`
	PerMember   int        `json:"perMember,omitempty" minimum:"0" maximum:"10000" doc:"0 for no limit"`
	MinTierID   int64      `json:"minTierId,omitempty" minimum:"0" doc:"Members of this tier and of higher ones; 0 for all"`
	Ship        bool       `json:"ship,omitempty" doc:"May be sent; only goods"`
	SaleFrom    *time.Time `json:"saleFrom,omitempty"`
	SaleTo      *time.Time `json:"saleTo,omitempty"`
	Active      *bool      `json:"active,omitempty"`
	Sort        int        `json:"sort,omitempty" minimum:"0" maximum:"9999"`
}

var imageForm = regexp.MustCompile(`^[0-9a-f]{32}\.jpg$`)

func (in *ItemInput) check(c *fault.Complaints) {
	in.Name, in.Description = strings.TrimSpace(in.Name), strings.TrimSpace(in.Description)
	if n := utf8.RuneCountInString(in.Name); n < 1 || n > 60 || strings.ContainsFunc(in.Name, unicode.IsControl) {
		c.Bad("name", "请填写 1 至 60 个字")
	}
	if in.Image != "" && !imageForm.MatchString(in.Image) {
		c.Bad("image", "请重新上传图片")
	}
	if in.Points == 0 && in.MoneyFen == 0 {
		c.Bad("points", "请填写所需积分")
	}
	if in.Points == 0 && in.MoneyFen > 0 {
		c.Bad("points", "积分商城的礼品至少需要 1 积分")
	}
	if in.MoneyFen > 0 && (in.Kind == KindPass || in.Kind == KindMembership) {
		c.Bad("moneyFen", "次卡和会员在商城里只收积分；要收钱请直接售卖")
	}
	if in.Kind != KindGood && in.SubjectID == 0 {
		c.Bad("subjectId", "请选择要兑换的券或卡")
	}
	if in.Ship && in.Kind != KindGood {
		c.Bad("ship", "只有实物可以邮寄")
	}
	if in.SaleFrom != nil && in.SaleTo != nil && !in.SaleTo.After(*in.SaleFrom) {
		c.Bad("saleTo", "结束时间应晚于开始时间")
	}
}

// Address is where something is sent.
type Address struct {
	Name    string `json:"name" maxLength:"40"`
	Phone   string `json:"phone" maxLength:"24"`
	Address string `json:"address" maxLength:"200"`
}

// clean checks an address. Fault: ErrShip.
func (a Address) clean() (Address, error) {
	a.Name, a.Address = strings.TrimSpace(a.Name), strings.TrimSpace(a.Address)
	f := ErrShip
	if n := utf8.RuneCountInString(a.Name); n < 1 || n > 30 || strings.ContainsFunc(a.Name, unicode.IsControl) {
		f = f.On("address.name", "请填写收货人")
	}
	var ok bool
	if a.Phone, ok = member.NormalPhone(a.Phone); !ok {
		f = f.On("address.phone", "请填写 11 位手机号")
	}
	if n := utf8.RuneCountInString(a.Address); n < 5 || n > 200 || strings.ContainsFunc(a.Address, unicode.IsControl) {
		f = f.On("address.address", "请填写省市区和详细地址")
	}
	if len(f.Fields) > 0 {
		return a, f
	}
	return a, nil
}

// Order is what a member exchanged.
type Order struct {
	ID         int64
	No         string
	ItemID     int64
	MemberID   int64
	StoreID    int64
	ItemKind   string
	SubjectID  int64
	Title      string
	Image      string
	Qty        int64
	Points     int64     // of all
	MoneyFen   money.Fen // of all
	State      string
	Delivery   string
	SaleID     int64
	RefundID   int64
	Carrier    string
	TrackingNo string
	Reason     string
	StaffName  string
	CreatedAt  time.Time
	ReadyAt    time.Time
	EndedAt    time.Time

	address string // sealed
	code    string // sealed
}

// ways are which state may follow which.
var ways = map[string][]string{
	Pending: {Ready, Collected, Cancelled},
	Ready:   {Collected, Shipped, Cancelled},
}

func mayFollow(from, to string) bool { return slices.Contains(ways[from], to) }

// plainCode undoes how a pickup code is written: 1234 567 890.
func plainCode(in string) string {
	out := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.TrimSpace(in))
	if len(out) != codeDigits || strings.Trim(out, "0123456789") != "" {
		return ""
	}
	return out
}

const codeDigits = 10

func costText(points int64, fen money.Fen) string {
	switch {
	case fen == 0:
		return fmt.Sprintf("%d 积分", points)
	case points == 0:
		return fen.Yuan()
	}
	return fmt.Sprintf("%d 积分 + %s", points, fen.Yuan())
}

func errReason() error {
	return fault.ErrInvalid.On("reason", "请填写取消的原因，顾客会看到")
}
