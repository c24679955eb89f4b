package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Serve answers on ln and runs the jobs until ctx ends; then it stops taking requests, finishes those under way and the jobs, and
// returns. Fault: what made the server stop by itself.
func (a *App) Serve(ctx context.Context, ln net.Listener) error {
	return a.ServeAfter(ctx, ln, func(context.Context) error { return nil })
}

// ServeAfter is Serve with a step to be done once requests are answered and before jobs run; /readyz says no until it is done.
func (a *App) ServeAfter(ctx context.Context, ln net.Listener, before func(ctx context.Context) error) error {
	srv := &http.Server{
		Handler:           a.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       20 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	srv.RegisterOnShutdown(a.Router.EndStreams)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	if err := before(ctx); err != nil {
		return errors.Join(err, srv.Close())
	}
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	worked := make(chan struct{})
	go func() { defer close(worked); a.Queue.Run(work) }()
	defer func() { stopWork(); <-worked }()
	a.prepared.Store(true)
	defer a.prepared.Store(false)
	select {
	case err := <-failed:
		return fmt.Errorf("the server stopped: %w", err)
	case <-ctx.Done():
	}
	patience := time.Duration(max(a.opt.Config.ShutdownSeconds, 1)) * time.Second
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := srv.Shutdown(end)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(fmt.Errorf("requests were still running after %s", patience), srv.Close())
	}
	return err
}
