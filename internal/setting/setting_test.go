package setting

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
)

func TestDefinitionsAreSound(t *testing.T) {
	seen := map[string]bool{}
	values := map[string]string{}
	for _, d := range Definitions() {
		if text, complaint := d.checkText(d.Default); complaint != "" || text != d.Default {
			t.Errorf("%s: its own default: %q %s", d.Key, text, complaint)
		}
		if seen[d.Key] || d.Label == "" || d.Group == "" || d.Type == Enum && len(d.Options) < 2 {
			t.Errorf("%+v", d)
		}
		seen[d.Key] = true
		values[d.Key] = d.Default
	}
	if key, complaint := together(values); complaint != "" {
		t.Error(key, complaint)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		key  string
		in   any
		want string
		ok   bool
	}{
		{JoinReview, true, "true", true}, {JoinReview, "false", "false", true}, {JoinReview, 1.0, "", false}, {JoinReview, "ja", "", false}, {JoinReview, nil, "", false},
		{CheckoutReverseMinutes, 0.0, "0", true}, {CheckoutReverseMinutes, "45", "45", true}, {CheckoutReverseMinutes, 1.5, "", false}, {CheckoutReverseMinutes, -1.0, "", false},
		{CheckoutReverseMinutes, 1441.0, "", false}, {CheckoutReverseMinutes, true, "", false}, {CheckoutReverseMinutes, 1e300, "", false},
		{SpendOrder, SpendBonusFirst, SpendBonusFirst, true}, {SpendOrder, "random", "", false}, {SpendOrder, 1.0, "", false},
		{ShopAccent, "#0b7a75", "#0B7A75", true}, {ShopAccent, "red;}", "", false}, {ShopName, " 亮车 ", "亮车", true}, {ShopName, "", "", false}, {ShopName, strings.Repeat("亮", 31), "", false},
		{ShopName, "a\nb", "", false}, {ShopPhone, "", "", true}, {ShopPhone, "010-8888 6666", "010-8888 6666", true}, {ShopPhone, "<script>", "", false}, {CardCapFen, 500001.0, "", false},
		{ShopName, []any{"x"}, "", false}, {ShopName, 5.0, "", false},
	} {
		d, _ := definition(c.key)
		got, complaint := d.Check(c.in)
		if got != c.want || (complaint == "") != c.ok {
			t.Errorf("%s = %v: %q %q", c.key, c.in, got, complaint)
		}
	}
}

func TestUpdateIsAllOrNothingAndAudited(t *testing.T) {
	d, clk := dbtest.New(t)
	s, other := New(d), New(d)
	ctx := t.Context()
	if n, err := other.Int(ctx, CheckoutReverseMinutes); err != nil || n != 30 {
		t.Fatal(n, err)
	}
	var f *fault.Error
	err := s.Update(ctx, []Value{{CheckoutReverseMinutes, 60.0}, {ShopName, ""}})
	if !errors.As(err, &f) || !errors.Is(err, fault.ErrInvalid) || f.Fields[0].Field != "values[1].value" {
		t.Fatalf("%+v", err)
	}
	if n, _ := s.Int(ctx, CheckoutReverseMinutes); n != 30 {
		t.Fatal("half of a refused update stayed")
	}
	if err := s.Update(ctx, []Value{{"no.such", true}}); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	err = s.Update(ctx, []Value{{TopupCustomMinFen, 400000.0}, {TopupCustomMaxFen, 300000.0}})
	if !errors.As(err, &f) || f.Fields[0].Field != "values[0].value" {
		t.Fatalf("%+v", err)
	}
	if err := s.Update(ctx, []Value{{CheckoutReverseMinutes, 60.0}, {JoinReview, true}, {ShopName, "亮车洗护"}}); err != nil {
		t.Fatal(err)
	}
	if n, _ := s.Int(ctx, CheckoutReverseMinutes); n != 60 { // own writes show at once
		t.Fatal(n)
	}
	if n, _ := other.Int(ctx, CheckoutReverseMinutes); n != 30 { // another instance's within two seconds
		t.Fatal(n)
	}
	clk.Advance(2 * time.Second)
	if n, _ := other.Int(ctx, CheckoutReverseMinutes); n != 60 {
		t.Fatal(n)
	}
	if b, err := s.Bool(ctx, JoinReview); err != nil || !b {
		t.Fatal(b, err)
	}
	var n int
	if err := d.Get(ctx, &n, `SELECT COUNT(*) FROM audit_log WHERE action = 'setting.update'`); err != nil || n != 2 {
		t.Fatalf("%d entries %v: what did not change needs none", n, err)
	}
	if _, err := s.Bool(ctx, ShopName); err == nil {
		t.Error("a text was read as a bool")
	}
	if _, err := s.Text(ctx, "no.such"); err == nil {
		t.Error("an unknown key was read")
	}
	// A refused transaction leaves the cache right.
	_ = d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.SetTx(ctx, tx, CheckoutReverseMinutes, int64(5)); err != nil {
			return err
		}
		return errors.New("changed my mind")
	})
	if n, _ := s.Int(ctx, CheckoutReverseMinutes); n != 60 {
		t.Fatal(n)
	}
}

func TestConsole(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	c := apitest.New(t, s.Routes).As(apitest.Staff(perm.SettingRead, perm.SettingWrite))
	var l List
	c.OK(http.MethodGet, "/api/console/settings", nil, &l)
	shown := 0
	for _, d := range Definitions() {
		if !d.Apart {
			shown++
		}
	}
	if len(l.Items) != shown || l.Items[0].Key != ShopName || *l.Items[0].Max != 30 {
		t.Fatalf("%+v", l)
	}
	c.OK(http.MethodPut, "/api/console/settings", Changes{[]Value{{JoinReview, true}, {CardCapFen, 100000}, {SpendOrder, SpendBonusFirst}}}, &l)
	for _, it := range l.Items {
		switch it.Key {
		case JoinReview:
			if it.Value != true || it.Default != false {
				t.Errorf("%+v", it)
			}
		case CardCapFen:
			if it.Value != 100000.0 || *it.Max != 500000 || it.Type != Fen {
				t.Errorf("%+v", it)
			}
		case SpendOrder:
			if it.Value != SpendBonusFirst || len(it.Options) != 3 {
				t.Errorf("%+v", it)
			}
		}
	}
	if fields := c.Fault(fault.ErrInvalid, http.MethodPut, "/api/console/settings", Changes{[]Value{{CardCapFen, 1}}}); fields[0].Field != "values[0].value" || fields[0].Message != "请填 100 元 到 5000 元 之间" {
		t.Fatalf("%+v", fields)
	}
	c.Fault(ErrUnknown, http.MethodPut, "/api/console/settings", Changes{[]Value{{"x", 1}}})
	apitest.New(t, s.Routes).As(apitest.Staff(perm.SettingRead)).Fault(fault.ErrForbidden, http.MethodPut, "/api/console/settings", Changes{[]Value{{CardCapFen, 1}}})
}
