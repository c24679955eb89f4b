package slot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// maxBlock bounds a block: it takes a row per cell. Longer absences end a bay's or a technician's service instead.
const maxBlock = Cell(92 * 24 * 60 / CellMinutes)

// Block is BlockTx in a transaction of its own.
func (s *Service) Block(ctx context.Context, b Block, force bool) (out Block, owners []int64, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		out, owners, err = s.BlockTx(ctx, tx, b, force)
		return err
	})
	return out, owners, err
}

// BlockTx closes a resource for a while. Owners whose time it is are returned; without force they make it fail. With force what is free is taken at
// once, and theirs as soon as they leave it. Faults: request.invalid; slot.blocked with InTheWay as detail.
func (s *Service) BlockTx(ctx context.Context, tx *db.Tx, b Block, force bool) (Block, []int64, error) {
	row, err := b.clean(tx.Now)
	if err != nil {
		return Block{}, nil, err
	}
	row.ID, row.ByName, row.CreatedAt = tx.NewID(), db.Clip(actor.From(ctx).Name, 60), tx.Millis()
	whole, err := cellsOf(row.StoreID, row.ID, []Claim{{row.ResourceID, row.span()}})
	if err != nil {
		return Block{}, nil, err
	}
	var owners []int64
	for range 3 { // a map that is missing cannot be locked: who makes it first may take cells in it
		var free []cell
		if free, owners, err = s.looseTx(ctx, tx, whole); err != nil {
			return Block{}, nil, err
		}
		if len(owners) > 0 && !force {
			return Block{}, owners, ErrBlocked.Give(InTheWay{BookingIDs: owners})
		}
		if err = s.changeTx(ctx, tx, nil, free); !errors.Is(err, ErrTaken) {
			break
		}
	}
	if err != nil {
		return Block{}, nil, err
	}
	if err := tx.Insert(ctx, "slot_blocks", row); err != nil {
		return Block{}, nil, err
	}
	if err := s.touchTx(ctx, tx, row); err != nil { // also where others still have the time: nobody counts it as free any more
		return Block{}, nil, err
	}
	b = row.block()
	return b, owners, audit.RecordTx(ctx, tx, audit.Entry{Action: "slot.block", SubjectKind: "slot", SubjectID: b.ID, SubjectLabel: b.Reason, StoreID: b.StoreID, Detail: b})
}

// looseTx locks the maps of the cells and parts them into those that are free and the owners, other than blocks, of the rest.
func (s *Service) looseTx(ctx context.Context, tx *db.Tx, whole []cell) (free []cell, owners []int64, err error) {
	maps, err := lockMaps(ctx, tx, keysOf(whole))
	if err != nil {
		return nil, nil, err
	}
	for _, c := range whole {
		if m := maps[c.key()]; m == nil || !m.has(c.Cell) {
			free = append(free, c)
		}
	}
	if len(free) == len(whole) {
		return free, nil, nil
	}
	blocks, err := blocksOver(ctx, tx, whole, tx.ForUpdate())
	if err != nil {
		return nil, nil, err
	}
	// No lock: cells change under the lock of their map only, and that is held.
	owners, err = ownersIn(ctx, tx, Claim{whole[0].ResourceID, Span{whole[0].Cell, whole[len(whole)-1].Cell + 1}})
	return free, slices.DeleteFunc(owners, func(id int64) bool {
		return slices.ContainsFunc(blocks, func(b blockRow) bool { return b.ID == id })
	}), err
}

func (b Block) clean(now time.Time) (blockRow, error) {
	row := blockRow{StoreID: b.StoreID, ResourceID: b.ResourceID, ResourceKind: b.ResourceKind, From: CellOf(b.From), To: CellUp(b.To), Reason: strings.TrimSpace(b.Reason)}
	f := fault.ErrInvalid
	if b.ResourceID <= 0 || (b.ResourceKind != Bay && b.ResourceKind != Technician) {
		f = f.On("resourceId", "请选择工位或技师")
	}
	switch {
	case row.span().empty():
		f = f.On("to", "结束时间应晚于开始时间")
	case !row.To.Time().After(now):
		f = f.On("to", "这段时间已经过去")
	case row.To-row.From > maxBlock:
		f = f.On("to", "一次最多 92 天；更久请停用工位或技师")
	}
	if n := utf8.RuneCountInString(row.Reason); n < 1 || n > 100 || strings.ContainsFunc(row.Reason, unicode.IsControl) {
		f = f.On("reason", "请填写原因，最多 100 个字")
	}
	if len(f.Fields) > 0 {
		return row, f
	}
	return row, nil
}

// Unblock is UnblockTx in a transaction of its own.
func (s *Service) Unblock(ctx context.Context, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := s.UnblockTx(ctx, tx, id)
		return err
	})
}

// UnblockTx ends a block and returns what it was; time that another block covers too stays closed. Fault: not_found.
func (s *Service) UnblockTx(ctx context.Context, tx *db.Tx, id int64) (Block, error) {
	row, err := readBlock(ctx, tx, id)
	if errors.Is(err, db.ErrNoRows) {
		return Block{}, fault.ErrNotFound
	}
	if err != nil {
		return Block{}, err
	}
	drop, err := readCells(ctx, tx, []int64{id})
	if err != nil {
		return Block{}, err
	}
	// Maps before blocks, as everywhere: a booking that leaves this time may be about to hand it to the block.
	span, err := cellsOf(row.StoreID, id, []Claim{{row.ResourceID, row.span()}})
	if err != nil {
		return Block{}, err
	}
	if _, err := lockMaps(ctx, tx, keysOf(span)); err != nil {
		return Block{}, err
	}
	if err := deleteBlock(ctx, tx, id); err != nil {
		return Block{}, err
	}
	if err := s.changeTx(ctx, tx, drop, nil); err != nil {
		return Block{}, err
	}
	if err := s.touchTx(ctx, tx, row); err != nil {
		return Block{}, err
	}
	b := row.block()
	return b, audit.RecordTx(ctx, tx, audit.Entry{Action: "slot.unblock", SubjectKind: "slot", SubjectID: b.ID, SubjectLabel: b.Reason, StoreID: b.StoreID, Detail: b})
}

// touchTx makes another mark of a block's time, whoever has it.
func (s *Service) touchTx(ctx context.Context, tx *db.Tx, row blockRow) error {
	if err := touchMaps(ctx, tx, row.ResourceID, row.span()); err != nil {
		return err
	}
	var keys []turn
	for chunk := chunkOf(row.From); chunk <= chunkOf(row.To-1); chunk++ {
		keys = append(keys, turnAt(chunk, row.StoreID))
	}
	return s.turnTx(ctx, tx, keys)
}

// Blocks lists the blocks that were made in the store and touch the time, earliest first.
func (s *Service) Blocks(ctx context.Context, storeID int64, from, to time.Time) ([]Block, error) {
	rows, err := readBlocks(ctx, s.db, storeID, Span{CellOf(from), CellUp(to)})
	out := make([]Block, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.block())
	}
	return out, err
}

// Owners lists who has taken something of the claims, in ascending order: bookings, and blocks.
func (s *Service) Owners(ctx context.Context, r db.Reader, claims []Claim) ([]int64, error) {
	var out []int64
	for _, c := range claims {
		owners, err := ownersIn(ctx, r, c)
		if err != nil {
			return nil, err
		}
		out = append(out, owners...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Forget deletes what was taken before an instant, in whole chunks of about a week: nobody searches the past, and what was done there is told by
// the bookings. It returns how many chunks it deleted.
func (s *Service) Forget(ctx context.Context, before time.Time) (chunks int, err error) {
	for {
		keys, err := oldMaps(ctx, s.db, chunkOf(CellOf(before)), 100)
		if err != nil || len(keys) == 0 {
			return chunks, err
		}
		for _, k := range keys {
			if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
				if _, err := lockMaps(ctx, tx, []mapKey{k}); err != nil {
					return err
				}
				return deleteChunk(ctx, tx, k)
			}); err != nil {
				return chunks, err
			}
			chunks++
		}
	}
}

// Audit compares cells, maps and blocks and reports each difference in one sentence. It changes nothing.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	if err := s.auditMaps(ctx, report); err != nil {
		return err
	}
	return auditBlocks(ctx, s.db, CellOf(s.db.Now()), report)
}
