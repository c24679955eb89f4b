package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/migrations"
)

// updating says whether golden files are to be written instead of compared.
func updating() bool { return os.Getenv("LIANGCHE_UPDATE") == "1" }

func golden(t *testing.T, file string, got []byte, how string) {
	t.Helper()
	if updating() {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: %s", err, how)
	}
	if bytes.Equal(want, got) {
		return
	}
	a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			t.Fatalf("%s is out of date from line %d on: it says %q, the code says %q: %s", filepath.Base(file), i+1, x, y, how)
		}
	}
}

// The contract in docs is what the code serves: both front ends take their types from it.
func TestContractIsCommitted(t *testing.T) {
	got, err := app.Contract(false)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../../docs/openapi.yaml", got, "run make openapi")
	if again, err := app.Contract(false); err != nil || !bytes.Equal(got, again) {
		t.Errorf("the contract is not the same twice: %v", err)
	}
}

// The schema in docs is what the migrations make.
func TestSchemaIsCommitted(t *testing.T) {
	ctx := t.Context()
	d, err := db.Open(ctx, db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "schema.db")}, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(ctx, migrations.FS, nil); err != nil {
		t.Fatal(err)
	}
	var made []string
	if err := d.Select(ctx, &made, `SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'goose%' AND tbl_name NOT LIKE 'sqlite%' ORDER BY tbl_name, type DESC, name`); err != nil {
		t.Fatal(err)
	}
	if len(made) < 50 {
		t.Fatalf("only %d tables and indexes", len(made))
	}
	text := "-- The database as the migrations make it; the same text serves SQLite, MySQL, MariaDB and TiDB.\n-- Generated: LIANGCHE_UPDATE=1 go test ./internal/app -run SchemaIsCommitted\n\n" + strings.Join(made, ";\n\n") + ";\n"
	golden(t, "../../docs/schema.sql", []byte(text), "run LIANGCHE_UPDATE=1 go test ./internal/app -run SchemaIsCommitted")
}

// The table of settings in docs/membership.md names those that there are, with their defaults.
func TestMembershipSettingsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/membership.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+\\.[a-z_]+)` \\| (\\S+) \\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[2]
	}
	for _, d := range setting.Definitions() {
		if said, there := rows[d.Key]; there && said != d.Default {
			t.Errorf("docs/membership.md says that %s begins with %s, it is %s", d.Key, said, d.Default)
		} else if !there && (d.Group == "积分" || d.Group == "卡项" || d.Group == "优惠" || strings.HasPrefix(d.Key, "tier.") || d.Key == setting.MessageBenefits) {
			t.Errorf("docs/membership.md says nothing of %s", d.Key)
		}
		delete(rows, d.Key)
	}
	for key := range rows {
		t.Errorf("docs/membership.md has %s, which is no setting", key)
	}
}

// quotesOnly are operations whose bodies hold amounts although they move no money.
var quotesOnly = []string{"staffQuote", "consoleTopupPlanCreate", "consoleTopupPlanUpdate", "consoleServiceCreate", "consoleServiceUpdate", "consoleGoodCreate", "consoleGoodUpdate", "ownerCodeLimits"}

func TestContractRules(t *testing.T) {
	s := start(t)
	doc := s.anonymous().get("/openapi.json")
	g := generator{doc: doc, ids: map[string]int64{}}
	bodies := s.bodies()
	seen := map[string]bool{}
	for _, op := range s.Router.Ops() {
		what := fmt.Sprintf("%s (%s %s)", op.ID, op.Method, op.Path)
		if seen[op.ID] || seen[op.Method+" "+op.Path] {
			t.Errorf("%s is there twice", what)
		}
		seen[op.ID], seen[op.Method+" "+op.Path] = true, true
		if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}, op.Method) {
			t.Errorf("%s: wx.request has no such method", what)
		}
		tag := strings.Split(op.Path, "/")[2]
		if !strings.HasPrefix(op.ID, tag) || !slices.Contains([]string{"owner", "staff", "console"}, tag) || op.Summary == "" {
			t.Errorf("%s: id begins with the tag %q, and a summary says what it does", what, tag)
		}
		if op.Idempotent && op.Method != http.MethodPost {
			t.Errorf("%s: only a POST is a money command", what)
		}
		body := fmt.Sprint(g.value("", with(obj{}, bodies[op.ID])))
		moves := bodies[op.ID] != nil && strings.Contains(body, "amountFen") || strings.HasSuffix(op.Path, "/reverse")
		if moves && op.Method != http.MethodGet && !op.Idempotent && !slices.Contains(quotesOnly, op.ID) {
			t.Errorf("%s moves money and takes no idempotency key", what)
		}
		if op.Who == httpapi.Public && !strings.Contains(op.Path, "/session") && op.Method != http.MethodGet {
			t.Errorf("%s: anybody may change something", what)
		}
	}
	if len(seen) < 200 { // ids and routes
		t.Errorf("only %d operations", len(seen)/2)
	}
	ids := map[string]int{}
	for path, item := range doc.at("paths").(map[string]any) {
		for method, op := range item.(map[string]any) {
			o, ok := op.(map[string]any)
			if !ok {
				continue
			}
			ids[obj(o).s("operationId")]++
			if obj(o).s("operationId") == "" || obj(o).at("responses.default") == nil {
				t.Errorf("%s %s: every operation has an id and says how it fails", method, path)
			}
		}
	}
	for id, n := range ids {
		if n != 1 || !seen[id] {
			t.Errorf("the document holds %s %d times", id, n)
		}
	}
	// Money is whole fen, and nothing else is called so.
	for name, schema := range doc.at("components.schemas").(map[string]any) {
		props, _ := schema.(map[string]any)["properties"].(map[string]any)
		for field, p := range props {
			kind := kindOf(resolve(doc, obj(p.(map[string]any))))
			if strings.HasSuffix(field, "Fen") && kind != "integer" {
				t.Errorf("%s.%s is %s, want whole fen", name, field, kind)
			}
			if strings.Contains(field, "_") || field == "$schema" {
				t.Errorf("%s.%s is not camelCase", name, field)
			}
		}
	}
}
