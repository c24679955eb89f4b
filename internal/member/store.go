package member

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/session"
)

type memberRow struct {
	ID             int64   `db:"id"`
	NameSealed     string  `db:"name_sealed"`
	NameIndex      string  `db:"name_index"`
	PhoneSealed    string  `db:"phone_sealed"`
	PhoneIndex     *string `db:"phone_index"` // nil frees the number
	Last4Index     string  `db:"last4_index"`
	PhoneVerified  bool    `db:"phone_verified"`
	Gender         string  `db:"gender"`
	Birthday       string  `db:"birthday"`
	Status         string  `db:"status"`
	StatusReason   string  `db:"status_reason"`
	StoreID        int64   `db:"store_id"`
	CharterVersion int64   `db:"charter_version"`
	CharterAt      int64   `db:"charter_at"`
	JoinedAt       int64   `db:"joined_at"`
	CreatedKind    string  `db:"created_kind"`
	CreatedBy      int64   `db:"created_by"`
	CreatedAt      int64   `db:"created_at"`
	UpdatedAt      int64   `db:"updated_at"`
	ClosedAt       *int64  `db:"closed_at"`
	MergedInto     int64   `db:"merged_into"`
}

const memberColumns = `m.id, m.name_sealed, m.name_index, m.phone_sealed, m.phone_index, m.last4_index, m.phone_verified, m.gender, m.birthday,
	m.status, m.status_reason, m.store_id, m.charter_version, m.charter_at, m.joined_at, m.created_kind, m.created_by, m.created_at, m.updated_at, m.closed_at, m.merged_into`

// The columns that sealed values are bound to.
const (
	colName   = "member.name"
	colPhone  = "member.phone"
	colLast4  = "member.last4"
	colSecret = "member.code_secret"
	colToken  = "member.phone_token"
)

func (s *Service) open(r memberRow) (Member, error) {
	name, err := s.box.Open(colName, r.NameSealed)
	if err != nil {
		return Member{}, err
	}
	phone, err := s.box.Open(colPhone, r.PhoneSealed)
	if err != nil {
		return Member{}, err
	}
	return Member{ID: r.ID, Name: name, Phone: phone, Gender: r.Gender, Birthday: r.Birthday, Status: r.Status, StatusReason: r.StatusReason,
		PhoneVerified: r.PhoneVerified, StoreID: r.StoreID, CharterVersion: r.CharterVersion, JoinedAt: clock.FromMillis(r.JoinedAt),
		MergedInto: r.MergedInto}, nil
}

// setName seals a name into the row.
func (s *Service) setName(r *memberRow, name string) (err error) {
	r.NameSealed, err = s.box.Seal(colName, name)
	r.NameIndex = s.NameIndex(name)
	return err
}

// setPhone seals a phone into the row.
func (s *Service) setPhone(r *memberRow, phone string) (err error) {
	r.PhoneSealed, err = s.box.Seal(colPhone, phone)
	ix := s.PhoneIndex(phone)
	r.PhoneIndex, r.Last4Index = &ix, s.Last4Index(phone)
	return err
}

// readMember reads one member. Fault: fault.ErrNotFound.
func (s *Service) readMember(ctx context.Context, r db.Reader, id int64, lock string) (memberRow, error) {
	var m memberRow
	err := r.Get(ctx, &m, `SELECT `+memberColumns+` FROM member_members m WHERE m.id = ?`+lock, id)
	return m, notFound(err)
}

// notFound turns a missing row into the fault that may leave.
func notFound(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return fault.ErrNotFound
	}
	return err
}

// byPhone finds the living member of a phone; found is false when there is none.
func (s *Service) byPhone(ctx context.Context, r db.Reader, phone, lock string) (m memberRow, found bool, err error) {
	err = r.Get(ctx, &m, `SELECT `+memberColumns+` FROM member_members m WHERE m.phone_index = ?`+lock, s.PhoneIndex(phone))
	if errors.Is(err, db.ErrNoRows) {
		return m, false, nil
	}
	return m, err == nil, err
}

// saveTx writes every changeable column of a member that is locked. Fault: ErrPhoneTaken.
func (s *Service) saveTx(ctx context.Context, tx *db.Tx, m memberRow) error {
	err := tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE member_members SET name_sealed = ?, name_index = ?, phone_sealed = ?, phone_index = ?, last4_index = ?,
		phone_verified = ?, gender = ?, birthday = ?, status = ?, status_reason = ?, store_id = ?, charter_version = ?, charter_at = ?, joined_at = ?,
		updated_at = ?, closed_at = ? WHERE id = ?`,
		m.NameSealed, m.NameIndex, m.PhoneSealed, m.PhoneIndex, m.Last4Index, m.PhoneVerified, m.Gender, m.Birthday, m.Status, m.StatusReason,
		m.StoreID, m.CharterVersion, m.CharterAt, m.JoinedAt, tx.Millis(), m.ClosedAt, m.ID)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrPhoneTaken
	}
	return err
}

type identityRow struct {
	ID         int64  `db:"id"`
	App        string `db:"app"`
	OpenID     string `db:"openid"`
	UnionID    string `db:"unionid"`
	MemberID   *int64 `db:"member_id"`
	BoundAt    int64  `db:"bound_at"`
	LastSeenAt int64  `db:"last_seen_at"`
	CreatedAt  int64  `db:"created_at"`
}

const identityColumns = `id, app, openid, unionid, member_id, bound_at, last_seen_at, created_at`

func (r identityRow) identity() Identity {
	i := Identity{ID: r.ID, App: r.App, OpenID: r.OpenID, UnionID: r.UnionID, BoundAt: clock.FromMillis(r.BoundAt), LastSeenAt: clock.FromMillis(r.LastSeenAt)}
	if r.MemberID != nil {
		i.MemberID = *r.MemberID
	}
	return i
}

func readIdentity(ctx context.Context, r db.Reader, id int64, lock string) (identityRow, error) {
	var x identityRow
	err := r.Get(ctx, &x, `SELECT `+identityColumns+` FROM member_identities WHERE id = ?`+lock, id)
	return x, notFound(err)
}

func identitiesOf(ctx context.Context, r db.Reader, memberID int64, lock string) ([]identityRow, error) {
	var rows []identityRow
	err := r.Select(ctx, &rows, `SELECT `+identityColumns+` FROM member_identities WHERE member_id = ? ORDER BY id`+lock, memberID)
	return rows, err
}

// upsertIdentityTx finds or makes the identity of an openid and stamps it as seen now. An identity without a member
// follows its unionid: the same person at the other app is the same member.
func upsertIdentityTx(ctx context.Context, tx *db.Tx, app, openid, unionid string) (identityRow, error) {
	var x identityRow
	err := tx.Get(ctx, &x, `SELECT `+identityColumns+` FROM member_identities WHERE app = ? AND openid = ?`+tx.ForUpdate(), app, openid)
	if errors.Is(err, db.ErrNoRows) {
		x = identityRow{ID: tx.NewID(), App: app, OpenID: openid, UnionID: unionid, LastSeenAt: tx.Millis(), CreatedAt: tx.Millis()}
		if err = tx.Insert(ctx, "member_identities", x); errors.Is(err, db.ErrDuplicate) {
			err = db.ErrAgain // another device of theirs was quicker
		}
	}
	if err != nil {
		return x, err
	}
	learnt := unionid != "" && x.UnionID != unionid
	if unionid != "" {
		x.UnionID = unionid
	}
	if x.MemberID == nil && x.UnionID != "" {
		var others []int64
		if err := tx.Select(ctx, &others, `SELECT DISTINCT member_id FROM member_identities WHERE unionid = ? AND member_id IS NOT NULL`, x.UnionID); err != nil {
			return x, err
		}
		if len(others) == 1 { // two members of one person are left to the desk
			x.MemberID, x.BoundAt = &others[0], tx.Millis()
		}
	}
	x.LastSeenAt = tx.Millis()
	if _, err = tx.Exec(ctx, `UPDATE member_identities SET unionid = ?, member_id = ?, bound_at = ?, last_seen_at = ? WHERE id = ?`,
		x.UnionID, x.MemberID, x.BoundAt, x.LastSeenAt, x.ID); err != nil || !learnt || x.MemberID == nil {
		return x, err
	}
	// WeChat has just said who this is: those of the same person that wait without a member come along.
	var members []int64
	if err := tx.Select(ctx, &members, `SELECT DISTINCT member_id FROM member_identities WHERE unionid = ? AND member_id IS NOT NULL`, x.UnionID); err != nil || len(members) != 1 {
		return x, err
	}
	_, err = tx.Exec(ctx, `UPDATE member_identities SET member_id = ?, bound_at = ? WHERE unionid = ? AND member_id IS NULL`, *x.MemberID, tx.Millis(), x.UnionID)
	return x, err
}

// attachTx binds an identity, and those of the same unionid that have no member, to a member.
func attachTx(ctx context.Context, tx *db.Tx, x identityRow, memberID int64) error {
	if _, err := tx.Exec(ctx, `UPDATE member_identities SET member_id = ?, bound_at = ? WHERE id = ?`, memberID, tx.Millis(), x.ID); err != nil {
		return err
	}
	if x.UnionID == "" {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE member_identities SET member_id = ?, bound_at = ? WHERE unionid = ? AND member_id IS NULL`, memberID, tx.Millis(), x.UnionID)
	return err
}

type standingRow struct {
	ID          int64   `db:"id"`
	NameSealed  string  `db:"name_sealed"`
	PhoneSealed string  `db:"phone_sealed"`
	Status      string  `db:"status"`
	CardID      *int64  `db:"card_id"`
	CardNo      *string `db:"card_no"`
	CardStatus  *string `db:"card_status"`
}

const standingQuery = `SELECT m.id, m.name_sealed, m.phone_sealed, m.status, c.id AS card_id, c.card_no, c.status AS card_status
	FROM member_members m LEFT JOIN member_cards c ON c.current_member = m.id WHERE m.id IN (?) ORDER BY m.id`

type standingsKey struct{}

// standingsSoon reads and locks several members with their cards, in the order of their ids. Who does not exist is remembered as nil, so that
// to ask again spoils no batch.
func standingsSoon(tx *db.Tx, members []int64) error {
	q, args, err := db.In(standingQuery+tx.ForUpdate(), members)
	if err != nil {
		return err
	}
	var rows []standingRow
	tx.SelectSoon(&rows, func() {
		out := make(map[int64]*standingRow, len(members))
		for _, m := range members {
			out[m] = nil
		}
		for i := range rows {
			out[rows[i].ID] = &rows[i]
		}
		tx.Stash(standingsKey{}, out)
	}, q, args...)
	return nil
}

func lockStanding(ctx context.Context, tx *db.Tx, memberID int64) (r standingRow, err error) {
	if r, ok := db.Stashed[map[int64]*standingRow](tx, standingsKey{})[memberID]; ok {
		if r == nil {
			return standingRow{}, db.ErrNoRows
		}
		return *r, nil
	}
	err = tx.Get(ctx, &r, standingQuery+tx.ForUpdate(), memberID)
	return r, err
}

// whoRow is who a session belongs to, read with it.
type whoRow struct {
	session.Token
	App        *string `db:"app"`
	MemberID   *int64  `db:"member_id"`
	NameSealed *string `db:"name_sealed"`
}

const (
	whoColumns = `, i.app, i.member_id, m.name_sealed`
	whoJoins   = `LEFT JOIN member_identities i ON i.id = t.subject_id LEFT JOIN member_members m ON m.id = i.member_id`
)

// unbindTx frees an identity of its member.
func unbindTx(ctx context.Context, tx *db.Tx, identityID int64) error {
	_, err := tx.Exec(ctx, `UPDATE member_identities SET member_id = NULL, bound_at = 0 WHERE id = ?`, identityID)
	return err
}

// samePerson picks an identity and those of its unionid. Fault: fault.ErrNotFound.
func samePerson(ids []identityRow, identityID int64) (same []identityRow, app string, err error) {
	union := ""
	for _, x := range ids {
		if x.ID == identityID {
			union, app = x.UnionID, x.App
		}
	}
	if app == "" {
		return nil, "", fault.ErrNotFound
	}
	for _, x := range ids {
		if x.ID == identityID || union != "" && x.UnionID == union {
			same = append(same, x)
		}
	}
	return same, app, nil
}
