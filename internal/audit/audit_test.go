package audit

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
)

func TestScrub(t *testing.T) {
	for in, want := range map[string]string{
		"13800138000": "138****8000", "电话13800138000，13900139000": "电话138****8000，139****9000", "13800138000 13900139000 13700137000": "138****8000 139****9000 137****7000",
		"242801049601914": "242801049601914", "1380013800": "1380013800", "23800138000": "23800138000", "订单A13800138000B": "订单A138****8000B",
	} {
		if got := Scrub(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestDetailHoldsNoSecrets(t *testing.T) {
	got, err := scrubbed(map[string]any{"password": "p", "newPassword": "p", "refreshToken": "t", "openid": "o", "inviteCode": "c", "code": "x", "phone": "13800138000", "phoneNumber": 13800138000,
		"note": []any{"call 13900139000"}, "id": int64(242801049601914), "amountFen": 12345678901, "from": "a", "tokens": 3})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"amountFen":12345678901,"code":"***","from":"a","id":242801049601914,"inviteCode":"***","newPassword":"***","note":["call 139****9000"],"openid":"***","password":"***","phone":"138****8000","phoneNumber":"138****8000","refreshToken":"***","tokens":3}`
	if got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
	if got, err = scrubbed(strings.Repeat("x", maxDetail)); err != nil || got != `{"truncated":true}` {
		t.Fatal(got, err)
	}
	if got, err = scrubbed(nil); err != nil || got != "{}" {
		t.Fatal(got, err)
	}
	if _, err = scrubbed(func() {}); err == nil {
		t.Fatal("a function was stored")
	}
}

func TestRecordAndList(t *testing.T) {
	d, clk := dbtest.New(t)
	s := New(d, func(_ context.Context, id int64) string { return map[int64]string{3: "东城店"}[id] })
	record := func(who actor.Actor, e Entry) {
		t.Helper()
		clk.Advance(time.Minute)
		if err := d.InTx(actor.With(t.Context(), who), func(ctx context.Context, tx *db.Tx) error { return RecordTx(ctx, tx, e) }); err != nil {
			t.Fatal(err)
		}
	}
	li := actor.Actor{Kind: actor.Staff, ID: 7, Name: "小李", IP: "10.0.0.1"}
	record(li, Entry{"card.freeze", "member", 11, "王** 13800138000", 3, map[string]string{"reason": "丢了"}})
	record(actor.Actor{Kind: actor.Staff, ID: 8, Name: "王店长"}, Entry{"setting.update", "setting", 0, "店铺名称", 0, nil})
	record(actor.Job("night"), Entry{"something.new", "member", 12, strings.Repeat("长", 300), 99, nil})
	c := apitest.New(t, s.Routes).As(apitest.Staff(perm.AuditRead))
	apitest.New(t, s.Routes).As(apitest.Staff(perm.StaffRead)).Fault(fault.ErrForbidden, http.MethodGet, "/api/console/audit", nil)
	list := func(query string) []Record {
		t.Helper()
		var p httpapi.Page[Record]
		c.OK(http.MethodGet, "/api/console/audit?"+query, nil, &p)
		return p.Items
	}
	all := list("")
	if len(all) != 3 || all[0].Action != "something.new" || all[0].ActionLabel != "something.new" || all[0].StoreName != "" || all[0].ActorKind != "system" {
		t.Fatalf("%+v", all)
	}
	first := all[2]
	if first.ActionLabel != "冻结会员卡" || first.SubjectLabel != "王** 138****8000" || first.StoreName != "东城店" || first.IP != "10.0.0.1" || first.ActorName != "小李" {
		t.Fatalf("%+v", first)
	}
	if m, ok := first.Detail.(map[string]any); !ok || m["reason"] != "丢了" {
		t.Fatalf("%+v", first.Detail)
	}
	for query, want := range map[string]int{"actorId=7": 1, "action=setting.update": 1, "subject=member": 2, "subject=member:11": 1, "subject=%E7%8E%8B": 1, "subject=%25": 0,
		"from=2026-11-18&to=2026-11-18": 3, "from=2026-11-19": 0, "to=2026-11-17": 0, "subject=' OR 1=1 --": 0} {
		if got := list(strings.ReplaceAll(query, " ", "%20")); len(got) != want {
			t.Errorf("%s: %d rows, want %d", query, len(got), want)
		}
	}
	var p httpapi.Page[Record]
	c.OK(http.MethodGet, "/api/console/audit?limit=2", nil, &p)
	next := p.Next
	p = httpapi.Page[Record]{}
	c.OK(http.MethodGet, "/api/console/audit?limit=2&after="+next, nil, &p)
	if len(p.Items) != 1 || p.Items[0].ID != first.ID || p.Next != "" {
		t.Fatalf("%+v", p)
	}
	for _, q := range []string{"after=x", "from=yesterday", "to=2026-02-30", "subject=member:x"} {
		c.Fault(fault.ErrInvalid, http.MethodGet, "/api/console/audit?"+q, nil)
	}
}

// Every action that any slice records has its Chinese name in the one table.
func TestEveryActionHasALabel(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	action := regexp.MustCompile(`Action:\s+"([a-z_]+\.[a-z_]+)"`)
	seen := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), "audit.") {
			continue
		}
		for _, m := range action.FindAllStringSubmatch(string(b), -1) {
			seen++
			if Label(m[1]) == m[1] {
				t.Errorf("%s records %q: give it a name in labels.go", f, m[1])
			}
		}
	}
	if seen < 5 {
		t.Fatalf("only %d actions found: the pattern is wrong", seen)
	}
}
