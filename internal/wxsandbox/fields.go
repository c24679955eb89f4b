package wxsandbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fieldRule is WeChat's rule for one keyword type of a template.
type fieldRule func(string) bool

var (
	numberForm = regexp.MustCompile(`^-?[0-9]{1,32}(\.[0-9]{1,32})?$`)
	letterForm = regexp.MustCompile(`^[A-Za-z]{1,32}$`)
	amountForm = regexp.MustCompile(`^[¥￥$]?([0-9]+)(\.([0-9]+))?元?$`)
	phoneField = regexp.MustCompile(`^\+?[0-9\-]{1,17}$`)
	clock      = `([01]?[0-9]|2[0-3])[:：][0-5][0-9]([:：][0-5][0-9])?`
	day        = `([0-9]{4}(年(0?[1-9]|1[0-2])月(0?[1-9]|[12][0-9]|3[01])日?|[-/.](0?[1-9]|1[0-2])[-/.](0?[1-9]|[12][0-9]|3[01])))`
	timeForm   = regexp.MustCompile(`^(` + day + `[ T]?)?` + clock + `([~～](` + day + `[ T]?)?` + clock + `)?$`)
	dateForm   = regexp.MustCompile(`^` + day + `([ T]?` + clock + `)?([~～]` + day + `([ T]?` + clock + `)?)?$`)
	kindForm   = regexp.MustCompile(`^([a-z_]+?)_?[0-9]{1,4}$`)
)

var fieldRules = map[string]fieldRule{
	"thing":            func(v string) bool { return length(v, 20) },
	"number":           numberForm.MatchString,
	"letter":           letterForm.MatchString,
	"symbol":           func(v string) bool { return length(v, 5) && !strings.ContainsFunc(v, unicode.IsLetter) },
	"character_string": func(v string) bool { return length(v, 32) && ascii(v) },
	"time":             func(v string) bool { return timeForm.MatchString(v) || dateForm.MatchString(v) },
	"date":             dateForm.MatchString,
	"amount":           amount,
	"phone_number":     phoneField.MatchString,
	"car_number":       func(v string) bool { return length(v, 8) && plate(v) },
	"name":             name,
	"phrase":           func(v string) bool { return length(v, 5) && allHan(v) },
	"const":            func(v string) bool { return length(v, 20) },
}

// fieldKind gives the type of a key such as "thing1", or "".
func fieldKind(key string) string {
	m := kindForm.FindStringSubmatch(key)
	if m == nil || fieldRules[m[1]] == nil {
		return ""
	}
	return m[1]
}

// checkFields returns WeChat's 47003 text for the first wrong field, or "". A template's fields are all required.
func checkFields(t Template, data map[string]string) string {
	for _, f := range t.Fields {
		v, ok := data[f.Key]
		if !ok || v == "" {
			return "argument invalid! data." + f.Key + ".value is empty"
		}
		if !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
			return "argument invalid! data." + f.Key + ".value invalid"
		}
		if !fieldRules[fieldKind(f.Key)](v) {
			return "argument invalid! data." + f.Key + ".value invalid"
		}
	}
	return ""
}

func length(v string, most int) bool { return utf8.RuneCountInString(v) <= most }

func ascii(v string) bool {
	return !strings.ContainsFunc(v, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

func allHan(v string) bool {
	return !strings.ContainsFunc(v, func(r rune) bool { return !unicode.Is(unicode.Han, r) })
}

// amount: a currency sign and up to ten digits; WeChat's text leaves open whether decimals count, so they do here.
func amount(v string) bool {
	m := amountForm.FindStringSubmatch(v)
	return m != nil && len(m[1])+len(m[3]) <= 10
}

// name: up to 10 characters in pure Han, up to 20 of letters and symbols; digits are not a name.
func name(v string) bool {
	if strings.ContainsFunc(v, unicode.IsDigit) {
		return false
	}
	if strings.ContainsFunc(v, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return length(v, 10)
	}
	return length(v, 20)
}

// plate: the first and the last place may be Han, the others are letters and digits.
func plate(v string) bool {
	rs := []rune(v)
	for i, r := range rs {
		edge := i == 0 || i == len(rs)-1
		if !(edge && unicode.Is(unicode.Han, r)) && !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9') {
			return false
		}
	}
	return true
}
