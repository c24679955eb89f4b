package group

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

type groupRow struct {
	ID            int64   `db:"id"`
	Kind          string  `db:"kind"`
	Name          string  `db:"name"`
	State         string  `db:"state"`
	PayerID       int64   `db:"payer_id"`
	StoreID       int64   `db:"store_id"`
	CreditCode    string  `db:"credit_code"`
	LiveCredit    *string `db:"live_credit"`
	ContactSealed string  `db:"contact_sealed"`
	Reason        string  `db:"reason"`
	ReviewedBy    string  `db:"reviewed_by"`
	ReviewedAt    *int64  `db:"reviewed_at"`
	CreatedAt     int64   `db:"created_at"`
	UpdatedAt     int64   `db:"updated_at"`
	EndedAt       *int64  `db:"ended_at"`
	TierID        int64   `db:"tier_id"`
}

const groupColumns = `id, kind, name, state, payer_id, store_id, credit_code, live_credit, contact_sealed, reason, reviewed_by, reviewed_at, created_at, updated_at, ended_at, tier_id`

func instant(ms *int64) *time.Time {
	if ms == nil {
		return nil
	}
	t := clock.FromMillis(*ms)
	return &t
}

func (r groupRow) group() Group {
	return Group{ID: r.ID, Kind: r.Kind, Name: r.Name, State: r.State, PayerID: r.PayerID, StoreID: r.StoreID, CreditCode: r.CreditCode, Reason: r.Reason,
		ReviewedBy: r.ReviewedBy, ReviewedAt: instant(r.ReviewedAt), CreatedAt: clock.FromMillis(r.CreatedAt), EndedAt: instant(r.EndedAt), TierID: r.TierID, sealed: r.ContactSealed}
}

// groupByID reads a group. Fault: fault.ErrNotFound.
func groupByID(ctx context.Context, r db.Reader, id int64, lock string) (Group, error) {
	var row groupRow
	err := r.Get(ctx, &row, `SELECT `+groupColumns+` FROM group_groups WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Group{}, fault.ErrNotFound
	}
	return row.group(), err
}

func groups(rows []groupRow) []Group {
	out := make([]Group, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.group())
	}
	return out
}

// groupsOf are the groups that a member pays for or drives in, newest first; ended ones that the member once paid for come along.
func groupsOf(ctx context.Context, r db.Reader, memberID int64) ([]Group, error) {
	var rows []groupRow
	err := r.Select(ctx, &rows, `SELECT `+groupColumns+` FROM group_groups WHERE payer_id = ?
		OR id IN (SELECT d.group_id FROM group_drivers d WHERE d.member_id = ? AND d.live_key IS NOT NULL) ORDER BY id DESC`, memberID, memberID)
	return groups(rows), err
}

// payableBy are the living groups in which a member has a place.
func payableBy(ctx context.Context, r db.Reader, memberID int64) ([]Group, error) {
	var rows []groupRow
	err := r.Select(ctx, &rows, `SELECT `+groupColumns+` FROM group_groups WHERE state IN ('active', 'suspended')
		AND id IN (SELECT d.group_id FROM group_drivers d WHERE d.member_id = ? AND d.live_key IS NOT NULL) ORDER BY id`, memberID)
	return groups(rows), err
}

// lockPaid locks the living groups that a member pays for, so that several at once are counted one after the other.
func lockPaid(ctx context.Context, tx *db.Tx, payerID int64) ([]Group, error) {
	var rows []groupRow
	err := tx.Select(ctx, &rows, `SELECT `+groupColumns+` FROM group_groups WHERE payer_id = ? AND state <> 'ended' ORDER BY id`+tx.ForUpdate(), payerID)
	return groups(rows), err
}

type groupFilter struct {
	kind, state string
	payer       int64
	like        string
	before      int64
}

func listGroups(ctx context.Context, r db.Reader, f groupFilter, limit int) ([]Group, error) {
	q, args := `SELECT `+groupColumns+` FROM group_groups WHERE id > 0`, []any{}
	add := func(cond string, arg ...any) { q, args = q+` AND `+cond, append(args, arg...) }
	if f.kind != "" {
		add(`kind = ?`, f.kind)
	}
	if f.state != "" {
		add(`state = ?`, f.state)
	}
	if f.payer != 0 {
		add(`payer_id = ?`, f.payer)
	}
	if f.like != "" {
		like := `%` + db.Like(f.like) + `%`
		add(`(name LIKE ? ESCAPE '!' OR credit_code LIKE ? ESCAPE '!')`, like, like)
	}
	if f.before > 0 {
		add(`id < ?`, f.before)
	}
	var rows []groupRow
	err := r.Select(ctx, &rows, q+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
	return groups(rows), err
}

func insertGroup(ctx context.Context, tx *db.Tx, g Group) error {
	ms := g.CreatedAt.UnixMilli()
	return tx.Insert(ctx, "group_groups", groupRow{ID: g.ID, Kind: g.Kind, Name: g.Name, State: g.State, PayerID: g.PayerID, StoreID: g.StoreID,
		CreditCode: g.CreditCode, ContactSealed: g.sealed, CreatedAt: ms, UpdatedAt: ms})
}

// saveGroup writes what may change of a locked group. live is the credit code that nobody else may have. Fault: ErrCreditUsed.
func saveGroup(ctx context.Context, tx *db.Tx, g Group) error {
	var live *string
	if g.CreditCode != "" && (g.State == StateActive || g.State == StateSuspended) {
		live = &g.CreditCode
	}
	ms := func(t *time.Time) *int64 {
		if t == nil {
			return nil
		}
		v := t.UnixMilli()
		return &v
	}
	err := tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE group_groups SET name = ?, state = ?, credit_code = ?, live_credit = ?, contact_sealed = ?, reason = ?,
		reviewed_by = ?, reviewed_at = ?, updated_at = ?, ended_at = ?, tier_id = ? WHERE id = ?`, g.Name, g.State, g.CreditCode, live, g.sealed, g.Reason, g.ReviewedBy,
		ms(g.ReviewedAt), tx.Millis(), ms(g.EndedAt), g.TierID, g.ID)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrCreditUsed
	}
	return err
}

type documentRow struct {
	ID        int64  `db:"id"`
	GroupID   int64  `db:"group_id"`
	No        int    `db:"slot_no"`
	Kind      string `db:"kind"`
	Key       string `db:"blob_key"`
	CreatedAt int64  `db:"created_at"`
}

func documentsOf(ctx context.Context, r db.Reader, groupID int64, lock string) (rows []documentRow, err error) {
	err = r.Select(ctx, &rows, `SELECT id, group_id, slot_no, kind, blob_key, created_at FROM group_documents WHERE group_id = ? ORDER BY slot_no`+lock, groupID)
	return rows, err
}

func deleteDocument(ctx context.Context, tx *db.Tx, groupID, id int64) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `DELETE FROM group_documents WHERE id = ? AND group_id = ?`, id, groupID)
}

func deleteDocuments(ctx context.Context, tx *db.Tx, groupID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM group_documents WHERE group_id = ?`, groupID)
	return err
}

type driverRow struct {
	ID        int64   `db:"id"`
	GroupID   int64   `db:"group_id"`
	MemberID  int64   `db:"member_id"`
	LiveKey   *string `db:"live_key"`
	CardKind  string  `db:"card_kind"`
	Note      string  `db:"note"`
	Until     string  `db:"until_day"`
	Rules     string  `db:"rules"`
	JoinedAt  int64   `db:"joined_at"`
	EndedAt   *int64  `db:"ended_at"`
	EndReason string  `db:"end_reason"`
	TierID    int64   `db:"tier_id"`
}

const driverColumns = `id, group_id, member_id, live_key, card_kind, note, until_day, rules, joined_at, ended_at, end_reason, tier_id`

func (r driverRow) driver() (Driver, error) {
	d := Driver{ID: r.ID, GroupID: r.GroupID, MemberID: r.MemberID, Place: Place{CardKind: r.CardKind, Note: r.Note, Until: r.Until, TierID: r.TierID},
		JoinedAt: clock.FromMillis(r.JoinedAt), EndedAt: instant(r.EndedAt), EndReason: r.EndReason}
	return d, json.Unmarshal([]byte(r.Rules), &d.Place.Rules)
}

func drivers(rows []driverRow) ([]Driver, error) {
	out := make([]Driver, 0, len(rows))
	for _, r := range rows {
		d, err := r.driver()
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// driversOf are the living places of a group, oldest first.
func driversOf(ctx context.Context, r db.Reader, groupID int64) ([]Driver, error) {
	var rows []driverRow
	if err := r.Select(ctx, &rows, `SELECT `+driverColumns+` FROM group_drivers WHERE group_id = ? AND live_key IS NOT NULL ORDER BY id`, groupID); err != nil {
		return nil, err
	}
	return drivers(rows)
}

// driverByID reads a living place of a group. Fault: fault.ErrNotFound.
func driverByID(ctx context.Context, r db.Reader, groupID, id int64) (Driver, error) {
	var row driverRow
	err := r.Get(ctx, &row, `SELECT `+driverColumns+` FROM group_drivers WHERE id = ? AND group_id = ? AND live_key IS NOT NULL`, id, groupID)
	if errors.Is(err, db.ErrNoRows) {
		return Driver{}, fault.ErrNotFound
	}
	if err != nil {
		return Driver{}, err
	}
	return row.driver()
}

// driverOf reads a member's living place in a group. Fault: ErrNoDriver.
func driverOf(ctx context.Context, r db.Reader, groupID, memberID int64) (Driver, error) {
	var row driverRow
	err := r.Get(ctx, &row, `SELECT `+driverColumns+` FROM group_drivers WHERE live_key = ?`, liveKey(groupID, memberID))
	if errors.Is(err, db.ErrNoRows) {
		return Driver{}, ErrNoDriver
	}
	if err != nil {
		return Driver{}, err
	}
	return row.driver()
}

// placesOf are the living places of a member.
func placesOf(ctx context.Context, r db.Reader, memberID int64) ([]Driver, error) {
	var rows []driverRow
	if err := r.Select(ctx, &rows, `SELECT `+driverColumns+` FROM group_drivers WHERE member_id = ? AND live_key IS NOT NULL ORDER BY group_id`, memberID); err != nil {
		return nil, err
	}
	return drivers(rows)
}

func liveKey(groupID, memberID int64) string { return fmt.Sprintf("%d:%d", groupID, memberID) }

// insertDriver gives a member a place. Fault: ErrJoined.
func insertDriver(ctx context.Context, tx *db.Tx, d Driver) error {
	rules, err := json.Marshal(d.Place.Rules)
	if err != nil {
		return err
	}
	key := liveKey(d.GroupID, d.MemberID)
	err = tx.Insert(ctx, "group_drivers", driverRow{ID: d.ID, GroupID: d.GroupID, MemberID: d.MemberID, LiveKey: &key, CardKind: d.Place.CardKind, Note: d.Place.Note,
		Until: d.Place.Until, Rules: string(rules), JoinedAt: d.JoinedAt.UnixMilli(), TierID: d.Place.TierID})
	if errors.Is(err, db.ErrDuplicate) {
		return ErrJoined
	}
	return err
}

func savePlace(ctx context.Context, tx *db.Tx, d Driver) error {
	rules, err := json.Marshal(d.Place.Rules)
	if err != nil {
		return err
	}
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE group_drivers SET card_kind = ?, note = ?, until_day = ?, rules = ?, tier_id = ? WHERE id = ? AND live_key IS NOT NULL`,
		d.Place.CardKind, d.Place.Note, d.Place.Until, string(rules), d.Place.TierID, d.ID)
}

func endPlace(ctx context.Context, tx *db.Tx, id int64, reason string) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE group_drivers SET live_key = NULL, ended_at = ?, end_reason = ? WHERE id = ? AND live_key IS NOT NULL`, tx.Millis(), reason, id)
}

func endPlaces(ctx context.Context, tx *db.Tx, groupID int64, reason string) error {
	_, err := tx.Exec(ctx, `UPDATE group_drivers SET live_key = NULL, ended_at = ?, end_reason = ? WHERE group_id = ? AND live_key IS NOT NULL`, tx.Millis(), reason, groupID)
	return err
}

type inviteRow struct {
	ID        int64  `db:"id"`
	GroupID   int64  `db:"group_id"`
	Hash      string `db:"code_hash"`
	CardKind  string `db:"card_kind"`
	Note      string `db:"note"`
	Until     string `db:"until_day"`
	Rules     string `db:"rules"`
	ExpiresAt int64  `db:"expires_at"`
	CreatedAt int64  `db:"created_at"`
	UsedAt    *int64 `db:"used_at"`
	RevokedAt *int64 `db:"revoked_at"`
	DriverID  int64  `db:"driver_id"`
	TierID    int64  `db:"tier_id"`
}

const inviteColumns = `id, group_id, code_hash, card_kind, note, until_day, rules, expires_at, created_at, used_at, revoked_at, driver_id, tier_id`

func (r inviteRow) place() (Place, error) {
	p := Place{CardKind: r.CardKind, Note: r.Note, Until: r.Until, TierID: r.TierID}
	return p, json.Unmarshal([]byte(r.Rules), &p.Rules)
}

// inviteByHash reads an invite that still works. Fault: ErrInvite.
func inviteByHash(ctx context.Context, r db.Reader, hash string, now int64) (row inviteRow, err error) {
	err = r.Get(ctx, &row, `SELECT `+inviteColumns+` FROM group_invites WHERE code_hash = ? AND used_at IS NULL AND revoked_at IS NULL AND expires_at > ?`, hash, now)
	if errors.Is(err, db.ErrNoRows) {
		return row, ErrInvite
	}
	return row, err
}

// openInvites are the invites of a group that still work, newest first.
func openInvites(ctx context.Context, r db.Reader, groupID, now int64) (rows []inviteRow, err error) {
	err = r.Select(ctx, &rows, `SELECT `+inviteColumns+` FROM group_invites WHERE group_id = ? AND used_at IS NULL AND revoked_at IS NULL AND expires_at > ? ORDER BY id DESC`, groupID, now)
	return rows, err
}

// useInvite takes an invite; nobody else can afterwards. Fault: ErrInvite.
func useInvite(ctx context.Context, tx *db.Tx, id, driverID int64) error {
	return tx.ExecOne(ctx, ErrInvite, `UPDATE group_invites SET used_at = ?, driver_id = ? WHERE id = ? AND used_at IS NULL AND revoked_at IS NULL AND expires_at > ?`,
		tx.Millis(), driverID, id, tx.Millis())
}

func revokeInvite(ctx context.Context, tx *db.Tx, groupID, id int64) error {
	return tx.ExecOne(ctx, ErrInvite, `UPDATE group_invites SET revoked_at = ? WHERE id = ? AND group_id = ? AND used_at IS NULL AND revoked_at IS NULL`, tx.Millis(), id, groupID)
}

func revokeInvites(ctx context.Context, tx *db.Tx, groupID int64) error {
	_, err := tx.Exec(ctx, `UPDATE group_invites SET revoked_at = ? WHERE group_id = ? AND used_at IS NULL AND revoked_at IS NULL`, tx.Millis(), groupID)
	return err
}
