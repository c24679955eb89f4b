// Command withmariadb starts a throw-away MariaDB in a temporary folder, runs a command with LIANGCHE_TEST_DB=mysql and
// LIANGCHE_TEST_MYSQL_DSN set, then ends the server by its process id and deletes the folder.
//
//	go run ./internal/db/dbtest/withmariadb go test ./...
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql"
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
	server, err := find("mariadbd", "mysqld")
	if err != nil {
		return 1, err
	}
	install, err := find("mariadb-install-db", "mysql_install_db")
	if err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "liangche-mariadb")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	data, sock := filepath.Join(dir, "data"), filepath.Join(dir, "s.sock")
	args := []string{"--no-defaults", "--datadir=" + data}
	asRoot := os.Geteuid() == 0
	if asRoot {
		args = append(args, "--user=root")
	}
	if out, err := exec.CommandContext(ctx, install, append(args, "--auth-root-authentication-method=normal", "--skip-test-db")...).CombinedOutput(); err != nil {
		return 1, fmt.Errorf("install-db: %w\n%s", err, out)
	}
	// Durability is the engine's own business, tested elsewhere; throw-away rows need not survive a power cut.
	args = append(args, "--socket="+sock, "--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0",
		"--skip-log-bin", "--max-connections=500", "--innodb-buffer-pool-size=256M", "--pid-file="+filepath.Join(dir, "pid"),
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin", "--innodb-lock-wait-timeout=20")
	cmd := exec.Command(server, args...)
	logFile, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return 1, err
	}
	defer logFile.Close()
	cmd.Stdout, cmd.Stderr = logFile, logFile
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
		}
	}()
	dsn := "root@unix(" + sock + ")/"
	if err := await(ctx, dsn, ended); err != nil {
		out, _ := os.ReadFile(filepath.Join(dir, "log"))
		return 1, fmt.Errorf("%w\n%s", err, out)
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

func find(names ...string) (string, error) {
	for _, n := range names {
		for _, p := range []string{n, "/usr/sbin/" + n, "/usr/bin/" + n} {
			if f, err := exec.LookPath(p); err == nil {
				return f, nil
			}
		}
	}
	return "", fmt.Errorf("%s is not installed: apt-get install mariadb-server", names[0])
}

func await(ctx context.Context, dsn string, ended <-chan error) error {
	d, err := sql.Open("mysql", dsn)
	if err != nil {
		return err
	}
	defer d.Close()
	for range 300 {
		if err = d.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case e := <-ended:
			return fmt.Errorf("server ended: %w", e)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("server did not answer: %w", err)
}
