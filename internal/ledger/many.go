package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// Peek reads a member's accounts of the units with their open lots, without a lock: for display and quotes only, never to decide on. What
// the member has no account for is absent and counts as nothing.
func Peek(ctx context.Context, r db.Reader, now time.Time, memberID int64, units ...Unit) (*Book, error) {
	books, err := booksOf(ctx, r, now, "", []int64{memberID}, units)
	if err != nil {
		return nil, err
	}
	return books[memberID], nil
}

// LockManyTx reads and locks the accounts of several members at once, in ascending order of members. It opens no account: a member who lacks
// one of the units has a book without it.
func LockManyTx(ctx context.Context, tx *db.Tx, members []int64, units ...Unit) (map[int64]*Book, error) {
	if len(members) == 0 {
		return nil, nil
	}
	return readBooks(ctx, tx, members, units)
}

type aheadUnitsKey struct{}

// aheadBooks are the books of some units that were read ahead.
type aheadBooks struct {
	units []Unit
	books map[int64]*Book
}

// AheadUnitsTx is AheadTx for other units than those of the purse: LockTx with exactly these units finds what it read.
func AheadUnitsTx(tx *db.Tx, members []int64, units ...Unit) {
	if len(members) == 0 {
		return
	}
	query, args := booksQuery(tx.ForUpdate(), members, units)
	var rows []accountLot
	tx.SelectSoon(&rows, func() {
		books := booksFrom(rows, tx.Now, members)
		for id, b := range books {
			if len(b.accounts) < len(units) || b.gone != 0 {
				delete(books, id) // LockTx opens what is missing, and follows who was merged
			}
		}
		tx.Stash(aheadUnitsKey{}, append(db.Stashed[[]aheadBooks](tx, aheadUnitsKey{}), aheadBooks{slices.Clone(units), books}))
	}, query, args...)
}

// aheadOf is the book that AheadUnitsTx read; it forgets those that share a unit with what is about to be read anew.
func aheadOf(tx *db.Tx, memberID int64, units []Unit) *Book {
	var found *Book
	for _, a := range db.Stashed[[]aheadBooks](tx, aheadUnitsKey{}) {
		switch b := a.books[memberID]; {
		case b == nil:
		case slices.Equal(a.units, units):
			found = b
		case slices.ContainsFunc(a.units, func(u Unit) bool { return slices.Contains(units, u) }):
			delete(a.books, memberID)
		}
	}
	if found != nil {
		was := found.clone()
		tx.OnUndo(func() { *found = was })
	}
	return found
}

// ReverseFromTx undoes a posting that brought a member something, taking it from the given lots instead of those that it brought: they
// may be spent already. It points at the posting, as ReverseTx does, so that it happens at most once. Faults: ErrReversed, ErrInsufficient.
func ReverseFromTx(ctx context.Context, tx *db.Tx, b *Book, postingID int64, p Post, takes []Take) (int64, error) {
	entries, err := entriesOf(ctx, tx, postingID)
	if err != nil {
		return 0, err
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
		}
		legs = append(legs, l)
	}
	return post(ctx, tx, b, p, legs, &postingID)
}

// AheadBook is the book of exactly these units that AheadUnitsTx read for the member, to look at only; nil when there is none.
func AheadBook(tx *db.Tx, memberID int64, units ...Unit) *Book {
	for _, a := range db.Stashed[[]aheadBooks](tx, aheadUnitsKey{}) {
		if slices.Equal(a.units, units) && a.books[memberID] != nil {
			return a.books[memberID]
		}
	}
	return nil
}

// Ended says whether a lot has expired for the transaction of the book.
func (b *Book) Ended(l Lot) bool { return l.Expired(b.now) }
