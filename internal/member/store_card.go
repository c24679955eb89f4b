package member

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

type cardRow struct {
	ID            int64  `db:"id"`
	MemberID      int64  `db:"member_id"`
	No            string `db:"card_no"`
	Status        string `db:"status"`
	CurrentMember *int64 `db:"current_member"` // nil once replaced or closed
	Reason        string `db:"status_reason"`
	IssuedAt      int64  `db:"issued_at"`
	ChangedAt     int64  `db:"changed_at"`
	ReplacedBy    int64  `db:"replaced_by"`
}

const cardColumns = `id, member_id, card_no, status, current_member, status_reason, issued_at, changed_at, replaced_by`

func (r cardRow) card() Card {
	return Card{ID: r.ID, No: r.No, Status: r.Status, IssuedAt: clock.FromMillis(r.IssuedAt)}
}

// issueTx gives a member a new current card.
func issueTx(ctx context.Context, tx *db.Tx, memberID int64) (cardRow, error) {
	for try := 0; ; try++ {
		c := cardRow{ID: tx.NewID(), MemberID: memberID, No: newCardNo(), Status: CardActive, CurrentMember: &memberID, IssuedAt: tx.Millis(), ChangedAt: tx.Millis()}
		var n int64
		if err := tx.Get(ctx, &n, `SELECT COUNT(*) FROM member_cards WHERE card_no = ?`, c.No); err != nil {
			return c, err
		}
		if n > 0 && try < 5 { // one in ten thousand million: draw again
			continue
		}
		return c, tx.Insert(ctx, "member_cards", c)
	}
}

// currentCard reads a member's current card. Fault: ErrNoCard.
func currentCard(ctx context.Context, r db.Reader, memberID int64, lock string) (cardRow, error) {
	var c cardRow
	err := r.Get(ctx, &c, `SELECT `+cardColumns+` FROM member_cards WHERE current_member = ?`+lock, memberID)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrNoCard
	}
	return c, err
}

func cardsOf(ctx context.Context, r db.Reader, memberID int64) ([]cardRow, error) {
	var rows []cardRow
	err := r.Select(ctx, &rows, `SELECT `+cardColumns+` FROM member_cards WHERE member_id = ? ORDER BY id DESC`, memberID)
	return rows, err
}

// moveCardTx changes the state of a card that is in one of two states. Fault: ErrCardState when it is in neither.
func moveCardTx(ctx context.Context, tx *db.Tx, c cardRow, from, orFrom, to, reason string) error {
	current := c.CurrentMember
	if to == CardReplaced || to == CardClosed {
		current = nil
	}
	return tx.ExecOne(ctx, ErrCardState, `UPDATE member_cards SET status = ?, status_reason = ?, current_member = ?, changed_at = ?, replaced_by = ? WHERE id = ? AND status IN (?, ?)`,
		to, reason, current, tx.Millis(), c.ReplacedBy, c.ID, from, orFrom)
}

func replacedByTx(ctx context.Context, tx *db.Tx, oldID, newID int64) error {
	_, err := tx.Exec(ctx, `UPDATE member_cards SET replaced_by = ? WHERE id = ?`, newID, oldID)
	return err
}
