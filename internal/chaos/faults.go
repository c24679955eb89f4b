package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"

	"github.com/liangche/liangche/internal/db"
)

// What the sandbox can do wrong, at each of its three doors. nil is nothing.
var (
	payFaults = []obj{nil, {"kind": "delay", "delayMs": 40}, {"kind": "drop"}, {"kind": "drop_after"}, {"kind": "timeout", "delayMs": 60}, {"kind": "status", "value": "500"},
		{"kind": "errcode", "value": "SYSTEM_ERROR"}, {"kind": "forge"}, {"kind": "unsigned"}}
	notifyFaults = []obj{nil, {"kind": "delay", "delayMs": 60}, {"kind": "drop"}, {"kind": "duplicate", "value": "5"}, {"kind": "reorder", "delayMs": 80}, {"kind": "forge"}, {"kind": "wrong_amount", "value": "1"},
		{"kind": "wrong_mchid"}, {"kind": "wrong_appid"}}
	apiFaults = []obj{nil, {"kind": "delay", "delayMs": 40}, {"kind": "drop"}, {"kind": "drop_after"}, {"kind": "timeout", "delayMs": 60}, {"kind": "status", "value": "502"}, {"kind": "errcode", "value": "-1"},
		{"kind": "errcode", "value": "45011"}}
)

// wechats lets WeChat misbehave in every combination of what it can do wrong while people pay and are told, one combination after the other.
func (c *chaos) wechats(ctx context.Context, r *result) error {
	dir := filepath.Join(c.dir, r.name)
	s, err := newSite(ctx, r, dir, db.Config{Driver: db.SQLite, Path: filepath.Join(dir, "liangche.db")}, []string{""})
	if err != nil {
		return err
	}
	defer s.close()
	type trio struct{ pay, notify, api obj }
	var all []trio
	for _, p := range payFaults {
		for _, n := range notifyFaults {
			for _, a := range apiFaults {
				all = append(all, trio{p, n, a})
			}
		}
	}
	shuffle := rand.New(rand.NewPCG(c.seed, 2))
	shuffle.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:c.times(len(all), 16)]
	const together = 8 // combinations between two looks at the books
	l := s.startLoad(ctx, crowd, []act{{40, (*load).topUp}, {50, (*load).settle}, {10, (*load).reverse}})
	l.resume()
	for n, x := range all {
		for target, f := range map[string]obj{"pay.api": x.pay, "pay.notify": x.notify, "api": x.api} {
			if f == nil {
				continue
			}
			in := obj{"target": target}
			for k, v := range f {
				in[k] = v
			}
			_, e := s.weixin.control(ctx, http.MethodPost, "faults", in)
			err = errors.Join(err, e)
		}
		sleep(ctx, 120+r.rnd.IntN(80))
		_, e := s.weixin.control(ctx, http.MethodDelete, "faults", nil)
		if err = errors.Join(err, e); err != nil {
			break
		}
		r.harms++
		if (n+1)%together > 0 && n+1 < len(all) {
			continue
		}
		if err = s.calm(ctx, l, fmt.Sprintf("after combination %d", n+1)); err != nil || ctx.Err() != nil || len(r.findings) > 20 {
			break
		}
		if n+1 < len(all) {
			l.resume()
		}
	}
	r.note("%d combinations of %d faults of WeChat Pay, %d of its notifications, %d of the platform API, each with none", len(all), len(payFaults)-1, len(notifyFaults)-1, len(apiFaults)-1)
	return s.finish(ctx, l, err)
}
