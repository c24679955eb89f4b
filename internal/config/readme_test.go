package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// The tables of both READMEs name exactly the keys that exist.
func TestReadmesNameEveryKey(t *testing.T) {
	c := Default()
	for _, name := range []string{"../../README.md", "../../README.zh-CN.md"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rows := map[string]bool{}
		for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\|").FindAllStringSubmatch(string(b), -1) {
			rows[m[1]] = true
		}
		for _, f := range fields(&c) {
			key := f.key
			if f.value.Kind() == reflect.Map {
				key += ".deduction"
				for _, e := range events[1:] {
					delete(rows, f.key+"."+e)
				}
			}
			if !rows[key] {
				t.Errorf("%s: no row for %s", filepath.Base(name), key)
			}
			delete(rows, key)
		}
		for key := range rows {
			if strings.Contains(key, ".") && regexp.MustCompile(`^(database|storage|secret|wechat|sms)\.`).MatchString(key) {
				t.Errorf("%s: there is no key %s", filepath.Base(name), key)
			}
		}
	}
}
