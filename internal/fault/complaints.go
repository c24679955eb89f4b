package fault

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Complaints collects what is wrong with an input, each complaint at its field. The zero value is ready.
type Complaints struct{ fields []Field }

// Bad adds a complaint; an empty one is none.
func (c *Complaints) Bad(field, complaint string) {
	if complaint != "" {
		c.fields = append(c.fields, Field{field, complaint})
	}
}

// Text trims a text and complains when it has not least to most characters, or some that cannot be kept; multiline allows line breaks.
func (c *Complaints) Text(field string, s *string, least, most int, multiline bool) {
	*s = strings.TrimSpace(*s)
	switch n := utf8.RuneCountInString(*s); {
	case n < least:
		c.Bad(field, "必填")
	case n > most:
		c.Bad(field, fmt.Sprintf("最多 %d 个字", most))
	case !utf8.ValidString(*s) || strings.ContainsFunc(*s, func(r rune) bool { return unicode.IsControl(r) && !(multiline && r == '\n') }):
		c.Bad(field, "含有不能保存的字符")
	}
}

// Between complains about a number below least or above most.
func (c *Complaints) Between(field string, v, least, most int64) {
	if v < least || v > most {
		c.Bad(field, fmt.Sprintf("应在 %d 至 %d 之间", least, most))
	}
}

// Err is ErrInvalid with all complaints, nil without any.
func (c *Complaints) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	e := *ErrInvalid
	e.Fields = c.fields
	return &e
}

// First is Err, with the first complaint as its message.
func (c *Complaints) First() error {
	if len(c.fields) == 0 {
		return nil
	}
	e := ErrInvalid.Say("%s", c.fields[0].Message)
	e.Fields = c.fields
	return e
}
