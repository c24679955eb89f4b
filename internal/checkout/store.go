package checkout

import (
	"context"
	"errors"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// Order is a settlement, whole.
type Order struct {
	ID                        int64
	No                        string
	StoreID                   int64
	StoreName, BizDay         string
	MemberID, ScanID          int64
	BookingID                 int64  // 0 without one
	MemberName                string // masked; given by Settle alone, because no row of the order holds it
	Plate                     string
	VehicleClassID            int64
	VehicleClassName, Title   string
	Subtotal, Discount, Total money.Fen
	Status                    Status
	BalanceAfter              money.Fen
	PostingID, PaymentID      int64
	StaffID                   int64
	StaffName, TenderLabel    string
	CreatedAt, ExpiresAt      time.Time
	SettledAt, ReversedAt     time.Time // zero when it did not happen
	ReversalPostingID         int64
	ReverseReason             string
	ReverseStaff              string
	Lines                     []Line
	Tenders                   []Paid
	BenefitPostingID          int64     // uses and points that it took; 0 none
	Recognised                money.Fen // of sold passes, earned by this visit
	PointsEarned              int64
	GroupID, PayerID          int64 // who pays the tender of kind group
	EarnerID                  int64 // whose account earns the points, when it is not the member's
	earnsNothing              bool  // the account that was named cannot have them any more
	Items                     []Sold
	Benefits                  []Benefit
	Dispute                   *DisputeRecord
	CodeURL                   string
}

// Paid is a tender as it was taken.
type Paid struct {
	Tender
	PrincipalFen, BonusFen money.Fen
	State                  string
}

func (o Order) tender(kind string) *Paid {
	for i := range o.Tenders {
		if o.Tenders[i].Kind == kind {
			return &o.Tenders[i]
		}
	}
	return nil
}

type orderRow struct {
	ID                int64  `db:"id"`
	No                string `db:"order_no"`
	StoreID           int64  `db:"store_id"`
	StoreName         string `db:"store_name"`
	BizDay            string `db:"biz_day"`
	MemberID          int64  `db:"member_id"`
	ScanID            int64  `db:"scan_id"`
	BookingID         int64  `db:"booking_id"`
	Plate             string `db:"plate"`
	VehicleClassID    int64  `db:"vehicle_class_id"`
	VehicleClassName  string `db:"vehicle_class_name"`
	Title             string `db:"title"`
	SubtotalFen       int64  `db:"subtotal_fen"`
	DiscountFen       int64  `db:"discount_fen"`
	TotalFen          int64  `db:"total_fen"`
	Status            string `db:"status"`
	BalanceAfter      int64  `db:"balance_after"`
	PostingID         int64  `db:"posting_id"`
	PaymentID         int64  `db:"payment_id"`
	StaffID           int64  `db:"staff_id"`
	StaffName         string `db:"staff_name"`
	TenderLabel       string `db:"tender_label"`
	CreatedAt         int64  `db:"created_at"`
	ExpiresAt         int64  `db:"expires_at"`
	SettledAt         *int64 `db:"settled_at"`
	ReversedAt        *int64 `db:"reversed_at"`
	ReversalPostingID int64  `db:"reversal_posting_id"`
	ReverseReason     string `db:"reverse_reason"`
	ReverseStaff      string `db:"reverse_staff"`
	BenefitPostingID  int64  `db:"benefit_posting_id"`
	RecognisedFen     int64  `db:"recognised_fen"`
	PointsEarned      int64  `db:"points_earned"`
	GroupID           int64  `db:"group_id"`
	PayerID           int64  `db:"payer_id"`
	EarnerID          int64  `db:"earner_id"`
}

const orderColumns = `id, order_no, store_id, store_name, biz_day, member_id, scan_id, booking_id, plate, vehicle_class_id, vehicle_class_name, title, subtotal_fen, discount_fen,
	total_fen, status, balance_after, posting_id, payment_id, staff_id, staff_name, tender_label, created_at, expires_at, settled_at, reversed_at,
	reversal_posting_id, reverse_reason, reverse_staff, benefit_posting_id, recognised_fen, points_earned, group_id, payer_id, earner_id`

type lineRow struct {
	ID        int64  `db:"id"`
	OrderID   int64  `db:"order_id"`
	LineNo    int    `db:"line_no"`
	Kind      string `db:"kind"`
	ItemID    int64  `db:"item_id"`
	Title     string `db:"title"`
	Explain   string `db:"explain_text"`
	Qty       int64  `db:"qty"`
	UnitFen   int64  `db:"unit_fen"`
	AmountFen int64  `db:"amount_fen"`

	NetFen      int64   `db:"net_fen"`
	NetQty      int64   `db:"net_qty"`
	ServiceKind *string `db:"service_kind"`
	PointsEach  *int64  `db:"points_each"`
}

type tenderRow struct {
	ID           int64  `db:"id"`
	OrderID      int64  `db:"order_id"`
	Kind         string `db:"kind"`
	AmountFen    int64  `db:"amount_fen"`
	PrincipalFen int64  `db:"principal_fen"`
	BonusFen     int64  `db:"bonus_fen"`
	ReceivedFen  int64  `db:"received_fen"`
	Reference    string `db:"reference"`
	State        string `db:"state"`
	StoreID      int64  `db:"store_id"`
	BizDay       string `db:"biz_day"`
	CreatedAt    int64  `db:"created_at"`
}

// insertOrder writes order, lines and tenders: one statement each, in one round trip.
func insertOrder(tx *db.Tx, o Order) {
	var expires int64
	if !o.ExpiresAt.IsZero() {
		expires = o.ExpiresAt.UnixMilli()
	}
	tx.InsertSoon("checkout_orders", orderRow{ID: o.ID, No: o.No, StoreID: o.StoreID, StoreName: o.StoreName, BizDay: o.BizDay, MemberID: o.MemberID,
		ScanID: o.ScanID, BookingID: o.BookingID, Plate: o.Plate, VehicleClassID: o.VehicleClassID, VehicleClassName: o.VehicleClassName, Title: o.Title, SubtotalFen: int64(o.Subtotal),
		DiscountFen: int64(o.Discount), TotalFen: int64(o.Total), Status: string(o.Status), BalanceAfter: int64(o.BalanceAfter), PostingID: o.PostingID,
		PaymentID: o.PaymentID, StaffID: o.StaffID, StaffName: o.StaffName, TenderLabel: o.TenderLabel, CreatedAt: o.CreatedAt.UnixMilli(), ExpiresAt: expires,
		SettledAt: clock.NullMillis(o.SettledAt), BenefitPostingID: o.BenefitPostingID, RecognisedFen: int64(o.Recognised), PointsEarned: o.PointsEarned, GroupID: o.GroupID, PayerID: o.PayerID,
		EarnerID: o.EarnerID})
	lines := make([]lineRow, len(o.Lines))
	for i, l := range o.Lines {
		lines[i] = lineRow{ID: tx.NewID(), OrderID: o.ID, LineNo: i + 1, Kind: l.Kind, ItemID: l.ItemID, Title: l.Title, Explain: l.Explain, Qty: l.Qty, UnitFen: int64(l.UnitPriceFen), AmountFen: int64(l.AmountFen)}
		if i < len(o.Items) { // the first lines are the items
			it := o.Items[i]
			lines[i].NetFen, lines[i].NetQty, lines[i].PointsEach = int64(it.NetFen), it.NetQty, it.PointsEach
			if it.ServiceKind != "" {
				lines[i].ServiceKind = &it.ServiceKind
			}
		}
	}
	insertBenefits(tx, o)
	tx.InsertSoon("checkout_lines", lines)
	tenders := make([]tenderRow, len(o.Tenders))
	for i, t := range o.Tenders {
		tenders[i] = tenderRow{tx.NewID(), o.ID, t.Kind, int64(t.AmountFen), int64(t.PrincipalFen), int64(t.BonusFen), int64(t.ReceivedFen), t.Reference, t.State,
			o.StoreID, o.BizDay, tx.Millis()}
	}
	tx.InsertSoon("checkout_tenders", tenders)
}

func orderByID(ctx context.Context, r db.Reader, id int64, lock string) (Order, error) {
	var x orderRow
	err := r.Get(ctx, &x, `SELECT `+orderColumns+` FROM checkout_orders WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Order{}, fault.ErrNotFound
	}
	if err != nil {
		return Order{}, err
	}
	o := Order{ID: x.ID, No: x.No, StoreID: x.StoreID, StoreName: x.StoreName, BizDay: x.BizDay, MemberID: x.MemberID, ScanID: x.ScanID, BookingID: x.BookingID, Plate: x.Plate,
		VehicleClassID: x.VehicleClassID, VehicleClassName: x.VehicleClassName, Title: x.Title, Subtotal: money.Fen(x.SubtotalFen), Discount: money.Fen(x.DiscountFen),
		Total: money.Fen(x.TotalFen), Status: Status(x.Status), BalanceAfter: money.Fen(x.BalanceAfter), PostingID: x.PostingID, PaymentID: x.PaymentID,
		StaffID: x.StaffID, StaffName: x.StaffName, TenderLabel: x.TenderLabel, CreatedAt: clock.FromMillis(x.CreatedAt), SettledAt: clock.FromNull(x.SettledAt),
		ReversedAt: clock.FromNull(x.ReversedAt), ReversalPostingID: x.ReversalPostingID, ReverseReason: x.ReverseReason, ReverseStaff: x.ReverseStaff,
		BenefitPostingID: x.BenefitPostingID, Recognised: money.Fen(x.RecognisedFen), PointsEarned: x.PointsEarned, GroupID: x.GroupID, PayerID: x.PayerID, EarnerID: x.EarnerID}
	if x.ExpiresAt != 0 {
		o.ExpiresAt = clock.FromMillis(x.ExpiresAt)
	}
	o.Tenders, err = tendersOf(ctx, r, id)
	return o, err
}

func tendersOf(ctx context.Context, r db.Reader, id int64) ([]Paid, error) {
	var rows []tenderRow
	err := r.Select(ctx, &rows, `SELECT id, order_id, kind, amount_fen, principal_fen, bonus_fen, received_fen, reference, state, store_id, biz_day, created_at
		FROM checkout_tenders WHERE order_id = ? ORDER BY id`, id)
	var out []Paid
	for _, t := range rows {
		out = append(out, Paid{Tender: Tender{Kind: t.Kind, AmountFen: money.Fen(t.AmountFen), Reference: t.Reference, ReceivedFen: money.Fen(t.ReceivedFen)},
			PrincipalFen: money.Fen(t.PrincipalFen), BonusFen: money.Fen(t.BonusFen), State: t.State})
	}
	return out, err
}

// fill reads lines and dispute of an order.
func fill(ctx context.Context, r db.Reader, o *Order) error {
	var rows []lineRow
	if err := r.Select(ctx, &rows, `SELECT id, order_id, line_no, kind, item_id, title, explain_text, qty, unit_fen, amount_fen, net_fen, net_qty, service_kind, points_each
		FROM checkout_lines WHERE order_id = ? ORDER BY line_no`, o.ID); err != nil {
		return err
	}
	o.Lines, o.Items = nil, nil
	for _, l := range rows {
		if l.Kind == catalog.KindService || l.Kind == catalog.KindGood {
			it := Sold{Kind: l.Kind, ID: l.ItemID, NetFen: money.Fen(l.NetFen), NetQty: l.NetQty, PointsEach: l.PointsEach}
			if l.ServiceKind != nil {
				it.ServiceKind = *l.ServiceKind
			}
			o.Items = append(o.Items, it)
		}
		o.Lines = append(o.Lines, Line{Kind: l.Kind, ItemID: l.ItemID, Title: l.Title, Explain: l.Explain, Qty: l.Qty, UnitPriceFen: money.Fen(l.UnitFen), AmountFen: money.Fen(l.AmountFen)})
	}
	var err error
	if o.Benefits, err = benefitsOf(ctx, r, o.ID); err != nil {
		return err
	}
	list, err := disputesWhere(ctx, r, "WHERE d.order_id = ?", o.ID)
	if err == nil && len(list) > 0 {
		o.Dispute = &list[0]
	}
	return err
}

func markSettled(ctx context.Context, tx *db.Tx, o Order) error {
	if err := tx.ExecOne(ctx, ErrState, `UPDATE checkout_orders SET status = 'settled', posting_id = ?, balance_after = ?, points_earned = ?, settled_at = ? WHERE id = ? AND status = 'awaiting_payment'`,
		o.PostingID, int64(o.BalanceAfter), o.PointsEarned, tx.Millis(), o.ID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE checkout_tenders SET state = 'taken' WHERE order_id = ?`, o.ID)
	return err
}

func markCancelled(ctx context.Context, tx *db.Tx, id int64) error {
	if err := tx.ExecOne(ctx, ErrState, `UPDATE checkout_orders SET status = 'cancelled' WHERE id = ? AND status = 'awaiting_payment'`, id); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE checkout_tenders SET state = 'returned' WHERE order_id = ?`, id)
	return err
}

func markReversed(ctx context.Context, tx *db.Tx, id, posting int64, reason, staff string) error {
	if err := tx.ExecOne(ctx, ErrState, `UPDATE checkout_orders SET status = 'reversed', reversed_at = ?, reversal_posting_id = ?, reverse_reason = ?, reverse_staff = ?
		WHERE id = ? AND status = 'settled'`, tx.Millis(), posting, reason, staff, id); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE checkout_tenders SET state = 'returned' WHERE order_id = ?`, id)
	return err
}
