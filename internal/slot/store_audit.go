package slot

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"github.com/liangche/liangche/internal/db"
)

// auditBatch is how many cells, and how many map rows, are read at a time.
const auditBatch = 4000

// auditMaps walks maps and cells side by side in the order of their keys. What differs is looked at again under the lock of its map, because
// bookings go on meanwhile.
func (s *Service) auditMaps(ctx context.Context, report func(string)) error {
	maps, cells := mapWalk{db: s.db}, cellWalk{db: s.db}
	m, hasMap, err := maps.next(ctx)
	if err != nil {
		return err
	}
	c, hasCells, err := cells.next(ctx)
	for err == nil && (hasMap || hasCells) {
		order := byKey(m.key, c.key)
		switch {
		case !hasMap:
			order = 1
		case !hasCells:
			order = -1
		}
		k := m.key
		if order > 0 {
			k = c.key
		}
		if order != 0 || m.bits != c.bits {
			if err := s.auditChunk(ctx, k, report); err != nil {
				return err
			}
		}
		if order <= 0 {
			m, hasMap, err = maps.next(ctx)
		}
		if err == nil && order >= 0 {
			c, hasCells, err = cells.next(ctx)
		}
	}
	return err
}

// auditChunk compares one map with its cells while nobody can change them.
func (s *Service) auditChunk(ctx context.Context, k mapKey, report func(string)) error {
	var found []string
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		found = nil
		maps, err := lockMaps(ctx, tx, []mapKey{k})
		if err != nil {
			return err
		}
		var rows []cell
		if err := tx.Select(ctx, &rows, `SELECT resource_id, cell, store_id, owner_id FROM slot_cells WHERE resource_id = ? AND cell >= ? AND cell < ? ORDER BY cell`,
			k.ResourceID, k.Chunk<<chunkBits, (k.Chunk+1)<<chunkBits); err != nil {
			return err
		}
		m := maps[k]
		if m == nil {
			if len(rows) > 0 {
				found = append(found, fmt.Sprintf("slot_maps (%d, %d): is missing, %d cells are taken there", k.ResourceID, k.Chunk, len(rows)))
			}
			return nil
		}
		for _, c := range rows {
			if !m.has(c.Cell) {
				found = append(found, fmt.Sprintf("slot_cells (%d, %d): owner %d has it, the map says that it is free", c.ResourceID, c.Cell, c.OwnerID))
			}
			m.clear(c.Cell)
		}
		for w, left := range m {
			for ; left != 0; left &= left - 1 {
				at := Cell(k.Chunk)<<chunkBits + Cell(w<<6+bits.TrailingZeros64(left))
				found = append(found, fmt.Sprintf("slot_maps (%d, %d): says that cell %d is taken, nobody has it", k.ResourceID, k.Chunk, at))
			}
		}
		return nil
	})
	for _, f := range found {
		report(f)
	}
	return err
}

// chunk is what one side says of a map key.
type chunk struct {
	key  mapKey
	bits bitmap
}

// mapWalk reads slot_maps in order.
type mapWalk struct {
	db    *db.DB
	rows  []mapRow
	after mapKey
	begun bool
	ended bool
}

func (w *mapWalk) next(ctx context.Context) (c chunk, ok bool, err error) {
	if len(w.rows) == 0 && !w.ended {
		const from = `SELECT ` + mapColumns + ` FROM slot_maps`
		if !w.begun {
			err = w.db.Select(ctx, &w.rows, from+` ORDER BY resource_id, chunk LIMIT ?`, auditBatch)
		} else {
			err = w.db.Select(ctx, &w.rows, from+` WHERE resource_id > ? OR (resource_id = ? AND chunk > ?) ORDER BY resource_id, chunk LIMIT ?`,
				w.after.ResourceID, w.after.ResourceID, w.after.Chunk, auditBatch)
		}
		w.begun, w.ended = true, len(w.rows) < auditBatch
	}
	if err != nil || len(w.rows) == 0 {
		return c, false, err
	}
	row := w.rows[0]
	w.rows, w.after = w.rows[1:], row.mapKey
	b, err := unpack(row.Bits)
	if err != nil {
		return c, false, fmt.Errorf("slot_maps (%d, %d): %w", row.ResourceID, row.Chunk, err)
	}
	return chunk{row.mapKey, *b}, true, nil
}

// cellWalk reads slot_cells in order and gathers them to chunks.
type cellWalk struct {
	db    *db.DB
	rows  []cell
	after cell
	begun bool
	ended bool
}

func (w *cellWalk) next(ctx context.Context) (c chunk, ok bool, err error) {
	for {
		if len(w.rows) == 0 {
			if w.ended {
				return c, ok, nil
			}
			if err := w.read(ctx); err != nil {
				return c, false, err
			}
			continue
		}
		row := w.rows[0]
		if ok && row.key() != c.key {
			return c, true, nil
		}
		c.key, ok = row.key(), true
		c.bits.set(row.Cell)
		w.rows, w.after = w.rows[1:], row
	}
}

func (w *cellWalk) read(ctx context.Context) (err error) {
	const from = `SELECT resource_id, cell, store_id, owner_id FROM slot_cells`
	if !w.begun {
		err = w.db.Select(ctx, &w.rows, from+` ORDER BY resource_id, cell LIMIT ?`, auditBatch)
	} else {
		err = w.db.Select(ctx, &w.rows, from+` WHERE resource_id > ? OR (resource_id = ? AND cell > ?) ORDER BY resource_id, cell LIMIT ?`,
			w.after.ResourceID, w.after.ResourceID, w.after.Cell, auditBatch)
	}
	w.begun, w.ended = true, len(w.rows) < auditBatch
	return err
}

// auditBlocks says which blocks have time from now on that nobody holds, and which owners of cells are blocks elsewhere.
func auditBlocks(ctx context.Context, d *db.DB, now Cell, report func(string)) error {
	for after := int64(0); ; {
		var rows []blockRow
		if err := d.Select(ctx, &rows, `SELECT `+blockColumns+` FROM slot_blocks WHERE id > ? ORDER BY id LIMIT ?`, after, auditBatch); err != nil {
			return err
		}
		for _, b := range rows {
			if err := auditBlock(ctx, d, b, now, report); err != nil {
				return err
			}
		}
		if len(rows) < auditBatch {
			return nil
		}
		after = rows[len(rows)-1].ID
	}
}

func auditBlock(ctx context.Context, d *db.DB, b blockRow, now Cell, report func(string)) error {
	from := max(b.From, now)
	var n struct {
		Held    int64 `db:"held"`
		Outside int64 `db:"outside"`
	}
	if err := d.Get(ctx, &n.Held, `SELECT COUNT(*) FROM slot_cells WHERE resource_id = ? AND cell >= ? AND cell < ?`, b.ResourceID, from, b.To); err != nil {
		return err
	}
	if err := d.Get(ctx, &n.Outside, `SELECT COUNT(*) FROM slot_cells WHERE owner_id = ? AND (resource_id <> ? OR cell < ? OR cell >= ?)`, b.ID, b.ResourceID, b.From, b.To); err != nil {
		return err
	}
	if want := int64(max(b.To-from, 0)); n.Held != want || n.Outside > 0 {
		var still blockRow
		if err := d.Get(ctx, &still, `SELECT `+blockColumns+` FROM slot_blocks WHERE id = ?`, b.ID); errors.Is(err, db.ErrNoRows) {
			return nil // it ended while we looked
		} else if err != nil {
			return err
		}
		if n.Held != want {
			report(fmt.Sprintf("slot_blocks %d: %d of its %d cells from now on are taken", b.ID, n.Held, want))
		}
		if n.Outside > 0 {
			report(fmt.Sprintf("slot_blocks %d: it holds %d cells outside its time", b.ID, n.Outside))
		}
	}
	return nil
}
