package notify

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/liangche/liangche/internal/bizday"
)

var (
	keyForm    = regexp.MustCompile(`^([a-z_]+?)_?[0-9]{1,4}$`)
	amountForm = regexp.MustCompile(`^[0-9]{1,8}(\.[0-9]{1,2})?$`)
	numberForm = regexp.MustCompile(`^-?[0-9]{1,32}(\.[0-9]{1,32})?$`)
)

// fill builds the data of a template. Every field that WeChat knows gets a value that WeChat accepts: one missing or
// over-long value would make the whole message fail (N25).
func fill(fields map[string]string, data map[string]string, zone string) map[string]string {
	out := make(map[string]string, len(fields))
	for key, from := range fields {
		v, fixed := strings.CutPrefix(from, "=")
		if !fixed {
			v = data[from]
		}
		out[key] = fit(key, v, zone)
	}
	return out
}

// fit makes v acceptable for a field such as "thing1".
func fit(key, v, zone string) string {
	kind := key
	if m := keyForm.FindStringSubmatch(key); m != nil {
		kind = m[1]
	}
	v = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, v))
	switch kind {
	case "thing", "const":
		return orElse(cut(v, 20), "-")
	case "character_string":
		return orElse(cut(keep(v, func(r rune) bool { return r >= 0x20 && r <= 0x7e }), 32), "-")
	case "letter":
		return orElse(cut(keep(v, func(r rune) bool { return r < 0x80 && unicode.IsLetter(r) }), 32), "A")
	case "symbol":
		return orElse(cut(keep(v, func(r rune) bool { return !unicode.IsLetter(r) }), 5), "-")
	case "phrase":
		return orElse(cut(keep(v, func(r rune) bool { return unicode.Is(unicode.Han, r) }), 5), "无")
	case "name":
		return orElse(cut(keep(v, func(r rune) bool { return !unicode.IsDigit(r) }), 10), "车主")
	case "number":
		return orElse(match(numberForm, strings.ReplaceAll(v, ",", "")), "0")
	case "amount":
		return "¥" + orElse(match(amountForm, strings.NewReplacer("¥", "", "￥", "", ",", "", "元", "", "-", "", "+", "").Replace(v)), "0")
	case "car_number":
		return orElse(cut(plate(v), 8), "-")
	case "phone_number":
		return orElse(cut(keep(v, func(r rune) bool { return r >= '0' && r <= '9' || r == '-' || r == '+' }), 17), "0")
	case "time", "date":
		return instant(v, kind, zone)
	}
	return orElse(cut(v, 20), "-")
}

func orElse(v, fallback string) string {
	if v == "" {
		return fallback
	}
	return v
}

func match(form *regexp.Regexp, v string) string {
	if form.MatchString(v) {
		return v
	}
	return ""
}

// cut shortens v to n characters; an ellipsis shows that something is missing where there is room for one.
func cut(v string, n int) string {
	r := []rune(v)
	if len(r) <= n {
		return v
	}
	if n >= 10 && unicode.Is(unicode.Han, r[0]) {
		return string(r[:n-1]) + "…"
	}
	return string(r[:n])
}

func keep(v string, ok func(rune) bool) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if ok(r) {
			return r
		}
		return -1
	}, v))
}

// plate keeps what a plate may hold: Han characters at the ends, letters and digits between.
func plate(v string) string {
	r := []rune(strings.ToUpper(v))
	r = []rune(keep(string(r), func(c rune) bool {
		return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || unicode.Is(unicode.Han, c)
	}))
	var b strings.Builder
	for i, c := range r {
		if !unicode.Is(unicode.Han, c) || i == 0 || i == len(r)-1 {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// instant writes an RFC 3339 instant in the zone; anything else WeChat would refuse, so it becomes the epoch's date.
func instant(v, kind, zone string) string {
	layout := "2006-01-02 15:04"
	if kind == "date" {
		layout = time.DateOnly
	}
	for _, in := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(in, v, bizday.Location(zone)); err == nil {
			return t.In(bizday.Location(zone)).Format(layout)
		}
	}
	return "1970-01-01"
}
