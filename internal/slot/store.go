package slot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// cell is a row of slot_cells.
type cell struct {
	ResourceID int64 `db:"resource_id"`
	Cell       Cell  `db:"cell"`
	StoreID    int64 `db:"store_id"`
	OwnerID    int64 `db:"owner_id"`
}

func (c cell) key() mapKey { return mapKey{c.ResourceID, chunkOf(c.Cell)} }

// byPlace is the order of the primary key.
func byPlace(a, b cell) int {
	return cmp.Or(cmp.Compare(a.ResourceID, b.ResourceID), cmp.Compare(a.Cell, b.Cell))
}

// mapRow is a row of slot_maps.
type mapRow struct {
	mapKey
	Version int64  `db:"version"`
	Bits    []byte `db:"bits"`
}

const (
	mapColumns = `resource_id, chunk, version, bits`
	// The numbers of the list are ours, not input: written into the text, they need no arguments.
	mapsOf = ` FROM slot_maps WHERE resource_id IN (%s) AND chunk >= ? AND chunk <= ?`
)

// readMaps reads the maps of resources from one chunk to another, both included.
func readMaps(ctx context.Context, r db.Reader, g Ground) (rows []mapRow, err error) {
	err = r.Select(ctx, &rows, `SELECT `+mapColumns+fmt.Sprintf(mapsOf, g.list), g.from, g.to)
	return rows, err
}

// Mark tells two states of a set of map rows apart: rows are only added, and versions only grow.
type Mark struct {
	Rows int64 `db:"n"`
	Sum  int64 `db:"total"`
}

const (
	markOf = `SELECT COUNT(*) AS n, COALESCE(SUM(version), 0) AS total` + mapsOf
	turnOf = `SELECT COUNT(*) AS n, COALESCE(SUM(version), 0) AS total FROM slot_turns WHERE chunk >= ? AND chunk <= ?`
)

func readMark(ctx context.Context, r db.Reader, g Ground) (m Mark, err error) {
	err = r.Get(ctx, &m, fmt.Sprintf(markOf, g.list), g.from, g.to)
	return m, err
}

func markSoon(ask db.Asker, g Ground, then func(Mark)) {
	var rows []Mark
	ask.SelectSoon(&rows, func() { then(rows[0]) }, fmt.Sprintf(markOf, g.list), g.from, g.to)
}

func turnSoon(ask db.Asker, w weeks, then func(Mark)) {
	var rows []Mark
	ask.SelectSoon(&rows, func() { then(rows[0]) }, turnOf, w.from, w.to)
}

// touchMaps makes another mark of a resource's time whose cells did not change.
func touchMaps(ctx context.Context, tx *db.Tx, resourceID int64, s Span) error {
	_, err := tx.Exec(ctx, `UPDATE slot_maps SET version = version + 1 WHERE resource_id = ? AND chunk >= ? AND chunk <= ?`, resourceID, chunkOf(s.From), chunkOf(s.To-1))
	return err
}

var errTurnGone = errors.New("slot: a week's turn is gone")

// countTurn queues a week's next turn for the end of the transaction.
func countTurn(tx *db.Tx, k turn) {
	tx.ExecLast(1, errTurnGone, `UPDATE slot_turns SET version = version + 1 WHERE chunk = ? AND lane = ?`, k.Chunk, k.Lane)
}

// makeTurn makes a week's row where there is none.
func makeTurn(ctx context.Context, tx *db.Tx, k turn) error {
	var n int
	err := tx.Get(ctx, &n, `SELECT COUNT(*) FROM slot_turns WHERE chunk = ? AND lane = ?`, k.Chunk, k.Lane)
	if err != nil || n > 0 {
		return err
	}
	err = tx.Insert(ctx, "slot_turns", struct {
		turn
		Version int64 `db:"version"`
	}{k, tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) { // somebody was quicker
		return db.ErrAgain
	}
	return err
}

// lockMaps locks the rows in ascending order and returns those that exist.
func lockMaps(ctx context.Context, tx *db.Tx, keys []mapKey) (map[mapKey]*bitmap, error) {
	var where []string
	for _, k := range keys {
		where = append(where, fmt.Sprintf("(resource_id = %d AND chunk = %d)", k.ResourceID, k.Chunk))
	}
	var rows []mapRow
	if err := tx.Select(ctx, &rows, `SELECT `+mapColumns+` FROM slot_maps WHERE `+strings.Join(where, " OR ")+` ORDER BY resource_id, chunk`+tx.ForUpdate()); err != nil {
		return nil, err
	}
	out := make(map[mapKey]*bitmap, len(keys))
	for _, r := range rows {
		b, err := unpack(r.Bits)
		if err != nil {
			return nil, err
		}
		out[r.mapKey] = b
	}
	return out, nil
}

// insertMaps makes the rows that were missing. Fault: db.ErrAgain when another transaction was quicker.
func insertMaps(ctx context.Context, tx *db.Tx, missing []mapKey, maps map[mapKey]*bitmap) error {
	rows := make([]mapRow, 0, len(missing))
	for _, k := range missing {
		// The clock, so that a row that was deleted and made again never looks like the old one.
		rows = append(rows, mapRow{k, tx.Millis(), maps[k].pack()})
	}
	err := tx.Insert(ctx, "slot_maps", rows)
	if errors.Is(err, db.ErrDuplicate) {
		return db.ErrAgain
	}
	return err
}

var errMapGone = errors.New("slot: a locked map row is gone")

// updateMaps queues what changed in the rows that existed.
func updateMaps(tx *db.Tx, keys, missing []mapKey, maps map[mapKey]*bitmap) {
	for _, k := range keys {
		if !slices.Contains(missing, k) {
			tx.ExecSoon(1, errMapGone, `UPDATE slot_maps SET bits = ?, version = version + 1 WHERE resource_id = ? AND chunk = ?`, maps[k].pack(), k.ResourceID, k.Chunk)
		}
	}
}

// readCells reads the cells of owners, in the order of the table.
func readCells(ctx context.Context, r db.Reader, owners []int64) (rows []cell, err error) {
	if len(owners) == 0 {
		return nil, nil
	}
	q, args, err := db.In(`SELECT resource_id, cell, store_id, owner_id FROM slot_cells WHERE owner_id IN (?)`, owners)
	if err != nil {
		return nil, err
	}
	err = r.Select(ctx, &rows, q, args...)
	slices.SortFunc(rows, byPlace)
	return rows, err
}

// insertBatch keeps a statement well below every engine's number of arguments.
const insertBatch = 1000

// insertCells takes cells; they are in the order of the table. Fault: slot.taken, by the primary key.
func insertCells(ctx context.Context, tx *db.Tx, table string, rows []cell) error {
	slices.SortFunc(rows, byPlace)
	for batch := range slices.Chunk(rows, insertBatch) {
		err := tx.Insert(ctx, table, batch)
		if errors.Is(err, db.ErrDuplicate) {
			return ErrTaken.With(err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var errCellGone = errors.New("slot: an owner's cells changed meanwhile")

// deleteCells queues the freeing of cells, one statement for each run of them. Fault, when another transaction has changed the same owner's cells
// since they were read: request.conflict.
func deleteCells(tx *db.Tx, rows []cell) {
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && rows[j].ResourceID == rows[i].ResourceID && rows[j].OwnerID == rows[i].OwnerID && rows[j].Cell == rows[j-1].Cell+1 {
			j++
		}
		tx.ExecSoon(int64(j-i), fault.ErrBusyWrite.With(errCellGone), `DELETE FROM slot_cells WHERE resource_id = ? AND cell >= ? AND cell < ? AND owner_id = ?`,
			rows[i].ResourceID, rows[i].Cell, rows[j-1].Cell+1, rows[i].OwnerID)
		i = j
	}
}

// blockRow is a row of slot_blocks.
type blockRow struct {
	ID           int64  `db:"id"`
	StoreID      int64  `db:"store_id"`
	ResourceID   int64  `db:"resource_id"`
	ResourceKind string `db:"resource_kind"`
	From         Cell   `db:"from_cell"`
	To           Cell   `db:"to_cell"`
	Reason       string `db:"reason"`
	ByName       string `db:"by_name"`
	CreatedAt    int64  `db:"created_at"`
}

func (b blockRow) block() Block {
	return Block{b.ID, b.StoreID, b.ResourceID, b.ResourceKind, b.From.Time(), b.To.Time(), b.Reason, b.ByName}
}

func (b blockRow) span() Span { return Span{b.From, b.To} }

const blockColumns = `id, store_id, resource_id, resource_kind, from_cell, to_cell, reason, by_name, created_at`

// blocksOver reads the blocks of the cells' resources around the cells' time.
func blocksOver(ctx context.Context, r db.Reader, cells []cell, lock string) (rows []blockRow, err error) {
	var ids []int64
	around := Span{cells[0].Cell, cells[0].Cell + 1}
	for _, c := range cells {
		around.From, around.To = min(around.From, c.Cell), max(around.To, c.Cell+1)
		if len(ids) == 0 || ids[len(ids)-1] != c.ResourceID {
			ids = append(ids, c.ResourceID)
		}
	}
	q, args, err := db.In(`SELECT `+blockColumns+` FROM slot_blocks WHERE resource_id IN (?) AND to_cell > ? AND from_cell < ?`+lock, ids, around.From, around.To)
	if err != nil {
		return nil, err
	}
	err = r.Select(ctx, &rows, q, args...)
	slices.SortFunc(rows, func(a, b blockRow) int { return cmp.Compare(a.ID, b.ID) }) // here: an index for the order would lock other rows
	return rows, err
}

func ownersIn(ctx context.Context, r db.Reader, c Claim) (ids []int64, err error) {
	err = r.Select(ctx, &ids, `SELECT DISTINCT owner_id FROM slot_cells WHERE resource_id = ? AND cell >= ? AND cell < ? ORDER BY owner_id`, c.ResourceID, c.From, c.To)
	return ids, err
}

func readBlock(ctx context.Context, tx *db.Tx, id int64) (b blockRow, err error) {
	err = tx.Get(ctx, &b, `SELECT `+blockColumns+` FROM slot_blocks WHERE id = ?`, id)
	return b, err
}

func deleteBlock(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `DELETE FROM slot_blocks WHERE id = ?`, id)
}

func readBlocks(ctx context.Context, r db.Reader, storeID int64, s Span) (rows []blockRow, err error) {
	err = r.Select(ctx, &rows, `SELECT `+blockColumns+` FROM slot_blocks WHERE store_id = ? AND to_cell > ? AND from_cell < ? ORDER BY from_cell, id`, storeID, s.From, s.To)
	return rows, err
}

func oldMaps(ctx context.Context, r db.Reader, before int64, limit int) (keys []mapKey, err error) {
	err = r.Select(ctx, &keys, `SELECT resource_id, chunk FROM slot_maps WHERE chunk < ? ORDER BY resource_id, chunk LIMIT ?`, before, limit)
	return keys, err
}

func deleteChunk(ctx context.Context, tx *db.Tx, k mapKey) error {
	if _, err := tx.Exec(ctx, `DELETE FROM slot_cells WHERE resource_id = ? AND cell >= ? AND cell < ?`, k.ResourceID, k.Chunk<<chunkBits, (k.Chunk+1)<<chunkBits); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM slot_maps WHERE resource_id = ? AND chunk = ?`, k.ResourceID, k.Chunk)
	return err
}
