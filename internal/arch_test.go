// Package internal holds no code of its own: this test holds the rules of docs/architecture.md. Each rule is proven able
// to fail by arch_self_test.go.
package internal

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/liangche/liangche/"

// tiers: a package imports lower tiers only. Sub-packages count as their parent.
var tiers = map[string]int{
	"migrations": 0, "h5": 0, "site": 0, // embedded files and who serves them
	"clock": 0, "id": 0, "money": 0, "fault": 0, "actor": 0, "perm": 0, "bizday": 0, "fresh": 0, "ics": 0, "db": 0, "idem": 0, "jobs": 0,
	"session": 0, "secret": 0, "httpapi": 0, "config": 0, "wechat": 0, "sms": 0, "wxsandbox": 0, "blob": 0,
	"shop": 1, "roster": 1, "catalog": 1, "member": 1, "staff": 1, "payment": 1, "notify": 1, "audit": 1, "setting": 1, "pricing": 1,
	"ledger": 2, "wallet": 2, "tier": 2, "slot": 2, "points": 2, "coupon": 2, "sale": 2, "pass": 2, "group": 2,
	"checkout": 3, "booking": 3, "campaign": 3, "mall": 3, "referral": 3, "oa": 3, "outreach": 3, "rain": 3, "remind": 3, "merge": 3,
	"report": 4, "memberview": 4, "console": 4,
	"app": 5, "gauge": 5, "bench": 6, "chaos": 6, "scale": 6, "model": 6, "cmd": 6,
}

const readTier, appTier = 4, 5

// programs measure or harm the system from outside and keep nothing in it: they look at the machine's clock and write their own SQL.
var programs = []string{"bench", "chaos", "gauge", "scale"}

// sameTier are the edges that are allowed inside one tier.
var sameTier = map[string]string{
	"h5": "site", "db": "clock fault id", "idem": "clock db fault", "jobs": "clock db fault id", "session": "actor clock db fault id secret",
	"httpapi": "actor clock db fault id idem perm secret", "wechat": "clock fault money", "sms": "clock",
	"blob": "fault httpapi perm",
	"shop": "audit setting", "catalog": "audit setting shop roster", "roster": "audit setting shop", "member": "audit setting", "staff": "audit setting",
	"payment": "audit setting", "notify": "audit setting", "setting": "audit",
	"wallet": "ledger tier", "tier": "ledger sale", "points": "ledger", "sale": "ledger wallet", "pass": "ledger sale wallet", "group": "ledger wallet tier", "booking": "checkout", "mall": "campaign", "referral": "campaign", "console": "report memberview",
}

// doors: who may import what comes from outside. A package's tests may do so too where tests says it.
var doors = []struct{ prefix, who, tests string }{
	{"github.com/jmoiron/sqlx", "db", ""},
	{"github.com/go-sql-driver/mysql", "db", ""},
	{"modernc.org/sqlite", "db", ""},
	{"github.com/pressly/goose", "db", ""},
	{"database/sql", "db app", "jobs"},
	{"github.com/labstack/echo", "httpapi app", ""},
	{"github.com/danielgtaylor/huma", "httpapi app", ""},
	{"github.com/silenceper/wechat", "wechat", "wxsandbox payment app"},
	{"github.com/wechatpay-apiv3", "wechat", "wxsandbox payment app"},
	{"github.com/knadh/koanf", "config", ""},
	{"github.com/tink-crypto", "secret", ""},
	{"github.com/prometheus", "httpapi app", ""},
}

// sqlKit are the kit packages that hold SQL besides the slices' store files.
var sqlKit = []string{"db", "jobs", "idem", "session"}

// foreignCodes are fault codes that do not begin with their package's name, each with its reason.
var foreignCodes = map[string]string{
	"idem idempotency":   "the word that clients see",
	"ledger wallet":      "what is missing in the ledger is the owner's wallet",
	"httpapi member":     "what an owner's session lacks is a member",
	"memberview lookup":  "the search at the desk",
	"memberview request": "a cursor is part of the request",
	"pricing checkout":   "prices are shown and refused at the till",
}

// changing are the package variables that may change, each with its reason.
var changing = map[string]string{
	"fault registry":   "the register of codes, filled by package variables",
	"db columnCache":   "the results of a pure function",
	"bizday zones":     "the results of a pure function",
	"wechat installed": "guards a variable of the SDK's package",
}

// moneyPackages know no fractions.
var moneyPackages = []string{"money", "ledger", "wallet", "checkout", "payment", "tier", "catalog", "points", "coupon", "pricing", "sale", "pass", "group", "campaign", "mall", "referral", "merge"}

const maxLines = 600

// finding is one breach of one rule.
type finding struct{ rule, file, text string }

func (f finding) String() string { return f.file + ": " + f.rule + ": " + f.text }

// goFile is one parsed file.
type goFile struct {
	path, pkg, base string // pkg: name under internal/, or "cmd", or "migrations"
	sub             bool   // stands in a sub-package
	test, main      bool
	ast             *ast.File
}

// reviewer collects findings over a tree.
type reviewer struct {
	root  fs.FS
	set   *token.FileSet
	files []goFile
	vars  map[string]bool // "folder name" of every package variable
	specs map[*ast.ValueSpec]bool
	found []finding
}

func (r *reviewer) report(rule, file, format string, args ...any) {
	r.found = append(r.found, finding{rule, file, fmt.Sprintf(format, args...)})
}

func (r *reviewer) at(f goFile, n ast.Node) string {
	return f.path + ":" + strconv.Itoa(r.set.Position(n.Pos()).Line)
}

func review(root fs.FS) []finding {
	r := &reviewer{root: root, set: token.NewFileSet(), vars: map[string]bool{}, specs: map[*ast.ValueSpec]bool{}}
	r.readTree()
	for _, f := range r.files {
		r.declared(f)
	}
	for _, f := range r.files {
		r.imports(f)
		r.calls(f)
		r.globals(f)
		r.codes(f)
		r.transactions(f)
		r.interfaces(f)
		r.strings(f)
	}
	r.packageDocs()
	r.migrations()
	sort.Slice(r.found, func(i, j int) bool { return r.found[i].String() < r.found[j].String() })
	return slices.Compact(r.found)
}

var topLevel = regexp.MustCompile(`^(cmd|internal|miniprogram|migrations|docs|data|bin|go\.mod|go\.sum|config\.example\.yaml|README.*|LICENSE|Makefile|\..*|liangche)$`)

// readTree parses the Go files and counts the lines of every source file.
func (r *reviewer) readTree() {
	if top, err := fs.ReadDir(r.root, "."); err == nil {
		for _, e := range top {
			if !topLevel.MatchString(e.Name()) {
				r.report("top level", e.Name(), "does not belong there")
			}
		}
	}
	for _, dir := range []string{"cmd", "internal", "migrations", "miniprogram"} {
		err := fs.WalkDir(r.root, dir, func(p string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && slices.Contains([]string{"node_modules", "dist", "out", "testdata", "unpackage"}, d.Name()):
				return fs.SkipDir
			case d.IsDir():
				return nil
			}
			r.readFile(p)
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			r.report("tree", dir, "%v", err)
		}
	}
}

func (r *reviewer) readFile(p string) {
	ext := path.Ext(p)
	if !slices.Contains([]string{".go", ".ts", ".vue", ".mjs", ".js"}, ext) {
		return
	}
	b, err := fs.ReadFile(r.root, p)
	if err != nil {
		r.report("tree", p, "%v", err)
		return
	}
	generated := regexp.MustCompile(`(?m)^(// Code generated|/\*\*\n \* This file was auto-generated)`).Match(b)
	if n := strings.Count(string(b), "\n"); n > maxLines && !generated {
		r.report("length", p, "%d lines, at most %d", n, maxLines)
	}
	if ext != ".go" {
		return
	}
	a, err := parser.ParseFile(r.set, p, b, parser.ParseComments)
	if err != nil {
		r.report("tree", p, "%v", err)
		return
	}
	parts := strings.Split(p, "/")
	f := goFile{path: p, base: path.Base(p), ast: a, pkg: parts[0], main: a.Name.Name == "main", test: strings.HasSuffix(p, "_test.go")}
	if parts[0] == "internal" {
		if len(parts) < 3 {
			return // this test itself
		}
		f.pkg, f.sub = parts[1], len(parts) > 3
	}
	if _, ok := tiers[f.pkg]; !ok {
		r.report("tier", p, "package %s stands in no tier of internal/arch_test.go", f.pkg)
	} else if f.sub && tiers[f.pkg] > 0 && tiers[f.pkg] < appTier {
		r.report("slice", p, "a slice is one flat package")
	}
	// A helper for tests only may do what tests may do.
	f.test = f.test || path.Base(path.Dir(p)) == "dbtest" || path.Base(path.Dir(p)) == "apitest" || strings.Contains(p, "/dbtest/")
	r.files = append(r.files, f)
}

func isSlice(pkg string) bool { return tiers[pkg] >= 1 && tiers[pkg] < appTier }

func importPath(s *ast.ImportSpec) string { p, _ := strconv.Unquote(s.Path.Value); return p }

// imports holds the tiers, the doors to the outside, and which files of a slice see the HTTP layer.
func (r *reviewer) imports(f goFile) {
	for _, s := range f.ast.Imports {
		p := importPath(s)
		for _, d := range doors {
			if !strings.HasPrefix(p, d.prefix) || slices.Contains(strings.Fields(d.who), f.pkg) {
				continue
			}
			if p == "database/sql/driver" || (f.test && slices.Contains(strings.Fields(d.tests), f.pkg)) {
				continue
			}
			r.report("door", r.at(f, s), "%s is for %s alone", p, d.who)
		}
		rest, ours := strings.CutPrefix(p, module)
		if !ours {
			if isSlice(f.pkg) && p == "net/http" && !f.test && !strings.HasPrefix(f.base, "http") && !onlyStatus(f.ast) {
				r.report("file role", r.at(f, s), "net/http belongs in http*.go; elsewhere only its status numbers")
			}
			continue
		}
		to := strings.Split(strings.TrimPrefix(rest, "internal/"), "/")[0]
		if strings.HasSuffix(rest, "/dbtest") || strings.HasSuffix(rest, "/apitest") {
			if !f.test {
				r.report("test helper", r.at(f, s), "%s is for tests", rest)
			}
			continue
		}
		if isSlice(f.pkg) && to == "httpapi" && !f.test && !strings.HasPrefix(f.base, "http") {
			r.report("file role", r.at(f, s), "only http*.go sees the HTTP layer")
		}
		if f.test || to == f.pkg {
			continue
		}
		if to == "wxsandbox" && f.pkg != "app" {
			r.report("tier", r.at(f, s), "only app starts the simulated platform")
		}
		if have, ok := tiers[to]; !ok {
			r.report("tier", r.at(f, s), "package %s stands in no tier", to)
		} else if own := tiers[f.pkg]; have > own || (have == own && !slices.Contains(strings.Fields(sameTier[f.pkg]), to)) {
			r.report("tier", r.at(f, s), "%s (tier %d) may not import %s (tier %d)", f.pkg, own, to, have)
		}
	}
}

// onlyStatus says whether net/http is used for the names of status numbers alone.
func onlyStatus(a *ast.File) bool {
	uses, only := false, true
	ast.Inspect(a, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "http" && x.Obj == nil {
				uses, only = true, only && strings.HasPrefix(s.Sel.Name, "Status")
			}
		}
		return true
	})
	return uses && only
}

// calls holds the clock, the context, init and fractions of money.
func (r *reviewer) calls(f goFile) {
	imported := map[string]bool{}
	for _, s := range f.ast.Imports {
		imported[importPath(s)] = true
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				r.report("init", r.at(f, n), "no init()")
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok || x.Obj != nil || f.test {
				return true
			}
			name := x.Name + "." + n.Sel.Name
			switch {
			case slices.Contains([]string{"time.Now", "time.Since", "time.Until"}, name) && imported["time"] && f.pkg != "clock" && !slices.Contains(programs, f.pkg):
				r.report("clock", r.at(f, n), "%s: ask the clock", name)
			case (name == "context.Background" || name == "context.TODO") && tiers[f.pkg] < appTier && !f.main:
				r.report("context", r.at(f, n), "%s: pass the caller's context", name)
			}
		case *ast.Ident:
			if (n.Name == "float64" || n.Name == "float32") && n.Obj == nil && !f.test && slices.Contains(moneyPackages, f.pkg) {
				r.report("float", r.at(f, n), "money is whole fen, rates are basis points")
			}
		}
		return true
	})
}

// globals finds package variables that change: state belongs in a struct.
func (r *reviewer) globals(f goFile) {
	if f.test || f.pkg == "cmd" || slices.Contains(programs, f.pkg) {
		return
	}
	for name, v := range topVars(f.ast) {
		if name.Name != "_" && len(v.Values) == 0 && !hasEmbed(v.Doc) && changing[f.pkg+" "+name.Name] == "" {
			r.report("global", r.at(f, name), "%s has no value: state belongs in a struct", name.Name)
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		var targets []ast.Expr
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				targets = n.Lhs
			}
		case *ast.IncDecStmt:
			targets = []ast.Expr{n.X}
		}
		for _, t := range targets {
			if id := root(t); id != nil && id.Name != "_" && r.vars[path.Dir(f.path)+" "+id.Name] && !r.local(id) && changing[f.pkg+" "+id.Name] == "" {
				r.report("global", r.at(f, n), "%s changes: state belongs in a struct", id.Name)
			}
		}
		return true
	})
}

// declared remembers the package variables of a file.
func (r *reviewer) declared(f goFile) {
	for name, v := range topVars(f.ast) {
		r.vars[path.Dir(f.path)+" "+name.Name], r.specs[v] = true, true
	}
}

// topVars are the package variables of a file, each with its specification (which gets the declaration's comment).
func topVars(a *ast.File) map[*ast.Ident]*ast.ValueSpec {
	out := map[*ast.Ident]*ast.ValueSpec{}
	for _, d := range a.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				if v.Doc == nil {
					v.Doc = g.Doc
				}
				for _, name := range v.Names {
					out[name] = v
				}
			}
		}
	}
	return out
}

// local says whether a name was declared inside a function.
func (r *reviewer) local(id *ast.Ident) bool {
	if id.Obj == nil {
		return false // another file's
	}
	v, ok := id.Obj.Decl.(*ast.ValueSpec)
	return !ok || !r.specs[v]
}

func hasEmbed(c *ast.CommentGroup) bool {
	return c != nil && slices.ContainsFunc(c.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed") })
}

// root is the variable that an assignment changes: x of x.f[i].
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

var han = regexp.MustCompile(`\p{Han}`)

// codes holds the names of faults: the package's own prefix, a Chinese message, defined at package level.
func (r *reviewer) codes(f goFile) {
	if f.test || f.pkg == "fault" {
		return
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			ast.Inspect(n, func(m ast.Node) bool {
				if c, ok := m.(*ast.CallExpr); ok && isDefine(c) {
					r.report("fault", r.at(f, c), "define faults at package level")
				}
				return true
			})
			return false
		case *ast.CallExpr:
			if !isDefine(n) {
				return true
			}
			code, ok := literal(n.Args[1])
			prefix, rest, cut := strings.Cut(code, ".")
			if _, known := foreignCodes[f.pkg+" "+prefix]; !ok || !cut || rest == "" || (prefix != f.pkg && !known) {
				r.report("fault", r.at(f, n), "code %q must be %s.…", code, f.pkg)
			}
			if msg, _ := literal(n.Args[2]); !han.MatchString(msg) {
				r.report("fault", r.at(f, n), "%s: the message is Chinese and says what to do", code)
			}
		}
		return true
	})
}

func isDefine(c *ast.CallExpr) bool {
	s, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "Define" || len(c.Args) != 3 {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "fault"
}

func literal(e ast.Expr) (string, bool) {
	b, ok := e.(*ast.BasicLit)
	if !ok || b.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(b.Value)
	return s, err == nil
}

// transactions: …Tx takes a *db.Tx and opens none; a function that is inside one reads through it.
func (r *reviewer) transactions(f goFile) {
	if f.test || !isSlice(f.pkg) {
		return
	}
	for _, d := range f.ast.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasSuffix(fn.Name.Name, "Tx") || fn.Body == nil {
			continue
		}
		takes := slices.ContainsFunc(fn.Type.Params.List, func(p *ast.Field) bool {
			star, ok := p.Type.(*ast.StarExpr)
			if !ok {
				return false
			}
			s, ok := star.X.(*ast.SelectorExpr)
			return ok && s.Sel.Name == "Tx"
		})
		if !takes {
			r.report("transaction", r.at(f, fn), "%s must take a *db.Tx", fn.Name.Name)
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "InTx" {
				r.report("transaction", r.at(f, n), "%s opens a transaction inside one", fn.Name.Name)
			}
			return true
		})
	}
}

// interfaces stay small.
func (r *reviewer) interfaces(f goFile) {
	if f.test || !isSlice(f.pkg) {
		return
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if i, ok := n.(*ast.InterfaceType); ok && len(i.Methods.List) > 3 {
			r.report("interface", r.at(f, n), "%d methods, at most 3", len(i.Methods.List))
		}
		return true
	})
}

// packageDocs: every package says what it is; a slice says Model, Owns and Invariants in <slice>.go, which does no I/O.
func (r *reviewer) packageDocs() {
	doc, seen := map[string]string{}, map[string]string{}
	for _, f := range r.files {
		if f.test || f.sub || f.pkg == "cmd" || slices.Contains(programs, f.pkg) {
			continue
		}
		seen[f.pkg] = f.path
		if f.ast.Doc != nil && (f.base == f.pkg+".go" || !isSlice(f.pkg)) {
			doc[f.pkg] += f.ast.Doc.Text()
		}
		if isSlice(f.pkg) && f.base == f.pkg+".go" {
			for _, s := range f.ast.Imports {
				if slices.Contains([]string{"os", "net", "net/http", "database/sql", "io/fs"}, importPath(s)) {
					r.report("file role", r.at(f, s), "%s does no I/O", f.base)
				}
			}
		}
	}
	for pkg, file := range seen {
		switch {
		case doc[pkg] == "":
			r.report("package doc", path.Dir(file), "is missing (a slice's stands in %s.go)", pkg)
		case isSlice(pkg):
			for _, word := range []string{"Model", "Owns", "Invariants"} {
				if !strings.Contains(doc[pkg], word) {
					r.report("package doc", path.Dir(file), "does not say %s", word)
				}
			}
		}
	}
}

func TestArchitecture(t *testing.T) {
	for _, f := range review(os.DirFS("..")) {
		t.Error(f)
	}
}
