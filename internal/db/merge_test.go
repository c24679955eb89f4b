package db

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func ins(part int, table string, n int) write {
	w := write{query: "INSERT INTO " + table + " (a) VALUES ", row: "(?)", rows: -1, part: part}
	for i := range n {
		w.args = append(w.args, fmt.Sprintf("%d.%s.%d", part, table, i))
	}
	return w
}

func TestMergedTexts(t *testing.T) {
	const change = `UPDATE x SET n = n + %[1]s, seq = seq + %[3]s WHERE id IN (%[2]s)`
	add := func(part int, id, by int64) write {
		return write{query: change, add: []addition{{id, by, 1}}, part: part}
	}
	var got []string
	for _, w := range merged([]write{
		ins(0, "p", 1), ins(0, "e", 2), add(0, 7, -5), add(0, 8, -5),
		ins(1, "p", 1), {query: "UPDATE y", rows: 1, part: 1}, ins(1, "e", 1), add(1, 7, -2),
		ins(2, "p", 1), {query: "UPDATE y", rows: 1, part: 2}, ins(2, "e", 1), ins(2, "z", 1),
	}) {
		got = append(got, fmt.Sprint(w.text(), " ", w.args, " ", w.rows))
	}
	want := []string{
		"INSERT INTO p (a) VALUES (?),(?),(?) [0.p.0 1.p.0 2.p.0] -1",
		"UPDATE y [] 1",
		"UPDATE y [] 1",
		"INSERT INTO e (a) VALUES (?),(?),(?),(?) [0.e.0 0.e.1 1.e.0 2.e.0] -1",
		"INSERT INTO z (a) VALUES (?) [2.z.0] -1",
		"UPDATE x SET n = n + (CASE id WHEN 7 THEN -7 WHEN 8 THEN -5 ELSE 0 END), seq = seq + (CASE id WHEN 7 THEN 2 WHEN 8 THEN 1 ELSE 0 END) WHERE id IN (7,8) [] 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Whatever is merged, nothing is lost or doubled, and each part finds its own writes in its own order.
func TestMergedKeepsEachPartsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var queued []write
		want := map[int][]string{}
		for part := range rapid.IntRange(1, 5).Draw(t, "parts") {
			for i := range rapid.IntRange(0, 8).Draw(t, "writes") {
				w := ins(part, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "table"), 1)
				w.args[0] = fmt.Sprintf("%d.%d", part, i)
				queued = append(queued, w)
				want[part] = append(want[part], w.args[0].(string))
			}
		}
		got, all := map[int][]string{}, 0
		for _, w := range merged(queued) {
			for _, a := range w.args {
				part := 0
				_, _ = fmt.Sscanf(a.(string), "%d.", &part)
				got[part] = append(got[part], a.(string))
				all++
			}
		}
		if all != len(queued) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestMergedStaysBelowTheEnginesLimits(t *testing.T) {
	var queued []write
	for part := range 40 {
		queued = append(queued, ins(part, "a", 1000))
	}
	n := 0
	for _, w := range merged(queued) {
		if n += len(w.args); len(w.args) > maxArgs {
			t.Errorf("%d values in one statement", len(w.args))
		}
	}
	if n != 40_000 {
		t.Errorf("%d rows, want 40000", n)
	}
}

// On a server numbers are part of the text, and nothing else is: whatever a person may have typed stays an argument.
func TestNumbersAreWrittenOut(t *testing.T) {
	type fen int64
	type row struct {
		ID    int64   `db:"id"`
		Less  fen     `db:"less"`
		None  *int64  `db:"none"`
		Some  *int    `db:"some"`
		Name  string  `db:"name"`
		Note  *string `db:"note"`
		Blank *string `db:"blank"`
		Yes   bool    `db:"yes"`
		Raw   []byte  `db:"raw"`
		Own   worth   `db:"own"`
	}
	n, note := 8, "it's ?"
	a := insertion(MySQL, "t", row{1, -2, nil, &n, "?", &note, nil, true, []byte("b"), 7})
	b := insertion(MySQL, "t", []row{{ID: 3}, {ID: 4}})
	a.part, b.part = 1, 2
	got := merged([]write{*a, *b})
	const want = "INSERT INTO t (id, less, none, some, name, note, blank, yes, raw, own) VALUES (1,-2,NULL,8,?,?,NULL,?,?,?),(3,0,NULL,NULL,?,NULL,NULL,?,?,?),(4,0,NULL,NULL,?,NULL,NULL,?,?,?)"
	if len(got) != 1 || got[0].text() != want || fmt.Sprint(got[0].args) != "[? it's ? true [98] worth  false [] worth  false [] worth]" {
		t.Errorf("%s %v", got[0].text(), got[0].args)
	}
}

// worth is a number that is stored as something else.
type worth int64

func (w worth) Value() (driver.Value, error) { return "w", nil }
func (w worth) String() string               { return "worth" }
