package member

import (
	"context"

	"github.com/liangche/liangche/internal/db"
)

type charterRow struct {
	Version     int64  `db:"version"`
	Title       string `db:"title"`
	Body        string `db:"body"`
	PrivacyBody string `db:"privacy_body"`
	PublishedAt int64  `db:"published_at"`
	PublishedBy int64  `db:"published_by"`
}

func (r charterRow) charter() Charter {
	return Charter{ID: r.Version, Version: r.Version, Title: r.Title, Body: r.Body, PrivacyBody: r.PrivacyBody, PublishedAt: at(r.PublishedAt)}
}

const charterColumns = `version, title, body, privacy_body, published_at, published_by`

// latestCharter reads the version in force; db.ErrNoRows when there is none.
func latestCharter(ctx context.Context, r db.Reader, lock string) (charterRow, error) {
	var c charterRow
	err := r.Get(ctx, &c, `SELECT `+charterColumns+` FROM member_charters ORDER BY version DESC LIMIT 1`+lock)
	return c, err
}

func charters(ctx context.Context, r db.Reader) ([]charterRow, error) {
	var rows []charterRow
	err := r.Select(ctx, &rows, `SELECT `+charterColumns+` FROM member_charters ORDER BY version DESC`)
	return rows, err
}

func insertCharterTx(ctx context.Context, tx *db.Tx, c charterRow) error {
	return tx.Insert(ctx, "member_charters", c)
}

type ticketRow struct {
	Hash      string `db:"ticket_hash"`
	Audience  string `db:"audience"`
	App       string `db:"app"`
	OpenID    string `db:"openid"`
	UnionID   string `db:"unionid"`
	Invite    string `db:"invite"`
	ExpiresAt int64  `db:"expires_at"`
	UsedAt    *int64 `db:"used_at"`
}

// takeTicketTx redeems a ticket of an audience, once. Fault: ErrTicket.
func takeTicketTx(ctx context.Context, tx *db.Tx, hash, audience string) (ticketRow, error) {
	var t ticketRow
	if err := tx.ExecOne(ctx, ErrTicket, `UPDATE member_tickets SET used_at = ? WHERE ticket_hash = ? AND audience = ? AND used_at IS NULL AND expires_at > ?`,
		tx.Millis(), hash, audience, tx.Millis()); err != nil {
		return t, err
	}
	err := tx.Get(ctx, &t, `SELECT ticket_hash, audience, app, openid, unionid, invite, expires_at, used_at FROM member_tickets WHERE ticket_hash = ?`+tx.ForUpdate(), hash)
	return t, err
}

// purgeTx forgets tickets, scans and counters whose time is over (unix ms).
func purgeTx(ctx context.Context, tx *db.Tx, ticketsBefore, scansBefore int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM member_tickets WHERE expires_at < ?`, ticketsBefore); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM member_attempts WHERE window_until < ?`, ticketsBefore); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM member_scans WHERE expires_at < ?`, scansBefore)
	return err
}
