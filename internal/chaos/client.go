package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// obj is a JSON object.
type obj map[string]any

// at walks a dotted path: "items.0.id". Missing is nil.
func (o obj) at(path string) any {
	var v any = map[string]any(o)
	for p := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			var i int
			if _, err := fmt.Sscan(p, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (o obj) s(path string) string { s, _ := o.at(path).(string); return s }

// i is a number; -1 when there is none.
func (o obj) i(path string) int64 {
	n, ok := o.at(path).(json.Number)
	if !ok {
		return -1
	}
	v, err := n.Int64()
	if err != nil {
		return -1
	}
	return v
}

// ints are the numbers of an array.
func (o obj) ints(path string) (out []int64) {
	a, _ := o.at(path).([]any)
	for i := range a {
		out = append(out, o.i(fmt.Sprintf("%s.%d", path, i)))
	}
	return out
}

// list are the objects of an array.
func (o obj) list(path string) (out []obj) {
	a, _ := o.at(path).([]any)
	for _, x := range a {
		if m, ok := x.(map[string]any); ok {
			out = append(out, obj(m))
		}
	}
	return out
}

// answer is what a server said. Status 0 is silence: it died, or the connection did.
type answer struct {
	status int
	obj
}

func (a answer) ok() bool { return a.status/100 == 2 }

// again says whether a phone would send the same once more: nobody answered, or the answer asks for it.
func (a answer) again() bool {
	return a.status == 0 || a.status >= 500 || a.status == http.StatusTooManyRequests || a.s("code") == "request.conflict"
}

func (a answer) String() string {
	b, _ := json.Marshal(a.obj) // came from JSON
	return fmt.Sprintf("%d %.300s", a.status, b)
}

// exchange sends JSON and reads JSON.
func exchange(ctx context.Context, hc *http.Client, method, url string, head map[string]string, body any) (answer, error) {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return answer{}, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(b))
	if err != nil {
		return answer{}, err
	}
	// Go would repeat a request with an Idempotency-Key by itself when its connection was closed: the phone decides that here.
	req.GetBody = nil
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range head {
		req.Header.Set(k, v)
	}
	res, err := hc.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{res.StatusCode, obj{}}
	if len(bytes.TrimSpace(text)) == 0 {
		return a, nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&a.obj); err != nil {
		return answer{}, fmt.Errorf("%s %s: %d: %w in %.200q", method, url, a.status, err, text)
	}
	return a, nil
}

// phone is somebody who is signed in: an owner's phone, or a till.
type phone struct {
	site  *site
	login func(ctx context.Context) (answer, error) // answers with a session

	mu    sync.Mutex
	token string
}

// once sends one request to any of the servers.
func (p *phone) once(ctx context.Context, method, path, key string, body any) answer {
	p.mu.Lock()
	token := p.token
	p.mu.Unlock()
	head := map[string]string{"Authorization": "Bearer " + token, "X-Liangche": "console"}
	if key != "" {
		head["Idempotency-Key"] = key
	}
	a, err := exchange(ctx, p.site.hc, method, p.site.anyBase()+path, head, body)
	if err != nil {
		return answer{}
	}
	if a.status == http.StatusUnauthorized {
		p.signIn(ctx, token)
		return answer{}
	}
	if a.status == http.StatusInternalServerError {
		p.site.r.find("%s %s: an internal error was answered: %s", method, path, a)
	}
	return a
}

// signIn replaces the token, unless somebody else has done so.
func (p *phone) signIn(ctx context.Context, old string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.token != old {
		return
	}
	if a, err := p.login(ctx); err == nil && a.ok() {
		p.token = a.s("session.accessToken")
	}
}

// patience is how long a phone repeats a command before it is a finding that it never got through.
const patience = 90 * time.Second

var errNoAnswer = errors.New("no answer")

// insist repeats a request with the same key until it has an answer that does not ask for another try.
func (p *phone) insist(ctx context.Context, method, path, key string, body any) (a answer, retries int, err error) {
	for begin := time.Now(); time.Since(begin) < patience && ctx.Err() == nil; retries++ {
		if a = p.once(ctx, method, path, key, body); !a.again() {
			return a, retries, nil
		}
		time.Sleep(time.Duration(2+rand.IntN(20)) * time.Millisecond)
	}
	if ctx.Err() != nil {
		return a, retries, ctx.Err()
	}
	return a, retries, fmt.Errorf("%w in %s; last %s", errNoAnswer, patience, a)
}

// must is insist for setting up: whatever is not done is an error.
func (p *phone) must(ctx context.Context, method, path, key string, body any) (obj, error) {
	a, _, err := p.insist(ctx, method, path, key, body)
	if err == nil && !a.ok() {
		err = fmt.Errorf("%s %s: %s", method, path, a)
	}
	return a.obj, err
}
