// Package slot knows when bays and technicians are free, and is the only writer of what takes their time (N18–N22).
//
// Model: time is cut into cells of five minutes; a resource (a bay or a technician) is open by the rules of others (hours, shifts) and taken by
// owners (a booking, a block). A Floor is a picture of a store's resources as bits, on which starts are searched and resources assigned without
// I/O; the Service takes, frees and moves cells in the caller's transaction.
// Owns: slot_cells (one row per resource and cell that is taken), slot_maps (the same as bits, 2,048 cells a row, for searching), slot_blocks
// (closed bays, leave of technicians), slot_turns (how often the maps of a week have changed).
// Invariants: a resource's cell has one owner at most, by the primary key; every change locks the map rows that it touches, in ascending order,
// before it looks or writes, so that two changes wait for each other instead of deadlocking; maps and cells always say the same, and no map changes
// without its week's turn; a cell inside a block is never free; ids of resources are unique over all kinds.
package slot

import (
	"time"

	"github.com/liangche/liangche/internal/fault"
)

// Faults of this package.
var (
	ErrTaken   = fault.Define(fault.Conflict, "slot.taken", "这个时间刚刚被约走了，请另选时间")
	ErrBlocked = fault.Define(fault.Conflict, "slot.blocked", "这段时间已有预约，请先改约，或只占用空闲的时段")
)

// InTheWay is the detail of ErrBlocked: whose time it is.
type InTheWay struct {
	BookingIDs []int64 `json:"bookingIds"`
}

// CellMinutes is the length of a cell.
const CellMinutes = 5

const cellSeconds = CellMinutes * 60

// Cell is a stretch of five minutes, counted from 1970 in UTC: neither midnight nor daylight saving matters to it.
type Cell int64

// CellOf is the cell that holds t.
func CellOf(t time.Time) Cell { return Cell(floorDiv(t.Unix(), cellSeconds)) }

// CellUp is the first cell that does not begin before t.
func CellUp(t time.Time) Cell {
	c := CellOf(t)
	if c.Time().Before(t) {
		c++
	}
	return c
}

// Time is the instant at which the cell begins, in UTC.
func (c Cell) Time() time.Time { return time.Unix(int64(c)*cellSeconds, 0).UTC() }

// Span is the time from From up to, and without, To.
type Span struct{ From, To Cell }

func (s Span) empty() bool { return s.From >= s.To }

func (s Span) overlaps(o Span) bool { return s.From < o.To && o.From < s.To }

// The kinds of resources.
const (
	Bay        = "bay"
	Technician = "technician"
)

// Resource is a bay or a technician of a store. Open is when it may be used by the rules (hours, shifts), not what is left of it.
type Resource struct {
	ID       int64
	Kind     string
	Name     string
	BayKind  string         // of a bay
	Skills   map[string]int // of a technician: skill → level
	Priority bool           // a bay kept for members with priority
	Open     []Span
}

// Need is a stretch of work that one bay and one technician do without a break.
type Need struct {
	BayKind  string // "" needs no bay
	Skill    string // "" needs nobody
	MinLevel int
	Cells    int // changeover included
}

// Ask is what is looked for: needs that follow each other without a gap.
type Ask struct {
	Needs        []Need
	Step         int  // cells between two starts that are offered
	Align        Cell // a start on that grid, such as local midnight; also where the day begins by which technicians' load is compared
	Window       Span // in which starts lie; the work may end after it
	Earliest     Cell
	Priority     bool  // may use reserved bays
	ReleaseAt    Cell  // reserved bays are open to all for starts before it
	TechnicianID int64 // 0 any; otherwise does every need that he can do
}

// cells is how long the whole visit takes.
func (a Ask) cells() (n Cell) {
	for _, need := range a.Needs {
		n += Cell(need.Cells)
	}
	return n
}

// Reach is the time that a floor must show to find every start: from the window's begin until the work of its last start ends.
func (a Ask) Reach() Span { return Span{a.Window.From, a.Window.To - 1 + a.cells()} }

// Pick is who and what serves a need. Why says in a line how it was chosen, in Chinese.
type Pick struct {
	Need                int
	BayID, TechnicianID int64 // 0: none is needed
	From, To            Cell
	Why                 string
}

// Claim is a resource's time that an owner takes.
type Claim struct {
	ResourceID int64
	Span
}

// Claims are the resources' times that the picks stand for.
func Claims(picks []Pick) []Claim {
	var out []Claim
	for _, p := range picks {
		for _, id := range []int64{p.BayID, p.TechnicianID} {
			if id != 0 {
				out = append(out, Claim{id, Span{p.From, p.To}})
			}
		}
	}
	return out
}

// Block is time of a resource that nobody can book: a closed bay, a technician's leave. It counts in whole cells.
type Block struct {
	ID           int64     `json:"id"`
	StoreID      int64     `json:"storeId"`
	ResourceID   int64     `json:"resourceId"`
	ResourceKind string    `json:"resourceKind" enum:"bay,technician"`
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	Reason       string    `json:"reason"`
	ByName       string    `json:"byName"`
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
