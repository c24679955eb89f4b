package db

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxArgs bounds the values of a merged insertion: SQLite takes 32,766 in one statement.
const maxArgs = 30_000

// maxText bounds the rows of a merged insertion, in bytes: servers take packets of 16 MB.
const maxText = 1 << 20

// merged joins writes of different parts that are alike: rows for the same columns of a table, and changes by the same statement. Each
// part keeps its own order, because a row may need one that was written before it. Between parts it is not kept: should a part change a
// row that another one queued, then its guard may miss, and the batch runs alone.
func merged(queued []write) (out []write) {
	part, at := -1, 0 // at is where the last write of the part went
	for _, w := range queued {
		if w.part != part {
			part, at = w.part, -1
		}
		from := max(at, 0)
		if i := slices.IndexFunc(out[from:], func(o write) bool { return o.takes(w) }); i >= 0 {
			at = from + i
			out[at].take(w)
		} else {
			at++
			out = slices.Insert(out, at, w)
		}
	}
	for i := range out {
		if len(out[i].add) > 0 {
			out[i].rows = int64(len(out[i].add))
		}
	}
	return out
}

// takes says whether other can become part of w.
func (w write) takes(other write) bool {
	return w.query == other.query && w.row == other.row && (w.row != "" || len(w.values) > 0 || len(w.add) > 0) && len(w.args)+len(other.args) <= maxArgs && len(w.values)+len(other.values) <= maxText
}

func (w *write) take(other write) {
	w.args = append(w.args, other.args...)
	if len(w.values) > 0 {
		w.values = append(append(w.values, ','), other.values...)
	}
next:
	for _, a := range other.add {
		for i := range w.add {
			if w.add[i].id == a.id {
				w.add[i].by += a.by
				w.add[i].times += a.times
				continue next
			}
		}
		w.add = append(w.add, a)
	}
}

// text is the statement as it is sent.
func (w *write) text() string {
	switch {
	case len(w.values) > 0:
		return w.query + string(w.values)
	case w.row != "":
		return w.query + strings.TrimSuffix(strings.Repeat(w.row+",", w.rowsQueued()), ",")
	case len(w.add) > 0:
		// The numbers are ours, not input: written into the text, the statement needs no repeated arguments.
		ids := make([]string, len(w.add))
		for i, a := range w.add {
			ids[i] = strconv.FormatInt(a.id, 10)
		}
		return w.pattern(w.each(func(a addition) int64 { return a.by }), strings.Join(ids, ","), w.each(func(a addition) int64 { return a.times }))
	}
	return w.query
}

// rowsQueued is how many rows an insertion has.
func (w *write) rowsQueued() int { return len(w.args) / strings.Count(w.row, "?") }

// pattern is the statement of additions with what is added, the ids and the number of changes.
func (w *write) pattern(by, ids, times string) string { return fmt.Sprintf(w.query, by, ids, times) }

// each is an expression that gives every row its number.
func (w *write) each(number func(addition) int64) string {
	first, same := number(w.add[0]), true
	for _, a := range w.add {
		same = same && number(a) == first
	}
	if same {
		return "(" + strconv.FormatInt(first, 10) + ")"
	}
	var c strings.Builder
	c.WriteString("(CASE id")
	for _, a := range w.add {
		fmt.Fprintf(&c, " WHEN %d THEN %d", a.id, number(a))
	}
	c.WriteString(" ELSE 0 END)")
	return c.String()
}
