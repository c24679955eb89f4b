package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
)

// purse are the units that pay.
var purse = []Unit{Principal, Bonus}

type aheadKey struct{}

// AheadTx reads and locks the principal and bonus of several members at once, with the next db.Tx.Collect, for LockTx in the same transaction. Several commands may use
// the same book one after the other: each finds what those before it have left. The members must be in ascending order.
func AheadTx(tx *db.Tx, members []int64) {
	if len(members) == 0 {
		return
	}
	query, args := booksQuery(tx.ForUpdate(), members, purse)
	var rows []accountLot
	tx.SelectSoon(&rows, func() {
		books := booksFrom(rows, tx.Now, members)
		for id, b := range books {
			if len(b.accounts) < len(purse) || b.gone != 0 {
				delete(books, id) // LockTx opens what is missing, and follows who was merged
			}
		}
		tx.Stash(aheadKey{}, books)
	}, query, args...)
}

// LockTx reads and locks a member's accounts of the units together with their open lots, creating accounts that do not
// exist yet. Every change of a member's holdings starts here, so two tills wait for each other (N09). Books of one member over different units may
// be used side by side in a transaction, locked in the order purse, uses, points, experience; two books over the same unit may not. Who was merged into
// another member has that member's book.
func LockTx(ctx context.Context, tx *db.Tx, memberID int64, units ...Unit) (*Book, error) {
	if memberID == 0 {
		return nil, errors.New("ledger: a walk-in has no accounts")
	}
	if len(units) == 0 {
		if b := db.Stashed[map[int64]*Book](tx, aheadKey{})[memberID]; b != nil {
			was := b.clone()
			tx.OnUndo(func() { *b = was })
			return b, nil
		}
		units = purse
	}
	if slices.ContainsFunc(units, func(u Unit) bool { return slices.Contains(purse, u) }) {
		delete(db.Stashed[map[int64]*Book](tx, aheadKey{}), memberID) // what was read ahead may no longer be exact
	}
	if b := aheadOf(tx, memberID, units); b != nil {
		return b, nil
	}
	b, err := readBook(ctx, tx, memberID, units)
	if err != nil {
		return nil, err
	}
	if b.gone != 0 {
		return LockTx(ctx, tx, b.gone, units...)
	}
	missing := false
	for _, u := range units {
		if b.accounts[u] == nil {
			missing = true
			if err := insertAccount(ctx, tx, memberID, u); err != nil {
				return nil, err
			}
		}
	}
	if missing {
		return readBook(ctx, tx, memberID, units)
	}
	return b, nil
}

// PostTx writes a posting with its legs and moves balances and lots. b may be nil when no leg touches a member. It returns
// the posting's id. Faults: ErrInsufficient, ErrUnbalanced.
func PostTx(ctx context.Context, tx *db.Tx, b *Book, p Post, legs ...Leg) (int64, error) {
	return post(ctx, tx, b, p, legs, nil)
}

func post(ctx context.Context, tx *db.Tx, b *Book, p Post, legs []Leg, reverses *int64) (int64, error) {
	if !balanced(legs) {
		return 0, ErrUnbalanced.With(fmt.Errorf("ledger: %s of %s %d", p.Kind, p.RefKind, p.RefID))
	}
	who := actor.From(ctx)
	pr := postingRow{ID: tx.NewID(), Kind: p.Kind, StoreID: p.StoreID, BizDay: p.BizDay, RefKind: p.RefKind, RefID: p.RefID, ReversesID: reverses,
		ActorKind: string(who.Kind), ActorID: who.ID, ActorName: who.Name, Title: p.Title, Memo: p.Memo, CreatedAt: tx.Millis()}
	if b != nil {
		pr.MemberID = b.MemberID
	}
	if err := insertPosting(ctx, tx, pr); err != nil {
		return 0, err
	}
	var w writes
	for _, l := range legs {
		if err := w.add(tx, b, pr, l); err != nil {
			return 0, err
		}
	}
	w.queue(tx)
	return pr.ID, nil
}

// writes collects the rows of a posting, so that each table is written by one statement.
type writes struct {
	entries []entryRow
	newLots []lotRow
	moves   []moveRow
	changes []change
}

// change is what is added to a row by a guarded statement.
type change struct {
	statement string
	id, by    int64
}

func (w *writes) add(tx *db.Tx, b *Book, p postingRow, l Leg) error {
	e := entryRow{ID: tx.NewID(), PostingID: p.ID, Account: l.Account, MemberID: p.MemberID, Unit: string(l.Unit), Amount: l.Amount, CreatedAt: p.CreatedAt}
	if l.Account != "" {
		w.entries = append(w.entries, e)
		return nil
	}
	if b == nil || b.accounts[l.Unit] == nil {
		return ErrUnbalanced.With(fmt.Errorf("ledger: no locked %s account for %s", l.Unit, p.Kind))
	}
	a := b.accounts[l.Unit]
	var taken int64
	for _, t := range l.Takes {
		if err := w.take(tx, b, p, t); err != nil {
			return err
		}
		taken += t.Amount
	}
	brought := l.Amount + taken
	if brought < 0 {
		return ErrUnbalanced.With(fmt.Errorf("ledger: %s leg of %d takes only %d from lots", l.Unit, l.Amount, taken))
	}
	for _, lot := range l.Lots {
		w.bring(tx, b, p, a, Leg{Unit: l.Unit, Lot: &lot}, lot.Amount)
		brought -= lot.Amount
	}
	if brought < 0 || (brought > 0 && len(l.Lots) > 0) {
		return ErrUnbalanced.With(fmt.Errorf("ledger: the lots of a %s leg of %d do not sum to it", l.Unit, l.Amount))
	}
	if brought > 0 {
		w.bring(tx, b, p, a, l, brought)
	}
	a.Balance += l.Amount
	a.Seq++
	if a.Balance < a.Held {
		return ErrInsufficient
	}
	e.Account, e.AccountID, e.BalanceAfter, e.Seq = "member", a.ID, a.Balance, a.Seq
	w.entries = append(w.entries, e)
	w.changes = append(w.changes, change{changeBalances, a.ID, l.Amount})
	return nil
}

// take changes one lot's remainder: a positive amount consumes, a negative one gives back what a reversed posting took.
func (w *writes) take(tx *db.Tx, b *Book, p postingRow, t Take) error {
	for i := range b.lots {
		if b.lots[i].ID != t.LotID {
			continue
		}
		b.lots[i].Remaining -= t.Amount
		if r := b.lots[i].Remaining; r < 0 || r > b.lots[i].Amount {
			return ErrInsufficient.With(fmt.Errorf("ledger: lot %d would hold %d of %d", t.LotID, r, b.lots[i].Amount))
		}
		w.changes = append(w.changes, change{changeLots, t.LotID, -t.Amount})
		w.moves = append(w.moves, moveRow{tx.NewID(), p.ID, t.LotID, -t.Amount})
		return nil
	}
	return ErrInsufficient.With(fmt.Errorf("ledger: lot %d is not open", t.LotID))
}

func (w *writes) bring(tx *db.Tx, b *Book, p postingRow, a *Account, l Leg, amount int64) {
	lot := lotRow{ID: tx.NewID(), AccountID: a.ID, MemberID: p.MemberID, Unit: string(l.Unit), PostingID: p.ID, RefKind: p.RefKind, RefID: p.RefID,
		Amount: amount, Remaining: amount, CreatedAt: p.CreatedAt}
	if l.Lot != nil {
		lot.RefKind, lot.RefID, lot.ExpiresAt = l.Lot.RefKind, l.Lot.RefID, l.Lot.ExpiresAt
	}
	w.newLots = append(w.newLots, lot)
	w.moves = append(w.moves, moveRow{tx.NewID(), p.ID, lot.ID, amount})
	b.lots = append(b.lots, lot.lot())
	sortLots(b.lots)
}

func (w *writes) queue(tx *db.Tx) {
	tx.InsertSoon("ledger_entries", w.entries)
	tx.InsertSoon("ledger_lots", w.newLots)
	tx.InsertSoon("ledger_lot_moves", w.moves)
	for _, statement := range []string{changeLots, changeBalances} {
		for _, c := range w.changes {
			if c.statement == statement {
				add(tx, c.statement, c.id, c.by)
			}
		}
	}
}

// ReverseTx undoes a posting by a new one that points at it: every leg with the opposite sign, every lot move undone. b must
// hold the units concerned, or be nil for a posting without a member. Faults: ErrReversed when it was reversed before,
// ErrInsufficient when what the posting brought has been spent since. What a member who was merged paid goes back to the other's lots.
func ReverseTx(ctx context.Context, tx *db.Tx, b *Book, postingID int64, p Post) (int64, error) {
	entries, err := entriesOf(ctx, tx, postingID)
	if err != nil {
		return 0, err
	}
	var takes []Take
	var back []NewLot
	if b != nil {
		if takes, back, err = loadMoved(ctx, tx, b, postingID); err != nil {
			return 0, err
		}
	}
	legs := make([]Leg, 0, len(entries))
	for _, e := range entries {
		l := Leg{Account: e.Account, Unit: Unit(e.Unit), Amount: -e.Amount}
		if e.AccountID != 0 {
			l.Account = ""
			for _, t := range takes {
				if t.Unit == l.Unit {
					l.Takes = append(l.Takes, t)
				}
			}
			for _, n := range back {
				if n.unit == l.Unit {
					l.Lots = append(l.Lots, n)
				}
			}
		}
		legs = append(legs, l)
	}
	return post(ctx, tx, b, p, legs, &postingID)
}

// HoldTx promises parts of principal and bonus to a reference until it is captured or released.
// Fault: ErrInsufficient.
func HoldTx(ctx context.Context, tx *db.Tx, b *Book, refKind string, refID, principal, bonus, expiresAt int64) error {
	if principal > b.Available(Principal) || bonus > b.Available(Bonus) {
		return ErrInsufficient
	}
	tx.InsertSoon("ledger_holds", holdRow{tx.NewID(), b.MemberID, refKind, refID, principal, bonus, "held", expiresAt, tx.Millis()})
	b.moveHeld(tx, principal, bonus)
	return nil
}

// EndHoldTx releases a hold, so that what it promised is available again; captured tells whether it is about to be consumed in the same
// transaction. It returns the held parts. Fault: ErrHold when the hold ended before.
func EndHoldTx(ctx context.Context, tx *db.Tx, b *Book, refKind string, refID int64, captured bool) (principal, bonus int64, err error) {
	h, err := readHold(ctx, tx, refKind, refID)
	if err != nil {
		return 0, 0, err
	}
	state := "released"
	if captured {
		state = "captured"
	}
	if err := tx.ExecOne(ctx, ErrHold, endHold, state, h.ID); err != nil {
		return 0, 0, err
	}
	b.moveHeld(tx, -h.Principal, -h.Bonus)
	return h.Principal, h.Bonus, nil
}

func (b *Book) moveHeld(tx *db.Tx, principal, bonus int64) {
	for u, n := range map[Unit]int64{Principal: principal, Bonus: bonus} {
		if n != 0 {
			b.accounts[u].Held += n
			add(tx, changeHeld, b.accounts[u].ID, n)
		}
	}
}
