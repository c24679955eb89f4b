package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/booking"
)

// How many consoles have the board of the store open, and how many bookings are made and cancelled before them.
const (
	openScreens  = 20
	boardChanges = 20
)

// boards measures how long after a booking is made, or cancelled, the last of the open boards has the store's new day.
func (b *bench) boards(ctx context.Context, s *seekers, name string) error {
	b.say("%s: %d open boards, %d changes", name, openScreens, 2*boardChanges)
	ctx, done := context.WithCancel(ctx)
	defer done()
	told := make(chan string, openScreens*8)
	failed := make(chan error, openScreens)
	for range openScreens {
		go func() { failed <- s.watch(ctx, told) }()
	}
	var took []float64
	var last string
	day, err := s.tomorrow()
	if err != nil {
		return err
	}
	for n := range boardChanges {
		o := s.owners[n%len(s.owners)]
		made, err := s.take(ctx, o, "show", n, day)
		for _, change := range []func() error{
			func() error { return err },
			func() error { _, err := s.Bookings.Cancel(o.as(ctx, "hide", n), made, "", nil); return err },
		} {
			if err := change(); err != nil {
				return err
			}
			since := time.Now()
			revision, err := s.board(ctx)
			if err != nil {
				return err
			}
			if revision == last {
				return errors.New("the board has the same revision after a change")
			}
			last = revision
			for missing := openScreens; missing > 0; {
				select {
				case seen := <-told:
					if seen == revision {
						missing--
					}
				case err := <-failed:
					return err
				case <-time.After(time.Minute):
					return fmt.Errorf("%d boards were not told within a minute", missing)
				}
			}
			took = append(took, float64(time.Since(since).Microseconds())/1000)
		}
	}
	b.say("  slowest of %d changes %.0f ms", len(took), slices.Max(took))
	b.atMost("board", fmt.Sprintf("%s: until the last of %d open boards knows of a change, ms", name, openScreens), took, "%.0f", 1000, 0)
	return nil
}

// board reads the store's day as a console does, and returns its revision.
func (s *seekers) board(ctx context.Context) (string, error) {
	res, err := s.asBoss(ctx, fmt.Sprintf("/api/console/board?storeId=%d", s.store.ID))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var day booking.Board
	err = json.NewDecoder(res.Body).Decode(&day)
	return day.Revision, err
}

// watch follows the events of the store's board until the context ends.
func (s *seekers) watch(ctx context.Context, told chan<- string) error {
	res, err := s.asBoss(ctx, fmt.Sprintf("/api/console/board/events?storeId=%d", s.store.ID))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		var changed booking.Changed
		if err := json.Unmarshal([]byte(data), &changed); err != nil {
			return err
		}
		select {
		case told <- changed.Revision:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return lines.Err()
}

func (s *seekers) asBoss(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := s.client.Do(req)
	if err == nil && res.StatusCode != http.StatusOK {
		res.Body.Close()
		err = fmt.Errorf("%s: %s", path, res.Status)
	}
	return res, err
}
