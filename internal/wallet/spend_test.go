package wallet

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/setting"
)

func TestSpendChoosesLots(t *testing.T) {
	past := dbtest.Start.Add(-time.Hour).UnixMilli()
	soon := dbtest.Start.Add(time.Hour).UnixMilli()
	type top struct{ paid, bonus, expires int64 }
	d := testDB(t)
	for i, c := range []struct {
		name                  string
		tops                  []top
		heldPrincipal, heldBo int64
		amount                money.Fen
		rule                  string
		want                  string // "" is insufficient
	}{
		{"pro rata", []top{{50000, 8000, 0}}, 0, 0, 3500, setting.SpendProRata, "1:3017+483"},
		{"pro rata, one fen falls to the larger remainder", []top{{50000, 8000, 0}}, 0, 0, 1, setting.SpendProRata, "1:1+0"},
		{"pro rata, all of it", []top{{50000, 8000, 0}}, 0, 0, 58000, setting.SpendProRata, "1:50000+8000"},
		{"pro rata, all but one fen", []top{{50000, 8000, 0}}, 0, 0, 57999, setting.SpendProRata, "1:49999+8000"},
		{"pro rata without bonus", []top{{20000, 0, 0}}, 0, 0, 3500, setting.SpendProRata, "1:3500+0"},
		{"an unknown rule is pro rata", []top{{50000, 8000, 0}}, 0, 0, 3500, "whatever", "1:3017+483"},
		{"oldest top-up first, then into the next", []top{{10000, 0, 0}, {50000, 8000, 0}}, 0, 0, 15000, setting.SpendProRata, "1:10000+0 2:4310+690"},
		{"bonus first", []top{{50000, 8000, 0}}, 0, 0, 8500, setting.SpendBonusFirst, "1:500+8000"},
		{"bonus first over several", []top{{50000, 8000, 0}, {50000, 8000, 0}}, 0, 0, 10000, setting.SpendBonusFirst, "1:0+8000 2:0+2000"},
		{"principal first", []top{{50000, 8000, 0}}, 0, 0, 50100, setting.SpendPrincipalFirst, "1:50000+100"},
		{"principal first over several", []top{{10000, 1000, 0}, {10000, 1000, 0}}, 0, 0, 20500, setting.SpendPrincipalFirst, "1:10000+500 2:10000+0"},
		{"held money stays", []top{{50000, 8000, 0}}, 10000, 0, 48000, setting.SpendProRata, "1:40000+8000"},
		{"held money cannot be spent", []top{{50000, 8000, 0}}, 10000, 0, 48001, setting.SpendProRata, ""},
		{"holds rest on the newest", []top{{50000, 8000, 0}, {50000, 8000, 0}}, 50000, 8000, 1000, setting.SpendProRata, "1:862+138"},
		{"nothing beyond what is there", []top{{50000, 8000, 0}}, 0, 0, 58001, setting.SpendBonusFirst, ""},
		{"an empty wallet pays nothing", nil, 0, 0, 1, setting.SpendProRata, ""},
		{"N10 an expired lot is not used", []top{{5000, 0, past}, {5000, 0, 0}}, 0, 0, 5000, setting.SpendProRata, "2:5000+0"},
		{"N10 nor counted", []top{{5000, 0, past}, {5000, 0, 0}}, 0, 0, 5001, setting.SpendProRata, ""},
		{"oldest expiry before oldest", []top{{5000, 0, 0}, {5000, 0, soon}}, 0, 0, 6000, setting.SpendProRata, "1:1000+0 2:5000+0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPurse(t, d, int64(i+1))
			for _, x := range c.tops {
				p.add(MethodCash, x.paid, x.bonus, x.expires)
			}
			if c.heldPrincipal+c.heldBo > 0 {
				p.hold(c.heldPrincipal, c.heldBo)
			}
			var takes []ledger.Take
			err := p.locked(func(_ context.Context, tx *db.Tx, b *ledger.Book) (err error) {
				before := b.Lots(ledger.Principal, ledger.Bonus)
				takes, err = Spend(b, tx.Now, c.amount, c.rule)
				for i, l := range b.Lots(ledger.Principal, ledger.Bonus) {
					if l != before[i] {
						t.Errorf("choosing changed the book: %+v, was %+v", l, before[i])
					}
				}
				return err
			})
			if c.want == "" {
				if !errors.Is(err, ledger.ErrInsufficient) || len(takes) > 0 {
					t.Fatalf("%v %v, want insufficient", takes, err)
				}
				return
			}
			must(t, err)
			if got := p.takesText(takes); got != c.want {
				t.Errorf("took %s, want %s", got, c.want)
			}
			if sum := ledger.SumOf(takes, ledger.Principal) + ledger.SumOf(takes, ledger.Bonus); sum != c.amount {
				t.Errorf("took %d, want %d", sum, c.amount)
			}
			if _, err := p.spend(c.amount, c.rule); err != nil {
				t.Errorf("what was chosen cannot be posted: %v", err)
			}
		})
	}
	exact(t, d)
}
