package db

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math/big"
	"math/bits"
	"slices"
	"strings"
)

// Digest says what a table holds, in a form that is the same on every engine.
type Digest struct {
	Table   string            `json:"table"`
	Rows    int64             `json:"rows"`
	Hash    string            `json:"hash"`    // over whole rows, whatever their order
	Columns map[string]string `json:"columns"` // of numbers the sum, of texts and bytes a checksum; and how many are not NULL
}

// Differs says what of other is not as in d; "" when all is.
func (d Digest) Differs(other Digest) string {
	if d.Rows != other.Rows {
		return fmt.Sprintf("%s has %d rows instead of %d", d.Table, other.Rows, d.Rows)
	}
	var names []string
	for _, c := range slices.Sorted(maps.Keys(d.Columns)) {
		if d.Columns[c] != other.Columns[c] {
			names = append(names, fmt.Sprintf("%s (%s instead of %s)", c, other.Columns[c], d.Columns[c]))
		}
	}
	if len(names) > 0 || len(d.Columns) != len(other.Columns) {
		return fmt.Sprintf("%s differs in %s", d.Table, strings.Join(names, ", "))
	}
	if d.Hash != other.Hash {
		return fmt.Sprintf("%s has every value, but not in the same rows", d.Table)
	}
	return ""
}

// Compare lists how other differs from want.
func Compare(want, other []Digest) (problems []string) {
	have := map[string]Digest{}
	for _, d := range other {
		have[d.Table] = d
	}
	for _, d := range want {
		o, ok := have[d.Table]
		if !ok {
			problems = append(problems, d.Table+" is missing")
		} else if p := d.Differs(o); p != "" {
			problems = append(problems, p)
		}
		delete(have, d.Table)
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		problems = append(problems, name+" should not be there")
	}
	return problems
}

// digester adds up rows.
type digester struct {
	table   Table
	rows    int64
	fold    [4]uint64
	columns []columnSum
	buf     []byte
}

// columnSum is a sum of 128 bits, or a checksum in lo.
type columnSum struct {
	hi, lo uint64
	count  int64
}

func newDigester(t Table) *digester {
	return &digester{table: t, columns: make([]columnSum, len(t.Columns))}
}

func (g *digester) add(row []any) {
	g.rows++
	g.buf = g.buf[:0]
	for i, v := range row {
		c := &g.columns[i]
		switch v := v.(type) {
		case nil:
			g.buf = append(g.buf, 0)
			continue
		case int64:
			var carry uint64
			c.lo, carry = bits.Add64(c.lo, uint64(v), 0)
			c.hi += uint64(v>>63) + carry
			g.buf = binary.BigEndian.AppendUint64(append(g.buf, 1), uint64(v))
		case string:
			c.lo += checksum(v)
			g.buf = append(binary.BigEndian.AppendUint64(append(g.buf, 2), uint64(len(v))), v...)
		case []byte:
			c.lo += checksum(v)
			g.buf = append(binary.BigEndian.AppendUint64(append(g.buf, 3), uint64(len(v))), v...)
		}
		c.count++
	}
	sum := sha256.Sum256(g.buf)
	for i := range g.fold {
		g.fold[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
}

// checksum is FNV-1a.
func checksum[T string | []byte](v T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(v) {
		h = (h ^ uint64(v[i])) * 1099511628211
	}
	return h
}

func (g *digester) digest() Digest {
	d := Digest{Table: g.table.Name, Rows: g.rows, Columns: map[string]string{}}
	for _, f := range g.fold {
		d.Hash += fmt.Sprintf("%016x", f)
	}
	for i, c := range g.table.Columns {
		s := g.columns[i]
		if c.Kind == Number {
			n := new(big.Int).Lsh(big.NewInt(int64(s.hi)), 64)
			d.Columns[c.Name] = fmt.Sprintf("sum %s of %d", n.Add(n, new(big.Int).SetUint64(s.lo)), s.count)
		} else {
			d.Columns[c.Name] = fmt.Sprintf("check %016x of %d", s.lo, s.count)
		}
	}
	return d
}

// Digests goes through every table.
func (s *Snapshot) Digests(ctx context.Context, say func(Progress)) ([]Digest, error) {
	all, err := s.Tables(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Digest, 0, len(all))
	for i, t := range all {
		g := newDigester(t)
		if err := s.Pages(ctx, t, func(rows [][]any) error {
			for _, r := range rows {
				g.add(r)
			}
			say(Progress{t.Name, i + 1, len(all), g.rows})
			return nil
		}); err != nil {
			return nil, err
		}
		out = append(out, g.digest())
	}
	return out, nil
}
