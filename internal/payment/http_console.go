package payment

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

// Row is a payment in the console's list.
type Row struct {
	ID            int64      `json:"id"`
	OutTradeNo    string     `json:"outTradeNo"`
	TransactionID string     `json:"transactionId,omitempty" doc:"WeChat Pay's number, once it is paid"`
	Purpose       string     `json:"purpose" enum:"topup,order"`
	SubjectID     int64      `json:"subjectId" doc:"The top-up or the order"`
	App           string     `json:"app" enum:"mini_program,official_account"`
	TradeType     string     `json:"tradeType" enum:"JSAPI,NATIVE"`
	AmountFen     money.Fen  `json:"amountFen"`
	PaidFen       money.Fen  `json:"paidFen,omitempty"`
	RefundedFen   money.Fen  `json:"refundedFen"`
	State         string     `json:"state" enum:"created,prepaid,paid,closed,failed,mismatch,surplus"`
	WechatState   string     `json:"wechatState,omitempty" doc:"What WeChat Pay said last"`
	CreatedAt     time.Time  `json:"createdAt"`
	PaidAt        *time.Time `json:"paidAt,omitempty"`
	Alert         string     `json:"alert,omitempty" doc:"What somebody should look at"`
}

// Notice is a notification of WeChat Pay as the console shows it.
type Notice struct {
	At         time.Time `json:"at"`
	Kind       string    `json:"kind" doc:"TRANSACTION.SUCCESS, REFUND.SUCCESS …"`
	Outcome    string    `json:"outcome" enum:"received,verified,duplicate,mismatch,unknown_order,forged"`
	Detail     string    `json:"detail"`
	HTTPStatus int       `json:"httpStatus" doc:"What we answered"`
}

// RefundRow is a refund as the console shows it.
type RefundRow struct {
	ID          int64      `json:"id"`
	OutRefundNo string     `json:"outRefundNo"`
	AmountFen   money.Fen  `json:"amountFen"`
	State       string     `json:"state" enum:"pending,processing,success,closed,abnormal"`
	Reason      string     `json:"reason"`
	Alert       string     `json:"alert,omitempty"`
	CreatedAt   time.Time  `json:"createdAt"`
	DoneAt      *time.Time `json:"doneAt,omitempty"`
	MayReissue  bool       `json:"mayReissue" doc:"WeChat closed it: the money may be sent again under a new number"`
}

// Change is one change of state.
type Change struct {
	At   time.Time `json:"at"`
	From string    `json:"from"`
	To   string    `json:"to"`
	By   string    `json:"by"`
}

// Detail is a payment with everything that happened to it.
type Detail struct {
	Row
	ExpiresAt     time.Time   `json:"expiresAt"`
	Notifications []Notice    `json:"notifications"`
	Refunds       []RefundRow `json:"refunds"`
	History       []Change    `json:"history"`
}

type listInput struct {
	httpapi.Paging
	Q       string `query:"q" maxLength:"64" doc:"Start of our number or of WeChat Pay's"`
	State   string `query:"state" enum:"created,prepaid,paid,closed,failed,mismatch,surplus"`
	Purpose string `query:"purpose" enum:"topup,order"`
	StoreID int64  `query:"storeId" minimum:"0"`
	From    string `query:"from" doc:"First date of creation, YYYY-MM-DD in Shanghai"`
	To      string `query:"to" doc:"Last date, inclusive"`
}

// Routes registers the console's operations.
func (s *Service) Routes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console/payments" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consolePaymentList", http.MethodGet, "", "Payments by WeChat Pay, newest first", perm.PaymentRead), s.list)
	httpapi.Register(r, op("consolePayment", http.MethodGet, "/{id}", "A payment with its notifications, refunds and history", perm.PaymentRead),
		func(ctx context.Context, in *httpapi.ByID) (Detail, error) { return s.detail(ctx, in.ID) })
	httpapi.Register(r, op("consolePaymentCheck", http.MethodPost, "/{id}/check", "Ask WeChat Pay about a payment and its refunds now", perm.PaymentManage), s.check)
	httpapi.Register(r, op("consoleRefundReissue", http.MethodPost, "/{id}/refunds/{refundId}/reissue", "Send the money of a refund that WeChat closed again, under a new number", perm.PaymentManage), s.reissue)
}

type reissueInput struct {
	ID       int64 `path:"id" minimum:"1"`
	RefundID int64 `path:"refundId" minimum:"1"`
}

func (s *Service) reissue(ctx context.Context, in *reissueInput) (Detail, error) {
	f, err := s.Refund(ctx, s.db, in.RefundID)
	if err == nil && f.PaymentID != in.ID {
		err = fault.ErrNotFound
	}
	if err == nil {
		_, err = s.Reissue(ctx, in.RefundID)
	}
	if err != nil {
		return Detail{}, err
	}
	return s.detail(ctx, in.ID)
}

func (s *Service) list(ctx context.Context, in *listInput) (httpapi.Page[Row], error) {
	var page httpapi.Page[Row]
	f := filter{text: strings.TrimSpace(in.Q), state: in.State, purpose: in.Purpose, limit: in.Limit + 1, who: actor.From(ctx)}
	if in.StoreID != 0 {
		if !f.who.InStore(in.StoreID) {
			return page, fault.ErrStore
		}
		f.store = in.StoreID
	}
	if in.After != "" {
		id, err := strconv.ParseInt(in.After, 10, 64)
		if err != nil {
			return page, fault.ErrInvalid.On("after", "翻页位置不正确，请从第一页开始")
		}
		f.before = id
	}
	for _, d := range []struct{ field, value string }{{"from", in.From}, {"to", in.To}} {
		if d.value == "" {
			continue
		}
		from, to, err := bizday.Bounds(d.value, bizday.DefaultZone)
		if err != nil {
			return page, fault.ErrInvalid.On(d.field, "应为日期，如 2026-01-31")
		}
		if d.field == "from" {
			f.from = from.UnixMilli()
		} else {
			f.to = to.UnixMilli()
		}
	}
	rows, err := listIntents(ctx, s.db, f)
	if err != nil {
		return page, err
	}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		page.Next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	for _, p := range rows {
		page.Items = append(page.Items, rowOf(p.payment()))
	}
	return page, nil
}

// visible hides payments of stores in which the actor has no business.
func visible(ctx context.Context, p intent) error {
	if p.StoreID != 0 && !actor.From(ctx).InStore(p.StoreID) {
		return fault.ErrNotFound
	}
	return nil
}

func (s *Service) detail(ctx context.Context, id int64) (out Detail, err error) {
	p, err := getIntent(ctx, s.db, id)
	if err == nil {
		err = visible(ctx, p)
	}
	if err != nil {
		return out, err
	}
	notes, err := notificationsOf(ctx, s.db, id)
	if err != nil {
		return out, err
	}
	refunds, err := refundsOf(ctx, s.db, id)
	if err != nil {
		return out, err
	}
	changes, err := historyOf(ctx, s.db, id)
	if err != nil {
		return out, err
	}
	out = Detail{Row: rowOf(p.payment()), ExpiresAt: clock.FromMillis(p.ExpiresAt)}
	for _, n := range notes {
		out.Notifications = append(out.Notifications, Notice{clock.FromMillis(n.At), n.Kind, n.Outcome, n.Detail, n.HTTPStatus})
	}
	for _, f := range refunds {
		r := f.refund(p)
		out.Refunds = append(out.Refunds, RefundRow{r.ID, r.OutRefundNo, r.AmountFen, r.State, r.Reason, r.Alert, r.CreatedAt, clock.Pointer(r.DoneAt), f.State == RefundClosed && f.ReplacedBy == 0})
	}
	for _, h := range changes {
		out.History = append(out.History, Change{clock.FromMillis(h.At), h.From, h.To, h.By})
	}
	return out, nil
}

func (s *Service) check(ctx context.Context, in *httpapi.ByID) (Detail, error) {
	p, err := getIntent(ctx, s.db, in.ID)
	if err == nil {
		err = visible(ctx, p)
	}
	if err != nil {
		return Detail{}, err
	}
	after, err := s.Check(ctx, in.ID)
	if err != nil {
		return Detail{}, err
	}
	if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "payment.check", SubjectKind: "payment", SubjectID: p.ID, SubjectLabel: p.OutTradeNo,
			StoreID: p.StoreID, Detail: map[string]string{"before": p.State, "after": after.State, "wechat": after.WechatState}})
	}); err != nil {
		return Detail{}, err
	}
	return s.detail(ctx, in.ID)
}

func rowOf(p Payment) Row {
	return Row{ID: p.ID, OutTradeNo: p.OutTradeNo, TransactionID: p.TransactionID, Purpose: p.Purpose, SubjectID: p.SubjectID, App: p.App,
		TradeType: p.TradeType, AmountFen: p.AmountFen, PaidFen: p.PaidFen, RefundedFen: p.RefundedFen, State: p.State,
		WechatState: p.WechatState, CreatedAt: p.CreatedAt, PaidAt: clock.Pointer(p.PaidAt), Alert: p.Alert}
}
