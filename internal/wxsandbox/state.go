package wxsandbox

import (
	"encoding/json"
	"time"
)

// state is everything that survives a restart. It is guarded by Sandbox.mu.
type state struct {
	Seq           int64                 `json:"seq"`
	Personas      []*Persona            `json:"personas"`
	Codes         map[string]*code      `json:"codes"`
	Tokens        map[string]*token     `json:"tokens"`  // access tokens by value
	Current       map[string]string     `json:"current"` // app → latest stable token; "token:"+app → latest plain token
	UserTokens    map[string]*userToken `json:"userTokens"`
	Grants        map[string]int        `json:"grants"` // grantKey → messages still allowed
	Messages      []*Message            `json:"messages"`
	Texts         []*TextMessage        `json:"texts,omitempty"`
	Orders        map[string]*Order     `json:"orders"`  // by out_trade_no
	Refunds       map[string]*Refund    `json:"refunds"` // by out_refund_no
	Notifications []*Notification       `json:"notifications"`
	Shipped       map[string]int        `json:"shipped"` // transaction id → uploads
	ClientMsgIDs  map[string]int64      `json:"clientMsgIds"`
	Chat          []*ChatEntry          `json:"chat"`             // with the official account
	Menu          json.RawMessage       `json:"menu,omitempty"`   // what menu/create was given
	Scenes        map[string]string     `json:"scenes"`           // scene by what its code says
	PlainPush     bool                  `json:"plainPush"`        // pushes are not encrypted
	Pushes        []*PushRecord         `json:"pushes,omitempty"` // newest last
}

func newState() *state {
	return &state{
		Codes: map[string]*code{}, Tokens: map[string]*token{}, Current: map[string]string{}, UserTokens: map[string]*userToken{},
		Grants: map[string]int{}, Orders: map[string]*Order{}, Refunds: map[string]*Refund{}, Shipped: map[string]int{},
		ClientMsgIDs: map[string]int64{}, Scenes: map[string]string{},
	}
}

// code is a single-use code: js_code, phone code or OAuth code.
type code struct {
	Kind      string    `json:"kind"` // "js", "phone", "oauth"
	PersonaID string    `json:"personaId"`
	App       string    `json:"app"`
	Scope     string    `json:"scope,omitempty"`
	ExpiresAt time.Time `json:"expiresAt"`
	Used      bool      `json:"used"`
}

// token is an access token of an app. Dead marks one that a forced refresh invalidated.
type token struct {
	App       string    `json:"app"`
	ExpiresAt time.Time `json:"expiresAt"`
	Dead      bool      `json:"dead,omitempty"`
}

// userToken is the web authorisation of one user.
type userToken struct {
	PersonaID string    `json:"personaId"`
	Scope     string    `json:"scope"`
	ExpiresAt time.Time `json:"expiresAt"`
	Refresh   bool      `json:"refresh,omitempty"`
}

// Message is one message in a persona's inbox.
type Message struct {
	ID         int64          `json:"id"`
	PersonaID  string         `json:"personaId"`
	App        string         `json:"app"`
	Kind       string         `json:"kind"` // "subscribe", "bizsend", "template"
	TemplateID string         `json:"templateId"`
	Title      string         `json:"title"`
	Fields     []MessageField `json:"fields"`
	Page       string         `json:"page,omitempty"` // mini-program page
	URL        string         `json:"url,omitempty"`
	At         time.Time      `json:"at"`
	Read       bool           `json:"read"`
}

// MessageField is one rendered row of a message.
type MessageField struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Value string `json:"value"`
}

// Trade states of an order.
const (
	StateNotPay  = "NOTPAY"
	StateSuccess = "SUCCESS"
	StateRefund  = "REFUND"
	StateClosed  = "CLOSED"
)

// Order is a WeChat Pay order. Amounts are fen.
type Order struct {
	AppID         string    `json:"appId"`
	OutTradeNo    string    `json:"outTradeNo"`
	TradeType     string    `json:"tradeType"` // JSAPI, NATIVE
	Description   string    `json:"description"`
	Attach        string    `json:"attach,omitempty"`
	NotifyURL     string    `json:"notifyUrl"`
	TotalFen      int64     `json:"totalFen"`
	TimeExpire    time.Time `json:"timeExpire,omitzero"`
	PayerOpenID   string    `json:"payerOpenId,omitempty"` // fixed by JSAPI, learnt when a NATIVE order is paid
	PrepayID      string    `json:"prepayId,omitempty"`
	CodeURL       string    `json:"codeUrl,omitempty"`
	Fingerprint   string    `json:"fingerprint"`
	CreatedAt     time.Time `json:"createdAt"`
	PrepayAt      time.Time `json:"prepayAt"` // prepay_id and code_url live two hours from here
	State         string    `json:"state"`
	TransactionID string    `json:"transactionId,omitempty"`
	PaidFen       int64     `json:"paidFen,omitempty"`
	PaidAt        time.Time `json:"paidAt,omitzero"`
	PaidBy        string    `json:"paidBy,omitempty"` // persona id
	LastFailure   string    `json:"lastFailure,omitempty"`
}

// Refund is a refund of an order. Amounts are fen.
type Refund struct {
	RefundID      string    `json:"refundId"`
	OutRefundNo   string    `json:"outRefundNo"`
	OutTradeNo    string    `json:"outTradeNo"`
	TransactionID string    `json:"transactionId"`
	Reason        string    `json:"reason,omitempty"`
	NotifyURL     string    `json:"notifyUrl,omitempty"`
	RefundFen     int64     `json:"refundFen"`
	TotalFen      int64     `json:"totalFen"`
	Status        string    `json:"status"` // PROCESSING, SUCCESS, CLOSED, ABNORMAL
	CreatedAt     time.Time `json:"createdAt"`
	SuccessAt     time.Time `json:"successAt,omitzero"`
	Fingerprint   string    `json:"fingerprint"`
}

// Notification is one fact that WeChat Pay tells the merchant, with the history of its deliveries.
type Notification struct {
	ID          string          `json:"id"`
	EventType   string          `json:"eventType"`
	Summary     string          `json:"summary"`
	Original    string          `json:"original"` // "transaction" or "refund"
	OutTradeNo  string          `json:"outTradeNo"`
	OutRefundNo string          `json:"outRefundNo,omitempty"`
	URL         string          `json:"url"`
	Plaintext   json.RawMessage `json:"plaintext"`
	CreatedAt   time.Time       `json:"createdAt"`
	State       string          `json:"state"` // pending, delivered, exhausted, lost
	Tries       int             `json:"tries"` // how far the retry schedule has come
	Attempts    []Attempt       `json:"attempts"`
}

// Attempt is one delivery.
type Attempt struct {
	At     time.Time `json:"at"`
	Status int       `json:"status"` // 0 when there was no answer
	Body   string    `json:"body,omitempty"`
	Error  string    `json:"error,omitempty"`
	Fault  string    `json:"fault,omitempty"`
}
