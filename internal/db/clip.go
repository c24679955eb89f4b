package db

import "unicode/utf8"

// Clip cuts a text to n characters, what a VARCHAR(n) takes: a long name or reason must not make a command fail.
func Clip(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
