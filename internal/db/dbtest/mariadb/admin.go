package mariadb

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// Run runs statements on a server, past the rules of package db.
func Run(ctx context.Context, dsn string, statements ...string) error {
	d, err := sql.Open("mysql", dsn)
	if err != nil {
		return err
	}
	defer d.Close()
	for _, q := range statements {
		if _, err := d.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return nil
}

// Database is the DSN of a database on the server of another DSN; "" is none.
func Database(dsn, name string) (string, error) {
	return change(dsn, func(c *mysql.Config) { c.DBName = name })
}

// Session is a DSN whose sessions begin with a variable set.
func Session(dsn, variable, value string) (string, error) {
	return change(dsn, func(c *mysql.Config) {
		if c.Params == nil {
			c.Params = map[string]string{}
		}
		c.Params[variable] = value
	})
}

func change(dsn string, do func(*mysql.Config)) (string, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "", err
	}
	do(c)
	return c.FormatDSN(), nil
}
