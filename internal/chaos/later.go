package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/config"
)

// ahead is the machine's clock, some time ahead.
type ahead time.Duration

func (a ahead) Now() time.Time { return clock.System().Now().Add(time.Duration(a)) }

// deliver does what is still promised when every server has ended, on a clock that is minutes ahead: the leases of dead processes are over then. Every
// message must be decided; who follows the official account was told of each order; nobody was told of one twice.
func (s *site) deliver(ctx context.Context) error {
	cfg, err := config.Load(s.servers[0].config, nil)
	if err != nil {
		return err
	}
	for minutes := 3; minutes < 30; minutes++ {
		a, err := app.Open(ctx, app.Options{Config: cfg, Clock: ahead(time.Duration(minutes) * time.Minute), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		err = a.Queue.Drain(ctx)
		left, lerr := undecided(ctx, a.DB)
		if err = errors.Join(err, lerr, a.Close()); err != nil {
			return err
		}
		if left == 0 {
			break
		}
	}
	state, err := s.weixin.control(ctx, http.MethodGet, "state", nil)
	if err != nil {
		return err
	}
	for _, x := range s.weixin.twice(state) {
		s.r.find("at the end: %s", x)
	}
	arrived := map[string]int{}
	for m := range s.weixin.told {
		persona, _, _ := strings.Cut(m, " ")
		arrived[persona]++
	}
	return s.lookAtMessages(ctx, arrived)
}
