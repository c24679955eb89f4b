package wxsandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"
)

// tab drives one page of a headless Chromium over its debugging protocol: enough to look and to click.
type tab struct {
	t    *testing.T
	conn *websocket.Conn
	id   int
}

// newTab starts a browser of its own; the test is skipped where none is installed.
func newTab(t *testing.T, width, height int) *tab {
	t.Helper()
	bin, err := exec.LookPath("chromium")
	if err != nil {
		noBrowser(t, "no chromium")
	}
	dir, err := os.MkdirTemp("", "wxsandbox-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0", "--remote-allow-origins=*", "--user-data-dir="+dir, "about:blank")
	if err := cmd.Start(); err != nil {
		noBrowser(t, "chromium does not start: ", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		for range 20 { // its children write a little longer
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	var port string
	for range 1200 { // a minute: a busy machine starts a browser slowly
		if b, err := os.ReadFile(filepath.Join(dir, "DevToolsActivePort")); err == nil && strings.Contains(string(b), "\n") {
			port, _, _ = strings.Cut(string(b), "\n")
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if port == "" {
		noBrowser(t, "chromium gives no debugging port")
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://127.0.0.1:"+port+"/json/new?about:blank", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var info struct {
		URL string `json:"webSocketDebuggerUrl"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil {
		t.Fatal(err)
	}
	conn, err := websocket.Dial(info.URL, "", "http://127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	conn.MaxPayloadBytes = 64 << 20
	p := &tab{t: t, conn: conn}
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false})
	return p
}

// do sends one command and waits for its answer, passing over events.
func (p *tab) do(method string, params any) map[string]any {
	p.t.Helper()
	p.id++
	_ = p.conn.SetDeadline(time.Now().Add(20 * time.Second))
	if err := websocket.JSON.Send(p.conn, map[string]any{"id": p.id, "method": method, "params": params}); err != nil {
		p.t.Fatal(err)
	}
	for {
		var m struct {
			ID     int            `json:"id"`
			Result map[string]any `json:"result"`
			Error  any            `json:"error"`
		}
		if err := websocket.JSON.Receive(p.conn, &m); err != nil {
			p.t.Fatal(method, err)
		}
		if m.ID == p.id {
			if m.Error != nil {
				p.t.Fatal(method, m.Error)
			}
			return m.Result
		}
	}
}

func (p *tab) open(url string) {
	p.t.Helper()
	p.do("Page.navigate", map[string]any{"url": url})
	p.until(`document.readyState === "complete" && location.href !== "about:blank"`)
}

// eval runs an expression; a promise is awaited, an exception fails the test.
func (p *tab) eval(js string) any {
	p.t.Helper()
	res := p.do("Runtime.evaluate", map[string]any{"expression": js, "awaitPromise": true, "returnByValue": true})
	if ex, ok := res["exceptionDetails"]; ok {
		p.t.Fatalf("%s: %v", js, ex)
	}
	v, _ := res["result"].(map[string]any)
	return v["value"]
}

// until waits for an expression to become true; an exception counts as not yet, as a page may be changing.
func (p *tab) until(js string) {
	p.t.Helper()
	for range 200 {
		res := p.do("Runtime.evaluate", map[string]any{"expression": "Boolean(" + js + ")", "returnByValue": true})
		if v, _ := res["result"].(map[string]any); v["value"] == true {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	p.t.Fatalf("never true: %s; page: %v", js, p.eval(`document.body.innerText.slice(0, 300)`))
}

// shot writes a PNG into $WXSANDBOX_SHOTS, for eyes; without it nothing happens.
func (p *tab) shot(name string) {
	dir := os.Getenv("WXSANDBOX_SHOTS")
	if dir == "" {
		return
	}
	b, err := base64.StdEncoding.DecodeString(fmt.Sprint(p.do("Page.captureScreenshot", map[string]any{"format": "png"})["data"]))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), b, 0o600)
	}
	if err != nil {
		p.t.Error(err)
	}
}

// noBrowser skips where nobody promised a browser. The project's own test run names one in CHROMIUM: there it is a failure.
func noBrowser(t *testing.T, why ...any) {
	t.Helper()
	if os.Getenv("CHROMIUM") != "" {
		t.Fatal(why...)
	}
	t.Skip(why...)
}
