package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"time"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/liangche/liangche/internal/fault"
)

// ErrNoRows reports that a Get found nothing.
var ErrNoRows = errors.New("db: no rows")

// ErrAgain, returned by the function of a transaction, has it run again from its beginning. It is for a row that was missing and that somebody else made
// meanwhile: after a duplicate key InnoDB shares the row with everybody who met it until they end, so that whoever goes on and locks it deadlocks with them.
var ErrAgain = errors.New("db: run the transaction again")

// ErrDuplicate reports that a unique key refused an insert or update.
var ErrDuplicate = errors.New("db: duplicate key")

// lockWait is how long a statement waits for a lock. It is shorter than any patience of ours: a server goes on waiting for a client that has
// given up, and keeps meanwhile what the transaction has locked already, such as the other members of a batch.
const lockWait = 10 * time.Second

// session sets what every MySQL connection needs once, instead of per transaction.
type session struct{ driver.Connector }

func (s session) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, q := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
		"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE'",
		fmt.Sprintf("SET SESSION innodb_lock_wait_timeout = %d", lockWait/time.Second),
	} {
		if _, err := c.(driver.ExecerContext).ExecContext(ctx, q, nil); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	return c, nil
}

// wrap names the two outcomes that rules decide on and keeps the driver's error as the cause.
func wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return ErrNoRows
	case duplicate(err):
		return errors.Join(ErrDuplicate, silence(err))
	}
	return silence(err)
}

// rowValue is where a message of MySQL repeats what a row holds: "Duplicate entry '…' for key", "Incorrect string value: '…' for column".
var rowValue = regexp.MustCompile(`(?s)(Duplicate entry |value: )'.*' for `)

// silent is a driver's error without the values of rows: errors are logged, and a value may be somebody's.
type silent struct {
	text  string
	cause error
}

func (s silent) Error() string { return s.text }
func (s silent) Unwrap() error { return s.cause }

func silence(err error) error {
	var my *mysql.MySQLError
	if errors.As(err, &my) && rowValue.MatchString(err.Error()) {
		return silent{rowValue.ReplaceAllString(err.Error(), "$1'…' for "), err}
	}
	return err
}

// classify turns a driver's error into what the edge may show: unavailable, disk full, or itself.
func classify(err error) error {
	err = wrap(err)
	var f *fault.Error
	switch {
	case err == nil, errors.As(err, &f), errors.Is(err, ErrNoRows), errors.Is(err, ErrDuplicate):
		return err
	case readOnly(err):
		return fault.ErrReadOnly.With(err)
	case away(err), retryable(err):
		return fault.ErrUnavailable.With(err)
	}
	return err
}

func duplicate(err error) bool {
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return my.Number == 1062
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// retryable lists the errors after which the whole transaction may simply run again: MySQL lock wait 1205 and deadlock
// 1213, MariaDB snapshot conflict 1020, TiDB pessimistic retry limit 1105, write conflicts 8022, 8028, 9007.
func retryable(err error) bool {
	if err == nil || errors.Is(err, ErrAgain) {
		return err != nil
	}
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return slices.Contains([]uint16{1205, 1213, 1020, 1105, 8022, 8028, 9007}, my.Number)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlite3.SQLITE_BUSY || lite.Code()&0xff == sqlite3.SQLITE_LOCKED
	}
	return false
}

func readOnly(err error) bool {
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return slices.Contains([]uint16{3, 1021, 1036, 1114, 1290, 1836}, my.Number)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		c := lite.Code() & 0xff
		return c == sqlite3.SQLITE_FULL || c == sqlite3.SQLITE_READONLY || c == sqlite3.SQLITE_IOERR || c == sqlite3.SQLITE_CANTOPEN
	}
	return false
}

// away says whether the engine cannot be reached or was lost on the way: the outcome of a commit is then unknown, and
// the idempotency key of the command resolves it when the client asks again.
func away(err error) bool {
	var op *net.OpError
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.EOF) || errors.As(err, &op) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, sql.ErrConnDone) || shuttingDown(err)
}

func shuttingDown(err error) bool {
	var my *mysql.MySQLError
	return errors.As(err, &my) && slices.Contains([]uint16{1040, 1053, 1152, 1158, 1159, 1160, 1161, 1203, 1927, 2006, 2013}, my.Number)
}
