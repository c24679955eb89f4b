package config

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

const envPrefix = "LIANGCHE_"

// Not ours although they begin like ours: what tests and front-end builds use, the path of the file, and what Kubernetes sets for
// a service that is called liangche.
var foreignEnv = regexp.MustCompile(`^LIANGCHE_(TEST_.*|CONFIG|BACKEND|API|BIN|UPDATE|PORT|PORT_.*|SERVICE_HOST|SERVICE_PORT.*)$`)

// field is one key of the configuration.
type field struct {
	key     string
	value   reflect.Value // settable
	secret  bool
	hasFile bool // <key>_file exists
}

// fields lists the keys of c in the order of the struct; a map counts as one field.
func fields(c *Config) []field { return walk("", reflect.ValueOf(c).Elem()) }

func walk(prefix string, v reflect.Value) []field {
	var out []field
	for i := range v.NumField() {
		t := v.Type().Field(i)
		key := prefix + t.Tag.Get("koanf")
		if t.Type.Kind() == reflect.Struct {
			out = append(out, walk(key+".", v.Field(i))...)
			continue
		}
		secret := t.Tag.Get("secret") == "true"
		out = append(out, field{key: key, value: v.Field(i), secret: secret, hasFile: secret || t.Tag.Get("file") == "true"})
	}
	return out
}

// origin is where a value was written: what a person must edit.
type origin struct {
	value any
	name  string // key in the file, or name of the environment variable
	env   bool
}

// Load reads the file at path ("" is none) and overlays environ ("NAME=value"). Fault: *Error with everything that is
// unknown, wrong, missing or senseless; a plain error when the file cannot be read or is no YAML.
func Load(path string, environ []string) (Config, error) {
	c := Default()
	given, err := gather(path, environ)
	if err != nil {
		return c, err
	}
	problems := assign(&c, given, filepath.Dir(path))
	named := map[string]bool{}
	for _, p := range problems {
		named[p.Key] = true
	}
	for _, p := range c.Check() { // a key that is wrong already is not named twice
		if !named[p.Key] && !named[p.Key+"_file"] && !named[EnvName(p.Key)] && !named[EnvName(p.Key+"_file")] {
			problems = append(problems, p)
		}
	}
	if len(problems) == 0 {
		return c, nil
	}
	order := map[string]int{}
	for i, f := range fields(&c) {
		order[f.key], order[EnvName(f.key)] = i+1, i+1
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Compare(rankOf(order, a.Key), rankOf(order, b.Key))
	})
	return c, &Error{Problems: problems}
}

func rankOf(order map[string]int, key string) int {
	key = strings.TrimSuffix(strings.TrimSuffix(key, "_file"), "_FILE")
	for key != "" {
		if n := order[key]; n > 0 {
			return n
		}
		cut := max(strings.LastIndex(key, "."), strings.LastIndex(key, "__"))
		if cut < 0 {
			break
		}
		key = key[:cut]
	}
	return len(order) + 1 // unknown keys last
}

// EnvName is the environment variable of a key.
func EnvName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
}

// gather collects what was written, by key; the environment wins over the file, also across key and key_file.
func gather(path string, environ []string) (map[string]origin, error) {
	given := map[string]origin{}
	if path != "" {
		k := koanf.New(".")
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return nil, fmt.Errorf("config: %s: %w", path, err)
		}
		for key, v := range k.All() {
			if v != nil { // `key:` without a value says nothing
				given[key] = origin{value: v, name: key}
			}
		}
	}
	names := map[string]string{} // key → variable
	k := koanf.New("|")          // the delimiter that cannot occur: keys stay flat
	err := k.Load(env.Provider("|", env.Opt{
		Prefix:      envPrefix,
		EnvironFunc: func() []string { return slices.DeleteFunc(slices.Clone(environ), malformed) },
		TransformFunc: func(name, v string) (string, any) {
			if foreignEnv.MatchString(name) {
				return "", nil
			}
			key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, envPrefix), "__", "."))
			names[key] = name
			return strings.ReplaceAll(key, "|", "_"), v
		},
	}), nil)
	if err != nil {
		return nil, fmt.Errorf("config: environment: %w", err)
	}
	for key, v := range k.All() {
		plain := strings.TrimSuffix(key, "_file")
		for _, twin := range []string{plain, plain + "_file"} {
			if o, ok := given[twin]; ok && !o.env {
				delete(given, twin)
			}
		}
		given[key] = origin{value: v, name: cmp.Or(names[key], EnvName(key)), env: true}
	}
	return given, nil
}

func malformed(entry string) bool { return strings.IndexByte(entry, '=') < 1 }

// assign moves what was given into c and says what does not fit. Relative paths of files start at dir when they stand in
// the file, and at the working directory when they stand in the environment.
func assign(c *Config, given map[string]origin, dir string) []Problem {
	var problems []Problem
	bad := func(o origin, format string, args ...any) {
		problems = append(problems, Problem{o.name, fmt.Sprintf(format, args...)})
	}
	for _, f := range fields(c) {
		if f.value.Kind() == reflect.Map {
			for _, event := range events {
				take(given, f.key+"."+event, func(o origin) {
					if s, ok := o.value.(string); !ok {
						bad(o, "must be text; put it in quotes")
					} else if s != "" {
						f.value.SetMapIndex(reflect.ValueOf(event), reflect.ValueOf(s))
					}
				})
			}
			if o, ok := given[f.key]; ok && isEmptyGroup(o.value) {
				delete(given, f.key)
			}
			continue
		}
		o, plain := given[f.key]
		take(given, f.key, func(o origin) {
			if msg := set(f.value, o); msg != "" {
				bad(o, "%s", msg)
			}
		})
		if !f.hasFile {
			continue
		}
		take(given, f.key+"_file", func(fo origin) {
			switch name, ok := fo.value.(string); {
			case !ok:
				bad(fo, "must be the path of a file, as text")
			case name == "":
			case plain && o.value != "":
				bad(fo, "write either this or %s, not both", o.name)
			default:
				if !fo.env && !filepath.IsAbs(name) {
					name = filepath.Join(dir, name)
				}
				text, err := readSecret(name)
				if err != nil {
					bad(fo, "%v; write the path of a file that the program may read", err)
					return
				}
				f.value.SetString(text)
			}
		})
	}
	return append(problems, unknown(c, given)...)
}

func take(given map[string]origin, key string, use func(origin)) {
	if o, ok := given[key]; ok {
		delete(given, key)
		use(o)
	}
}

// set writes a value of the file (typed by YAML) or of the environment (always text). It returns what is wrong.
func set(v reflect.Value, o origin) string {
	text, isText := o.value.(string)
	switch v.Kind() {
	case reflect.String:
		if !isText {
			return "must be text; put it in quotes"
		}
		v.SetString(text)
	case reflect.Bool:
		b, ok := o.value.(bool)
		if o.env {
			var err error
			b, err = strconv.ParseBool(text)
			ok = err == nil
		}
		if !ok {
			return "must be true or false"
		}
		v.SetBool(b)
	case reflect.Int:
		n, ok := o.value.(int)
		if o.env {
			var err error
			n, err = strconv.Atoi(text)
			ok = err == nil
		}
		if !ok {
			return "must be a whole number"
		}
		v.SetInt(int64(n))
	}
	return ""
}

const maxSecret = 64 << 10

func readSecret(name string) (string, error) {
	st, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if !st.Mode().IsRegular() || st.Size() > maxSecret {
		return "", fmt.Errorf("%s is no file of at most %d bytes", name, maxSecret)
	}
	b, err := os.ReadFile(name)
	return strings.TrimRight(string(b), "\r\n"), err
}

// unknown says what is left over once every known key was taken.
func unknown(c *Config, given map[string]origin) []Problem {
	var known []string
	groups := map[string]bool{}
	for _, f := range fields(c) {
		known = append(known, f.key)
		if f.hasFile {
			known = append(known, f.key+"_file")
		}
		for k := f.key; strings.Contains(k, "."); {
			k = k[:strings.LastIndex(k, ".")]
			groups[k] = true
		}
		if f.value.Kind() == reflect.Map {
			groups[f.key] = true
			for _, e := range events {
				known = append(known, f.key+"."+e)
			}
		}
	}
	var problems []Problem
	for key, o := range given {
		switch {
		case groups[key] && isEmptyGroup(o.value):
		case groups[key]:
			problems = append(problems, Problem{o.name, "is a group of keys, not a value: see config.example.yaml"})
		default:
			msg := "is no known key; see config.example.yaml"
			if near := nearest(key, known); near != "" {
				if o.env {
					near = EnvName(near)
				}
				msg = "is no known key; did you mean " + near + "?"
			}
			problems = append(problems, Problem{o.name, msg})
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
	return problems
}

func isEmptyGroup(v any) bool {
	m, ok := v.(map[string]any)
	return ok && len(m) == 0
}

// nearest is the known key that differs from key in at most three letters, or "".
func nearest(key string, known []string) string {
	best, at := "", 4
	if len(key) > 80 {
		return ""
	}
	for _, k := range known {
		if d := distance(key, k); d < at && d < len(k) {
			best, at = k, d
		}
	}
	return best
}

func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d++
			}
			diagonal = row[j+1]
			row[j+1] = min(d, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
