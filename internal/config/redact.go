package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Redacted is the configuration that is in force, as YAML, with *** for every secret that is set.
func (c Config) Redacted() string {
	var b strings.Builder
	var open []string // the groups that the last line stood in
	for _, f := range fields(&c) {
		path := strings.Split(f.key, ".")
		groups := path[:len(path)-1]
		for i, g := range groups {
			if i >= len(open) || open[i] != g {
				fmt.Fprintf(&b, "%s%s:\n", indent(i), g)
				open = nil
			}
		}
		open = groups
		fmt.Fprintf(&b, "%s%s: %s\n", indent(len(groups)), path[len(path)-1], f.text(len(groups)))
	}
	return strings.ReplaceAll(b.String(), ": \n", ":\n")
}

func indent(n int) string { return strings.Repeat("  ", n) }

func (f field) text(depth int) string {
	switch {
	case f.value.Kind() == reflect.Map:
		var b strings.Builder
		for _, event := range events {
			if v := f.value.MapIndex(reflect.ValueOf(event)); v.IsValid() {
				fmt.Fprintf(&b, "\n%s%s: %s", indent(depth+1), event, strconv.Quote(v.String()))
			}
		}
		if b.Len() == 0 {
			return "{}"
		}
		return b.String()
	case f.value.Kind() != reflect.String:
		return fmt.Sprint(f.value.Interface())
	case f.secret && f.value.String() != "":
		return `"***"`
	default:
		return strconv.Quote(f.value.String())
	}
}
