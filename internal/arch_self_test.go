package internal

import (
	"strings"
	"testing"
	"testing/fstest"
)

const walletDoc = "// Package wallet keeps.\n//\n// Model: m. Owns: wallet_ tables. Invariants: i.\n"

// Each rule must find its breach, and nothing in a tree that keeps them all.
func TestRulesCanFail(t *testing.T) {
	good := fstest.MapFS{
		"go.mod": {Data: []byte("module x\n")},
		"internal/wallet/wallet.go": {Data: []byte(walletDoc + `package wallet

import "github.com/liangche/liangche/internal/fault"

var ErrX = fault.Define(fault.Invalid, "wallet.x", "请重试")
`)},
		"internal/wallet/store.go": {Data: []byte(`package wallet

import "github.com/liangche/liangche/internal/db"

const read = "SELECT id FROM wallet_topups WHERE id = ?"

func creditTx(tx *db.Tx) {}
`)},
		"internal/wallet/http_owner.go": {Data: []byte("package wallet\n\nimport _ \"github.com/liangche/liangche/internal/httpapi\"\n")},
		"migrations/01101_wallet_topups.sql": {Data: []byte(`-- +goose Up
CREATE TABLE wallet_topups (
  id BIGINT NOT NULL PRIMARY KEY, -- made by the app
  note VARCHAR(200) NOT NULL DEFAULT '',
  body TEXT NOT NULL,
  CHECK (id > 0)
);
`)},
	}
	if f := review(good); len(f) > 0 {
		t.Fatalf("the good tree has findings: %v", f)
	}
	in := func(name, body string) [2]string { return [2]string{name, body} }
	wallet := func(file, body string) [2]string { return in("internal/wallet/"+file, "package wallet\n\n"+body) }
	imp := func(file, path string) [2]string { return wallet(file, "import _ \""+path+"\"\n") }
	up := func(sql string) [2]string { return in("migrations/01102_wallet_x.sql", "-- +goose Up\n"+sql) }
	const ours = module + "internal/"
	cases := []struct {
		rule, says string
		file       [2]string
	}{
		{"top level", "", in("scripts/x.sh", "")},
		{"tier", "may not import checkout", imp("a.go", ours+"checkout")},
		{"tier", "may not import wallet", in("internal/ledger/a.go", "package ledger\n\nimport _ \""+ours+"wallet\"\n")},
		{"tier", "in no tier", in("internal/utils/utils.go", "// Package utils is\npackage utils\n")},
		{"tier", "in no tier", imp("a.go", ours+"helpers")},
		{"tier", "simulated platform", imp("a.go", ours+"wxsandbox")},
		{"slice", "flat", in("internal/wallet/sub/a.go", "package sub\n")},
		{"test helper", "", imp("a.go", ours+"db/dbtest")},
		{"door", "sqlx", imp("store.go", "github.com/jmoiron/sqlx")},
		{"door", "modernc", imp("x_test.go", "modernc.org/sqlite")},
		{"door", "echo", imp("http_owner.go", "github.com/labstack/echo/v4")},
		{"door", "wechatpay", imp("a.go", "github.com/wechatpay-apiv3/wechatpay-go/core")},
		{"door", "silenceper", imp("a.go", "github.com/silenceper/wechat/v2/cache")},
		{"file role", "HTTP layer", imp("service.go", ours+"httpapi")},
		{"file role", "net/http", imp("service.go", "net/http")},
		{"file role", "no I/O", in("internal/wallet/wallet.go", walletDoc+"package wallet\n\nimport _ \"os\"\n")},
		{"file role", "SQL", wallet("service.go", "const q = `SELECT id\n FROM wallet_topups`\n")},
		{"file role", "SQL", wallet("service.go", `const q = " ORDER BY id"`)},
		{"table", "may not read member_members", wallet("store.go", `const q = "SELECT 1 FROM wallet_topups t JOIN member_members m"`)},
		{"table", "may not write member_members", wallet("store.go", `const q = "UPDATE member_members SET x = 1"`)},
		{"table", "may not write wallet_topups", in("internal/report/store.go", "package report\n\nconst q = `DELETE FROM wallet_topups`\n")},
		{"sql", "RETURNING", wallet("store.go", `const q = "INSERT INTO wallet_topups VALUES (1) RETURNING id"`)},
		{"sql", "FOR UPDATE", wallet("store.go", `const q = "SELECT 1 FROM wallet_topups FOR UPDATE"`)},
		{"sql", "LIMIT", wallet("store.go", `const q = "UPDATE wallet_topups SET a = 1 LIMIT 1"`)},
		{"sql", "clock", wallet("store.go", `const q = "SELECT NOW() FROM wallet_topups"`)},
		{"sql", "SKIP LOCKED", wallet("store.go", `const q = " SKIP LOCKED"`)},
		{"sql", "||", wallet("store.go", `const q = "SELECT a || b FROM wallet_topups"`)},
		{"clock", "time.Now", wallet("service.go", "import \"time\"\n\nfunc f() { _ = time.Now() }\n")},
		{"clock", "time.Since", wallet("service.go", "import \"time\"\n\nfunc f(t time.Time) { _ = time.Since(t) }\n")},
		{"context", "", wallet("service.go", "import \"context\"\n\nfunc f() { _ = context.Background() }\n")},
		{"init", "", wallet("service.go", "func init() {}\n")},
		{"float", "", wallet("service.go", "func f(x float64) {}\n")},
		{"global", "no value", wallet("service.go", "var cache map[string]int\n")},
		{"global", "changes", wallet("service.go", "var n = 1\n\nfunc f() { n++ }\n")},
		{"global", "changes", wallet("service.go", "var m = map[int]int{}\n\nfunc f() { m[1] = 2 }\n")},
		{"global", "changes", wallet("service.go", "func f() { ErrX = nil }\n")},
		{"fault", "wallet.…", wallet("service.go", "var e = fault.Define(1, \"member.x\", \"请\")\n")},
		{"fault", "Chinese", wallet("service.go", "var e = fault.Define(1, \"wallet.x\", \"try again\")\n")},
		{"fault", "package level", wallet("service.go", "func f() { fault.Define(1, \"wallet.x\", \"请\") }\n")},
		{"transaction", "must take", wallet("service.go", "func creditTx() {}\n")},
		{"transaction", "inside one", wallet("service.go", "func creditTx(tx *db.Tx) { d.InTx(nil, nil) }\n")},
		{"interface", "4 methods", wallet("service.go", "type I interface { A(); B(); C(); D() }\n")},
		{"package doc", "missing", in("internal/wallet/wallet.go", "package wallet\n")},
		{"package doc", "Invariants", in("internal/wallet/wallet.go", "// Package wallet: Model, Owns.\npackage wallet\n")},
		{"length", "601 lines", in("miniprogram/src/a.vue", strings.Repeat("\n", 601))},
		{"length", "601 lines", wallet("x_test.go", strings.Repeat("\n", 599))},
		{"migration", "name", in("migrations/1_x.sql", "")},
		{"migration", "number", in("migrations/01101_wallet_x.sql", "-- +goose Up\nDROP TABLE wallet_x;\n")},
		{"migration", "other direction", up("DROP TABLE wallet_x;\n-- +goose Down\n")},
		{"migration", "exactly one", up("DROP TABLE wallet_x; DROP TABLE wallet_y;\n")},
		{"migration", "exactly one", up("")},
		{"migration", "ENGINE", up("CREATE TABLE wallet_x (id BIGINT) ENGINE=InnoDB;\n")},
		{"migration", "AUTO_INCREMENT", up("CREATE TABLE wallet_x (id BIGINT AUTO_INCREMENT);\n")},
		{"migration", "plain form", up("INSERT INTO wallet_x VALUES (1);\n")},
		{"migration", "its own CREATE INDEX", up("CREATE TABLE wallet_x (id BIGINT, INDEX a (id));\n")},
		{"migration", "type DECIMAL", up("CREATE TABLE wallet_x (id DECIMAL(10,2));\n")},
		{"migration", "reserved", up("CREATE TABLE wallet_x (rank BIGINT);\n")},
		{"migration", "default", up("CREATE TABLE wallet_x (note TEXT DEFAULT '');\n")},
		{"migration", "more than one", up("ALTER TABLE wallet_x ADD COLUMN a INT, b INT;\n")},
		{"migration", "prefix of no package", up("CREATE TABLE topups (id BIGINT);\n")},
		{"migration", "prefix of no package", up("CREATE TABLE report_days (id BIGINT);\n")},
		{"migration", "prefix of its table", up("CREATE INDEX by_id ON wallet_x (id);\n")},
		{"migration", "leaves the slice", up("CREATE TABLE wallet_x (m BIGINT REFERENCES member_members (id));\n")},
	}
	for _, c := range cases {
		tree := fstest.MapFS{}
		for k, v := range good {
			tree[k] = v
		}
		tree[c.file[0]] = &fstest.MapFile{Data: []byte(c.file[1])}
		hit := false
		found := review(tree)
		for _, f := range found {
			hit = hit || (f.rule == c.rule && strings.HasPrefix(f.file, c.file[0][:strings.LastIndex(c.file[0], "/")]) || f.rule == "top level") &&
				strings.Contains(f.text, c.says)
		}
		if !hit {
			t.Errorf("%s %q was not found in %s:\n%s\n%v", c.rule, c.says, c.file[0], c.file[1][:min(200, len(c.file[1]))], found)
		}
	}
}
