package memberview

import (
	"strconv"
	"strings"
)

// cursor is the place after which the next page begins: a sort value and the id that breaks ties.
type cursor struct{ value, id int64 }

func (c cursor) String() string {
	return strconv.FormatInt(c.value, 10) + "." + strconv.FormatInt(c.id, 10)
}

// parseCursor reads what String wrote; "" is the beginning. Fault: ErrCursor.
func parseCursor(s string) (c cursor, ok bool, err error) {
	if s == "" {
		return c, false, nil
	}
	v, id, found := strings.Cut(s, ".")
	c.value, err = strconv.ParseInt(v, 10, 64)
	if err == nil && found {
		c.id, err = strconv.ParseInt(id, 10, 64)
	}
	if err != nil || !found {
		return cursor{}, false, ErrCursor
	}
	return c, true, nil
}

// parseID reads a cursor that is an id alone; 0 is the beginning. Fault: ErrCursor.
func parseID(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 {
		return 0, ErrCursor
	}
	return id, nil
}

// cutPage keeps limit of rows that were read one too many, and makes the cursor of the next page.
func cutPage[T any](rows []T, limit int, next func(T) string) ([]T, string) {
	if len(rows) <= limit {
		return rows, ""
	}
	return rows[:limit], next(rows[limit-1])
}
