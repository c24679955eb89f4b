package httpapi

import "strconv"

// ShortPaging is embedded in the input of a list that is short by nature (stores, services, tiers): one page holds
// all of it unless the client asks for less.
type ShortPaging struct {
	After string `query:"after" maxLength:"20" pattern:"^[0-9]*$" doc:"The next of the page before"`
	Limit int    `query:"limit" default:"200" minimum:"1" maximum:"200"`
}

// Cut takes a page out of a short list that is already read and sorted; an After that is not in it starts anew.
func Cut[T any](all []T, p ShortPaging, id func(T) int64) Page[T] {
	start := 0
	for i, v := range all {
		if p.After == strconv.FormatInt(id(v), 10) {
			start = i + 1
		}
	}
	rest := all[start:]
	if p.Limit <= 0 || len(rest) <= p.Limit {
		return Page[T]{Items: rest}
	}
	return Page[T]{Items: rest[:p.Limit], Next: strconv.FormatInt(id(rest[p.Limit-1]), 10)}
}
