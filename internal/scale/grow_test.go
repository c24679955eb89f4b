package main

import (
	"fmt"
	"testing"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/member"
)

// Every copy of the template is made of other people, other documents and other ids, each of them once.
func TestCopiesAreOtherPeople(t *testing.T) {
	phones, names := map[string]bool{}, map[string]bool{}
	for i := range 200_000 {
		p := phone(i)
		if n, ok := member.NormalPhone(p); !ok || n != p || phones[p] {
			t.Fatalf("person %d has the phone %s", i, p)
		}
		phones[p], names[name(i)] = true, true
	}
	if len(names) < 10_000 {
		t.Errorf("%d names", len(names))
	}
	tab := rows{Table: db.Table{Name: "checkout_orders", Key: []string{"id"}, Columns: []db.Column{{Name: "biz_day", Kind: db.Text}, {Name: "created_at"}, {Name: "id"}, {Name: "order_no", Kind: db.Text},
		{Name: "plate", Kind: db.Text}, {Name: "store_id"}, {Name: "total_fen"}}}}
	tem := &template{ids: map[int64]bool{}}
	const at = 1_790_000_000_000
	for i := range 50 {
		id := int64(at-1_735_689_600_000)<<idBits + int64(i)
		tem.ids[id] = true
		tab.rows = append(tab.rows, []any{"2026-09-21", int64(at), id, fmt.Sprintf("D260921%011d", i*i), plate(i), int64(5), int64(700)})
	}
	seen := map[any]bool{}
	for n := 1; n <= 700; n++ {
		for i, r := range tem.copied(nil, tab, n) {
			for _, once := range []any{r[2], r[3]} {
				if seen[once] || once == tab.rows[i][2] || once == tab.rows[i][3] {
					t.Fatalf("copy %d: %v is there already", n, once)
				}
				seen[once] = true
			}
			// The id goes back as far as the time does, and the day with it.
			if moved := r[1].(int64) - at; r[2].(int64)-tab.rows[i][2].(int64) != moved<<idBits || moved > 700*2000 {
				t.Fatalf("copy %d: %v", n, r)
			}
			if len(r[3].(string)) != len(tab.rows[i][3].(string)) || len(r[4].(string)) != len(tab.rows[i][4].(string)) || r[5] != int64(5) || r[6] != int64(700) {
				t.Fatalf("copy %d: %v of %v", n, r, tab.rows[i])
			}
		}
	}
	if days := tem.copied(nil, tab, 331)[0][0]; days != "2026-09-20" {
		t.Errorf("the 331st copy is a day earlier: %v", days)
	}
}
