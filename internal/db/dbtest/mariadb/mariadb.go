// Package mariadb starts a throw-away MariaDB in a temporary folder, for tests and for the benchmark.
//
// Model: a Server is one mariadbd process with its own data folder and a unix socket. Owns: that folder.
// Invariants: the process is ended by its id and the folder deleted when the Server is closed; no port is opened.
package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql" // registers the driver
)

// Server is a running MariaDB.
type Server struct {
	DSN string // without a database: "root@unix(…)/"
	Pid int

	dir   string
	cmd   *exec.Cmd
	ended chan error
}

// Start installs and starts a server. A durable one writes its log to the disk at every commit, as production does; tests
// do without, because throw-away rows need not survive a power cut. Fault: a plain error that says what is missing.
func Start(ctx context.Context, durable bool) (_ *Server, err error) {
	server, err := find("mariadbd", "mysqld")
	if err != nil {
		return nil, err
	}
	install, err := find("mariadb-install-db", "mysql_install_db")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "liangche-mariadb")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, ended: make(chan error, 1)}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	args := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data")}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	if out, err := exec.CommandContext(ctx, install, append(args, "--auth-root-authentication-method=normal", "--skip-test-db")...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("install-db: %w\n%s", err, out)
	}
	sock := filepath.Join(dir, "s.sock")
	args = append(args, "--socket="+sock, "--skip-networking", "--skip-log-bin", "--max-connections=500", "--innodb-buffer-pool-size=256M",
		"--pid-file="+filepath.Join(dir, "pid"), "--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin", "--innodb-lock-wait-timeout=20")
	if durable {
		args = append(args, "--innodb-flush-log-at-trx-commit=1")
	} else {
		args = append(args, "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0")
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.Command(server, args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.DSN, s.Pid = "root@unix("+sock+")/", s.cmd.Process.Pid
	go func() { s.ended <- s.cmd.Wait() }()
	if err := s.await(ctx); err != nil {
		out, _ := os.ReadFile(log.Name())
		s.Close()
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return s, nil
}

// Close ends the server and deletes its folder.
func (s *Server) Close() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
	}
	_ = os.RemoveAll(s.dir)
}

// Create makes an empty database and returns the DSN that opens it.
func (s *Server) Create(ctx context.Context, name string) (string, error) {
	d, err := sql.Open("mysql", s.DSN)
	if err != nil {
		return "", err
	}
	defer d.Close()
	_, err = d.ExecContext(ctx, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
	return s.DSN + name, err
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

func (s *Server) await(ctx context.Context) error {
	d, err := sql.Open("mysql", s.DSN)
	if err != nil {
		return err
	}
	defer d.Close()
	for range 300 {
		if err = d.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case e := <-s.ended:
			s.ended <- e
			return fmt.Errorf("server ended: %w", e)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("server did not answer: %w", err)
}
