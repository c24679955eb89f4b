// Command withmariadb starts a throw-away MariaDB in a temporary folder, runs a command with LIANGCHE_TEST_DB=mysql and
// LIANGCHE_TEST_MYSQL_DSN set, then ends the server by its process id and deletes the folder.
//
//	go run ./internal/db/dbtest/withmariadb go test ./...
//
// With LIANGCHE_TEST_TIDB_DSN (user:password@tcp(host:4000)/) it starts nothing and runs the command on that TiDB.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/liangche/liangche/internal/db/dbtest/mariadb"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: withmariadb command [argument ...]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withmariadb:", err)
		code = 1
	}
	os.Exit(code)
}

func run(ctx context.Context, command []string) (code int, err error) {
	dsn := os.Getenv("LIANGCHE_TEST_TIDB_DSN")
	if dsn == "" {
		// Durability is the engine's own business, tested elsewhere.
		s, err := mariadb.Start(ctx, false)
		if err != nil {
			return 1, err
		}
		defer s.Close()
		dsn = s.DSN
	}
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Stdout, c.Stderr, c.Stdin = os.Stdout, os.Stderr, os.Stdin
	c.Env = append(os.Environ(), "LIANGCHE_TEST_DB=mysql", "LIANGCHE_TEST_MYSQL_DSN="+dsn)
	err = c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
