package internal

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	docRef = regexp.MustCompile("`((?:internal|cmd|docs|miniprogram|migrations|[.]ci)/[A-Za-z0-9_./-]+|Makefile|README[.]md|go[.]sum)(?::([A-Za-z0-9_.]+))?`")
	docRow = regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \| (.+) \|$`)
)

// missing says what of a reference of docs/security.md is gone: the file, or what is declared in it. "" is nothing.
func missing(root fs.FS, file, name string) string {
	b, err := fs.ReadFile(root, file)
	if err != nil {
		return "there is no " + file
	}
	if name == "" {
		return ""
	}
	word := regexp.QuoteMeta(name)
	form := `(?m)^func (\([^)]*\) )?` + word + `[\[(]|^\t?(type |var |const )?` + word + `\b.* = |^type ` + word + `\b`
	switch {
	case path.Base(file) == "Makefile":
		form = `(?m)^` + word + `:`
	case !strings.HasSuffix(file, ".go"):
		form = `\b` + word + `\b`
	}
	if !regexp.MustCompile(form).Match(b) {
		return file + " declares no " + name
	}
	return ""
}

// Every line of the checklist names what covers it, all that it names exists, and a line that names nothing says that nothing covers it.
func TestSecurityChecklistIsTrue(t *testing.T) {
	root := os.DirFS("..")
	text, err := fs.ReadFile(root, "docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := 0
	for _, m := range docRef.FindAllStringSubmatch(string(text), -1) {
		if gone := missing(root, m[1], m[2]); gone != "" {
			t.Errorf("docs/security.md: %s", gone)
		}
		if strings.HasPrefix(m[2], "Test") {
			tests++
		}
	}
	points := 0
	for _, m := range docRow.FindAllStringSubmatch(string(text), -1) {
		if m[1] == "point" || strings.HasPrefix(m[1], "--") {
			continue
		}
		points++
		if !docRef.MatchString(m[3]) && !strings.Contains(m[3], "**not covered**") {
			t.Errorf("docs/security.md: %s %s: nothing covers it, and it does not say so", m[1], m[2])
		}
	}
	if points < 100 || tests < 100 {
		t.Errorf("%d points and %d tests were read", points, tests)
	}
	for _, bad := range [][2]string{{"internal/nothing_test.go", ""}, {"internal/security_test.go", "TestNothing"}, {"Makefile", "nothing"}} {
		if missing(root, bad[0], bad[1]) == "" {
			t.Errorf("%v is not found missing", bad)
		}
	}
}

// docs/dependencies.md lists what is used directly, no more and no less, each with a reason and a licence.
func TestDependenciesAreListed(t *testing.T) {
	root := os.DirFS("..")
	read := func(name string) string {
		t.Helper()
		b, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	listed := map[string]map[string]bool{}
	section := ""
	for line := range strings.Lines(read("docs/dependencies.md")) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(title)
			listed[section] = map[string]bool{}
		} else if m := regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]{8,}) \\| ([A-Z][A-Za-z0-9. -]+) \\|\n$").FindStringSubmatch(line); m != nil {
			listed[section][m[1]] = true
		} else if strings.HasPrefix(line, "| `") {
			t.Errorf("docs/dependencies.md: not name, reason, licence: %s", line)
		}
	}
	used := map[string]map[string]bool{"go.mod": {}}
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(read("go.mod"), -1) {
		used["go.mod"][m[1]] = true
	}
	for _, file := range []string{"miniprogram/package.json", "internal/console/web/package.json", "miniprogram/runner/package.json", "miniprogram/e2e/package.json"} {
		var p struct{ Dependencies, DevDependencies map[string]string }
		if err := json.Unmarshal([]byte(read(file)), &p); err != nil {
			t.Fatal(err)
		}
		used[file] = map[string]bool{}
		for _, list := range []map[string]string{p.Dependencies, p.DevDependencies} {
			for name := range list {
				used[file][name] = true
			}
		}
	}
	for file, names := range used {
		for name := range names {
			if !listed[file][name] {
				t.Errorf("docs/dependencies.md, %s: says nothing of %s", file, name)
			}
		}
		for name := range listed[file] {
			if !names[name] {
				t.Errorf("docs/dependencies.md, %s: %s is not used any more", file, name)
			}
		}
	}
}
