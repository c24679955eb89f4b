// Package apitest calls operations in tests as any actor, through the real edge.
//
// Model: a Client holds a router with the operations under test; As says who calls next.
// Owns: nothing. Invariants: requests go through guard, validation and fault mapping, as in production.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
)

// Client calls operations.
type Client struct {
	t   testing.TB
	r   *httpapi.Router
	who actor.Actor
}

// Answer is what came back.
type Answer struct {
	Status int
	Body   []byte
}

// New registers routes on a fresh router.
func New(t testing.TB, routes ...func(*httpapi.Router)) *Client {
	c := &Client{t: t}
	c.r = httpapi.New(httpapi.Options{Title: "test", Version: "0", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Auth: c})
	for _, f := range routes {
		f(c.r)
	}
	return c
}

// Authenticate resolves every token to the actor of As.
func (c *Client) Authenticate(ctx context.Context, kind actor.Kind, _ string) (actor.Actor, error) {
	who, _ := ctx.Value(whoKey{}).(actor.Actor)
	if who.Kind != kind {
		return actor.Actor{}, fault.ErrExpired
	}
	return who, nil
}

// As returns a client on the same router that acts as who.
func (c *Client) As(who actor.Actor) *Client { n := *c; n.who = who; return &n }

// Do sends one request; body nil sends none. The headers that browsers and apps send are set.
func (c *Client) Do(method, path string, body any, headers ...string) Answer {
	c.t.Helper()
	var rd io.Reader
	if body != nil {
		b, ok := body.([]byte)
		if !ok {
			var err error
			if b, err = json.Marshal(body); err != nil {
				c.t.Fatal(err)
			}
		}
		rd = bytes.NewReader(b)
	}
	ctx := context.WithValue(c.t.Context(), whoKey{}, c.who)
	req := httptest.NewRequestWithContext(ctx, method, path, rd)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.who.Kind != actor.None && c.who.Kind != "" {
		req.Header.Set("Authorization", "Bearer test")
		req.Header.Set("X-Liangche", "console")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	c.r.Echo.ServeHTTP(w, req)
	return Answer{w.Code, w.Body.Bytes()}
}

// Form is the body of an upload: the texts and, unless it is nil, the file. Pass the second value as Content-Type.
func Form(t testing.TB, texts map[string]string, file []byte) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range texts {
		if err := w.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	if file != nil {
		part, err := w.CreateFormFile("file", "photo.jpg")
		if err == nil {
			_, err = part.Write(file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), w.FormDataContentType()
}

type whoKey struct{}

// OK sends a request, wants success and decodes the answer into out (nil: drops it).
func (c *Client) OK(method, path string, body, out any, headers ...string) {
	c.t.Helper()
	a := c.Do(method, path, body, headers...)
	if a.Status/100 != 2 {
		c.t.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	if out != nil {
		if err := json.Unmarshal(a.Body, out); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, a.Body)
		}
	}
}

// Fault sends a request and wants the fault code with the status of its kind. It returns the blamed fields.
func (c *Client) Fault(want *fault.Error, method, path string, body any, headers ...string) []fault.Field {
	c.t.Helper()
	a := c.Do(method, path, body, headers...)
	var p httpapi.Problem
	if err := json.Unmarshal(a.Body, &p); err != nil || string(p.Code) != want.Code || a.Status != int(want.Kind) {
		c.t.Fatalf("%s %s: %d %s, want %d %s", method, path, a.Status, a.Body, want.Kind, want.Code)
	}
	if p.Message == "" || p.RequestID == "" && a.Status != http.StatusNotFound {
		c.t.Errorf("%s %s: a fault needs a message and a request id: %s", method, path, a.Body)
	}
	return p.Fields
}

// Staff is a staff actor with permissions in every store.
func Staff(permissions ...string) actor.Actor {
	return actor.Actor{Kind: actor.Staff, ID: 7, Name: "王店长", Permissions: permissions, AllStores: true}
}
