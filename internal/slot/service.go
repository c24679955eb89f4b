package slot

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/db"
)

// Service takes and frees the time of resources.
type Service struct {
	db       *db.DB
	pictures pictures
	turns    turns

	// For the proof that the tests can see a double booking (P8): where cells are written, and whether what the maps say is believed.
	cells string
	blind bool
}

// New returns the service.
func New(d *db.DB) *Service { return &Service{db: d, cells: "slot_cells"} }

// The maps: a row holds the bits of 2,048 cells of a resource, lowest bit of the first byte first.
const (
	chunkBits  = 11
	chunkCells = 1 << chunkBits
	chunkWords = chunkCells / 64
)

func chunkOf(c Cell) int64 { return int64(c) >> chunkBits }

// mapKey names a map row.
type mapKey struct {
	ResourceID int64 `db:"resource_id"`
	Chunk      int64 `db:"chunk"`
}

func byKey(a, b mapKey) int {
	return cmp.Or(cmp.Compare(a.ResourceID, b.ResourceID), cmp.Compare(a.Chunk, b.Chunk))
}

// bitmap is a map row unpacked.
type bitmap [chunkWords]uint64

func (b *bitmap) has(c Cell) bool { i := c & (chunkCells - 1); return b[i>>6]>>(i&63)&1 != 0 }
func (b *bitmap) set(c Cell)      { i := c & (chunkCells - 1); b[i>>6] |= 1 << (i & 63) }
func (b *bitmap) clear(c Cell)    { i := c & (chunkCells - 1); b[i>>6] &^= 1 << (i & 63) }

func (b *bitmap) pack() []byte {
	out := make([]byte, 0, chunkCells/8)
	for _, w := range b {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return out
}

func unpack(raw []byte) (*bitmap, error) {
	if len(raw) != chunkCells/8 {
		return nil, fmt.Errorf("slot: a map of %d bytes, want %d", len(raw), chunkCells/8)
	}
	var b bitmap
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(raw[8*i:])
	}
	return &b, nil
}

// Load marks on the floor what is taken of its resources, by whomever and in whichever store: a technician may work in two. The cells of the owners
// in ignore count as free, but for what lies in a block. It is a picture to choose by; what is decided, TakeTx decides.
func (s *Service) Load(ctx context.Context, r db.Reader, f *Floor, ignore ...int64) error {
	if len(f.resources) == 0 || f.words == 0 {
		return nil
	}
	rows, err := s.maps(ctx, r, GroundOf(f.resources, f.window))
	if err != nil {
		return err
	}
	return s.load(ctx, r, f, rows, ignore)
}

func (s *Service) load(ctx context.Context, r db.Reader, f *Floor, rows []mapRow, ignore []int64) error {
	for _, row := range rows {
		if err := f.takeMap(row); err != nil {
			return err
		}
	}
	if len(ignore) == 0 {
		return nil
	}
	own, err := readCells(ctx, r, ignore)
	if err != nil || len(own) == 0 {
		return err
	}
	for _, c := range own {
		f.Free(c.ResourceID, Span{c.Cell, c.Cell + 1})
	}
	blocks, err := blocksOver(ctx, r, own, "")
	for _, b := range blocks {
		f.Take(b.ResourceID, b.span())
	}
	return err
}

// takeMap adds a map row to what is taken.
func (f *Floor) takeMap(row mapRow) error {
	if len(row.Bits) != chunkCells/8 {
		return fmt.Errorf("slot: a map of %d bytes, want %d", len(row.Bits), chunkCells/8)
	}
	i, ok := f.index[row.ResourceID]
	if !ok {
		return nil
	}
	taken := f.row(f.taken, i)
	first := int((Cell(row.Chunk)<<chunkBits - f.origin) >> 6) // word of the floor that the map's first word is
	for w := max(0, -first); w < chunkWords && first+w < len(taken); w++ {
		taken[first+w] |= binary.LittleEndian.Uint64(row.Bits[8*w:])
	}
	return nil
}

// TakeTx takes the claims for an owner, all or none. Fault: slot.taken when a cell has an owner already.
func (s *Service) TakeTx(ctx context.Context, tx *db.Tx, storeID, ownerID int64, claims []Claim) error {
	add, err := cellsOf(storeID, ownerID, claims)
	if err != nil {
		return err
	}
	return s.changeTx(ctx, tx, nil, add)
}

// FreeTx frees everything that the owners have taken; owners without cells are no mistake.
func (s *Service) FreeTx(ctx context.Context, tx *db.Tx, ownerIDs ...int64) error {
	drop, err := readCells(ctx, tx, ownerIDs)
	if err != nil {
		return err
	}
	return s.changeTx(ctx, tx, drop, nil)
}

// ShrinkTx frees what the owner has taken from a cell onwards: work that ended early.
func (s *Service) ShrinkTx(ctx context.Context, tx *db.Tx, ownerID int64, from Cell) error {
	drop, err := readCells(ctx, tx, []int64{ownerID})
	if err != nil {
		return err
	}
	return s.changeTx(ctx, tx, slices.DeleteFunc(drop, func(c cell) bool { return c.Cell < from }), nil)
}

// ReplaceTx gives an owner these claims instead of all that it had: it keeps what stays, frees what goes and takes what comes, all or none (N22).
// Fault: slot.taken.
func (s *Service) ReplaceTx(ctx context.Context, tx *db.Tx, storeID, ownerID int64, claims []Claim) error {
	return s.ArrangeTx(ctx, tx, storeID, map[int64][]Claim{ownerID: claims})
}

// ArrangeTx is ReplaceTx for several owners at once, who may also trade places: everybody leaves before anybody comes. An owner without claims is
// freed. Fault: slot.taken, and then nothing has changed.
func (s *Service) ArrangeTx(ctx context.Context, tx *db.Tx, storeID int64, want map[int64][]Claim) error {
	owners := make([]int64, 0, len(want))
	wanted := map[cell]bool{}
	for owner, claims := range want {
		owners = append(owners, owner)
		cells, err := cellsOf(storeID, owner, claims)
		if err != nil {
			return err
		}
		for _, c := range cells {
			wanted[c] = true
		}
	}
	slices.Sort(owners)
	drop, err := readCells(ctx, tx, owners)
	if err != nil {
		return err
	}
	drop = slices.DeleteFunc(drop, func(c cell) bool {
		stays := wanted[c]
		delete(wanted, c)
		return stays
	})
	add := make([]cell, 0, len(wanted))
	for c := range wanted {
		add = append(add, c)
	}
	slices.SortFunc(add, byPlace)
	return s.changeTx(ctx, tx, drop, add)
}

// cellsOf spells claims out as cells, in the order of the table. Fault: slot.taken when they overlap each other.
func cellsOf(storeID, ownerID int64, claims []Claim) ([]cell, error) {
	var out []cell
	for _, c := range claims {
		if c.ResourceID == 0 || c.empty() {
			return nil, fmt.Errorf("slot: %+v is no claim", c)
		}
		for at := c.From; at < c.To; at++ {
			out = append(out, cell{c.ResourceID, at, storeID, ownerID})
		}
	}
	slices.SortFunc(out, byPlace)
	for i := 1; i < len(out); i++ {
		if byPlace(out[i-1], out[i]) == 0 {
			return nil, ErrTaken.With(fmt.Errorf("slot: owner %d claims resource %d twice", ownerID, out[i].ResourceID))
		}
	}
	return out, nil
}

// changeTx frees and takes cells; both lists are in the order of the table. Every change comes through here, and locks its map rows first.
// Cells are never locked to be looked at: on a small table a server does that by scanning all of them, and such scans deadlock. What was read of an
// owner is believed because each DELETE must hit all of it.
func (s *Service) changeTx(ctx context.Context, tx *db.Tx, drop, add []cell) error {
	if len(drop)+len(add) == 0 {
		return nil
	}
	keys := keysOf(drop, add)
	maps, err := lockMaps(ctx, tx, keys)
	if err != nil {
		return err
	}
	var missing []mapKey
	for _, k := range keys {
		if maps[k] == nil {
			missing = append(missing, k)
			maps[k] = &bitmap{}
		}
	}
	for _, c := range drop {
		maps[c.key()].clear(c.Cell)
	}
	closed, err := s.inherit(ctx, tx, drop)
	if err != nil {
		return err
	}
	for _, c := range closed {
		maps[c.key()].set(c.Cell)
	}
	for _, c := range add {
		m := maps[c.key()]
		if m.has(c.Cell) && !s.blind {
			return ErrTaken.With(fmt.Errorf("slot: resource %d, cell %d", c.ResourceID, c.Cell))
		}
		m.set(c.Cell)
	}
	if err := insertMaps(ctx, tx, missing, maps); err != nil {
		return err
	}
	deleteCells(tx, drop)
	if err := insertCells(ctx, tx, s.cells, slices.Concat(closed, add)); err != nil {
		return err
	}
	updateMaps(tx, keys, missing, maps)
	return s.turnTx(ctx, tx, turnsOf(drop, add))
}

// inherit says which of the cells that are being freed lie in a block: they go to it, so that a closed bay stays closed when a booking leaves it.
// It runs under the lock of the maps, as does everything that changes blocks.
func (s *Service) inherit(ctx context.Context, tx *db.Tx, drop []cell) ([]cell, error) {
	if len(drop) == 0 {
		return nil, nil
	}
	blocks, err := blocksOver(ctx, tx, drop, tx.ForUpdate())
	if err != nil {
		return nil, err
	}
	var out []cell
	for _, c := range drop {
		for _, b := range blocks {
			if b.ResourceID == c.ResourceID && b.From <= c.Cell && c.Cell < b.To {
				out = append(out, cell{c.ResourceID, c.Cell, b.StoreID, b.ID})
				break
			}
		}
	}
	return out, nil
}

func keysOf(lists ...[]cell) []mapKey {
	var keys []mapKey
	for _, list := range lists {
		for _, c := range list {
			if k := c.key(); len(keys) == 0 || keys[len(keys)-1] != k {
				keys = append(keys, k)
			}
		}
	}
	slices.SortFunc(keys, byKey)
	return slices.Compact(keys)
}
