package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/gauge"
	"github.com/liangche/liangche/internal/shop"
)

const (
	instances   = 3
	fleetGuests = 600
)

// child is a process of the fleet.
type child struct {
	cmd  *exec.Cmd
	said *bytes.Buffer
}

// begin starts a process; end ends it by its id and waits.
func begin(name string, args ...string) (*child, error) {
	c := &child{exec.Command(name, args...), &bytes.Buffer{}}
	c.cmd.Stdout, c.cmd.Stderr = c.said, c.said
	return c, c.cmd.Start()
}

func (c *child) end() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	_ = c.cmd.Wait()
}

// fleet lets three instances work behind nginx on one database.
func (s *scale) fleet(ctx context.Context) error {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		if _, err = os.Stat("/usr/sbin/nginx"); err != nil {
			s.holds("three instances behind nginx", false, "not run: nginx is not installed (apt-get install nginx-light)")
			return nil
		}
		nginx = "/usr/sbin/nginx"
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	defer s.shut()
	d, err := s.create(ctx, "liangche_fleet")
	if err != nil {
		return err
	}
	w, err := newShop(ctx, d)
	if err != nil {
		return err
	}
	defer w.Close()
	s.say("fleet: %d members join and top up", fleetGuests)
	if err := many(fleetGuests, 8, func(i int) error { _, err := w.join(ctx, i); return err }); err != nil {
		return err
	}
	guests, err := w.sample(ctx, fleetGuests)
	if err != nil {
		return err
	}
	bay, err := w.Shops.CreateBay(actor.With(ctx, w.boss), shop.BayInput{StoreID: w.stores[0], Name: "一号", Kind: "wash"})
	if err != nil {
		return err
	}
	f := &fleet{scale: s, shopfloor: w, dsn: d.DSN, guests: guests}
	defer f.stop()
	if err := f.start(ctx, nginx); err != nil {
		return err
	}
	if err := f.load(ctx); err != nil {
		return err
	}
	if err := f.events(ctx, bay.ID); err != nil {
		return err
	}
	return f.after(ctx)
}

// fleet is the running instances and what stands before them.
type fleet struct {
	*scale
	*shopfloor
	dsn      string
	guests   []guest
	children []*child
	bases    []string // of the instances
	front    string   // nginx
	settled  atomic.Int64
}

func (f *fleet) stop() {
	for _, c := range slices.Backward(f.children) {
		c.end()
	}
	f.children = nil
}

// free is an address on which nobody listens.
func free(ctx context.Context) (string, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// start builds the program, starts three of it and nginx before them.
func (f *fleet) start(ctx context.Context, nginx string) error {
	bin := filepath.Join(f.dir, "liangche")
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, "./cmd/liangche").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "keyset.json"), f.keyset, 0o600); err != nil {
		return err
	}
	front, err := free(ctx)
	if err != nil {
		return err
	}
	f.front = "http://" + front
	var upstream strings.Builder
	for i := range instances {
		listen, err := free(ctx)
		if err != nil {
			return err
		}
		file := filepath.Join(f.dir, fmt.Sprintf("instance%d.yaml", i))
		text := fmt.Sprintf("listen: %s\npublic_url: http://%s\nlog_level: warn\nlog_format: text\ntrust_proxy: true\nsecret: {keyset_file: %s}\ndatabase: {driver: mysql, dsn: %q, path: \"\", max_conns: 16}\nstorage: {dir: %s}\n",
			listen, front, filepath.Join(f.dir, "keyset.json"), f.dsn, filepath.Join(f.dir, "blobs"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
		c, err := begin(bin, "serve", "--config", file)
		if err != nil {
			return err
		}
		f.children = append(f.children, c)
		f.bases = append(f.bases, "http://"+listen)
		fmt.Fprintf(&upstream, "    server %s;\n", listen)
		if err := answers(ctx, "http://"+listen, c); err != nil {
			return err
		}
	}
	file := filepath.Join(f.dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(nginxConf(f.dir, front, upstream.String())), 0o600); err != nil {
		return err
	}
	c, err := begin(nginx, "-c", file, "-p", f.dir, "-e", filepath.Join(f.dir, "nginx-error.log"))
	if err != nil {
		return err
	}
	f.children = append(f.children, c)
	f.say("fleet: %d instances behind nginx on %s", instances, f.front)
	return answers(ctx, f.front, c)
}

// nginxConf is what docs/scale.md shows, on loopback: streams must not be held back.
func nginxConf(dir, listen, upstream string) string {
	return fmt.Sprintf(`daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx-error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path %[1]s/nginx-body; proxy_temp_path %[1]s/nginx-proxy; fastcgi_temp_path %[1]s/nginx-f; uwsgi_temp_path %[1]s/nginx-u; scgi_temp_path %[1]s/nginx-s;
  upstream liangche {
%[3]s    keepalive 32;
  }
  server {
    listen %[2]s;
    client_max_body_size 10m;
    location / {
      proxy_pass http://liangche;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off;
      proxy_read_timeout 1h;
    }
  }
}
`, dir, listen, upstream)
}

// answers waits until an address says that it is ready.
func answers(ctx context.Context, base string, c *child) error {
	for range 1200 {
		if res, err := http.Get(base + "/readyz"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s is not ready: %s", base, c.said)
}

// load settles through nginx, and once more at a single instance, for the comparison.
func (f *fleet) load(ctx context.Context) error {
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = f.workers
	var count atomic.Int64
	for _, x := range []struct{ what, base string }{{"one instance", f.bases[0]}, {"three instances through nginx", f.front}} {
		if _, err := f.round(ctx, f.length, &count, f.till(x.base)); err != nil { // warm
			return err
		}
		got, err := f.round(ctx, 3*f.length, &count, f.till(x.base))
		if err != nil {
			return err
		}
		f.fact("fleet: %s settle %.0f a second, p99 %.1f ms (client, nginx, instances and database share the cores)", x.what, got.perSecond, gauge.Percentile(got.took, 0.99))
	}
	return nil
}

// till settles for a random member over HTTP. Every tenth command is sent twice with the same key, as a phone would whose answer was lost: it must be
// charged once, whichever instance answers.
func (f *fleet) till(base string) func(ctx context.Context, worker, n int) error {
	return func(ctx context.Context, _, n int) error {
		g := f.guests[rand.IntN(len(f.guests))]
		for range 1 + max(0, 1-n%10) {
			if err := f.post(ctx, base+"/api/staff/checkouts", fmt.Sprintf("fleet-%010d", n), checkout.CheckoutAsk{Request: f.visit(g), QuoteHash: g.hash, Tenders: g.pay()}, nil); err != nil {
				return err
			}
		}
		f.settled.Add(1)
		return nil
	}
}

func (f *fleet) post(ctx context.Context, address, key string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(b))
	if err != nil {
		return err
	}
	for k, v := range map[string]string{"Authorization": "Bearer " + f.token, "Content-Type": "application/json", "Idempotency-Key": key, "X-Liangche": "console"} {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, out)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(out, into)
	}
	return err
}

// events changes a board at one instance and waits until clients of every other one, and of nginx, are told.
func (f *fleet) events(ctx context.Context, bay int64) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	type news struct{ from, revision string }
	told, failed := make(chan news, 64), make(chan error, 8)
	watched := append(slices.Clone(f.bases), f.front)
	for _, base := range watched {
		go func() {
			err := f.watch(ctx, base, func(revision string) {
				select {
				case told <- news{base, revision}:
				case <-ctx.Done():
				}
			})
			select {
			case failed <- err:
			case <-ctx.Done():
			}
		}()
	}
	var took []float64
	last := ""
	for n := range 10 {
		from := f.Now().Add(day).Truncate(time.Hour).Add(time.Duration(n) * time.Hour)
		begin := time.Now()
		if err := f.post(ctx, f.bases[n%instances]+"/api/console/blocks", fmt.Sprintf("block-%04d", n), booking.BlockAsk{StoreID: f.stores[0], ResourceID: bay, From: from, To: from.Add(30 * time.Minute), Reason: "保养"}, nil); err != nil {
			return err
		}
		revision, err := f.revision(ctx)
		if err != nil {
			return err
		}
		if revision == last {
			return errors.New("the board has the same revision after a change")
		}
		last = revision
		missing := map[string]bool{}
		for _, b := range watched {
			missing[b] = true
		}
		for len(missing) > 0 {
			select {
			case x := <-told:
				if x.revision == revision {
					delete(missing, x.from)
				}
			case err := <-failed:
				return fmt.Errorf("a stream ended: %w", err)
			case <-ctx.Done():
				f.holds("events reach the clients of every instance, and those behind nginx", false, fmt.Sprintf("%d of %d were not told", len(missing), len(watched)))
				return nil
			}
		}
		took = append(took, time.Since(begin).Seconds()*1000)
	}
	f.holds("events reach the clients of every instance, and those behind nginx", true, fmt.Sprintf("%d changes, the slowest after %.0f ms", len(took), slices.Max(took)))
	return nil
}

// Now is the program's clock.
func (f *fleet) Now() time.Time { return f.DB.Now() }

func (f *fleet) revision(ctx context.Context) (string, error) {
	res, err := f.stream(ctx, f.front+fmt.Sprintf("/api/console/board?storeId=%d", f.stores[0]))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var b booking.Board
	err = json.NewDecoder(res.Body).Decode(&b)
	return b.Revision, err
}

func (f *fleet) stream(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	res, err := http.DefaultClient.Do(req)
	if err == nil && res.StatusCode != http.StatusOK {
		_ = res.Body.Close()
		err = fmt.Errorf("%s: %s", address, res.Status)
	}
	return res, err
}

// watch follows the events of the first store's board.
func (f *fleet) watch(ctx context.Context, base string, tell func(revision string)) error {
	res, err := f.stream(ctx, base+fmt.Sprintf("/api/console/board/events?storeId=%d", f.stores[0]))
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
		var c booking.Changed
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			return err
		}
		tell(c.Revision)
	}
	return lines.Err()
}

// after checks what three instances did together: every settlement once, every job once, the books exact.
func (f *fleet) after(ctx context.Context) error {
	count := func(query string) (n int64, err error) { err = f.DB.Get(ctx, &n, query); return n, err }
	var open int64
	for range 600 { // jobs that are due are done by whoever takes them
		var err error
		if open, err = count(fmt.Sprintf(`SELECT COUNT(*) FROM jobs_queue WHERE state IN ('queued', 'running') AND run_at <= %d`, f.Now().UnixMilli())); err != nil {
			return err
		}
		if open == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	children := f.children
	f.stop()
	orders, err := count(`SELECT COUNT(*) FROM checkout_orders`)
	if err != nil {
		return err
	}
	f.holds("every settlement once, also those that were sent twice to different instances", orders == f.settled.Load(), fmt.Sprintf("%d orders for %d settlements", orders, f.settled.Load()))
	done, err := count(`SELECT COUNT(*) FROM jobs_queue WHERE state = 'done'`)
	if err != nil {
		return err
	}
	extra, err := count(`SELECT COALESCE(SUM(attempts - 1), 0) FROM jobs_queue WHERE attempts > 1`)
	if err != nil {
		return err
	}
	var failed int64 // a job that failed runs again, and its instance says so
	for i, c := range children[:instances] {
		failed += int64(strings.Count(c.said.String(), "will run again"))
		if c.said.Len() > 0 {
			f.say("instance %d said: %.600s", i+1, c.said)
		}
	}
	f.holds("jobs run once, whichever instance takes them", extra == failed && open == 0 && done > 0, fmt.Sprintf("%d jobs done, %d of them again after a failure, %d left over", done, failed, open))
	err = f.exact(ctx)
	f.holds("the audit finds nothing", err == nil, "")
	return err
}
