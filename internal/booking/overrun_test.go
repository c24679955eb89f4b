package booking

import (
	"testing"
	"time"

	"github.com/liangche/liangche/internal/slot"
)

var ten = time.Date(2026, 11, 19, 2, 0, 0, 0, time.UTC) // 10:00 in Shanghai

func cell(minutes int) int64 { return int64(slot.CellOf(ten)) + int64(minutes/5) }

func visit(id int64, state State, bay, tech int64, from, to, changeover int) Booking {
	return Booking{ID: id, State: state, StartsAt: ten.Add(time.Duration(from) * time.Minute), EndsAt: ten.Add(time.Duration(to) * time.Minute), FromCell: cell(from), ToCell: cell(to + changeover),
		Segments: []Segment{{No: 1, BayKind: "wash", Skill: "wash", MinLevel: 1, BayID: bay, TechnicianID: tech, FromCell: cell(from), ToCell: cell(to + changeover),
			ServiceFrom: cell(from), ServiceTo: cell(to)}}}
}

func TestX07AJobIsExtendedOnlyWhenItIsLate(t *testing.T) {
	b := visit(1, InService, 1, 2, 0, 30, 5)
	for _, c := range []struct {
		minute, second int
		ok             bool
		serviceTo, to  int
	}{
		{29, 59, false, 0, 0},
		{30, 0, true, 40, 45},
		{30, 1, true, 40, 45},
		{34, 59, true, 40, 45},
		{35, 0, true, 45, 50},
		{95, 0, true, 105, 110}, // our jobs were down for an hour
	} {
		serviceTo, to, ok := extension(b, ten.Add(time.Duration(c.minute)*time.Minute+time.Duration(c.second)*time.Second), slot.Cell(cell(600)))
		if ok != c.ok || (ok && (int64(serviceTo) != cell(c.serviceTo) || int64(to) != cell(c.to))) {
			t.Errorf("%d:%02d: %v %v %v", c.minute, c.second, (int64(serviceTo)-cell(0))*5, (int64(to)-cell(0))*5, ok)
		}
	}
	if serviceTo, to, ok := extension(b, ten.Add(35*time.Minute), slot.Cell(cell(40))); !ok || int64(serviceTo) != cell(40) || int64(to) != cell(45) {
		t.Errorf("the last of it: %v %v", serviceTo, ok)
	}
	b.Segments[0].ServiceTo, b.Segments[0].ToCell = cell(40), cell(45)
	if _, _, ok := extension(b, ten.Add(45*time.Minute), slot.Cell(cell(40))); ok {
		t.Error("a forgotten job was extended")
	}
	b.State = Done
	if _, _, ok := extension(b, ten.Add(time.Hour), slot.Cell(cell(600))); ok {
		t.Error("a job that is done was extended")
	}
}

func TestX07WhoStandsInTheWay(t *testing.T) {
	late := visit(1, InService, 1, 2, 0, 30, 5)
	all := []Booking{late,
		visit(2, Confirmed, 1, 9, 35, 60, 5),  // same bay
		visit(3, Confirmed, 8, 2, 40, 60, 5),  // same technician
		visit(4, Confirmed, 8, 9, 35, 60, 5),  // neither
		visit(5, Confirmed, 1, 2, 90, 120, 5), // later
		visit(6, Cancelled, 1, 2, 35, 60, 5),
		visit(7, Queued, 1, 2, 35, 60, 5),
	}
	waiting, blocked := inTheWay(late, slot.Cell(cell(45)), all)
	if len(waiting) != 2 || waiting[0].ID != 2 || waiting[1].ID != 3 || blocked {
		t.Errorf("in the way: %v %v", waiting, blocked)
	}
	if d := delay(waiting[0], slot.Cell(cell(45))); d != 10 {
		t.Errorf("delay %d", d)
	}
	all[1].State = InService
	if waiting, blocked := inTheWay(late, slot.Cell(cell(45)), all); len(waiting) != 1 || !blocked {
		t.Errorf("a job that has begun: %v %v", waiting, blocked)
	}
}

func TestG09ReminderComesBeforeRelease(t *testing.T) {
	const grace = 15 * time.Minute
	b := visit(1, Confirmed, 1, 2, 0, 30, 5)
	at := func(m int) time.Time { return ten.Add(time.Duration(m) * time.Minute) }
	for _, c := range []struct {
		name     string
		now      int
		reminded int // minute; -1 never
		want     lateness
		keep     int
	}{
		{"before", -1, -1, onTime, 15},
		{"at the start", 0, -1, remindLate, 15},
		{"told, within the grace", 14, 0, onTime, 15},
		{"told, the grace is over", 15, 0, release, 15},
		{"our service was down: told late, kept anew", 20, -1, remindLate, 35},
		{"kept anew", 34, 20, onTime, 35},
		{"and then released", 35, 20, release, 35},
		{"the end has passed and nobody was told", 60, -1, releaseOld, 15},
		{"told before, the end has passed", 60, 0, release, 15},
	} {
		var told time.Time
		if c.reminded >= 0 {
			told = at(c.reminded)
		}
		got, keep := lateStep(b, at(c.now), told, grace)
		if got != c.want || !keep.Equal(at(c.keep)) {
			t.Errorf("%s: %v until %s, want %v until %d", c.name, got, keep.Sub(ten), c.want, c.keep)
		}
	}
	b.State = Arrived
	if got, _ := lateStep(b, at(60), at(0), grace); got != onTime {
		t.Error("somebody who came is late")
	}
}

func TestRemindersAreNeverStale(t *testing.T) {
	b := visit(1, Confirmed, 1, 2, 0, 30, 5)
	b.ConfirmedAt = ten.Add(-24 * time.Hour)
	for _, c := range []struct {
		name string
		now  time.Duration
		made time.Duration
		want bool
	}{
		{"too early", -61 * time.Minute, -24 * time.Hour, false},
		{"in time", -60 * time.Minute, -24 * time.Hour, true},
		{"late, still useful", -5 * time.Minute, -24 * time.Hour, true},
		{"the start has passed", 0, -24 * time.Hour, false},
		{"booked half an hour before", -29 * time.Minute, -30 * time.Minute, false},
	} {
		b.ConfirmedAt = ten.Add(c.made)
		if got := remindable(b, ten.Add(c.now), time.Hour); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
