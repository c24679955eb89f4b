package wxsandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"
)

var sceneForm = regexp.MustCompile(`^[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}$`)

// wxaCode answers an image, not JSON, so it stands beside the common wrapper.
func (s *Sandbox) wxaCode(w http.ResponseWriter, r *http.Request) {
	body := readBody(r)
	s.mu.Lock()
	img, e := s.wxaCodeLocked(r, body)
	s.mu.Unlock()
	if e != nil {
		writeJSON(w, http.StatusOK, e)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg") // exactly this: the SDK takes no other type for an image
	_, _ = w.Write(img)
}

func (s *Sandbox) wxaCodeLocked(r *http.Request, body []byte) ([]byte, map[string]any) {
	if e := s.checkToken(r.URL.Query().Get("access_token"), AppMP); e != nil {
		return nil, e
	}
	if !s.allow(r.URL.Path, "") {
		return nil, apiErr(45009, "")
	}
	var in struct {
		Scene     string `json:"scene"`
		Page      string `json:"page"`
		CheckPath *bool  `json:"check_path"`
		Width     int    `json:"width"`
	}
	if r.Method != http.MethodPost {
		return nil, apiErr(43002, "")
	}
	if json.Unmarshal(body, &in) != nil {
		return nil, apiErr(47001, "")
	}
	if !sceneForm.MatchString(in.Scene) {
		return nil, apiErr(40129, "")
	}
	if in.Page != "" && (strings.Contains(in.Page, "?") || !pageForm.MatchString(in.Page)) {
		return nil, apiErr(41030, "")
	}
	if (in.CheckPath == nil || *in.CheckPath) && !s.knownPage(in.Page) {
		return nil, apiErr(41030, "")
	}
	if in.Width == 0 {
		in.Width = 430
	}
	if in.Width < 280 || in.Width > 1280 {
		return nil, apiErr(40097, "invalid width")
	}
	return sunCode(in.Scene+"|"+in.Page, in.Width), nil
}

// sunCode draws a round pattern that looks like a mini-program code; it carries no data, only a likeness.
func sunCode(text string, width int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, width))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	h := sha256.Sum256([]byte(text))
	const n = 25
	cell, ink := width/(n+4), color.RGBA{R: 0x1a, G: 0x1a, B: 0x1a, A: 0xff}
	off := (width - n*cell) / 2
	for y := range n {
		for x := range n {
			dx, dy := x-n/2, y-n/2
			d := dx*dx + dy*dy
			bit := h[(x*7+y*3)%32]>>uint((x+y)%8)&1 == 1
			if d > n*n/4 || (d > 20 && !bit) || (d <= 20 && d > 9) {
				continue
			}
			c := ink
			if d <= 9 {
				c = color.RGBA{R: 0x07, G: 0xc1, B: 0x60, A: 0xff}
			}
			draw.Draw(img, image.Rect(off+x*cell, off+y*cell, off+(x+1)*cell-1, off+(y+1)*cell-1), image.NewUniform(c), image.Point{}, draw.Src)
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: 85}) // writing to memory
	return b.Bytes()
}

func (s *Sandbox) isTradeManaged(_ *http.Request, app string, body []byte) any {
	var in struct {
		AppID string `json:"appid"`
	}
	if json.Unmarshal(body, &in) != nil || in.AppID != s.appID(app) {
		return apiErr(40013, "")
	}
	return apiOK("is_trade_managed", s.o.TradeManaged)
}

// uploadForm is RFC 3339 with milliseconds and +08:00; WeChat refuses nanoseconds and other zones.
var uploadForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+08:00$`)

type shippingIn struct {
	OrderKey struct {
		Type          int    `json:"order_number_type"`
		TransactionID string `json:"transaction_id"`
		MchID         string `json:"mchid"`
		OutTradeNo    string `json:"out_trade_no"`
	} `json:"order_key"`
	LogisticsType int `json:"logistics_type"`
	DeliveryMode  int `json:"delivery_mode"`
	List          []struct {
		ItemDesc string `json:"item_desc"`
	} `json:"shipping_list"`
	UploadTime string `json:"upload_time"`
	Payer      struct {
		OpenID string `json:"openid"`
	} `json:"payer"`
}

func (s *Sandbox) uploadShipping(r *http.Request, app string, body []byte) any {
	var in shippingIn
	if r.Method != http.MethodPost {
		return apiErr(43002, "")
	}
	if json.Unmarshal(body, &in) != nil {
		return apiErr(47001, "")
	}
	var o *Order
	switch in.OrderKey.Type {
	case 1:
		if in.OrderKey.MchID != s.o.Pay.MchID {
			return apiErr(268485196, "商户侧单号形式下，mchid 不正确")
		}
		o = s.st.Orders[in.OrderKey.OutTradeNo]
	case 2:
		o = s.byTxn[in.OrderKey.TransactionID]
	default:
		return apiErr(268485194, "订单单号类型非法")
	}
	switch {
	case in.DeliveryMode != 1 && in.DeliveryMode != 2:
		return apiErr(268485224, "发货模式非法")
	case in.LogisticsType < 1 || in.LogisticsType > 4:
		return apiErr(10060005, "物流类型有误")
	case in.DeliveryMode == 1 && len(in.List) != 1:
		return apiErr(268485226, "统一发货模式下，物流信息列表长度必须为 1")
	case len(in.List) == 0 || len(in.List) > 10:
		return apiErr(268485226, "物流信息列表长度非法")
	case !uploadForm.MatchString(in.UploadTime):
		return apiErr(268485216, "上传时间非法，请按照 RFC 3339 格式填写")
	}
	for _, it := range in.List {
		if n := utf8.RuneCountInString(it.ItemDesc); n == 0 || n > 120 {
			return apiErr(10060014, "商品信息 item_desc 不能为空且不超过 120 字")
		}
	}
	switch {
	case o == nil || o.TransactionID == "":
		return apiErr(10060001, "支付单不存在")
	case o.AppID != s.appID(app) || o.PayerOpenID != in.Payer.OpenID:
		return apiErr(10060009, "支付单与用户不匹配")
	case o.State != StateSuccess && o.State != StateRefund:
		return apiErr(10060004, "支付单处于不可发货的状态")
	case s.st.Shipped[o.TransactionID] >= 2:
		return apiErr(10060003, "支付单已使用重新发货机会")
	}
	s.st.Shipped[o.TransactionID]++
	s.touch()
	return apiOK()
}

// riskyWords stand for what a content check refuses; enough for a test to get a refusal.
var riskyWords = []string{"违禁", "赌博", "色情", "代开发票", "枪支"}

func (s *Sandbox) msgSecCheck(r *http.Request, app string, body []byte) any {
	var in struct {
		Version int    `json:"version"`
		OpenID  string `json:"openid"`
		Scene   int    `json:"scene"`
		Content string `json:"content"`
	}
	if r.Method != http.MethodPost {
		return apiErr(43002, "")
	}
	if json.Unmarshal(body, &in) != nil {
		return apiErr(47001, "")
	}
	if in.Version != 2 || in.Scene < 1 || in.Scene > 4 || in.Content == "" || utf8.RuneCountInString(in.Content) > 2500 {
		return apiErr(47003, "")
	}
	if s.personaByOpenID(app, in.OpenID) == nil {
		return apiErr(40003, "")
	}
	suggest, label := "pass", 100
	for _, w := range riskyWords {
		if strings.Contains(in.Content, w) {
			suggest, label = "risky", 20001
		}
	}
	return apiOK("trace_id", randomHex(12), "result", map[string]any{"suggest": suggest, "label": label},
		"detail", []map[string]any{{"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}})
}
