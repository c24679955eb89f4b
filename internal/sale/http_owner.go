package sale

import (
	"context"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wechat"
)

// View is a sale as its buyer and the desk see it.
type View struct {
	SaleID      int64      `json:"saleId"`
	No          string     `json:"no"`
	Kind        string     `json:"kind" doc:"pass, pass_recharge, membership, mall …"`
	Title       string     `json:"title"`
	State       string     `json:"state" enum:"pending,paid,closed,refunded"`
	PriceFen    money.Fen  `json:"priceFen"`
	RefundedFen money.Fen  `json:"refundedFen,omitempty"`
	Method      string     `json:"method" enum:"wechat,wechat_native,cash,card,alipay,balance,free"`
	ResultID    int64      `json:"resultId,omitempty" doc:"What came of it, such as the id of the pass"`
	Lines       []Line     `json:"lines"`
	CreatedAt   time.Time  `json:"createdAt"`
	ExpiresAt   *time.Time `json:"expiresAt,omitempty" doc:"While it waits: until when it may be paid"`
	PaidAt      *time.Time `json:"paidAt,omitempty"`
	Message     string     `json:"message"`
}

// Started is a purchase that began: it is paid and delivered, or says what is needed to pay it.
type Started struct {
	View
	Pay     *wechat.JSAPIParams `json:"pay,omitempty" doc:"For wechat: what the phone needs"`
	CodeURL string              `json:"codeUrl,omitempty" doc:"For wechat_native: the customer scans it"`
}

// Show turns a sale into what its buyer sees.
func Show(x Sale) View {
	v := View{SaleID: x.ID, No: x.No, Kind: x.Kind, Title: x.Title, State: x.State, PriceFen: x.PriceFen, RefundedFen: x.RefundedFen, Method: x.Method, ResultID: x.ResultID,
		Lines: x.Receipt, CreatedAt: x.CreatedAt}
	if !x.PaidAt.IsZero() {
		v.PaidAt = &x.PaidAt
	}
	switch x.State {
	case StatePaid:
		v.Message = "购买成功"
	case StateRefunded:
		v.Message = "已退款 " + x.RefundedFen.Yuan()
	case StateClosed:
		v.Message = "订单已关闭，没有扣款；若已付款会自动原路退回"
	default:
		v.Message, v.ExpiresAt = "等待支付结果", &x.ExpiresAt
	}
	return v
}

// ShowStarted turns what Begin returned into an answer.
func ShowStarted(x Sale, p payment.Prepared, err error) (Started, error) {
	if err != nil {
		return Started{}, err
	}
	return Started{View: Show(x), Pay: p.Jsapi, CodeURL: p.CodeURL}, nil
}

// Routes declares the operations of the slice.
func (s *Service) Routes(r *httpapi.Router) {
	one := func(op, method, path, summary string, f func(ctx context.Context, memberID, id int64) (Sale, error)) {
		httpapi.Register(r, httpapi.Op{ID: op, Method: method, Path: path, Who: httpapi.Member, Summary: summary},
			func(ctx context.Context, in *httpapi.ByID) (View, error) {
				x, err := f(ctx, actor.From(ctx).MemberID, in.ID)
				return Show(x), err
			})
	}
	one("ownerSale", http.MethodGet, "/api/owner/sales/{id}", "State of a purchase", s.Sale)
	one("ownerSaleCheck", http.MethodPost, "/api/owner/sales/{id}/check", "Ask WeChat now", s.Check)
	one("ownerSaleCancel", http.MethodPost, "/api/owner/sales/{id}/cancel", "Give up a purchase that is not paid", s.Cancel)
	httpapi.Register(r, httpapi.Op{ID: "ownerSalePay", Method: http.MethodPost, Path: "/api/owner/sales/{id}/pay", Who: httpapi.Member, Summary: "Pay the same purchase again"},
		func(ctx context.Context, in *httpapi.ByID) (Started, error) {
			return ShowStarted(s.Pay(ctx, actor.From(ctx).MemberID, in.ID))
		})
	desk := func(op, method, path, summary string, f func(ctx context.Context, id int64) (Sale, payment.Prepared, error)) {
		httpapi.Register(r, httpapi.Op{ID: op, Method: method, Path: path, Who: httpapi.Staff, Permission: perm.PassSell, Summary: summary},
			func(ctx context.Context, in *httpapi.ByID) (Started, error) {
				x, err := s.Sale(ctx, 0, in.ID)
				if err == nil && !actor.From(ctx).InStore(x.StoreID) {
					err = fault.ErrNotFound
				}
				if err != nil {
					return Started{}, err
				}
				return ShowStarted(f(ctx, in.ID))
			})
	}
	desk("staffSale", http.MethodGet, "/api/staff/sales/{id}", "State of a desk sale, polled while it waits for payment", s.Poll)
	desk("staffSaleCancel", http.MethodPost, "/api/staff/sales/{id}/cancel", "Give up a desk sale that is not paid", func(ctx context.Context, id int64) (Sale, payment.Prepared, error) {
		x, err := s.Cancel(ctx, 0, id)
		return x, payment.Prepared{}, err
	})
	s.consoleRoutes(r)
}

// Poll reads a desk sale with its code while it waits: the till polls it.
func (s *Service) Poll(ctx context.Context, id int64) (Sale, payment.Prepared, error) {
	x, p, err := s.Started(ctx, id)
	if err == nil || x.State != StatePending || fault.As(err).Kind != fault.Conflict {
		return x, p, err
	}
	// It was decided between the two reads, or waits without a code for the job that closes it.
	x, err = s.Sale(ctx, 0, id)
	return x, payment.Prepared{}, err
}
