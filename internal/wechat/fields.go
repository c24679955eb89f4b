package wechat

import (
	"strings"
	"unicode"
)

// TrimField makes a value fit the type of its template field, which the key names ("thing1" is a thing): an over-long or
// wrongly made value would make WeChat refuse the whole message with 47003 (N25). Types: thing and const ≤ 20 characters,
// name ≤ 10 with Han or ≤ 20 without, phrase ≤ 5 Han, character_string ≤ 32 ASCII, letter ≤ 32, number ≤ 32 digits,
// symbol ≤ 5, car_number ≤ 8, phone_number ≤ 17, amount a sign and 10 digits. time and date pass unchanged. An empty
// value becomes a placeholder, because every field is required.
func TrimField(key, value string) string {
	v := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(value, "")))
	switch kind := strings.TrimRight(key, "0123456789"); strings.TrimSuffix(kind, "_") {
	case "thing", "const":
		return or(cut(v, 20), "无")
	case "name":
		v = keep(v, func(r rune) bool { return !unicode.IsDigit(r) })
		if strings.ContainsFunc(v, han) {
			return or(cut(v, 10), "无")
		}
		return or(cut(v, 20), "无")
	case "phrase":
		return or(first(keep(v, han), 5), "无")
	case "character_string":
		return or(first(strings.TrimSpace(keep(v, func(r rune) bool { return r >= 0x20 && r <= 0x7e })), 32), "-")
	case "letter":
		return or(first(keep(v, func(r rune) bool { return r < 0x80 && unicode.IsLetter(r) }), 32), "N")
	case "number":
		return or(first(keep(v, func(r rune) bool { return r >= '0' && r <= '9' || r == '.' || r == '-' }), 32), "0")
	case "symbol":
		return or(first(keep(v, func(r rune) bool { return !unicode.IsLetter(r) }), 5), "-")
	case "car_number":
		return or(plate(v), "无")
	case "phone_number":
		return or(first(keep(v, func(r rune) bool { return r >= '0' && r <= '9' || r == '-' || r == '+' }), 17), "0")
	case "amount":
		return amount(v)
	}
	return or(v, "-")
}

func or(v, fallback string) string {
	if v == "" {
		return fallback
	}
	return v
}

func han(r rune) bool { return unicode.Is(unicode.Han, r) }

func keep(v string, ok func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if ok(r) {
			return r
		}
		return -1
	}, v)
}

func first(v string, n int) string {
	if rs := []rune(v); len(rs) > n {
		return string(rs[:n])
	}
	return v
}

// cut shortens visibly.
func cut(v string, n int) string {
	if rs := []rune(v); len(rs) > n {
		return string(rs[:n-1]) + "…"
	}
	return v
}

// plate keeps letters and digits, and Han only as the first and the last character.
func plate(v string) string {
	rs := []rune(keep(v, func(r rune) bool {
		return han(r) || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
	}))
	out := rs[:0:0]
	for i, r := range rs {
		if !han(r) || i == 0 || i == len(rs)-1 {
			out = append(out, r)
		}
	}
	return first(string(out), 8)
}

// amount keeps one leading sign of currency, ten digits and the decimal point: "¥1,234.50" becomes "¥1234.50". A
// negative amount loses its minus, which WeChat refuses: the text beside it says the direction.
func amount(v string) string {
	sign := ""
	for _, s := range []string{"¥", "￥", "$"} {
		if strings.Contains(v, s) {
			sign = s
			break
		}
	}
	digits := keep(v, func(r rune) bool { return r >= '0' && r <= '9' || r == '.' })
	whole, frac, point := strings.Cut(digits, ".")
	frac = first(strings.ReplaceAll(frac, ".", ""), 2)
	whole = or(first(whole, 10-len(frac)), "0")
	if !point || frac == "" {
		return sign + whole
	}
	return sign + whole + "." + frac
}
