package referral

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

type codeRow struct {
	MemberID  int64  `db:"member_id"`
	Code      string `db:"code"`
	Picture   string `db:"picture"`
	CreatedAt int64  `db:"created_at"`
}

// codeOf reads a member's code; db.ErrNoRows when there is none yet.
func codeOf(ctx context.Context, r db.Reader, memberID int64) (c codeRow, err error) {
	err = r.Get(ctx, &c, `SELECT member_id, code, picture, created_at FROM referral_codes WHERE member_id = ?`, memberID)
	return c, err
}

// inviterOf finds whose code it is. Fault: ErrUnknown.
func inviterOf(ctx context.Context, r db.Reader, code string) (id int64, err error) {
	err = r.Get(ctx, &id, `SELECT member_id FROM referral_codes WHERE code = ?`, code)
	if errors.Is(err, db.ErrNoRows) {
		return 0, ErrUnknown.On("code", ErrUnknown.Message)
	}
	return id, err
}

func setPicture(ctx context.Context, tx *db.Tx, memberID int64, key string) error {
	_, err := tx.Exec(ctx, `UPDATE referral_codes SET picture = ? WHERE member_id = ?`, key, memberID)
	return err
}

// readRules reads the shop's rules, or what it starts with.
func readRules(ctx context.Context, r db.Reader) (out Rules, err error) {
	var text string
	err = r.Get(ctx, &text, `SELECT content FROM referral_rules WHERE id = 1`)
	if errors.Is(err, db.ErrNoRows) {
		return firstRules(), nil
	}
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal([]byte(text), &out)
}

func writeRules(ctx context.Context, tx *db.Tx, rules Rules, by string) error {
	text, err := json.Marshal(rules)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE referral_rules SET content = ?, updated_by = ?, updated_at = ? WHERE id = 1`, string(text), by, tx.Millis())
	if err != nil || n > 0 {
		return err
	}
	return tx.Insert(ctx, "referral_rules", struct {
		ID        int64  `db:"id"`
		Content   string `db:"content"`
		UpdatedBy string `db:"updated_by"`
		UpdatedAt int64  `db:"updated_at"`
	}{1, string(text), by, tx.Millis()})
}

type inviteRow struct {
	ID        int64  `db:"id"`
	InviterID int64  `db:"inviter_id"`
	InviteeID int64  `db:"invitee_id"`
	State     string `db:"state"`
	Flags     string `db:"flags"`
	Accepted  bool   `db:"accepted"`
	Place     string `db:"ip_index"`
	PaidFen   int64  `db:"paid_fen"`
	RewardDay string `db:"reward_day"`
	RewardAt  int64  `db:"reward_at"`
	ExpiresAt int64  `db:"expires_at"`
	Reason    string `db:"reason"`
	DecidedBy string `db:"decided_by"`
	CreatedAt int64  `db:"created_at"`
	UpdatedAt int64  `db:"updated_at"`
	Via       string `db:"via"`
	Share     string `db:"share_state"`
}

const inviteColumns = `id, inviter_id, invitee_id, state, flags, accepted, ip_index, paid_fen, reward_day, reward_at, expires_at, reason, decided_by, created_at, updated_at, via, share_state`

func (x inviteRow) invite() Invite {
	i := Invite{ID: x.ID, InviterID: x.InviterID, InviteeID: x.InviteeID, State: x.State, Accepted: x.Accepted, PaidFen: money.Fen(x.PaidFen), ExpiresAt: clock.FromMillis(x.ExpiresAt),
		Reason: x.Reason, DecidedBy: x.DecidedBy, CreatedAt: clock.FromMillis(x.CreatedAt), Via: x.Via, place: x.Place, day: x.RewardDay,
		share: x.Share}
	if x.Flags != "" {
		i.Flags = strings.Split(x.Flags, ",")
	}
	if x.RewardAt != 0 {
		i.RewardAt = clock.FromMillis(x.RewardAt)
	}
	return i
}

func invites(rows []inviteRow) []Invite {
	out := make([]Invite, 0, len(rows))
	for _, x := range rows {
		out = append(out, x.invite())
	}
	return out
}

// insertInvite binds a friend. Fault: ErrBound.
func insertInvite(ctx context.Context, tx *db.Tx, x inviteRow) error {
	err := tx.Insert(ctx, "referral_invites", x)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrBound
	}
	return err
}

// inviteByID reads an invitation; lock is "" or the locking clause. Fault: fault.ErrNotFound.
func inviteByID(ctx context.Context, r db.Reader, id int64, lock string) (Invite, error) {
	var x inviteRow
	err := r.Get(ctx, &x, `SELECT `+inviteColumns+` FROM referral_invites WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Invite{}, fault.ErrNotFound
	}
	return x.invite(), err
}

// inviteOf reads the invitation by which a member came. Fault: fault.ErrNotFound.
func inviteOf(ctx context.Context, r db.Reader, inviteeID int64) (Invite, error) {
	var x inviteRow
	err := r.Get(ctx, &x, `SELECT `+inviteColumns+` FROM referral_invites WHERE invitee_id = ?`, inviteeID)
	if errors.Is(err, db.ErrNoRows) {
		return Invite{}, fault.ErrNotFound
	}
	return x.invite(), err
}

// inState reads invitations of a state after an id, in the order of their ids.
func inState(ctx context.Context, r db.Reader, state string, after int64, limit int) ([]Invite, error) {
	var rows []inviteRow
	err := r.Select(ctx, &rows, `SELECT `+inviteColumns+` FROM referral_invites WHERE state = ? AND id > ? ORDER BY id LIMIT ?`, state, after, limit)
	return invites(rows), err
}

// rewardedSince reads the rewarded invitations since an instant, in the order of their rewards.
func rewardedSince(ctx context.Context, r db.Reader, since time.Time, after int64, limit int) ([]Invite, error) {
	var rows []inviteRow
	err := r.Select(ctx, &rows, `SELECT `+inviteColumns+` FROM referral_invites WHERE state = 'rewarded' AND reward_at >= ? AND id > ? ORDER BY id LIMIT ?`, since.UnixMilli(), after, limit)
	return invites(rows), err
}

// readInvites reads a page of invitations, newest first. open says: only those that a manager has not decided on and that look suspect.
func readInvites(ctx context.Context, r db.Reader, state string, inviterID int64, open bool, after string, limit int) ([]Invite, error) {
	from, err := strconv.ParseInt(after, 10, 64)
	if err != nil {
		from = 1 << 62
	}
	where, args := `id < ?`, []any{from}
	if state != "" {
		where, args = where+` AND state = ?`, append(args, state)
	}
	if inviterID != 0 {
		where, args = where+` AND inviter_id = ?`, append(args, inviterID)
	}
	if open {
		where += ` AND flags <> '' AND decided_by = ''`
	}
	var rows []inviteRow
	err = r.Select(ctx, &rows, `SELECT `+inviteColumns+` FROM referral_invites WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
	return invites(rows), err
}

// rewarded counts the friends of an inviter who brought a reward.
func rewarded(ctx context.Context, r db.Reader, inviterID int64) (n int, err error) {
	err = r.Get(ctx, &n, `SELECT COUNT(*) FROM referral_invites WHERE inviter_id = ? AND state = 'rewarded'`, inviterID)
	return n, err
}

// near counts the invitations of an inviter since an instant, all and those from a place.
func near(ctx context.Context, r db.Reader, inviterID int64, since time.Time, place string) (all, here int, err error) {
	var rows []string
	err = r.Select(ctx, &rows, `SELECT ip_index FROM referral_invites WHERE inviter_id = ? AND created_at >= ?`, inviterID, since.UnixMilli())
	for _, p := range rows {
		if p == place && place != "" {
			here++
		}
	}
	return len(rows), here, err
}

// move brings an invitation from one state into another. Fault: ErrState.
func move(ctx context.Context, tx *db.Tx, i Invite, from string) error {
	rewardAt := int64(0)
	if !i.RewardAt.IsZero() {
		rewardAt = i.RewardAt.UnixMilli()
	}
	return tx.ExecOne(ctx, ErrState, `UPDATE referral_invites SET state = ?, flags = ?, accepted = ?, paid_fen = ?, reward_day = ?, reward_at = ?, reason = ?, decided_by = ?, updated_at = ?
		WHERE id = ? AND state = ?`, i.State, i.flagText(), i.Accepted, int64(i.PaidFen), i.day, rewardAt, i.Reason, i.DecidedBy, tx.Millis(), i.ID, from)
}

type markRow struct {
	Kind      string `db:"kind"`
	Mark      string `db:"mark"`
	InviteID  int64  `db:"invite_id"`
	InviteeID int64  `db:"invitee_id"`
	CreatedAt int64  `db:"created_at"`
}

// keepMark keeps what a friend is known by; taken says that another invitation has it already.
func keepMark(ctx context.Context, tx *db.Tx, kind, mark string, i Invite) (taken bool, err error) {
	var have []markRow
	if err := tx.Select(ctx, &have, `SELECT kind, mark, invite_id, invitee_id, created_at FROM referral_marks WHERE kind = ? AND mark = ?`, kind, mark); err != nil {
		return false, err
	}
	if len(have) > 0 {
		return have[0].InviteID != i.ID, nil
	}
	err = tx.Insert(ctx, "referral_marks", markRow{kind, mark, i.ID, i.InviteeID, tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) {
		return true, nil
	}
	return false, err
}

// moveShare brings the reward for sharing of a locked invitation from one state into another. Fault: ErrState.
func moveShare(ctx context.Context, tx *db.Tx, id int64, from, to string) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE referral_invites SET share_state = ?, updated_at = ? WHERE id = ? AND share_state = ?`, to, tx.Millis(), id, from)
}

// unshared reads the invitations by shared pages since an instant whose reward for sharing was not given, in the order of their ids.
func unshared(ctx context.Context, r db.Reader, since, after int64, limit int) ([]Invite, error) {
	var rows []inviteRow
	err := r.Select(ctx, &rows, `SELECT `+inviteColumns+` FROM referral_invites WHERE share_state = '' AND created_at >= ? AND via <> '' AND state IN ('pending', 'rewarded') AND id > ? ORDER BY id LIMIT ?`,
		since, after, limit)
	return invites(rows), err
}

// The counters of a day.
const (
	countRewarded = `UPDATE referral_days SET rewarded = rewarded + 1 WHERE inviter_id = ? AND biz_day = ? AND rewarded < ?`
	countShared   = `UPDATE referral_days SET shared = shared + 1 WHERE inviter_id = ? AND biz_day = ? AND shared < ?`
)

// countDay counts a reward of an inviter on a day; false when there were so many already.
func countDay(ctx context.Context, tx *db.Tx, add string, inviterID int64, day string, most int) (bool, error) {
	n, err := tx.Exec(ctx, add, inviterID, day, most)
	if err != nil || n > 0 {
		return n > 0, err
	}
	err = tx.Insert(ctx, "referral_days", struct {
		InviterID int64  `db:"inviter_id"`
		BizDay    string `db:"biz_day"`
		Rewarded  int    `db:"rewarded"`
	}{inviterID, day, 0})
	if err != nil && !errors.Is(err, db.ErrDuplicate) {
		return false, err
	}
	n, err = tx.Exec(ctx, add, inviterID, day, most)
	return n > 0, err
}
