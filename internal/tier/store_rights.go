package tier

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

// The states of a grant and of a use.
const (
	grantOpen = "open"
	useDone   = "used"
	useUndone = "undone"
)

type grantRow struct {
	ID        int64  `db:"id"`
	MemberID  int64  `db:"member_id"`
	RightID   int64  `db:"right_id"`
	Period    string `db:"period"`
	Granted   int64  `db:"granted"`
	Used      int64  `db:"used"`
	State     string `db:"state"`
	ExpiresAt int64  `db:"expires_at"`
	PostingID int64  `db:"posting_id"`
	CreatedAt int64  `db:"created_at"`
}

const grantColumns = `id, member_id, right_id, period, granted, used, state, expires_at, posting_id, created_at`

type grantKey struct {
	right int64
	key   string
}

// grantsOf reads the grants of members that have not expired at an instant.
func grantsOf(ctx context.Context, r db.Reader, members []int64, now int64) (map[int64]map[grantKey]grantRow, error) {
	rows, err := selectIn[grantRow](ctx, r, openGrants, members, now)
	return byPeriod(rows, members), err
}

const openGrants = `SELECT ` + grantColumns + ` FROM tier_grants WHERE expires_at > ? AND member_id IN (?)`

// grantsSoon is grantsOf with the next db.Tx.Collect.
func grantsSoon(tx *db.Tx, members []int64, then func(map[int64]map[grantKey]grantRow)) error {
	q, args, err := db.In(openGrants, tx.Millis(), members)
	if err != nil {
		return err
	}
	var rows []grantRow
	tx.SelectSoon(&rows, func() { then(byPeriod(rows, members)) }, q, args...)
	return nil
}

func byPeriod(rows []grantRow, members []int64) map[int64]map[grantKey]grantRow {
	out := make(map[int64]map[grantKey]grantRow, len(members))
	for _, m := range members {
		out[m] = map[grantKey]grantRow{}
	}
	for _, x := range rows {
		out[x.MemberID][grantKey{x.RightID, x.Period}] = x
	}
	return out
}

// lockGrant reads one grant under the lock of the member's uses; ID 0 when there is none.
func lockGrant(ctx context.Context, tx *db.Tx, memberID, rightID int64, key string) (g grantRow, err error) {
	err = tx.Get(ctx, &g, `SELECT `+grantColumns+` FROM tier_grants WHERE member_id = ? AND right_id = ? AND period = ?`+tx.ForUpdate(), memberID, rightID, key)
	if errors.Is(err, db.ErrNoRows) {
		return grantRow{}, nil
	}
	return g, err
}

func grantByID(ctx context.Context, tx *db.Tx, id int64) (g grantRow, err error) {
	return g, tx.Get(ctx, &g, `SELECT `+grantColumns+` FROM tier_grants WHERE id = ?`+tx.ForUpdate(), id)
}

// addGranted raises what a grant brought.
func addGranted(ctx context.Context, tx *db.Tx, id, n int64) error {
	return tx.ExecOne(ctx, db.ErrNoRows, `UPDATE tier_grants SET granted = granted + ? WHERE id = ?`, n, id)
}

// takeUses counts uses of a grant; it refuses more than were granted.
func takeUses(ctx context.Context, tx *db.Tx, id, n int64) error {
	return tx.ExecOne(ctx, ErrRightUsed, `UPDATE tier_grants SET used = used + ? WHERE id = ? AND used + ? <= granted AND state = 'open'`, n, id, n)
}

// giveUses takes uses back; a grant that had ended is open again, so that the job ends it again.
func giveUses(ctx context.Context, tx *db.Tx, id, n int64) error {
	return tx.ExecOne(ctx, db.ErrNoRows, `UPDATE tier_grants SET used = used - ?, state = 'open' WHERE id = ? AND used >= ?`, n, id, n)
}

func endGrant(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Exec(ctx, `UPDATE tier_grants SET state = 'expired' WHERE id = ?`, id)
	return err
}

// endedGrants are grants whose period is over and that still stand open.
func endedGrants(ctx context.Context, r db.Reader, now int64, limit int) (rows []grantRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+grantColumns+` FROM tier_grants WHERE state = 'open' AND expires_at <= ? ORDER BY expires_at, id LIMIT ?`, now, limit)
}

type useRow struct {
	ID        int64  `db:"id"`
	GrantID   int64  `db:"grant_id"`
	MemberID  int64  `db:"member_id"`
	RightID   int64  `db:"right_id"`
	Title     string `db:"title"`
	OrderID   int64  `db:"order_id"`
	ServiceID int64  `db:"service_id"`
	Qty       int64  `db:"qty"`
	StoreID   int64  `db:"store_id"`
	BizDay    string `db:"biz_day"`
	Plate     string `db:"plate"`
	Note      string `db:"note"`
	StaffID   int64  `db:"staff_id"`
	StaffName string `db:"staff_name"`
	PostingID int64  `db:"posting_id"`
	State     string `db:"state"`
	CreatedAt int64  `db:"created_at"`
}

const useColumns = `id, grant_id, member_id, right_id, title, order_id, service_id, qty, store_id, biz_day, plate, note, staff_id, staff_name, posting_id, state, created_at`

func usesOfOrder(ctx context.Context, tx *db.Tx, orderID int64) (rows []useRow, err error) {
	return rows, tx.Select(ctx, &rows, `SELECT `+useColumns+` FROM tier_uses WHERE order_id = ? AND state = 'used' ORDER BY id`+tx.ForUpdate(), orderID)
}

func useByID(ctx context.Context, r db.Reader, id int64, lock string) (u useRow, err error) {
	return u, r.Get(ctx, &u, `SELECT `+useColumns+` FROM tier_uses WHERE id = ?`+lock, id)
}

func usesOf(ctx context.Context, r db.Reader, memberID int64, limit int) (rows []useRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+useColumns+` FROM tier_uses WHERE member_id = ? ORDER BY id DESC LIMIT ?`, memberID, limit)
}

func undoUse(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, ErrUseUndone, `UPDATE tier_uses SET state = 'undone' WHERE id = ? AND state = 'used'`, id)
}

// badGrants are grants whose uses do not add up to what they say.
func badGrants(ctx context.Context, r db.Reader) (ids []int64, err error) {
	return ids, r.Select(ctx, &ids, `SELECT g.id FROM tier_grants g LEFT JOIN tier_uses u ON u.grant_id = g.id AND u.state = 'used'
		GROUP BY g.id, g.used, g.granted HAVING g.used <> COALESCE(SUM(u.qty), 0) OR g.used > g.granted ORDER BY g.id LIMIT 1000`)
}

func setUsePosting(ctx context.Context, tx *db.Tx, id, posting int64) error {
	return tx.ExecOne(ctx, db.ErrNoRows, `UPDATE tier_uses SET posting_id = ? WHERE id = ?`, posting, id)
}

// eraseUses forgets whose car it was and what was noted; what was used stays counted.
func eraseUses(ctx context.Context, tx *db.Tx, memberID int64) error {
	_, err := tx.Exec(ctx, `UPDATE tier_uses SET plate = '', note = '' WHERE member_id = ?`, memberID)
	return err
}
