package internal

import (
	"fmt"
	"go/ast"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	// A text that looks like SQL: keywords in capitals, in an order that prose does not have.
	sqlText = regexp.MustCompile(`\b(SELECT\b.*\bFROM\b|INSERT INTO\b|UPDATE [a-z_]+ SET\b|DELETE FROM\b|ORDER BY\b|GROUP BY\b|WHERE [a-z_.]+ ?(=|<|>|IN\b|IS\b|LIKE\b)|(LEFT |INNER )?JOIN [a-z_]+ |LIMIT \?)`)
	// The start of a statement, or of a piece of one.
	tableRead  = regexp.MustCompile(`\b(?:FROM|JOIN) ([a-z][a-z_]*)`)
	tableWrite = regexp.MustCompile(`\b(?:INSERT INTO|DELETE FROM|UPDATE) ([a-z][a-z_]*)(?: SET\b| \(|\b)`)
	foreignKey = regexp.MustCompile(`\bREFERENCES ([a-z_]+)`)

	// What not every engine understands, or what belongs in Go.
	badSQL = []struct {
		form *regexp.Regexp
		why  string
	}{
		{regexp.MustCompile(`\bRETURNING\b`), "not on MySQL and TiDB"},
		{regexp.MustCompile(`\bREPLACE INTO\b|\bINSERT IGNORE\b|\bINSERT OR\b`), "INSERT, and on a duplicate UPDATE"},
		{regexp.MustCompile(`\bON (DUPLICATE KEY|CONFLICT)\b`), "differs by engine: db.Upsert"},
		{regexp.MustCompile(`\bSKIP LOCKED\b|\bNOWAIT\b|\bLOCK IN SHARE MODE\b`), "claim by a guarded UPDATE"},
		{regexp.MustCompile(`\bFOR UPDATE\b`), "use tx.ForUpdate()"},
		{regexp.MustCompile(`\b(NOW|CURDATE|UNIX_TIMESTAMP|STRFTIME|DATETIME)\(|\bCURRENT_(TIMESTAMP|DATE|TIME)\b`), "the time comes from the clock"},
		{regexp.MustCompile(`\b(GREATEST|LEAST|CONCAT|GROUP_CONCAT|JSON_[A-Z]+|IF|IFNULL|STRING_AGG)\(|\|\|`), "compute it in Go"},
		{regexp.MustCompile(`\b(UPDATE|DELETE)\b[^;]*\bLIMIT\b`), "ids first: no UPDATE or DELETE with LIMIT"},
		{regexp.MustCompile(`\b(ENGINE|AUTO_INCREMENT|AUTOINCREMENT|UNSIGNED)\b|\bCHARACTER SET\b|\bCOLLATE\b`), "not the same on every engine"},
	}
	// What no migration holds.
	badDDL   = regexp.MustCompile(`(?i)\b(ENGINE|AUTO_INCREMENT|AUTOINCREMENT|UNSIGNED|RETURNING|MODIFY|REPLACE|CHARSET|COLLATE|COMMENT|TRIGGER|PROCEDURE|VIEW|GENERATED|ENUM|DECIMAL|NUMERIC|FLOAT|DOUBLE|REAL|DATETIME|TIMESTAMP|JSON|BLOB|INTEGER|WITHOUT ROWID|STRICT|PRAGMA|IF NOT EXISTS|INSERT|UPDATE|DELETE)\b`)
	goodType = regexp.MustCompile(`^(BIGINT|INT|SMALLINT|BOOLEAN|VARCHAR\([0-9]+\)|CHAR\([0-9]+\)|TEXT|VARBINARY\([0-9]+\))$`)
	awkward  = strings.Fields("rank key order lead lag group groups system window row rows row_number recursive function index condition interval " +
		"usage match read write signal release cube lateral except of over empty limit table column values desc asc by to from user")
	migrationName = regexp.MustCompile(`^([0-9]{5})_([a-z0-9_]+)\.sql$`)
)

// strings holds what the texts of a file may be: SQL in store files only, portable, on the slice's own tables.
func (r *reviewer) strings(f goFile) {
	if f.test || f.pkg == "cmd" || slices.Contains(programs, f.pkg) || f.pkg == "wxsandbox" {
		return
	}
	store := ((isSlice(f.pkg) || f.pkg == "app") && strings.HasPrefix(f.base, "store")) || slices.Contains(sqlKit, f.pkg)
	ast.Inspect(f.ast, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok {
			return true
		}
		text, ok := literal(lit)
		if !ok {
			return true
		}
		text = strings.Join(strings.Fields(text), " ")
		if !store {
			if sqlText.MatchString(text) {
				r.report("file role", r.at(f, n), "SQL belongs in store*.go")
			}
			return true
		}
		for _, bad := range badSQL {
			if m := bad.form.FindString(text); m != "" && f.pkg != "db" {
				r.report("sql", r.at(f, n), "%s: %s", m, bad.why)
			}
		}
		for _, m := range tableWrite.FindAllStringSubmatch(text, -1) {
			if !ownTable(f.pkg, m[1]) {
				r.report("table", r.at(f, n), "%s may not write %s", f.pkg, m[1])
			}
		}
		for _, m := range tableRead.FindAllStringSubmatch(text, -1) {
			if tiers[f.pkg] < readTier && !ownTable(f.pkg, m[1]) {
				r.report("table", r.at(f, n), "%s may not read %s", f.pkg, m[1])
			}
		}
		return true
	})
}

func ownTable(pkg, table string) bool {
	return strings.HasPrefix(table, pkg+"_") || pkg == "db"
}

// migrations holds one portable DDL statement a file, on tables that carry their package's prefix.
func (r *reviewer) migrations() {
	entries, err := fs.ReadDir(r.root, "migrations")
	if err != nil {
		return
	}
	numbers := map[string]string{}
	for _, e := range entries {
		p := "migrations/" + e.Name()
		if path.Ext(p) != ".sql" {
			continue
		}
		m := migrationName.FindStringSubmatch(e.Name())
		if m == nil {
			r.report("migration", p, "the name must be NNNNN_<table or index>.sql")
			continue
		}
		if numbers[m[1]] != "" {
			r.report("migration", p, "has the number of %s", numbers[m[1]])
		}
		numbers[m[1]] = e.Name()
		b, err := fs.ReadFile(r.root, p)
		if err != nil {
			r.report("migration", p, "%v", err)
			continue
		}
		for _, problem := range ddl(string(b)) {
			r.report("migration", p, "%s", problem)
		}
	}
}

var (
	createTable = regexp.MustCompile(`^CREATE TABLE ([a-z_0-9]+) \((.*)\)$`)
	createIndex = regexp.MustCompile(`^CREATE (?:UNIQUE )?INDEX ([a-z_0-9]+) ON ([a-z_0-9]+) \([a-z_0-9, ]+\)$`)
	alterTable  = regexp.MustCompile(`^ALTER TABLE ([a-z_0-9]+) (?:ADD COLUMN (.+)|DROP COLUMN [a-z_0-9]+|RENAME COLUMN [a-z_0-9]+ TO [a-z_0-9]+)$`)
	dropThing   = regexp.MustCompile(`^DROP TABLE ([a-z_0-9]+)$`)
)

// ddl says what is wrong with the text of one migration.
func ddl(text string) (problems []string) {
	head, body, ok := strings.Cut(text, "-- +goose Up\n")
	if !ok || strings.TrimSpace(head) != "" || strings.Contains(body, "+goose") {
		return []string{"must begin with -- +goose Up and hold no other direction"}
	}
	var lines []string
	for l := range strings.Lines(body) {
		l, _, _ = strings.Cut(l, "--")
		lines = append(lines, l)
	}
	statement := strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
	statement = strings.ReplaceAll(strings.ReplaceAll(statement, "( ", "("), " )", ")")
	sql, rest, _ := strings.Cut(statement, ";")
	if sql == "" || strings.TrimSpace(rest) != "" {
		problems = append(problems, "must hold exactly one statement that ends with ;")
	}
	if m := badDDL.FindString(sql); m != "" {
		problems = append(problems, m+" is not portable, or no DDL")
	}
	table := ""
	if m := createTable.FindStringSubmatch(sql); m != nil {
		table = m[1]
		for _, c := range split(m[2]) {
			problems = append(problems, column(c)...)
		}
	} else if m := createIndex.FindStringSubmatch(sql); m != nil {
		if table = m[2]; !strings.HasPrefix(m[1], prefixOf(table)) {
			problems = append(problems, "index "+m[1]+" does not carry the prefix of its table")
		}
	} else if m := alterTable.FindStringSubmatch(sql); m != nil {
		if table = m[1]; m[2] != "" {
			for i, c := range split(m[2]) {
				if i > 0 {
					problems = append(problems, "adds more than one column")
				}
				problems = append(problems, column(c)...)
			}
		}
	} else if m := dropThing.FindStringSubmatch(sql); m != nil {
		table = m[1]
	} else {
		return append(problems, "must be CREATE TABLE, CREATE INDEX, ALTER TABLE with one column, or DROP TABLE, in the plain form")
	}
	owner := strings.TrimSuffix(prefixOf(table), "_")
	if tier, ok := tiers[owner]; !ok || tier >= readTier {
		problems = append(problems, fmt.Sprintf("table %s carries the prefix of no package that writes", table))
	}
	for _, m := range foreignKey.FindAllStringSubmatch(sql, -1) {
		if !strings.HasPrefix(m[1], prefixOf(table)) {
			problems = append(problems, "foreign key to "+m[1]+" leaves the slice")
		}
	}
	return problems
}

func prefixOf(table string) string {
	p, _, _ := strings.Cut(table, "_")
	return p + "_"
}

// split cuts at commas outside parentheses.
func split(s string) (out []string) {
	depth, from := 0, 0
	for i, c := range s {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			out, from = append(out, strings.TrimSpace(s[from:i])), i+1
		}
	}
	return append(out, strings.TrimSpace(s[from:]))
}

// column says what is wrong with one column or constraint.
func column(c string) (problems []string) {
	words := strings.Fields(c)
	if len(words) < 2 {
		return []string{fmt.Sprintf("%q is no column", c)}
	}
	switch words[0] {
	case "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "CONSTRAINT":
		return nil
	case "INDEX", "KEY":
		return []string{"an index is its own CREATE INDEX"}
	}
	if slices.Contains(awkward, strings.ToLower(words[0])) {
		problems = append(problems, "column "+words[0]+" is a reserved word somewhere")
	}
	if !goodType.MatchString(words[1]) {
		problems = append(problems, fmt.Sprintf("column %s: type %s is not one that every engine shares", words[0], words[1]))
	}
	if words[1] == "TEXT" && strings.Contains(c, "DEFAULT") {
		problems = append(problems, "column "+words[0]+": TEXT has no default on MySQL")
	}
	return problems
}
