// Package wxsandbox is an honest, strict stand-in for api.weixin.qq.com, open.weixin.qq.com and
// api.mch.weixin.qq.com. The SDKs used by this repository cannot tell it from the real platform, and it refuses
// what WeChat refuses.
//
// # Model
//
// A Sandbox is one WeChat as seen by one shop: a mini-program ("mp"), an official account ("oa") and a merchant
// number bound to both. Personas are its users; each has one openid per app. Codes, tokens, grants, messages,
// orders, refunds and notifications live in one state value under one mutex and are written, debounced and
// atomically, to Options.StateFile.
//
// One handler serves everything below its mount point:
//
//	/sns/… /cgi-bin/… /wxa/…   platform API: HTTP 200 and {"errcode","errmsg"}
//	/connect/oauth2/authorize  OAuth pages
//	/v3/…                      WeChat Pay: requests verified, 2xx answers signed, other answers unsigned
//	/sms/tencent /sms/aliyun   the SMS providers: requests verified, texts on the phone
//	/                          a phone: personas, chats, messages, payments, faults
//	/bridge.js /bridge.css     WeixinJSBridge and window.__wxsandbox for a plain browser
//	/control                   the control API; GET /control describes it
//
// # Owns
//
// Nothing outside itself: no table, no domain word. It depends on the standard library only.
//
// # Invariants
//
//   - It never runs with identifiers that it did not make: New refuses an appid or a merchant number without the
//     sandbox marker (IsSandboxAppID, IsSandboxMchID), so it cannot stand in front of production keys.
//   - Every code is single-use and expires; a grant is spent by exactly one message; a refused message spends nothing.
//   - An order is paid at most once; the sum of its refunds never exceeds what was paid.
//   - A notification is a fact fixed when it happens; faults alter copies of it, never the order.
//   - Close returns only after every goroutine that New or a request started has ended.
//
// # Two clocks
//
// Options.Now dates codes, tokens, orders and bills and may be moved by a test. Options.RealNow dates the
// signatures, because the SDK compares them with the machine's clock (±300 s); the retry schedule runs on timers.
//
// # Control API
//
// All bodies are JSON and need Content-Type: application/json.
//
//	GET    /control                                this list, as JSON
//	GET    /control/state                          personas, orders, refunds, messages, notifications, faults
//	POST   /control/faults                         {target, path?, kind, count?, delayMs?, value?}
//	DELETE /control/faults[?id=]                   clears one or all
//	POST   /control/pay                            {prepayId|codeUrl|outTradeNo, personaId, outcome, amountFen?, delayMs?, force?}
//	POST   /control/personas                       adds one; with a known id, changes follows
//	POST   /control/login-code                     {personaId, app} → {code}
//	POST   /control/oauth-code                     {personaId, scope} → {code}
//	POST   /control/phone-code                     {personaId} → {code}
//	POST   /control/grants                         {personaId, templateId, count}
//	POST   /control/notify/{outTradeNo}/resend     sends the order's notifications again
//	POST   /control/signtest                       {url}: a probe with a signature that must be refused
//	POST   /control/push                           {app, personaId, event, fields, mode?}: pushes an event to the shop's callback; mode "plain" or "encrypted" sets how
//	POST   /control/scan                           {personaId, scene}: scans a code of the official account, which follows it
//	POST   /control/text                           {personaId, text}: writes to the official account
//	POST   /control/reset                          forgets everything except the seeded personas
//
// Fault targets: "api", "oauth", "pay.api", "pay.notify", "pay.refund", "sms", "push" (messages and events; path is a prefix of the event). Kinds:
//
//	api, oauth, pay.api  delay, drop (before acting), drop_after (acted, answer lost), timeout, status, errcode
//	pay.api              also forge (answer signed wrongly), unsigned
//	pay.notify           delay, drop, duplicate, reorder, forge, wrong_amount, wrong_mchid, wrong_appid
//	pay.refund           abnormal, closed
//	push                 delay, drop, duplicate, reorder, forge, wrong_appid (of an encrypted one)
//	sms                  delay, drop, drop_after, timeout, status, limit, reject, lose (accepted, never arrives)
//
// A dropped GET on a kept-alive connection is repeated silently by Go's transport, against the real platform too: to
// be seen, such a fault needs count 0 or a POST.
package wxsandbox
