package mall

import (
	"context"
	"errors"
	"strconv"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

type itemRow struct {
	ID          int64  `db:"id"`
	Name        string `db:"name"`
	Description string `db:"description"`
	Kind        string `db:"kind"`
	SubjectID   int64  `db:"subject_id"`
	Image       string `db:"image"`
	Points      int64  `db:"points"`
	MoneyFen    int64  `db:"money_fen"`
	Stock       int64  `db:"stock"`
	LowStock    int64  `db:"low_stock"`
	PerMember   int    `db:"per_member"`
	MinTierID   int64  `db:"min_tier_id"`
	Ship        bool   `db:"ship"`
	SaleFrom    int64  `db:"sale_from"`
	SaleTo      int64  `db:"sale_to"`
	Active      bool   `db:"active"`
	Sort        int    `db:"sort_no"`
	CreatedAt   int64  `db:"created_at"`
	UpdatedAt   int64  `db:"updated_at"`
}

const itemColumns = `id, name, description, kind, subject_id, image, points, money_fen, stock, low_stock, per_member, min_tier_id, ship, sale_from, sale_to, active, sort_no, created_at, updated_at`

func (x itemRow) item() Item {
	return Item{x.ID, x.Name, x.Description, x.Kind, x.SubjectID, x.Image, x.Points, money.Fen(x.MoneyFen), x.Stock, x.LowStock, x.PerMember, x.MinTierID, x.Ship,
		clock.Maybe(x.SaleFrom), clock.Maybe(x.SaleTo), x.Active, x.Sort, clock.FromMillis(x.CreatedAt)}
}

func (i Item) row(now int64) itemRow {
	return itemRow{i.ID, i.Name, i.Description, i.Kind, i.SubjectID, i.Image, i.Points, int64(i.MoneyFen), i.Stock, i.LowStock, i.PerMember, i.MinTierID, i.Ship,
		clock.MaybeMillis(i.SaleFrom), clock.MaybeMillis(i.SaleTo), i.Active, i.Sort, clock.MaybeMillis(i.CreatedAt), now}
}

func readItems(ctx context.Context, r db.Reader, all bool) ([]Item, error) {
	var rows []itemRow
	err := r.Select(ctx, &rows, `SELECT `+itemColumns+` FROM mall_items WHERE active = ? OR active = ? ORDER BY sort_no, id`, true, !all)
	out := make([]Item, 0, len(rows))
	for _, x := range rows {
		out = append(out, x.item())
	}
	return out, err
}

// lowItems are the active items of which little is left, the emptiest first.
func lowItems(ctx context.Context, r db.Reader) ([]Item, error) {
	var rows []itemRow
	err := r.Select(ctx, &rows, `SELECT `+itemColumns+` FROM mall_items WHERE active = ? AND stock <= low_stock ORDER BY stock, id`, true)
	out := make([]Item, 0, len(rows))
	for _, x := range rows {
		out = append(out, x.item())
	}
	return out, err
}

// itemByID reads an item; lock is "" or the locking clause. Fault: fault.ErrNotFound.
func itemByID(ctx context.Context, r db.Reader, id int64, lock string) (Item, error) {
	var x itemRow
	err := r.Get(ctx, &x, `SELECT `+itemColumns+` FROM mall_items WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Item{}, fault.ErrNotFound
	}
	return x.item(), err
}

func updateItem(ctx context.Context, tx *db.Tx, i Item) error {
	x := i.row(tx.Millis())
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE mall_items SET name = ?, description = ?, kind = ?, subject_id = ?, image = ?, points = ?, money_fen = ?, low_stock = ?, per_member = ?,
		min_tier_id = ?, ship = ?, sale_from = ?, sale_to = ?, active = ?, sort_no = ?, updated_at = ? WHERE id = ?`,
		x.Name, x.Description, x.Kind, x.SubjectID, x.Image, x.Points, x.MoneyFen, x.LowStock, x.PerMember, x.MinTierID, x.Ship, x.SaleFrom, x.SaleTo, x.Active, x.Sort, x.UpdatedAt, x.ID)
}

type moveRow struct {
	ID        int64  `db:"id"`
	ItemID    int64  `db:"item_id"`
	OrderID   int64  `db:"order_id"`
	Kind      string `db:"kind"`
	Amount    int64  `db:"amount"`
	Reason    string `db:"reason"`
	ByName    string `db:"by_name"`
	CreatedAt int64  `db:"created_at"`
}

// moveStock changes a stock by one guarded statement and writes why (N34). It comes last, because everybody who wants the item waits for it; no
// foreign key points at an item, for its shared lock would make a deadlock of any two orders. Fault: ErrStock.
func moveStock(ctx context.Context, tx *db.Tx, m moveRow) error {
	if err := tx.ExecOne(ctx, ErrStock, `UPDATE mall_items SET stock = stock + ?, updated_at = ? WHERE id = ? AND stock + ? >= 0`, m.Amount, tx.Millis(), m.ItemID, m.Amount); err != nil {
		return err
	}
	m.ID, m.CreatedAt = tx.NewID(), tx.Millis()
	return tx.Insert(ctx, "mall_moves", m)
}

type orderRow struct {
	ID            int64   `db:"id"`
	No            string  `db:"order_no"`
	ItemID        int64   `db:"item_id"`
	MemberID      int64   `db:"member_id"`
	StoreID       int64   `db:"store_id"`
	ItemKind      string  `db:"item_kind"`
	SubjectID     int64   `db:"subject_id"`
	Title         string  `db:"title"`
	Image         string  `db:"image"`
	Qty           int64   `db:"qty"`
	Points        int64   `db:"points"`
	MoneyFen      int64   `db:"money_fen"`
	State         string  `db:"state"`
	Delivery      string  `db:"delivery"`
	AddressSealed string  `db:"address_sealed"`
	CodeIndex     *string `db:"code_index"`
	CodeSealed    string  `db:"code_sealed"`
	SaleID        int64   `db:"sale_id"`
	RefundID      int64   `db:"refund_id"`
	Carrier       string  `db:"carrier"`
	TrackingNo    string  `db:"tracking_no"`
	Reason        string  `db:"reason"`
	StaffName     string  `db:"staff_name"`
	CreatedAt     int64   `db:"created_at"`
	ReadyAt       int64   `db:"ready_at"`
	EndedAt       int64   `db:"ended_at"`
}

const orderColumns = `id, order_no, item_id, member_id, store_id, item_kind, subject_id, title, image, qty, points, money_fen, state, delivery, address_sealed, code_index, code_sealed, sale_id, refund_id,
	carrier, tracking_no, reason, staff_name, created_at, ready_at, ended_at`

func (x orderRow) order() Order {
	return Order{ID: x.ID, No: x.No, ItemID: x.ItemID, MemberID: x.MemberID, StoreID: x.StoreID, ItemKind: x.ItemKind, SubjectID: x.SubjectID, Title: x.Title, Image: x.Image, Qty: x.Qty,
		Points: x.Points, MoneyFen: money.Fen(x.MoneyFen), State: x.State, Delivery: x.Delivery, SaleID: x.SaleID, RefundID: x.RefundID, Carrier: x.Carrier, TrackingNo: x.TrackingNo,
		Reason: x.Reason, StaffName: x.StaffName, CreatedAt: clock.FromMillis(x.CreatedAt), ReadyAt: clock.Maybe(x.ReadyAt), EndedAt: clock.Maybe(x.EndedAt), address: x.AddressSealed, code: x.CodeSealed}
}

func insertOrder(ctx context.Context, tx *db.Tx, o Order) error {
	return tx.Insert(ctx, "mall_orders", orderRow{ID: o.ID, No: o.No, ItemID: o.ItemID, MemberID: o.MemberID, StoreID: o.StoreID, ItemKind: o.ItemKind, SubjectID: o.SubjectID, Title: o.Title,
		Image: o.Image, Qty: o.Qty, Points: o.Points, MoneyFen: int64(o.MoneyFen), State: o.State, Delivery: o.Delivery, AddressSealed: o.address, SaleID: o.SaleID, CreatedAt: clock.MaybeMillis(o.CreatedAt)})
}

// orderByID reads an order; lock is "" or the locking clause. Fault: fault.ErrNotFound.
func orderByID(ctx context.Context, r db.Reader, id int64, lock string) (Order, error) {
	return oneOrder(ctx, r, `id = ?`+lock, id)
}

// orderBySale reads the order of a sale. Fault: fault.ErrNotFound.
func orderBySale(ctx context.Context, r db.Reader, saleID int64, lock string) (Order, error) {
	return oneOrder(ctx, r, `sale_id = ?`+lock, saleID)
}

// orderByCode finds an order by the blind index of its pickup code. Fault: ErrCode.
func orderByCode(ctx context.Context, r db.Reader, index string) (Order, error) {
	o, err := oneOrder(ctx, r, `code_index = ?`, index)
	if errors.Is(err, fault.ErrNotFound) {
		return o, ErrCode.On("code", ErrCode.Message)
	}
	return o, err
}

func oneOrder(ctx context.Context, r db.Reader, where string, arg any) (Order, error) {
	var x orderRow
	err := r.Get(ctx, &x, `SELECT `+orderColumns+` FROM mall_orders WHERE `+where, arg)
	if errors.Is(err, db.ErrNoRows) {
		return Order{}, fault.ErrNotFound
	}
	return x.order(), err
}

// orderedAll counts what a member, with all who are the same person by merges, has of every item; what was cancelled does not count.
func (s *Service) orderedAll(ctx context.Context, r db.Reader, memberID int64) (map[int64]int64, error) {
	family, err := s.Members.Family(ctx, r, memberID)
	if err != nil {
		return nil, err
	}
	query, args, err := db.In(`SELECT item_id, COALESCE(SUM(qty), 0) AS n FROM mall_orders WHERE member_id IN (?) AND state <> 'cancelled' GROUP BY item_id`, family)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ItemID int64 `db:"item_id"`
		N      int64 `db:"n"`
	}
	err = r.Select(ctx, &rows, query, args...)
	out := map[int64]int64{}
	for _, x := range rows {
		out[x.ItemID] = x.N
	}
	return out, err
}

// openTitles reads what a member ordered that has not ended, oldest first.
func openTitles(ctx context.Context, r db.Reader, memberID int64) (titles []string, err error) {
	err = r.Select(ctx, &titles, `SELECT title FROM mall_orders WHERE member_id = ? AND state IN ('pending', 'ready') ORDER BY id`, memberID)
	return titles, err
}

// orderFilter narrows a list of orders; zero values do not.
type orderFilter struct {
	memberID, storeID, itemID int64
	state, delivery, no       string
	stores                    []int64 // not nil: only what is collected there, and what is collected nowhere
}

// readOrders reads a page of orders, newest first.
func readOrders(ctx context.Context, r db.Reader, f orderFilter, after string, limit int) ([]Order, error) {
	from, err := strconv.ParseInt(after, 10, 64)
	if err != nil {
		from = 1 << 62
	}
	where, args := `id < ?`, []any{from}
	add := func(text string, arg any) { where, args = where+` AND `+text, append(args, arg) }
	if f.memberID != 0 {
		add(`member_id = ?`, f.memberID)
	}
	if f.storeID != 0 {
		add(`store_id = ?`, f.storeID)
	}
	if f.itemID != 0 {
		add(`item_id = ?`, f.itemID)
	}
	if f.state != "" {
		add(`state = ?`, f.state)
	}
	if f.delivery != "" {
		add(`delivery = ?`, f.delivery)
	}
	if f.no != "" {
		add(`order_no = ?`, f.no)
	}
	if f.stores != nil {
		where, args = where+` AND store_id IN (?)`, append(args, append([]int64{0}, f.stores...))
	}
	query, args, err := db.In(`SELECT `+orderColumns+` FROM mall_orders WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, err
	}
	var rows []orderRow
	err = r.Select(ctx, &rows, query, args...)
	out := make([]Order, 0, len(rows))
	for _, x := range rows {
		out = append(out, x.order())
	}
	return out, err
}

// markReady makes a pending order ready, with its pickup code. Fault: ErrState.
func markReady(ctx context.Context, tx *db.Tx, o Order, index *string, sealed string) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE mall_orders SET state = ?, ready_at = ?, ended_at = ?, code_index = ?, code_sealed = ? WHERE id = ? AND state = 'pending'`,
		o.State, clock.MaybeMillis(o.ReadyAt), clock.MaybeMillis(o.EndedAt), index, sealed, o.ID)
}

// markCollected hands a ready order out, once. Its code opens nothing any more. Fault: ErrState.
func markCollected(ctx context.Context, tx *db.Tx, id int64, by string) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE mall_orders SET state = 'collected', ended_at = ?, staff_name = ?, code_sealed = '' WHERE id = ? AND state = 'ready' AND delivery = 'collect'`, tx.Millis(), by, id)
}

// markShipped sends a ready order, once; a second number corrects the first. Fault: ErrState.
func markShipped(ctx context.Context, tx *db.Tx, id int64, carrier, number, by string) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE mall_orders SET state = 'shipped', ended_at = ?, carrier = ?, tracking_no = ?, staff_name = ?
		WHERE id = ? AND (state = 'ready' OR state = 'shipped') AND delivery = 'ship'`, tx.Millis(), carrier, number, by, id)
}

// markCancelled ends an order from a state, once. Fault: ErrState.
func markCancelled(ctx context.Context, tx *db.Tx, o Order, from string, refundID int64, reason, by string) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE mall_orders SET state = 'cancelled', ended_at = ?, refund_id = ?, reason = ?, staff_name = ?, code_index = NULL, code_sealed = '', address_sealed = ''
		WHERE id = ? AND state = ?`, tx.Millis(), refundID, reason, by, o.ID, from)
}

// forgetAddresses forgets where a member's things were sent.
func forgetAddresses(ctx context.Context, tx *db.Tx, memberID int64) error {
	_, err := tx.Exec(ctx, `UPDATE mall_orders SET address_sealed = '' WHERE member_id = ? AND address_sealed <> ''`, memberID)
	return err
}

// setAddress keeps where an order is sent, sealed.
func setAddress(ctx context.Context, tx *db.Tx, id int64, sealed string) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE mall_orders SET address_sealed = ? WHERE id = ?`, sealed, id)
}
