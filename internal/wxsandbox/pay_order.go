package wxsandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"
	"unicode/utf8"
)

const (
	prepayLife  = 2 * time.Hour
	unpaidLife  = 7 * 24 * time.Hour // an unpaid order closes by itself
	maxOrderFen = 100_000_000_00     // a sanity bound, far above WeChat's own per-user limits
)

var outTradeNoForm = regexp.MustCompile(`^[0-9A-Za-z_\-|*]{6,32}$`)

type prepayIn struct {
	AppID       string `json:"appid"`
	MchID       string `json:"mchid"`
	Description string `json:"description"`
	OutTradeNo  string `json:"out_trade_no"`
	TimeExpire  string `json:"time_expire"`
	Attach      string `json:"attach"`
	NotifyURL   string `json:"notify_url"`
	Amount      *struct {
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
	Payer *struct {
		OpenID string `json:"openid"`
	} `json:"payer"`
}

const required = "必填性规则校验失败，此字段为必填项"

// check applies WeChat Pay's field rules; the expiry comes back parsed.
func (s *Sandbox) checkPrepay(in *prepayIn) (time.Time, *payError) {
	var none time.Time
	switch {
	case in.AppID == "":
		return none, paramError("/body/appid", "公众账号ID", required)
	case in.MchID == "":
		return none, paramError("/body/mchid", "商户号", required)
	case in.MchID != s.o.Pay.MchID:
		return none, paramError("/body/mchid", "商户号", "与签名所用商户号不一致")
	case in.Description == "":
		return none, paramError("/body/description", "商品描述", required)
	case utf8.RuneCountInString(in.Description) > 127:
		return none, paramError("/body/description", "商品描述", "字符串规则校验失败，字符数超过最大值127")
	case !outTradeNoForm.MatchString(in.OutTradeNo):
		return none, paramError("/body/out_trade_no", "商户订单号", "字符串规则校验失败，须为6-32位数字、大小写字母或_-|*")
	case in.Amount == nil:
		return none, paramError("/body/amount/total", "总金额", required)
	case in.Amount.Total < 1 || in.Amount.Total > maxOrderFen:
		return none, paramError("/body/amount/total", "总金额", "数值规则校验失败，必须大于等于1")
	case in.Amount.Currency != "" && in.Amount.Currency != "CNY":
		return none, paramError("/body/amount/currency", "货币类型", "枚举值校验失败，仅支持CNY")
	case utf8.RuneCountInString(in.Attach) > 127:
		return none, paramError("/body/attach", "附加数据", "字符串规则校验失败，字符数超过最大值127")
	}
	if e := checkNotifyURL(in.NotifyURL, true); e != nil {
		return none, e
	}
	if _, _, ok := s.app(in.AppID); !ok {
		return none, refuse("APPID_MCHID_NOT_MATCH", "商户号mchid与appid不匹配")
	}
	if in.TimeExpire == "" {
		return none, nil
	}
	t, err := time.Parse(time.RFC3339, in.TimeExpire)
	if err != nil {
		return none, paramError("/body/time_expire", "交易结束时间", "日期格式校验失败，须遵循rfc3339标准")
	}
	if !t.After(s.o.Now()) {
		return none, refuse("PARAM_ERROR", "time_expire时间过早，请检查后重新传入")
	}
	return t, nil
}

func checkNotifyURL(raw string, need bool) *payError {
	if raw == "" && !need {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || len(raw) > 255 || u.RawQuery != "" || u.Fragment != "" {
		return paramError("/body/notify_url", "通知地址", "格式校验失败，须为外网可访问的URL，不能携带参数")
	}
	return nil
}

func (s *Sandbox) prepayJSAPI(_ *http.Request, body []byte) (any, *payError) {
	o, e := s.prepay("JSAPI", body)
	if e != nil {
		return nil, e
	}
	return map[string]string{"prepay_id": o.PrepayID}, nil
}

func (s *Sandbox) prepayNative(_ *http.Request, body []byte) (any, *payError) {
	o, e := s.prepay("NATIVE", body)
	if e != nil {
		return nil, e
	}
	return map[string]string{"code_url": o.CodeURL}, nil
}

// prepay creates an order, or answers again for the same one: the same number needs identical parameters.
func (s *Sandbox) prepay(tradeType string, body []byte) (*Order, *payError) {
	var in prepayIn
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, refuse("PARAM_ERROR", "请求体不是合法的JSON或字段类型有误")
	}
	expire, e := s.checkPrepay(&in)
	if e != nil {
		return nil, e
	}
	now := s.o.Now()
	payer := ""
	if tradeType == "JSAPI" {
		if in.Payer == nil || in.Payer.OpenID == "" {
			return nil, paramError("/body/payer/openid", "用户标识", required)
		}
		payer = in.Payer.OpenID
		if app, _, _ := s.app(in.AppID); s.personaByOpenID(app, payer) == nil {
			if s.personaByOpenID(AppMP, payer) == nil && s.personaByOpenID(AppOA, payer) == nil {
				return nil, refuse("PARAM_ERROR", "无效的openid")
			}
			return nil, refuse("PARAM_ERROR", "appid和openid不匹配")
		}
	}
	mark := fingerprint(in.AppID, in.Description, in.OutTradeNo, in.TimeExpire, in.Attach, in.NotifyURL, fmt.Sprint(in.Amount.Total), payer)
	if o := s.st.Orders[in.OutTradeNo]; o != nil {
		s.expire(o)
		switch {
		case o.TradeType != tradeType:
			return nil, refuse("OUT_TRADE_NO_USED", "商户订单号重复，请使用新的商户订单号")
		case o.State == StateClosed:
			return nil, refuse("ORDER_CLOSED", "该订单已关闭，请重新下单")
		case o.State != StateNotPay:
			return nil, refuse("ORDERPAID", "该订单已支付，请更换商户订单号")
		case o.Fingerprint != mark:
			return nil, refuse("INVALID_REQUEST", "请求重入时，参数与首次请求时不一致，请检查参数后再试")
		}
		if now.Sub(o.PrepayAt) >= prepayLife {
			s.newSession(o)
		}
		return o, nil
	}
	o := &Order{
		AppID: in.AppID, OutTradeNo: in.OutTradeNo, TradeType: tradeType, Description: in.Description, Attach: in.Attach, NotifyURL: in.NotifyURL,
		TotalFen: in.Amount.Total, TimeExpire: expire, PayerOpenID: payer, Fingerprint: mark, CreatedAt: now, State: StateNotPay,
	}
	s.st.Orders[o.OutTradeNo] = o
	s.newSession(o)
	return o, nil
}

// newSession gives the order a fresh prepay_id or code_url.
func (s *Sandbox) newSession(o *Order) {
	o.PrepayAt = s.o.Now()
	if o.TradeType == "NATIVE" {
		delete(s.byCode, o.CodeURL)
		o.CodeURL = "weixin://wxpay/bizpayurl?pr=" + randomHex(4) + "z" + fmt.Sprint(s.next()%10)
	} else {
		delete(s.byPrepay, o.PrepayID)
		o.PrepayID = "wx" + o.PrepayAt.In(cst).Format("20060102150405") + randomHex(10)
	}
	s.index(o)
	s.touch()
}

func fingerprint(parts ...string) string {
	b, _ := json.Marshal(parts) // a list of strings always encodes
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:12])
}

// expire closes an order that stayed unpaid for seven days.
func (s *Sandbox) expire(o *Order) {
	if o.State == StateNotPay && s.o.Now().Sub(o.CreatedAt) >= unpaidLife {
		o.State = StateClosed
		s.touch()
	}
}

func (s *Sandbox) queryByOutTradeNo(r *http.Request, _ []byte) (any, *payError) {
	return s.query(r, s.st.Orders[r.PathValue("no")])
}

func (s *Sandbox) queryByID(r *http.Request, _ []byte) (any, *payError) {
	return s.query(r, s.byTxn[r.PathValue("id")])
}

func (s *Sandbox) query(r *http.Request, o *Order) (any, *payError) {
	if r.URL.Query().Get("mchid") != s.o.Pay.MchID {
		return nil, paramError("/query/mchid", "商户号", "与签名所用商户号不一致")
	}
	if o == nil {
		return nil, refuse("ORDER_NOT_EXIST", "订单不存在")
	}
	s.expire(o)
	return s.transaction(o), nil
}

var stateTexts = map[string]string{StateNotPay: "订单未支付", StateSuccess: "支付成功", StateRefund: "订单发生过退款，退款详情请查询退款单", StateClosed: "订单已关闭"}

// transaction is the order as queries and notifications show it.
func (s *Sandbox) transaction(o *Order) map[string]any {
	out := map[string]any{
		"appid": o.AppID, "mchid": s.o.Pay.MchID, "out_trade_no": o.OutTradeNo, "attach": o.Attach,
		"trade_state": o.State, "trade_state_desc": stateTexts[o.State], "promotion_detail": []any{},
		"amount": map[string]any{"total": o.TotalFen, "currency": "CNY", "payer_currency": "CNY"},
	}
	if o.PayerOpenID != "" {
		out["payer"] = map[string]any{"openid": o.PayerOpenID}
	}
	if o.TransactionID != "" {
		out["transaction_id"] = o.TransactionID
		out["trade_type"] = o.TradeType
		out["bank_type"] = "OTHERS"
		out["success_time"] = o.PaidAt.In(cst).Format(payTimeStyle)
		out["amount"] = map[string]any{"total": o.PaidFen, "payer_total": o.PaidFen, "currency": "CNY", "payer_currency": "CNY"}
	}
	return out
}

func (s *Sandbox) closeOrder(r *http.Request, body []byte) (any, *payError) {
	var in struct {
		MchID string `json:"mchid"`
	}
	if json.Unmarshal(body, &in) != nil || in.MchID != s.o.Pay.MchID {
		return nil, paramError("/body/mchid", "商户号", "与签名所用商户号不一致")
	}
	o := s.st.Orders[r.PathValue("no")]
	if o == nil {
		return nil, refuse("ORDER_NOT_EXIST", "订单不存在")
	}
	s.expire(o)
	switch o.State {
	case StateSuccess, StateRefund:
		return nil, refuse("ORDERPAID", "该订单已支付")
	case StateClosed:
		return nil, refuse("ORDER_CLOSED", "该订单已关闭")
	}
	o.State = StateClosed
	s.touch()
	return nil, nil
}

// Order returns an order by its out_trade_no.
func (s *Sandbox) Order(outTradeNo string) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.st.Orders[outTradeNo]
	if o == nil {
		return Order{}, false
	}
	s.expire(o)
	return *o, true
}
