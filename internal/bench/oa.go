package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/mariadb"
)

// What WeChat pushes in the measurement: so many a second, whatever the answers take.
const (
	pushRate  = 500
	pushToken = "benchpushtoken"
	tillCount = 4 // that settle beside it
)

// official measures the callback of the official account: 500 signed pushes a second while settlements and the jobs of the pushes keep the database
// busy. A push is late from the instant at which it should have been sent, so a pause counts for everybody who waited.
func (b *bench) official(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "liangche-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := b.pushes(ctx, "SQLite", sqliteIn(dir)); err != nil {
		return err
	}
	server, err := mariadb.Start(ctx, true)
	if err != nil {
		return err
	}
	defer server.Close()
	dsn, err := server.Create(ctx, "liangche")
	if err != nil {
		return err
	}
	return b.pushes(ctx, "MariaDB", db.Config{Driver: db.MySQL, DSN: dsn, MaxConns: workerCount})
}

func (b *bench) pushes(ctx context.Context, name string, d db.Config) error {
	b.say("%s: %d pushes a second beside settlements", name, pushRate)
	w, err := newWorld(ctx, d, b.members/10, func(c *config.Config) {
		c.WeChat.OfficialAccount = config.App{AppID: "wx0000000000000000", Secret: "none", Token: pushToken}
		c.WeChat.Endpoints = config.Endpoints{API: "http://127.0.0.1:1", Open: "http://127.0.0.1:1", Pay: "http://127.0.0.1:1"} // nobody is asked
	})
	if err != nil {
		return err
	}
	defer w.Close()
	t, stop, err := w.listen(ctx)
	if err != nil {
		return err
	}
	defer stop()
	work, end := context.WithCancel(ctx)
	defer end()
	var beside sync.WaitGroup
	beside.Go(func() { w.Queue.Run(work) })
	var settled atomic.Int64
	for range tillCount {
		beside.Go(func() {
			for work.Err() == nil {
				if w.spread(work, 0, int(settled.Add(1))+1_000_000) != nil {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	length := 5 * time.Second
	if b.quick {
		length = 2 * time.Second
	}
	var late, floor, rates []float64
	sent := 0
	for range b.rounds {
		p99, err := rhythm(length, func(int) error { return get(ctx, t.base+"/healthz") })
		if err != nil {
			return err
		}
		floor = append(floor, p99)
		before, begin := settled.Load(), time.Now()
		p99, err = push(ctx, t.base, length, &sent)
		if err != nil {
			return err
		}
		late, rates = append(late, p99), append(rates, float64(settled.Load()-before)/time.Since(begin).Seconds())
	}
	end()
	beside.Wait()
	var kept int
	if err := w.DB.Get(ctx, &kept, `SELECT COUNT(*) FROM oa_inbox`); err != nil {
		return err
	}
	if kept != sent {
		return fmt.Errorf("%s: %d pushes sent, %d kept", name, sent, kept)
	}
	if err := w.exact(ctx); err != nil {
		return err
	}
	slices.Sort(rates)
	b.say("%s: %d pushes kept, beside about %.0f settlements a second", name, kept, rates[len(rates)/2])
	b.say("%s: the machine itself: p99 of an empty answer at the same rate and load %.1f ms", name, slices.Min(floor))
	b.atMost("callback", name+": p99 of the official account's callback, 500 pushes/s beside settlements, ms", late, "%.1f", 50, 0)
	return nil
}

// push sends for a while and returns the 99th percentile, in ms.
func push(ctx context.Context, base string, length time.Duration, sent *int) (p99 float64, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}, Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	p99, err = rhythm(length, func(i int) error { return onePush(ctx, client, base, *sent+i) })
	*sent += int(length.Seconds() * pushRate)
	return p99, err
}

// rhythm does something so many times a second, whatever it takes, and returns the 99th percentile from the instant at which each was due, in ms.
func rhythm(length time.Duration, do func(i int) error) (float64, error) {
	n := int(length.Seconds() * pushRate)
	took, begin := make([]float64, n), time.Now()
	var wg sync.WaitGroup
	var failed atomic.Value
	for i := range n {
		due := begin.Add(time.Duration(i) * time.Second / pushRate)
		time.Sleep(time.Until(due))
		wg.Go(func() {
			if err := do(i); err != nil {
				failed.Store(err)
			}
			took[i] = time.Since(due).Seconds() * 1000
		})
	}
	wg.Wait()
	if err, ok := failed.Load().(error); ok {
		return 0, err
	}
	slices.Sort(took)
	return took[n*99/100], nil
}

// onePush is of every kind in turn: taps on the menu, texts, and some who come and go.
func onePush(ctx context.Context, client *http.Client, base string, id int) error {
	now := time.Now().Unix()
	event := [...]string{"VIEW", "CLICK", "", "subscribe", "VIEW", "VIEW", "", "unsubscribe"}[id%8]
	kind := fmt.Sprintf("<MsgType>event</MsgType><Event>%s</Event><EventKey></EventKey>", event)
	if event == "" {
		kind = fmt.Sprintf("<MsgType>text</MsgType><Content>请问洗车多少钱 %d</Content><MsgId>%d</MsgId>", id, 1_000_000+id)
	}
	body := fmt.Sprintf("<xml><ToUserName>gh_bench</ToUserName><FromUserName>oBench-%d</FromUserName><CreateTime>%d</CreateTime>%s</xml>", id, now, kind)
	stamp, nonce := fmt.Sprint(now), fmt.Sprint(id)
	parts := []string{pushToken, stamp, nonce}
	slices.Sort(parts)
	h := sha1.Sum([]byte(strings.Join(parts, "")))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/hooks/oa?timestamp=%s&nonce=%s&signature=%s", base, stamp, nonce, hex.EncodeToString(h[:])), bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("a push was answered %d", resp.StatusCode)
	}
	return nil
}

func get(ctx context.Context, to string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Body.Close()
}
