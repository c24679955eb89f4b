package db

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// MySQL repeats the value of a row in some of its errors; errors are logged.
func TestErrorsHoldNoValues(t *testing.T) {
	for text, want := range map[string]string{
		"Duplicate entry 'mini_program-oSecret1' for key 'staff_identities.app'":  "Duplicate entry '…' for key 'staff_identities.app'",
		"Duplicate entry 'it's O'Hara for you' for key 'x.y'":                     "Duplicate entry '…' for key 'x.y'",
		"Incorrect string value: '\\xF0\\x9F' for column `x`.`y`.`name` at row 1": "Incorrect string value: '…' for column `x`.`y`.`name` at row 1",
		"Incorrect integer value: '13800138000' for column 'n' at row 1":          "Incorrect integer value: '…' for column 'n' at row 1",
		"Data too long for column 'name' at row 1":                                "Data too long for column 'name' at row 1",
		"Duplicate entry '王小明\n13800138000' for key 'k'":                          "Duplicate entry '…' for key 'k'",
	} {
		cause := &mysql.MySQLError{Number: 1366, Message: text}
		if strings.HasPrefix(text, "Duplicate") {
			cause.Number = 1062
		}
		err := wrap(fmt.Errorf("insert: %w", cause))
		var my *mysql.MySQLError
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Secret") || strings.Contains(err.Error(), "13800138000") || !errors.As(err, &my) {
			t.Errorf("%s\nis %v", text, err)
		}
		if errors.Is(err, ErrDuplicate) != (cause.Number == 1062) {
			t.Errorf("%s: duplicate %v", text, errors.Is(err, ErrDuplicate))
		}
	}
}
