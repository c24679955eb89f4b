package console

import (
	"context"
	"strings"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/memberview"
)

type orderFilter struct {
	stores         []int64 // nil: all
	find           *search
	status, tender string
	from, to       string
	byTotal, desc  bool
	after          *place
	limit          int
	memberID       int64
	disputedOnly   bool
}

type orderLine struct {
	ID          int64  `db:"id"`
	No          string `db:"order_no"`
	StoreName   string `db:"store_name"`
	StaffName   string `db:"staff_name"`
	MemberID    int64  `db:"member_id"`
	Plate       string `db:"plate"`
	Title       string `db:"title"`
	TotalFen    int64  `db:"total_fen"`
	TenderLabel string `db:"tender_label"`
	Status      string `db:"status"`
	CreatedAt   int64  `db:"created_at"`
	Disputed    bool   `db:"disputed"`
}

// conditions collects the WHERE of a list.
type conditions struct {
	parts []string
	args  []any
}

func (c *conditions) add(cond string, args ...any) {
	c.parts, c.args = append(c.parts, cond), append(c.args, args...)
}

func (c *conditions) in(column string, ids []int64) {
	if ids == nil {
		return
	}
	if len(ids) == 0 {
		c.add(`1 = 0`)
		return
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	c.add(column+` IN (`+marks+`)`, args...)
}

// byID is the order of time: ids are made in it, and their index saves sorting the whole table.
const byID = `o.id`

// follow adds the keyset condition and returns the ORDER BY.
func (c *conditions) follow(column string, desc bool, after *place) string {
	dir, cmp := ` ASC`, ` > ?`
	if desc {
		dir, cmp = ` DESC`, ` < ?`
	}
	switch {
	case after == nil:
	case column == byID:
		c.add(byID+cmp, after.id)
	default:
		c.add(`(`+column+cmp+` OR (`+column+` = ? AND o.id`+cmp+`))`, after.value, after.value, after.id)
	}
	if column == byID {
		return ` ORDER BY ` + byID + dir
	}
	return ` ORDER BY ` + column + dir + `, o.id` + dir
}

func (c *conditions) where() string {
	if len(c.parts) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(c.parts, ` AND `)
}

// conditions are the readings of a search text, each of which may hit; plateColumn "" is a list without plates.
func (s search) conditions(noColumn, plateColumn string) (c conditions) {
	if s.no != "" {
		c.add(noColumn+` LIKE ? ESCAPE '!'`, "%"+db.Like(s.no)+"%")
	}
	if s.plate != "" && plateColumn != "" {
		cond, args := memberview.PlateIs(plateColumn, s.plate)
		c.add(`(`+cond+`)`, args...)
	}
	if s.phoneIndex != "" {
		c.add(`o.member_id IN (SELECT m.id FROM member_members m WHERE m.phone_index = ?)`, s.phoneIndex)
	}
	if s.nameIndex != "" {
		c.add(`o.member_id IN (SELECT m.id FROM member_members m WHERE m.name_index = ?)`, s.nameIndex)
	}
	return c
}

func listOrders(ctx context.Context, r db.Reader, f orderFilter) ([]orderLine, error) {
	var c conditions
	c.in(`o.store_id`, f.stores)
	if f.find != nil {
		either := f.find.conditions(`o.order_no`, `o.plate`)
		if len(either.parts) == 0 {
			return nil, nil
		}
		c.add(`(`+strings.Join(either.parts, ` OR `)+`)`, either.args...)
	}
	if f.memberID != 0 {
		c.add(`o.member_id = ?`, f.memberID)
	}
	if f.status != "" {
		c.add(`o.status = ?`, f.status)
	}
	if f.tender != "" {
		c.add(`EXISTS (SELECT 1 FROM checkout_tenders t WHERE t.order_id = o.id AND t.kind = ?)`, f.tender)
	}
	if f.disputedOnly {
		c.add(`EXISTS (SELECT 1 FROM checkout_disputes d WHERE d.order_id = o.id)`)
	}
	if f.from != "" {
		c.add(`o.biz_day >= ?`, f.from)
	}
	if f.to != "" {
		c.add(`o.biz_day <= ?`, f.to)
	}
	column := byID
	if f.byTotal {
		column = `o.total_fen`
	}
	order := c.follow(column, f.desc, f.after)
	var rows []orderLine
	err := r.Select(ctx, &rows, `SELECT o.id, o.order_no, o.store_name, o.staff_name, o.member_id, o.plate, o.title, o.total_fen, o.tender_label, o.status,
		o.created_at, EXISTS (SELECT 1 FROM checkout_disputes d WHERE d.order_id = o.id) AS disputed FROM checkout_orders o`+c.where()+order+` LIMIT ?`,
		append(c.args, f.limit)...)
	return rows, err
}

type topupFilter struct {
	stores        []int64
	find          *search
	state, method string
	from, to      string
	memberID      int64
	desc          bool
	after         *place
	limit         int
}

type topupLine struct {
	ID          int64  `db:"id"`
	No          string `db:"topup_no"`
	MemberID    int64  `db:"member_id"`
	StoreID     int64  `db:"store_id"`
	AmountFen   int64  `db:"amount_fen"`
	BonusFen    int64  `db:"bonus_fen"`
	Method      string `db:"method"`
	State       string `db:"state"`
	StaffName   string `db:"staff_name"`
	RefundedFen int64  `db:"refunded_fen"`
	CreatedAt   int64  `db:"created_at"`
}

func listTopups(ctx context.Context, r db.Reader, f topupFilter) ([]topupLine, error) {
	var c conditions
	c.in(`o.store_id`, f.stores)
	if f.find != nil {
		either := f.find.conditions(`o.topup_no`, "")
		if len(either.parts) == 0 {
			return nil, nil
		}
		c.add(`(`+strings.Join(either.parts, ` OR `)+`)`, either.args...)
	}
	if f.memberID != 0 {
		c.add(`o.member_id = ?`, f.memberID)
	}
	if f.state != "" {
		c.add(`o.state = ?`, f.state)
	}
	if f.method != "" {
		c.add(`o.method = ?`, f.method)
	}
	if f.from != "" {
		c.add(`o.biz_day >= ?`, f.from)
	}
	if f.to != "" {
		c.add(`o.biz_day <= ?`, f.to)
	}
	order := c.follow(byID, f.desc, f.after)
	var rows []topupLine
	err := r.Select(ctx, &rows, `SELECT o.id, o.topup_no, o.member_id, o.store_id, o.amount_fen, o.bonus_fen, o.method, o.state, o.staff_name, o.refunded_fen,
		o.created_at FROM wallet_topups o`+c.where()+order+` LIMIT ?`, append(c.args, f.limit)...)
	return rows, err
}
