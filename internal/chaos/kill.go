package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/mariadb"
)

// How many people use a site at once.
const crowd = 10

// killSQLite kills the server of a site on the embedded database.
func (c *chaos) killSQLite(ctx context.Context, r *result) error {
	dir := filepath.Join(c.dir, r.name)
	return c.killing(ctx, r, dir, db.Config{Driver: db.SQLite, Path: filepath.Join(dir, "liangche.db")}, 1, c.kills)
}

// killMariaDB kills the server of a site on a MariaDB that writes its log at every commit.
func (c *chaos) killMariaDB(ctx context.Context, r *result) error {
	return c.withMariaDB(ctx, func(_ *mariadb.Server, d db.Config) error {
		return c.killing(ctx, r, filepath.Join(c.dir, r.name), d, 1, c.kills)
	})
}

// withMariaDB runs f with a throw-away database server that writes its log at every commit, and an empty database on it.
func (c *chaos) withMariaDB(ctx context.Context, f func(*mariadb.Server, db.Config) error) error {
	if c.lease != nil {
		return f(nil, c.lease())
	}
	server, err := mariadb.Start(ctx, true)
	if err != nil {
		return skipped(err.Error())
	}
	defer server.Close()
	dsn, err := server.Create(ctx, "liangche")
	if err != nil {
		return err
	}
	return f(server, db.Config{Driver: db.MySQL, DSN: dsn})
}

// killing kills any of the servers, again and again, while everybody goes on.
func (c *chaos) killing(ctx context.Context, r *result, dir string, d db.Config, instances, kills int) error {
	wires, reach, err := wired(d, instances)
	if err != nil {
		return err
	}
	defer closeAll(wires)
	s, err := newSite(ctx, r, dir, d, reach)
	if err != nil {
		return err
	}
	defer s.close()
	l := s.startLoad(ctx, crowd, daily())
	for n := range kills {
		l.resume()
		sleep(ctx, 40+r.rnd.IntN(160))
		i := r.rnd.IntN(len(s.servers))
		if len(wires) > 0 && n%2 == 1 {
			wires[i].killAtCommit(ctx, s.servers[i])
		} else {
			s.underWay(ctx)
			sleep(ctx, 0, r.rnd.IntN(4000))
		}
		s.servers[i].kill()
		if err = s.dead(ctx, instances == 1); err == nil {
			err = s.revive(ctx, s.servers[i])
		}
		sleep(ctx, r.rnd.IntN(60))
		r.harms++
		if err == nil {
			err = s.calm(ctx, l, fmt.Sprintf("after kill %d", n+1))
		}
		if err != nil || ctx.Err() != nil || len(r.findings) > 20 {
			break
		}
	}
	return s.finish(ctx, l, err)
}

// wired puts a wire between each of several servers and a MariaDB. An embedded database has none.
func wired(d db.Config, instances int) (wires []*wire, reach []string, err error) {
	if d.Driver == db.SQLite {
		return nil, make([]string, instances), nil
	}
	for range instances {
		w, err := newWire(socketOf(d.DSN))
		if err != nil {
			closeAll(wires)
			return nil, nil, err
		}
		wires, reach = append(wires, w), append(reach, through(d.DSN, w.addr()))
	}
	return wires, reach, nil
}

func closeAll(wires []*wire) {
	for _, w := range wires {
		w.close()
	}
}

func socketOf(dsn string) string {
	return strings.TrimSuffix(strings.TrimPrefix(unixSocket.FindString(dsn), "@unix("), ")")
}

// sleep waits some milliseconds and microseconds.
func sleep(ctx context.Context, ms int, us ...int) {
	d := time.Duration(ms) * time.Millisecond
	for _, n := range us {
		d += time.Duration(n) * time.Microsecond
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// underWay waits until somebody waits for the answer to a command.
func (s *site) underWay(ctx context.Context) {
	for ctx.Err() == nil && len(s.books.unanswered()) == 0 {
		sleep(ctx, 0, 200)
	}
}

// killAtCommit kills the server when the database has committed for it and it has not heard so: what it did is done, and nobody was told.
func (w *wire) killAtCommit(ctx context.Context, v *server) {
	hit := make(chan struct{}, 1)
	w.at(func(m moment) fate {
		if m != answered {
			return pass
		}
		v.kill()
		select {
		case hit <- struct{}{}:
		default:
		}
		return cut
	})
	select {
	case <-hit:
	case <-time.After(10 * time.Second):
	case <-ctx.Done():
	}
	w.at(nil)
}

// dead looks at the database after a kill: what is committed must be whole. With alone nobody else writes, so that the audit can look too.
func (s *site) dead(ctx context.Context, alone bool) error {
	waiting := s.books.unanswered()
	err := s.look(ctx, func(d *db.DB) error {
		done, err := committed(ctx, d, waiting)
		s.books.locked(func() { s.books.tally.unanswered += done })
		if err != nil {
			return err
		}
		return s.lookAtRows(ctx, d, "while the server is dead")
	})
	if err != nil || !alone {
		return err
	}
	return s.audit(ctx, "while the server is dead")
}

// revive starts a server again.
func (s *site) revive(ctx context.Context, v *server) error {
	took, err := v.start(ctx)
	s.r.ready = append(s.r.ready, took)
	return err
}

// calm lets everybody get their answer, pauses, and looks at what must hold then. Afterwards the load is paused.
func (s *site) calm(ctx context.Context, l *load, when string) error {
	l.pause() // each command is repeated until it has its answer
	s.r.rounds++
	if s.r.rounds%10 == 0 {
		s.r.c.say("%s: %d rounds, %d commands acknowledged", s.r.name, s.r.rounds, s.books.tally.acked)
	}
	err := s.look(ctx, func(d *db.DB) error {
		if err := s.lookAtRows(ctx, d, when); err != nil {
			return err
		}
		return s.compare(ctx, d, when)
	})
	if err != nil {
		return err
	}
	if err := s.repeat(ctx, when); err != nil {
		return err
	}
	state, err := s.weixin.control(ctx, "GET", "state", nil)
	for _, x := range s.weixin.twice(state) {
		s.r.find("%s: %s", when, x)
	}
	for _, v := range s.servers {
		for _, x := range v.panics() {
			s.r.find("%s: the server says: %.300s", when, x)
		}
	}
	return err
}

// repeat sends some old commands again with their keys: each must be answered as it was, and do nothing.
func (s *site) repeat(ctx context.Context, when string) error {
	var some []ack
	s.books.locked(func() {
		for range 3 {
			if n := len(s.books.acks); n > 0 {
				some = append(some, s.books.acks[s.r.rnd.IntN(n)])
			}
		}
	})
	for _, a := range some {
		if a.kind == "topup" {
			continue // by WeChat, when it is paid, it cannot be begun again
		}
		got, _, err := a.who.insist(ctx, "POST", a.path, a.key, a.body)
		if err != nil {
			return err
		}
		if got.i(a.at) != a.result {
			s.r.find("%s: %s %s was answered with %d, and when it is sent again with %s", when, a.kind, a.key, a.result, got)
		}
	}
	return nil
}

// finish sends everybody home, lets what was promised for later happen, and looks once more. err is what ended the rounds; then nothing more is done.
func (s *site) finish(ctx context.Context, l *load, err error) error {
	if err != nil || ctx.Err() != nil {
		for _, v := range s.servers {
			v.kill()
		}
		l.stop()
		return errors.Join(err, ctx.Err())
	}
	l.end()
	s.r.book.add(s.books.tally)
	for _, v := range s.servers {
		v.stop()
	}
	if s.inside == nil {
		if err := s.deliver(ctx); err != nil {
			return err
		}
	}
	return s.audit(ctx, "at the end")
}
