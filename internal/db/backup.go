package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
)

// backupPages is how many pages of 4 KB are copied between two looks at the context.
const backupPages = 2000

var errNoBackup = errors.New("db: only SQLite is backed up by this program")

// BackupTo copies the database as the Snapshot sees it into a new SQLite file, page by page, while others read and write. say is told how much
// of it is done. Faults: a plain error on other engines; what the file system says.
func (s *Snapshot) BackupTo(ctx context.Context, file string, say func(done, of int)) error {
	if s.db.dialect != SQLite {
		return errNoBackup
	}
	var err error
	raw := s.con.Raw(func(c any) error {
		var b *sqlite.Backup
		from, ok := c.(*liteConn).liteDriver.(interface {
			NewBackup(uri string) (*sqlite.Backup, error)
		})
		if !ok {
			err = errNoBackup
			return nil
		}
		if b, err = from.NewBackup("file:" + file); err != nil {
			return nil
		}
		// The open transaction keeps the moment: what others commit meanwhile is not seen, so that the copy does not begin anew.
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = b.Step(backupPages)
				say(b.PageCount()-b.Remaining(), b.PageCount())
			}
		}
		err = errors.Join(err, b.Finish())
		return nil
	})
	return errors.Join(err, raw)
}

// Check lets SQLite look at every page and reference of the database, and says what it found.
func (s *Snapshot) Check(ctx context.Context) (problems []string, err error) {
	if s.db.dialect != SQLite {
		return nil, nil
	}
	if err := s.tx.SelectContext(ctx, &problems, `PRAGMA integrity_check(20)`); err != nil {
		return nil, err
	}
	if len(problems) == 1 && problems[0] == "ok" {
		problems = nil
	}
	var dangling []string
	if err := s.tx.SelectContext(ctx, &dangling, `SELECT "table" FROM pragma_foreign_key_check LIMIT 20`); err != nil {
		return nil, err
	}
	for _, t := range dangling {
		problems = append(problems, "a row of "+t+" refers to one that is not there")
	}
	return problems, nil
}

// DumpLines are the commands that back up the database of a DSN by the server's own tools and bring it back; without the password, which
// they ask for.
func DumpLines(dsn string) (backup, restore string, err error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "", "", err
	}
	at := "--socket=" + c.Addr
	if c.Net != "unix" {
		host, port, err := net.SplitHostPort(c.Addr)
		if err != nil {
			host, port = c.Addr, "3306"
		}
		at = fmt.Sprintf("--host=%s --port=%s", cmp.Or(host, "127.0.0.1"), port)
	}
	who := fmt.Sprintf("%s --user=%s --password", at, c.User)
	backup = fmt.Sprintf("mariadb-dump %s --single-transaction --quick --hex-blob --no-tablespaces --default-character-set=utf8mb4 --result-file=%s.sql %s", who, c.DBName, c.DBName)
	return backup, fmt.Sprintf("mariadb %s --default-character-set=utf8mb4 %s < %s.sql", who, c.DBName, c.DBName), nil
}
