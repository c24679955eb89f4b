package wxsandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
)

// hostPage stands for the H5: a strict policy of its own, and the bridge as its only script.
func hostPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>H5</title><h1>会员中心</h1><script src="/sandbox/bridge.js"></script>`)
}

const frame = `document.querySelector("iframe.wxsandbox-cover")`

// frameDoc finds an element of the open sheet, once its script has run.
func frameDoc(sel string) string {
	return fmt.Sprintf(`%s?.contentDocument?.readyState === "complete" && %s.contentDocument.querySelector(%q)`, frame, frame, sel)
}

// press waits for an element inside the open sheet and clicks it.
func (p *tab) press(sel string) {
	p.t.Helper()
	p.until(frameDoc(sel))
	p.eval(`(` + frameDoc(sel) + `).click()`)
}

// The bridge in a real browser: pay, cancel, wrong password, bad paySign, and the other questions to the user.
func TestBridgeInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	p := newTab(t, 390, 844)
	r := newRig(t)
	r.mux.HandleFunc("/h5", hostPage)
	js := jsapi.JsapiApiService{Client: r.payClient()}
	pre, _, err := js.PrepayWithRequestPayment(t.Context(), r.prepayReq("BRIDGE0001", 50000))
	if err != nil {
		t.Fatal(err)
	}
	p.open(r.srv.URL + "/h5")
	invoke := func(sign string) {
		p.eval(fmt.Sprintf(`void WeixinJSBridge.invoke("getBrandWCPayRequest", {appId: %q, timeStamp: %q, nonceStr: %q, package: %q, signType: "RSA", paySign: %q}, r => { window.res = r })`,
			*pre.Appid, *pre.TimeStamp, *pre.NonceStr, *pre.Package, sign))
	}
	result := func(want string) {
		t.Helper()
		p.until(`window.res`)
		if got := p.eval(`window.res.err_msg`); got != "get_brand_wcpay_request:"+want {
			t.Fatalf("got %v, want %s", got, want)
		}
		p.eval(`window.res = null`)
		p.until(`!` + frame)
	}
	if got := p.eval(`__wxsandbox.persona()`); got != nil {
		t.Fatalf("persona %v before anybody was chosen", got)
	}
	if got := p.eval(`__wxsandbox.login().catch(e => e.message)`); got != "login:fail no persona" {
		t.Fatal(got)
	}
	invoke(*pre.PaySign)
	p.press(`[data-persona="p1"]`) // nobody yet: the sheet asks first
	p.until(frameDoc("#keys"))
	p.shot("bridge-pay")
	p.press(".close")
	result("cancel")
	invoke("AAAA" + (*pre.PaySign)[4:])
	p.press(`.primary[data-result="fail"]`)
	result("fail")
	invoke(*pre.PaySign)
	p.until(frameDoc("#keys"))
	for range 6 {
		p.eval(`[...(` + frameDoc("#keys") + `).querySelectorAll("button")].find(b => b.textContent === "0").click()`)
	}
	p.until(frameDoc("#wrong:not([hidden])"))
	if o, _ := r.Order("BRIDGE0001"); o.State != StateNotPay {
		t.Fatal("paid with a wrong password")
	}
	for i := range 6 {
		p.eval(fmt.Sprintf(`[...(%s).querySelectorAll("button")].find(b => b.textContent === "%d").click()`, frameDoc("#keys"), i+1))
	}
	p.press(`#done:not([hidden]) [data-result="ok"]`)
	result("ok")
	if o, _ := r.Order("BRIDGE0001"); o.State != StateSuccess || o.PaidBy != "p1" {
		t.Fatalf("%+v", o)
	}
	invoke(*pre.PaySign) // paid already
	p.press(`.primary[data-result="fail"]`)
	result("fail")

	p.eval(`void __wxsandbox.requestSubscribeMessage([` + fmt.Sprintf("%q", tplPaid) + `]).then(r => { window.res = r })`)
	p.press("#accept")
	p.until(`window.res`)
	if got := p.eval(`JSON.stringify(window.res)`); got != `{"`+tplPaid+`":"accept"}` || r.Grants("p1")[tplPaid] != 1 {
		t.Fatalf("%v %v", got, r.Grants("p1"))
	}
	p.eval(`window.res = null; void __wxsandbox.getPhoneNumber().then(r => { window.res = r })`)
	p.press("#accept")
	p.until(`window.res`)
	if res, err := r.mp().GetAuth().GetPhoneNumber(fmt.Sprint(p.eval(`window.res.code`))); err != nil || res.PhoneInfo.PhoneNumber != "13800010001" {
		t.Fatal(res, err)
	}
	p.eval(`window.res = null; void __wxsandbox.getPhoneNumber().then(r => { window.res = r })`)
	p.press("#reject")
	p.until(`window.res && window.res.errMsg === "getPhoneNumber:fail user deny" && !window.res.code`)
	p.eval(`window.res = null; void __wxsandbox.requirePrivacyAuthorize().then(() => { window.res = "agreed" })`)
	p.press("#accept")
	p.until(`window.res === "agreed"`)
	p.eval(`window.res = null; void __wxsandbox.scanCode().then(r => { window.res = r })`)
	p.until(frameDoc("#text"))
	p.eval(`(` + frameDoc("#text") + `).value = "LC1.abc"`)
	p.press("#scan button")
	p.until(`window.res === "LC1.abc"`)
	if res, err := r.mp().GetAuth().Code2Session(fmt.Sprint(p.eval(`__wxsandbox.login().then(r => r.code)`))); err != nil || res.OpenID != r.openID("p1", AppMP) {
		t.Fatal(res, err)
	}
	// A foreign page's message is not an answer.
	p.eval(`window.res = null; void __wxsandbox.scanCode().then(r => { window.res = r })`)
	p.until(frameDoc("#text"))
	p.eval(`window.postMessage({wxsandbox: "scan", result: "ok", text: "forged"}, location.origin)`)
	p.press(".close")
	p.until(`window.res === null && !` + frame)
}

// The phone in a real browser: choose, pay a pending order and a code, see the message, switch a fault.
func TestPhoneInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	p := newTab(t, 390, 844)
	r := newRig(t)
	js := jsapi.JsapiApiService{Client: r.payClient()}
	req := r.prepayReq("PHONE00001", 3800)
	req.Description = core.String(`<b onload="x">洗车 & 打蜡</b>`)
	if _, _, err := js.Prepay(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	p.open(r.srv.URL + "/sandbox/")
	p.until(`document.querySelectorAll("#view .row").length >= 8`)
	p.eval(`document.querySelector("#view .row").click()`)
	p.until(`document.getElementById("title").textContent === "微信"`)
	p.eval(`document.querySelector("[data-tab=pay]").click()`)
	p.until(`document.querySelector("#view .small")`)
	if p.eval(`document.querySelector("#view b[onload]") === null`) != true {
		t.Fatal("a description was read as markup")
	}
	p.eval(`document.querySelector("#view .small").click()`)
	const doc = `document.querySelector("iframe.overlay")?.contentDocument`
	p.until(doc + `?.querySelector("#keys") && ` + doc + `.readyState === "complete"`)
	p.eval(`"123456".split("").forEach(n => [...` + doc + `.querySelectorAll("#keys button")].find(b => b.textContent === n).click())`)
	p.until(doc + `?.querySelector("#done:not([hidden])")`)
	p.eval(doc + `.querySelector("[data-result=ok]").click()`)
	p.until(`!document.querySelector("iframe.overlay") && document.body.innerText.includes("−¥38.00")`)
	p.eval(`document.querySelector("[data-tab=faults]").click()`)
	p.eval(`document.querySelector("#view .switch").click()`)
	p.until(`document.querySelector("#view .switch").getAttribute("aria-checked") === "true"`)
	if f := r.Faults(); len(f) != 1 || f[0].Target != "pay.notify" || f[0].Kind != "drop" {
		t.Fatal(f)
	}
	p.shot("phone-faults")
	p.eval(`document.querySelector("#view .switch").click()`)
	p.until(`document.querySelector("#view .switch").getAttribute("aria-checked") === "false"`)
	until(t, "message shown", func() bool { return len(r.Notifications()) == 1 })
}

// The sandbox as a program of its own, on another port than the H5: allowed origins may log in and frame the sheets.
func TestBridgeAcrossPorts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	p := newTab(t, 390, 844)
	host := httptest.NewUnstartedServer(nil)
	origin := "http://" + host.Listener.Addr().String()
	r := newRig(t, func(o *Options) { o.FrameAncestors = []string{origin} })
	host.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><meta charset="utf-8"><title>H5</title><script src="%s/sandbox/bridge.js"></script>`, r.srv.URL)
	})
	host.Start()
	defer host.Close()
	p.open(r.srv.URL + "/sandbox/")
	p.eval(`fetch("phone/persona", {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"personaId":"p3"}'}).then(r => r.json())`)
	p.open(origin + "/")
	p.until(`window.__wxsandbox`)
	if got := p.eval(`__wxsandbox.persona()`); got != "p3" {
		t.Fatal(got)
	}
	res, err := r.mp().GetAuth().Code2Session(fmt.Sprint(p.eval(`__wxsandbox.login().then(r => r.code)`)))
	if err != nil || res.OpenID != r.openID("p3", AppMP) {
		t.Fatal(res, err)
	}
	// The sheet answers across origins: closing it by its own key handler resolves the question with nothing.
	p.eval(`window.res = 1; void __wxsandbox.scanCode().then(r => { window.res = r })`)
	p.until(frame)
	for range 100 {
		p.do("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27})
		if p.eval(`window.res === null`) == true {
			return
		}
		time.Sleep(30 * time.Millisecond)
	}
	t.Fatal("no answer from the sheet of the other port")
}
