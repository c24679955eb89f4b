// Package mariadb starts a throw-away MariaDB in a temporary folder, for tests, for the benchmark and for what harms it.
//
// Model: a Server is one mariadbd process with its own data folder and a unix socket. Owns: that folder.
// Invariants: the process is ended by its id and the folder deleted when the Server is closed; no port is opened.
package mariadb

import (
	"context"
	"database/sql"
	"errors"
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

	dir     string
	command []string
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process has ended
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
	s := &Server{dir: dir}
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
	s.command, s.DSN = append([]string{server}, args...), "root@unix("+sock+")/"
	return s, s.run(ctx)
}

// run starts the process and waits until it answers.
func (s *Server) run(ctx context.Context) error {
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd, s.ended = exec.Command(s.command[0], s.command[1:]...), make(chan struct{})
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.Pid = s.cmd.Process.Pid
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // why it ended stands in its log
		close(ended)
	}(s.cmd, s.ended)
	if err := s.await(ctx); err != nil {
		out, _ := os.ReadFile(log.Name())
		s.Close()
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// Restart ends the process, by kill -9 or by asking, and starts it again over its data.
func (s *Server) Restart(ctx context.Context, kill bool) error {
	s.end(kill)
	return s.run(ctx)
}

// end ends the process.
func (s *Server) end(kill bool) {
	sig := syscall.SIGTERM
	if kill {
		sig = syscall.SIGKILL
	}
	_ = s.cmd.Process.Signal(sig)
	select {
	case <-s.ended:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// Close ends the server and deletes its folder.
func (s *Server) Close() {
	s.end(false)
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
		case <-s.ended:
			return errors.New("server ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("server did not answer: %w", err)
}
