package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// moment is where in a COMMIT a connection is.
type moment int

const (
	asked    moment = iota // the server has sent COMMIT, the database has not seen it
	answered               // the database has committed, the server has not heard of it
)

// fate is what is done to a connection at such a moment.
type fate int

const (
	pass fate = iota
	cut       // both ends are closed
	half      // at asked: half of the packet goes through, then both ends are closed
)

// wire stands between the servers and MariaDB, on loopback, and knows where the commits are. It passes everything on until it is told otherwise.
type wire struct {
	ln     net.Listener
	socket string // of MariaDB
	harm   atomic.Pointer[func(moment) fate]
	down   atomic.Bool // nobody gets through
	work   sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]bool
}

func newWire(socket string) (*wire, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{ln: ln, socket: socket, open: map[net.Conn]bool{}}
	w.work.Go(w.accept)
	return w, nil
}

func (w *wire) addr() string { return w.ln.Addr().String() }

// at sets what happens at each commit; nil is nothing.
func (w *wire) at(harm func(moment) fate) {
	if harm == nil {
		w.harm.Store(nil)
		return
	}
	w.harm.Store(&harm)
}

func (w *wire) fate(m moment) fate {
	if f := w.harm.Load(); f != nil {
		return (*f)(m)
	}
	return pass
}

// cutAll closes every connection that is open now.
func (w *wire) cutAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.Close()
	}
}

func (w *wire) close() {
	_ = w.ln.Close()
	w.cutAll()
	w.work.Wait()
}

func (w *wire) accept() {
	for {
		c, err := w.ln.Accept()
		if err != nil {
			return
		}
		if w.down.Load() {
			_ = c.Close()
			continue
		}
		d, err := net.Dial("unix", w.socket)
		if err != nil { // the database is away
			_ = c.Close()
			continue
		}
		w.mu.Lock()
		w.open[c], w.open[d] = true, true
		w.mu.Unlock()
		l := &link{wire: w, server: c, database: d}
		w.work.Go(func() { l.end(l.upstream()) })
		w.work.Go(func() { l.end(l.downstream()) })
	}
}

// link is one connection of a server to the database.
type link struct {
	*wire
	server, database net.Conn
	committing       atomic.Bool
	once             sync.Once
}

func (l *link) end(error) {
	l.once.Do(func() {
		_, _ = l.server.Close(), l.database.Close()
		l.mu.Lock()
		delete(l.open, l.server)
		delete(l.open, l.database)
		l.mu.Unlock()
	})
}

var errCut = errors.New("cut")

// upstream passes the server's packets on, one by one: three bytes of length, one of sequence, then the command.
func (l *link) upstream() error {
	packet := make([]byte, 4, 4096)
	for {
		if _, err := io.ReadFull(l.server, packet[:4]); err != nil {
			return err
		}
		n := int(binary.LittleEndian.Uint32(append(packet[:3:3], 0)))
		if cap(packet) < 4+n {
			packet = append(make([]byte, 0, 4+n), packet[:4]...)
		}
		packet = packet[:4+n]
		if _, err := io.ReadFull(l.server, packet[4:]); err != nil {
			return err
		}
		const query = 3 // COM_QUERY
		if n > 0 && packet[4] == query && bytes.EqualFold(bytes.TrimSpace(packet[5:]), []byte("COMMIT")) {
			switch l.fate(asked) {
			case cut:
				return errCut
			case half:
				_, _ = l.database.Write(packet[:4+n/2])
				return errCut
			}
			l.committing.Store(true)
		}
		if _, err := l.database.Write(packet); err != nil {
			return err
		}
	}
}

// downstream passes the database's answers on. The protocol takes turns: the first bytes after a COMMIT are its answer.
func (l *link) downstream() error {
	buf := make([]byte, 32<<10)
	for {
		n, err := l.database.Read(buf)
		if n > 0 {
			if l.committing.Swap(false) && l.fate(answered) != pass {
				return errCut
			}
			if _, err := l.server.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}
