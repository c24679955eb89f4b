// Package idem makes a money command happen once, however often it is sent.
//
// Model: (actor, key) → request hash and stored response, written in the command's own transaction.
// Owns: idem_keys. Invariants: the same key and request replay the stored response; the same key with another request
// is refused (N08); a command that failed leaves no key behind, so it may be tried again with the same one.
package idem

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// Faults of this package.
var (
	ErrReused  = fault.Define(fault.Conflict, "idempotency.key_reused", "这个操作编号已用于另一笔操作，请刷新后重新提交")
	ErrMissing = fault.Define(fault.Malformed, "idempotency.key_missing", "缺少操作编号，请更新到最新版本后再试")
)

// Key identifies one command of one actor. Hash is the SHA-256 of what was asked, in hex.
type Key struct {
	Actor string
	Key   string
	Hash  string
}

type ctxKey struct{}

// With puts the key of the running command into the context; the HTTP edge does it.
func With(ctx context.Context, k Key) context.Context { return context.WithValue(ctx, ctxKey{}, k) }

// From returns the key of the running command, if there is one.
func From(ctx context.Context) (Key, bool) { k, ok := ctx.Value(ctxKey{}).(Key); return k, ok }

type row struct {
	Actor     string `db:"actor"`
	Key       string `db:"idem_key"`
	Hash      string `db:"request_hash"`
	Response  string `db:"response"`
	CreatedAt int64  `db:"created_at"`
}

const columns = `actor, idem_key, request_hash, response, created_at`

// Once runs fn inside tx unless the context's key has run before; then it returns the stored result and replayed true.
// Faults: ErrMissing without a key, ErrReused for another request, and what fn returns.
func Once[T any](ctx context.Context, tx *db.Tx, fn func() (T, error)) (result T, replayed bool, err error) {
	r, result, replayed, err := begin(ctx, tx, result, "")
	if replayed || err != nil {
		return result, replayed, err
	}
	if result, err = fn(); err != nil {
		return result, false, err
	}
	body, err := json.Marshal(result)
	if err != nil {
		return result, false, err
	}
	r.Response = string(body)
	tx.ExecSoon(1, db.ErrNoRows, `UPDATE idem_keys SET response = ? WHERE actor = ? AND idem_key = ?`, r.Response, r.Actor, r.Key)
	return result, false, nil
}

// OnceAs is Once for a command whose result is known before it runs, such as the id that it will give: one statement less.
func OnceAs[T any](ctx context.Context, tx *db.Tx, known T, fn func() error) (result T, replayed bool, err error) {
	body, err := json.Marshal(known)
	if err != nil {
		return result, false, err
	}
	if _, result, replayed, err = begin(ctx, tx, known, string(body)); replayed || err != nil {
		return result, replayed, err
	}
	return known, false, fn()
}

// begin writes the key, or replays what is stored under it.
func begin[T any](ctx context.Context, tx *db.Tx, fresh T, response string) (r *row, result T, replayed bool, err error) {
	k, ok := From(ctx)
	if !ok {
		return nil, fresh, false, ErrMissing
	}
	r = &row{k.Actor, k.Key, k.Hash, response, tx.Millis()}
	if seen, ok := db.Stashed[known](tx, aheadKey{})[r.id()]; ok {
		if seen.row != nil {
			result, err = answer[T](*seen.row, k)
			return r, result, true, err
		}
		// Should somebody outside this transaction write the key meanwhile, then the batch fails, and this command meets it alone.
		tx.InsertSoon("idem_keys", r)
		seen.row = r
		tx.OnUndo(func() { seen.row = nil })
		return r, fresh, false, nil
	}
	err = tx.Insert(ctx, "idem_keys", r)
	if errors.Is(err, db.ErrDuplicate) {
		result, err = replay[T](ctx, tx, k)
		return r, result, true, err
	}
	return r, fresh, false, err
}

func replay[T any](ctx context.Context, tx *db.Tx, k Key) (result T, err error) {
	const read = `SELECT ` + columns + ` FROM idem_keys WHERE actor = ? AND idem_key = ?`
	// What the other command committed is final, so that a plain read suffices where it sees it; many waiters that all lock the row
	// would block each other. On TiDB a plain read may still see the snapshot taken before: then the row is read under its lock.
	var r row
	if err = tx.Get(ctx, &r, read, k.Actor, k.Key); errors.Is(err, db.ErrNoRows) {
		err = tx.Get(ctx, &r, read+tx.ForUpdate(), k.Actor, k.Key)
	}
	if err != nil {
		return result, err
	}
	return answer[T](r, k)
}

// answer is what was answered under the key. Fault: ErrReused when something else was asked.
func answer[T any](r row, k Key) (result T, err error) {
	if r.Hash != k.Hash {
		return result, ErrReused
	}
	return result, json.Unmarshal([]byte(r.Response), &result)
}

// Or gives what the context's command answered when it ran before, and refusal otherwise: what is checked before the transaction
// must not refuse what was already done, only because the world has changed since.
func Or[T any](ctx context.Context, r db.Reader, refusal error) (result T, err error) {
	k, ok := From(ctx)
	if !ok {
		return result, refusal
	}
	var was row
	if err := r.Get(ctx, &was, `SELECT `+columns+` FROM idem_keys WHERE actor = ? AND idem_key = ?`, k.Actor, k.Key); err != nil || was.Hash != k.Hash {
		return result, refusal
	}
	return result, json.Unmarshal([]byte(was.Response), &result)
}

type aheadKey struct{}

// known are the keys that were looked up ahead. A key without a row had not run when the transaction began.
type known map[[2]string]*struct{ row *row }

func (r *row) id() [2]string { return [2]string{r.Actor, r.Key} }

// AheadTx looks up the keys of several commands of one transaction at once, with the next db.Tx.Collect: which of them have run before.
func AheadTx(tx *db.Tx, keys []Key) {
	seen, where, args := known{}, []string{}, []any{}
	for _, k := range keys {
		if k != (Key{}) {
			seen[[2]string{k.Actor, k.Key}] = &struct{ row *row }{}
			where, args = append(where, `actor = ? AND idem_key = ?`), append(args, k.Actor, k.Key)
		}
	}
	if len(seen) == 0 {
		return
	}
	var rows []row
	tx.SelectSoon(&rows, func() {
		for i := range rows {
			seen[rows[i].id()].row = &rows[i]
		}
		tx.Stash(aheadKey{}, seen)
	}, `SELECT `+columns+` FROM idem_keys WHERE `+strings.Join(where, " OR "), args...)
}

// PurgeTx forgets keys older than before (unix ms): a client's retry never comes that late.
func PurgeTx(ctx context.Context, tx *db.Tx, before int64) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM idem_keys WHERE created_at < ?`, before)
}
