package oa

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// before is the id that a page of a list begins below.
func before(after string) int64 {
	if n, err := strconv.ParseInt(after, 10, 64); err == nil && n > 0 {
		return n
	}
	return math.MaxInt64
}

type menuRow struct {
	ID        int64  `db:"id"`
	State     string `db:"state"` // draft, published
	Draft     *int64 `db:"current_draft"`
	Buttons   string `db:"buttons"`
	By        string `db:"changed_by"`
	CreatedAt int64  `db:"created_at"`
	UpdatedAt int64  `db:"updated_at"`
}

// SavedMenu is a draft, or what was published.
type SavedMenu struct {
	Buttons []MenuButton `json:"buttons"`
	By      string       `json:"by"`
	At      time.Time    `json:"at"`
}

func (m menuRow) saved() (out SavedMenu, err error) {
	out = SavedMenu{By: m.By, At: clock.FromMillis(m.UpdatedAt)}
	return out, json.Unmarshal([]byte(m.Buttons), &out.Buttons)
}

const menuColumns = `id, state, current_draft, buttons, changed_by, created_at, updated_at`

// draftMenu reads the draft. Fault: db.ErrNoRows.
func draftMenu(ctx context.Context, r db.Reader, lock string) (m menuRow, err error) {
	return m, r.Get(ctx, &m, `SELECT `+menuColumns+` FROM oa_menus WHERE current_draft = 1`+lock)
}

// publishedMenu reads what was published last. Fault: db.ErrNoRows.
func publishedMenu(ctx context.Context, r db.Reader) (m menuRow, err error) {
	return m, r.Get(ctx, &m, `SELECT `+menuColumns+` FROM oa_menus WHERE state = 'published' ORDER BY id DESC LIMIT 1`)
}

// saveDraft writes the one draft.
func saveDraft(ctx context.Context, tx *db.Tx, buttons, by string) error {
	n, err := tx.Exec(ctx, `UPDATE oa_menus SET buttons = ?, changed_by = ?, updated_at = ? WHERE current_draft = 1`, buttons, by, tx.Millis())
	if err != nil || n == 1 {
		return err
	}
	one := int64(1)
	err = tx.Insert(ctx, "oa_menus", menuRow{ID: tx.NewID(), State: "draft", Draft: &one, Buttons: buttons, By: by, CreatedAt: tx.Millis(), UpdatedAt: tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) {
		return fault.ErrBusyWrite
	}
	return err
}

func insertPublished(ctx context.Context, tx *db.Tx, buttons, by string) error {
	return tx.Insert(ctx, "oa_menus", menuRow{ID: tx.NewID(), State: "published", Buttons: buttons, By: by, CreatedAt: tx.Millis(), UpdatedAt: tx.Millis()})
}

// endPublished notes that the menu was taken away.
func endPublished(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE oa_menus SET state = 'ended', updated_at = ? WHERE state = 'published'`, tx.Millis())
	return err
}

type replyRow struct {
	ID        int64   `db:"id"`
	Kind      string  `db:"kind"`
	OnlyOne   *string `db:"only_one"` // welcome, default: there is one of each
	Name      string  `db:"name"`
	Words     string  `db:"words"`
	Whole     bool    `db:"whole"`
	Answer    string  `db:"answer"`
	Active    bool    `db:"active"`
	CreatedAt int64   `db:"created_at"`
	UpdatedAt int64   `db:"updated_at"`
}

const replyColumns = `id, kind, only_one, name, words, whole, answer, active, created_at, updated_at`

func (x replyRow) reply() (Reply, error) {
	r := Reply{ID: x.ID, Kind: x.Kind, Name: x.Name, Whole: x.Whole, Active: x.Active, UpdatedAt: clock.FromMillis(x.UpdatedAt)}
	return r, errors.Join(json.Unmarshal([]byte(x.Words), &r.Words), json.Unmarshal([]byte(x.Answer), &r.Answer))
}

func (r Reply) row() (x replyRow, err error) {
	words, err1 := json.Marshal(r.Words)
	answer, err2 := json.Marshal(r.Answer)
	x = replyRow{ID: r.ID, Kind: r.Kind, Name: r.Name, Words: string(words), Whole: r.Whole, Answer: string(answer), Active: r.Active}
	if r.Kind == Welcome || r.Kind == Default {
		x.OnlyOne = &x.Kind
	}
	return x, errors.Join(err1, err2)
}

func readReplies(ctx context.Context, r db.Reader) ([]Reply, error) {
	var rows []replyRow
	if err := r.Select(ctx, &rows, `SELECT `+replyColumns+` FROM oa_replies ORDER BY id LIMIT 500`); err != nil {
		return nil, err
	}
	out := make([]Reply, 0, len(rows))
	for _, x := range rows {
		one, err := x.reply()
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// lockReplies makes writers of replies go one after the other.
func lockReplies(ctx context.Context, tx *db.Tx) error {
	var ids []int64
	return tx.Select(ctx, &ids, `SELECT id FROM oa_replies ORDER BY id`+tx.ForUpdate())
}

func insertReply(ctx context.Context, tx *db.Tx, x replyRow) error {
	x.CreatedAt, x.UpdatedAt = tx.Millis(), tx.Millis()
	return tx.Insert(ctx, "oa_replies", x)
}

func updateReply(ctx context.Context, tx *db.Tx, x replyRow) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE oa_replies SET name = ?, words = ?, whole = ?, answer = ?, active = ?, updated_at = ? WHERE id = ? AND kind = ?`,
		x.Name, x.Words, x.Whole, x.Answer, x.Active, tx.Millis(), x.ID, x.Kind)
}

func deleteReply(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `DELETE FROM oa_replies WHERE id = ?`, id)
}

type sceneRow struct {
	ID        int64  `db:"id"`
	Scene     string `db:"scene"`
	Name      string `db:"name"`
	StoreID   int64  `db:"store_id"`
	CodeText  string `db:"code_text"`
	CreatedAt int64  `db:"created_at"`
}

func readScenes(ctx context.Context, r db.Reader) (rows []sceneRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT id, scene, name, store_id, code_text, created_at FROM oa_scenes ORDER BY id DESC LIMIT ?`, maxScenes)
}
