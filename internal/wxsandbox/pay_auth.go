package wxsandbox

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	authScheme   = "WECHATPAY2-SHA256-RSA2048"
	authWindow   = 5 * time.Minute
	payTimeStyle = "2006-01-02T15:04:05-07:00"
)

// payError is a refusal of WeChat Pay: an HTTP status and a code. It goes out unsigned, as the real one does.
type payError struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func refuse(code, message string) *payError {
	return &payError{Status: payStatusOf(code), Code: code, Message: message}
}

func paramError(field, name, why string) *payError {
	return refuse("PARAM_ERROR", fmt.Sprintf("输入源“%s”映射到字段“%s”%s", field, name, why))
}

var payCodes = map[string]struct {
	status  int
	message string
}{
	"PARAM_ERROR": {400, "参数错误"}, "INVALID_REQUEST": {400, "无效请求"}, "APPID_MCHID_NOT_MATCH": {400, "appid和mch_id不匹配"},
	"ORDERPAID": {400, "该订单已支付"}, "ORDER_CLOSED": {400, "该订单已关闭"}, "MCH_NOT_EXISTS": {400, "商户号不存在"},
	"NO_STATEMENT_EXIST": {400, "账单文件不存在"}, "STATEMENT_CREATING": {400, "账单生成中"}, "SIGN_ERROR": {401, "错误的签名，验签失败"},
	"NO_AUTH": {403, "商户无权限"}, "OUT_TRADE_NO_USED": {403, "商户订单号重复"}, "NOT_ENOUGH": {403, "基本账户余额不足，请充值后重新发起"},
	"RULE_LIMIT": {403, "业务规则限制"}, "ORDER_NOT_EXIST": {404, "订单不存在"}, "RESOURCE_NOT_EXISTS": {404, "查询的资源不存在"},
	"FREQUENCY_LIMITED": {429, "频率超限"}, "SYSTEM_ERROR": {500, "系统异常，请稍后重试"}, "BANK_ERROR": {500, "银行系统异常"},
}

func payStatusOf(code string) int {
	if c, ok := payCodes[code]; ok {
		return c.status
	}
	return http.StatusBadRequest
}

func payMessageOf(code string) string { return payCodes[code].message }

// payFunc answers one verified call; it runs under mu. A nil answer is 204.
type payFunc func(r *http.Request, body []byte) (any, *payError)

func (s *Sandbox) payRoutes(m *http.ServeMux) {
	m.HandleFunc("POST /v3/pay/transactions/jsapi", s.pay(s.prepayJSAPI))
	m.HandleFunc("POST /v3/pay/transactions/native", s.pay(s.prepayNative))
	m.HandleFunc("GET /v3/pay/transactions/out-trade-no/{no}", s.pay(s.queryByOutTradeNo))
	m.HandleFunc("GET /v3/pay/transactions/id/{id}", s.pay(s.queryByID))
	m.HandleFunc("POST /v3/pay/transactions/out-trade-no/{no}/close", s.pay(s.closeOrder))
	m.HandleFunc("POST /v3/refund/domestic/refunds", s.pay(s.createRefund))
	m.HandleFunc("GET /v3/refund/domestic/refunds/{no}", s.pay(s.queryRefund))
	m.HandleFunc("POST /v3/refund/domestic/refunds/{id}/apply-abnormal-refund", s.pay(s.abnormalRefund))
	m.HandleFunc("GET /v3/bill/tradebill", s.pay(s.tradeBill))
	m.HandleFunc("GET /v3/bill/fundflowbill", s.pay(s.fundFlowBill))
	m.HandleFunc("GET /v3/billdownload/file", s.downloadBill)
	m.HandleFunc("GET /v3/certificates", s.pay(s.certificates))
	m.HandleFunc("/v3/", s.pay(func(r *http.Request, _ []byte) (any, *payError) {
		return nil, &payError{http.StatusNotFound, "RESOURCE_NOT_EXISTS", "接口未模拟：" + r.URL.Path}
	}))
}

// pay verifies the request, runs f and signs a 2xx answer.
func (s *Sandbox) pay(f payFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Request-ID", "08"+strings.ToUpper(randomHex(18)))
		body := readBody(r)
		e := s.verify(r, body)
		var v any
		if e == nil {
			s.mu.Lock()
			v, e = f(r, body)
			s.mu.Unlock()
		}
		if e != nil {
			writeJSON(w, e.Status, e)
			return
		}
		var out []byte
		status := http.StatusNoContent
		if v != nil {
			var err error
			if out, err = json.Marshal(v); err != nil {
				writeJSON(w, http.StatusInternalServerError, refuse("SYSTEM_ERROR", "系统异常，请稍后重试"))
				return
			}
			status = http.StatusOK
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
		}
		if err := s.signHeader(w.Header(), out); err != nil {
			writeJSON(w, http.StatusInternalServerError, refuse("SYSTEM_ERROR", "系统异常，请稍后重试"))
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write(out)
	}
}

var authPart = regexp.MustCompile(`^\s*(mchid|nonce_str|timestamp|serial_no|signature)="([^"]*)"\s*$`)

// verify checks the Authorization header as WeChat Pay does, and that the nonce is new.
func (s *Sandbox) verify(r *http.Request, body []byte) *payError {
	bad := func(why string) *payError { return refuse("SIGN_ERROR", why) }
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if scheme != authScheme {
		return bad("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
	}
	part := map[string]string{}
	for _, p := range strings.Split(rest, ",") {
		m := authPart.FindStringSubmatch(p)
		if m == nil {
			return bad("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
		}
		part[m[1]] = m[2]
	}
	if part["mchid"] != s.o.Pay.MchID {
		return bad("商户号不存在或与商户证书不一致")
	}
	if part["serial_no"] != s.o.Pay.MerchantSerial {
		return bad("商户证书序列号有误。请使用签名私钥匹配的证书序列号")
	}
	ts, err := strconv.ParseInt(part["timestamp"], 10, 64)
	now := s.o.RealNow()
	if err != nil || now.Sub(time.Unix(ts, 0)).Abs() > authWindow {
		return bad("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
	}
	if n := len(part["nonce_str"]); n < 1 || n > 64 {
		return bad("Http头Authorization中的nonce_str格式错误")
	}
	sig, err := base64.StdEncoding.DecodeString(part["signature"])
	if err != nil {
		return bad("错误的签名，验签失败")
	}
	// The path is the one that the merchant signed: the mount prefix has been stripped.
	uri := r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		uri += "?" + r.URL.RawQuery
	}
	if !verifyRSA(s.merchantKey, fmt.Sprintf("%s\n%s\n%s\n%s\n%s\n", r.Method, uri, part["timestamp"], part["nonce_str"], body), sig) {
		return bad("错误的签名，验签失败")
	}
	// A merchant that names the key it can verify with must name ours.
	if want := r.Header.Get("Wechatpay-Serial"); want != "" && want != s.signSerial {
		return refuse("PARAM_ERROR", "Http头Wechatpay-Serial有误，请检查平台证书序列号或微信支付公钥ID")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.swept) > time.Minute {
		s.swept = now
		for n, at := range s.nonces {
			if now.Sub(at) > 2*authWindow {
				delete(s.nonces, n)
			}
		}
	}
	if _, used := s.nonces[part["nonce_str"]]; used {
		return bad("Http头Authorization中的nonce_str重复")
	}
	s.nonces[part["nonce_str"]] = now
	return nil
}

func verifyRSA(key *rsa.PublicKey, message string, sig []byte) bool {
	h := sha256.Sum256([]byte(message))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, h[:], sig) == nil
}

// signHeader signs a body with the platform key, for an answer or a notification.
func (s *Sandbox) signHeader(h http.Header, body []byte) error {
	ts, nonce := strconv.FormatInt(s.o.RealNow().Unix(), 10), randomHex(16)
	sum := sha256.Sum256([]byte(ts + "\n" + nonce + "\n" + string(body) + "\n"))
	sig, err := rsa.SignPKCS1v15(rand.Reader, s.signKey, crypto.SHA256, sum[:])
	if err != nil {
		return fmt.Errorf("wxsandbox: sign: %w", err)
	}
	h.Set("Wechatpay-Timestamp", ts)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(sig))
	h.Set("Wechatpay-Serial", s.signSerial)
	h.Set("Wechatpay-Signature-Type", authScheme)
	return nil
}

// resource is the encrypted part of a notification or of a certificate.
type resource struct {
	OriginalType   string `json:"original_type,omitempty"`
	Algorithm      string `json:"algorithm"`
	Ciphertext     string `json:"ciphertext"`
	AssociatedData string `json:"associated_data"`
	Nonce          string `json:"nonce"`
}

func (s *Sandbox) encrypt(plain []byte, associated string) (resource, error) {
	block, err := aes.NewCipher([]byte(s.o.Pay.APIv3Key))
	if err != nil {
		return resource{}, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return resource{}, err
	}
	nonce := randomHex(6) // 12 characters, used as they are
	return resource{
		Algorithm: "AEAD_AES_256_GCM", AssociatedData: associated, Nonce: nonce,
		Ciphertext: base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), plain, []byte(associated))),
	}, nil
}

// certificates serves the platform certificate in certificate mode; a merchant in public-key mode has none.
func (s *Sandbox) certificates(*http.Request, []byte) (any, *payError) {
	if s.o.Pay.Mode != ModeCertificate {
		return nil, refuse("RESOURCE_NOT_EXISTS", "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥")
	}
	enc, err := s.encrypt([]byte(s.cred.PlatformCertificatePEM), "certificate")
	if err != nil {
		return nil, refuse("SYSTEM_ERROR", "系统异常，请稍后重试")
	}
	cert, err := parseCertificate(s.cred.PlatformCertificatePEM)
	if err != nil {
		return nil, refuse("SYSTEM_ERROR", "系统异常，请稍后重试")
	}
	return map[string]any{"data": []any{map[string]any{
		"serial_no": s.signSerial, "effective_time": cert.NotBefore.In(cst).Format(payTimeStyle),
		"expire_time": cert.NotAfter.In(cst).Format(payTimeStyle), "encrypt_certificate": enc,
	}}}, nil
}
