// Package merge joins two members who are one person, by staff who have seen both.
//
// Model: a Merge is that one member (from) became another (into). What from holds goes to into in one transaction: the ledger's lots with their origin and
// expiry, passes, coupons, memberships, bookings to come, open questions, places in groups, cars, old cards and WeChat accounts; what was done stays with
// from, who can be looked at for ever and does nothing any more. A Preview says what would go and what is in the way.
// Owns: merge_merges. Invariants: nobody is merged without a permission, a reason and the number of the card that ends; a member is merged once; nothing is
// merged while something of either is unfinished; what was moved is what was shown; both hear of it; it is not undone. Each slice moves its own rows
// (Part); they are handed over by the composition root in the order in which rows are locked.
package merge

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
)

// Faults of this package. What keeps two members from being merged are the faults of the slices that know it.
var (
	ErrSame    = fault.Define(fault.Invalid, "merge.same_member", "这是同一位会员，请选择另一位")
	ErrConfirm = fault.Define(fault.Invalid, "merge.confirm", "与要停用的卡号不一致，请照着卡号重新输入")
	ErrChanged = fault.Define(fault.Conflict, "merge.changed", "两位会员的账户刚刚有变动，请核对新的清单后再合并")
	// ErrCap keeps the law's limit of a card in one name; see setting.CardCapFen.
	ErrCap    = fault.Define(fault.Conflict, "merge.over_cap", "合并后的余额超过单张记名卡的上限，请先消费或退款")
	ErrReason = fault.Define(fault.Invalid, "merge.reason_missing", "请填写合并的原因，2 至 200 个字")
)

// confirmWord is typed where the member has no card.
const confirmWord = "合并"

// The kinds of what goes over beside the ledger, in the order in which people read them.
var kinds = []struct{ key, label string }{
	{"passes", "次卡"}, {"memberships", "付费会员"}, {"coupons", "优惠券"}, {"bookings", "未到店的预约"}, {"waits", "候补"}, {"mallOrders", "未领取的礼品"}, {"disputes", "未答复的疑问"},
	{"groups", "家庭与企业账户"}, {"vehicles", "车辆"}, {"oldCards", "旧实体卡"}, {"identities", "微信账号"},
}

// Item is what goes over of one kind.
type Item struct {
	Kind  string   `json:"kind" enum:"passes,memberships,coupons,bookings,waits,mallOrders,disputes,groups,vehicles,oldCards,identities"`
	Label string   `json:"label"`
	Names []string `json:"names"`
}

// Block is one thing that is in the way, and what to do about it.
type Block struct {
	Code     string `json:"code"`
	Message  string `json:"message"`
	MemberID int64  `json:"memberId,omitempty" doc:"Whose it is, where it is one's"`
}

// Holdings are what the ledger holds for a member.
type Holdings struct {
	PrincipalFen money.Fen `json:"principalFen"`
	BonusFen     money.Fen `json:"bonusFen"`
	Points       int64     `json:"points"`
	PointsDebt   int64     `json:"pointsDebt" doc:"Goes over too, and is paid with the points that there are"`
	Experience   int64     `json:"experience"`
	Uses         int64     `json:"uses" doc:"Single uses of passes and rights"`
}

func holdings(b ledger.Balance) Holdings {
	return Holdings{money.Fen(b.Principal), money.Fen(b.Bonus), b.Points, b.PointsDebt, b.Experience, b.Uses}
}

// Preview is what a merge would do.
type Preview struct {
	FromID  int64    `json:"fromId"`
	IntoID  int64    `json:"intoId"`
	Moves   Holdings `json:"moves" doc:"What goes over in the ledger"`
	After   Holdings `json:"after" doc:"What the other would hold then"`
	Items   []Item   `json:"items" doc:"What goes over beside; kinds without anything are left out"`
	Orders  int64    `json:"orders" doc:"Orders that stay with the member who ends, to be read"`
	Blocks  []Block  `json:"blocks" doc:"While there are any nothing can be merged"`
	Notes   []string `json:"notes" doc:"What is good to know, in Chinese"`
	Confirm string   `json:"confirm" doc:"What has to be typed: the number of the card that ends"`
	Hash    string   `json:"hash" doc:"Goes back with the merge: what is moved is what was shown"`

	faults []*fault.Error // the blocks
}

func (p *Preview) block(f *fault.Error) {
	b := Block{Code: f.Code, Message: f.Message}
	if d, ok := f.Detail.(map[string]int64); ok {
		b.MemberID = d["memberId"]
	}
	p.Blocks, p.faults = append(p.Blocks, b), append(p.faults, f)
}

func (p Preview) hash() string {
	b, _ := json.Marshal([]any{p.FromID, p.IntoID, p.Moves, p.Items, p.Confirm}) // plain values always marshal
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:12])
}

// itemsOf puts what the slices move into the order in which people read it.
func itemsOf(moves map[string][]string) []Item {
	out := []Item{}
	for _, k := range kinds {
		if len(moves[k.key]) > 0 {
			out = append(out, Item{k.key, k.label, moves[k.key]})
		}
	}
	return out
}

// notesOf says what staff should know before they confirm.
func notesOf(p Preview) []string {
	notes := []string{}
	if p.Moves.PointsDebt > 0 {
		notes = append(notes, fmt.Sprintf("欠的 %d 积分一并转过去，先用现有积分补上。", p.Moves.PointsDebt))
	}
	return append(notes, "等级取两人中较高的：消费与成长值合在一起计算，较高的指定等级保留。", "姓名、手机号、生日以保留的会员为准；停用会员的手机号只留作记录，不能再用来登录。",
		"过去的订单与账目留在停用的会员名下，随时可查；之后撤销、退款会退到保留的会员。")
}

// Ask is a merge as staff confirm it.
type Ask struct {
	FromID  int64
	IntoID  int64
	Confirm string
	Reason  string
	Hash    string
}

// confirms says whether what was typed names the card that ends.
func confirms(typed, want string) bool {
	return strings.ReplaceAll(strings.TrimSpace(typed), " ", "") == want
}

// Merge is a merge that was done.
type Merge struct {
	ID        int64     `json:"id"`
	FromID    int64     `json:"fromId"`
	FromName  string    `json:"fromName" doc:"Masked"`
	FromCard  string    `json:"fromCard" doc:"Masked number of the card that ended; empty without one"`
	IntoID    int64     `json:"intoId"`
	IntoName  string    `json:"intoName" doc:"Masked"`
	IntoCard  string    `json:"intoCard" doc:"Masked"`
	Moved     Holdings  `json:"moved"`
	Items     []Item    `json:"items"`
	Reason    string    `json:"reason"`
	StaffName string    `json:"staffName"`
	At        time.Time `json:"at"`
}

// History is what a member has to do with merges.
type History struct {
	Into *Merge  `json:"into,omitempty" doc:"The member is another one since then"`
	From []Merge `json:"from" doc:"Who became this member, newest first"`
}
