package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/fault"
)

// Event is one server-sent event: its name, and data that is written as JSON on one line.
type Event struct {
	Name string
	Data any
}

// Feed is what a stream sends. Events ends the stream when it is closed. Still is asked at every heartbeat whether the actor of ctx may go
// on reading (the session and the permission are asked by the edge itself); nil asks nothing more.
type Feed struct {
	Events <-chan Event
	Still  func(ctx context.Context) error
}

const (
	// beat is how often a quiet stream says that it lives, and how soon it ends after its session did.
	beat = 10 * time.Second
	// patience bounds one write to a client that does not read.
	patience = 10 * time.Second
	// maxStreams bounds the open streams of an instance: each costs a connection.
	maxStreams = 2000
)

const eventStream = "text/event-stream"

// Stream declares an operation that answers with server-sent events until the client leaves, the session or its permission ends, the feed
// is closed, or the server stops. The context of open ends with the stream. Faults of open are answered as those of any operation.
func Stream[I any](r *Router, op Op, open func(ctx context.Context, in *I) (Feed, error)) {
	op.live = true
	r.ops = append(r.ops, op)
	h := r.operation(op)
	h.Responses["200"] = &huma.Response{Description: "Server-sent events", Content: map[string]*huma.MediaType{eventStream: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	huma.Register(r.API, h, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		select {
		case <-r.stopped:
			return nil, r.problem(ctx, fault.ErrUnavailable)
		default:
		}
		if r.streams.Add(1) > maxStreams {
			r.streams.Add(-1)
			return nil, r.problem(ctx, fault.ErrUnavailable)
		}
		ctx, cancel := context.WithCancel(ctx)
		feed, err := open(ctx, in)
		if err != nil {
			cancel()
			r.streams.Add(-1)
			return nil, r.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			defer r.streams.Add(-1)
			defer cancel()
			r.stream(ctx, c, op, feed)
		}}, nil
	})
}

// EndStreams ends every stream, and those that come: a server that stops waits for its requests, and streams never end by themselves.
func (r *Router) EndStreams() { r.stopOnce.Do(func() { close(r.stopped) }) }

func (r *Router) stream(ctx context.Context, c huma.Context, op Op, feed Feed) {
	c.SetHeader("Content-Type", eventStream+"; charset=utf-8")
	c.SetHeader("Cache-Control", "no-store")
	c.SetHeader("X-Accel-Buffering", "no") // a proxy that collects the answer would deliver it when it is over
	c.SetStatus(http.StatusOK)
	out := pipe{w: c.BodyWriter()}
	if w, ok := out.w.(http.ResponseWriter); ok {
		out.ctl = http.NewResponseController(w)
		// The server's limits are for answers that end: a stream has its own, one for each write.
		if err := out.ctl.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return
		}
	}
	if out.write("retry: 2000\n\n") != nil {
		return
	}
	tick := time.NewTicker(r.beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.stopped:
			return
		case e, ok := <-feed.Events:
			if !ok || out.event(e) != nil {
				return
			}
		case <-tick.C:
			who, err := r.identify(c, op)
			if err != nil || (op.Permission != "" && !who.Can(op.Permission)) {
				return
			}
			if feed.Still != nil && feed.Still(actor.With(ctx, who)) != nil {
				return
			}
			if out.write(": alive\n\n") != nil {
				return
			}
		}
	}
}

// pipe writes events and pushes each one out at once.
type pipe struct {
	w interface {
		Write(p []byte) (int, error)
	}
	ctl *http.ResponseController
}

func (p pipe) write(text string) error {
	if p.ctl != nil {
		if err := p.ctl.SetWriteDeadline(clock.System().Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
	}
	if _, err := p.w.Write([]byte(text)); err != nil {
		return err
	}
	if p.ctl == nil {
		return nil
	}
	return p.ctl.Flush()
}

// event writes one event. JSON holds no line break, so one data line is enough; a name is a word of the code.
func (p pipe) event(e Event) error {
	b, err := json.Marshal(e.Data)
	if err != nil {
		return err
	}
	return p.write("event: " + strings.Map(word, e.Name) + "\ndata: " + string(b) + "\n\n")
}

func word(r rune) rune {
	if r < ' ' {
		return -1
	}
	return r
}
