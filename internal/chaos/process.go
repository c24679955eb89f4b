package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// program is how a liangche is started: the built one, or in a test the test's own binary under an environment that makes it one.
type program struct {
	path string
	env  []string
}

func (p program) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.path, args...)
	cmd.Env = append(os.Environ(), p.env...)
	return cmd
}

// process is a running liangche whose output goes to a file.
type process struct {
	cmd   *exec.Cmd
	log   *os.File
	ended chan struct{}
	once  sync.Once
}

// spawn starts a command; what it says is appended to the file.
func spawn(cmd *exec.Cmd, logFile string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	p := &process{cmd: cmd, log: log, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is of no interest: most are killed
		close(p.ended)
	}()
	return p, nil
}

func (p *process) end(sig syscall.Signal) {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(sig)
		select {
		case <-p.ended:
		case <-time.After(30 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
		_ = p.log.Close()
	})
}

// server is a `liangche serve` on an address that stays, however often it dies.
type server struct {
	prog         program
	addr, config string
	logFile      string

	mu  sync.Mutex
	now *process
}

func (s *server) base() string { return "http://" + s.addr }

// start runs the server and waits until it is ready. It returns how long that took, from the start of the process.
func (s *server) start(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	p, err := spawn(s.prog.command("serve", "--config", s.config), s.logFile)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	s.now = p
	s.mu.Unlock()
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for time.Since(begin) < time.Minute && ctx.Err() == nil {
		if status(client, s.base()+"/readyz") == http.StatusOK {
			return time.Since(begin), nil
		}
		select {
		case <-p.ended:
			return 0, fmt.Errorf("the server ended by itself: %s", s.lastWords())
		case <-time.After(3 * time.Millisecond):
		}
	}
	return 0, fmt.Errorf("the server never became ready: %s", s.lastWords())
}

// pid is the number of the process that runs now; 0 when none ever did.
func (s *server) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		return 0
	}
	return s.now.cmd.Process.Pid
}

// kill ends the process as kill -9 does: nothing is flushed, nobody is told.
func (s *server) kill() { s.signal(syscall.SIGKILL) }

// stop asks the server to end.
func (s *server) stop() { s.signal(syscall.SIGTERM) }

func (s *server) signal(sig syscall.Signal) {
	s.mu.Lock()
	p := s.now
	s.mu.Unlock()
	if p != nil {
		p.end(sig)
	}
}

// lastWords is the end of what the server has said.
func (s *server) lastWords() string {
	b, _ := os.ReadFile(s.logFile) // absent when it never said anything
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(len(lines)-6, 0):], "\n")
}

// panics are the lines of the log that tell of one: a request that panics is answered, but must not happen.
func (s *server) panics() (out []string) {
	b, _ := os.ReadFile(s.logFile)
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, `"msg":"panic"`) || strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") || strings.Contains(line, " panicked: ") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

// status asks for a page and returns its status; 0 when there is no answer.
func status(client *http.Client, url string) int {
	res, err := client.Get(url)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

// freeAddr is an address on which nobody listens.
func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}
