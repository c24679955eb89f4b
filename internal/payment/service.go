package payment

import (
	"context"
	"errors"
	"log/slog"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/wechat"
)

// Service takes payments and makes refunds.
type Service struct {
	db         *db.DB
	queue      *jobs.Queue
	wx         *wechat.Client
	log        *slog.Logger
	fulfillers map[string]Fulfiller
}

// New returns the service and registers its jobs with the queue.
func New(d *db.DB, q *jobs.Queue, wx *wechat.Client, log *slog.Logger) *Service {
	s := &Service{db: d, queue: q, wx: wx, log: log, fulfillers: map[string]Fulfiller{}}
	s.registerJobs()
	return s
}

// Fulfil names who fulfils the payments of a purpose, before any of them is made.
func (s *Service) Fulfil(purpose string, f Fulfiller) { s.fulfillers[purpose] = f }

// CreateTx makes a payment; WeChat hears of it with Prepay. Faults: ErrLiveAttempt when the subject has a live or paid
// payment, ErrAmount, ErrNoPayer, ErrExpired, wechat.ErrNotConfigured.
func (s *Service) CreateTx(ctx context.Context, tx *db.Tx, in Create) (Payment, error) {
	appID, app := s.appFor(in)
	switch {
	case s.fulfillers[in.Purpose] == nil:
		return Payment{}, errors.New("payment: nobody fulfils " + in.Purpose)
	case s.wx == nil || s.wx.MchID() == "" || appID == "":
		return Payment{}, wechat.ErrNotConfigured
	case in.AmountFen < 1 || in.AmountFen > money.MaxFen:
		return Payment{}, ErrAmount
	case in.TradeType != JSAPI && in.TradeType != Native:
		return Payment{}, errors.New("payment: unknown trade type " + in.TradeType)
	case in.TradeType == JSAPI && in.OpenID == "":
		return Payment{}, ErrNoPayer
	case !in.ExpiresAt.After(tx.Now):
		return Payment{}, ErrExpired
	}
	id, key := tx.NewID(), activeKey(in.Purpose, in.SubjectID)
	p := intent{ID: id, OutTradeNo: number("LC", id), ActiveKey: &key, Purpose: in.Purpose, SubjectID: in.SubjectID, App: app, AppID: appID,
		TradeType: in.TradeType, State: StateCreated, AmountFen: int64(in.AmountFen), OpenID: in.OpenID, Description: db.Clip(in.Description, 127),
		StoreID: in.StoreID, MemberID: in.MemberID, CreatedAt: tx.Millis(), ExpiresAt: in.ExpiresAt.UnixMilli(), NextCheckAt: in.ExpiresAt.UnixMilli()}
	if p.Description == "" {
		p.Description = "洗车服务"
	}
	if err := insertIntent(ctx, tx, p, actorName(ctx)); err != nil {
		if errors.Is(err, db.ErrDuplicate) {
			return Payment{}, ErrLiveAttempt.With(err)
		}
		return Payment{}, err
	}
	return p.payment(), s.queue.EnqueueTx(ctx, tx, expireJob(p.ID, in.ExpiresAt))
}

func (s *Service) appFor(in Create) (appID, app string) {
	if s.wx == nil {
		return "", ""
	}
	if in.App != "" || in.TradeType == JSAPI {
		return s.wx.AppID(in.App), in.App
	}
	for _, a := range []string{wechat.OfficialAccount, wechat.MiniProgram} {
		if id := s.wx.AppID(a); id != "" {
			return id, a
		}
	}
	return "", ""
}

// Get reads a payment. Fault: fault.ErrNotFound.
func (s *Service) Get(ctx context.Context, r db.Reader, id int64) (Payment, error) {
	p, err := getIntent(ctx, r, id)
	return p.payment(), err
}

// Live reads the live or paid payment of a subject. Fault: fault.ErrNotFound.
func (s *Service) Live(ctx context.Context, r db.Reader, purpose string, subjectID int64) (Payment, error) {
	p, err := liveOf(ctx, r, activeKey(purpose, subjectID))
	return p.payment(), err
}

// Prepay tells WeChat of the payment and returns what the payer needs. It may be repeated: the number and the content
// stay the same, and what WeChat gave is used again for as long as it lives. It calls the network, so no transaction may
// be open. Faults: ErrAlreadyPaid, ErrClosed, ErrExpired, fault.ErrNotFound, wechat.ErrUnavailable (nothing changed, try
// again), wechat.ErrQuota, wechat.ErrRejected.
func (s *Service) Prepay(ctx context.Context, paymentID int64) (Prepared, error) {
	p, err := getIntent(ctx, s.db, paymentID)
	if err != nil {
		return Prepared{}, err
	}
	if err := s.payable(p); err != nil {
		return Prepared{}, err
	}
	if p.State == StatePrepaid && clock.FromMillis(p.PrepayAt).Add(prepayLife).After(s.db.Now()) {
		return s.prepared(ctx, p)
	}
	if p.SentAt == 0 {
		err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			locked, err := lockIntent(ctx, tx, p.ID)
			if err == nil {
				err = s.payable(locked)
			}
			if err != nil || locked.SentAt != 0 {
				return err
			}
			return markSent(ctx, tx, locked)
		})
		if err != nil {
			return Prepared{}, err
		}
	}
	order := wechat.Prepay{AppID: p.AppID, OpenID: p.OpenID, OutTradeNo: p.OutTradeNo, Description: p.Description,
		AmountFen: money.Fen(p.AmountFen), ExpiresAt: clock.FromMillis(p.ExpiresAt)}
	var prepayID, codeURL string
	if p.TradeType == JSAPI {
		prepayID, err = s.wx.PrepayJSAPI(ctx, order)
	} else {
		codeURL, err = s.wx.PrepayNative(ctx, order)
	}
	if err != nil {
		return Prepared{}, s.prepayFailed(ctx, p, err)
	}
	if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		locked, err := lockIntent(ctx, tx, p.ID)
		if err == nil {
			err = s.payable(locked)
		}
		if err != nil {
			return err
		}
		first, err := storePrepay(ctx, tx, locked, prepayID, codeURL, actorName(ctx))
		if err != nil || !first {
			return err
		}
		return s.queue.EnqueueTx(ctx, tx, checkJob(p.ID, tx.Now.Add(nextPoll(0))))
	}); err != nil {
		return Prepared{}, err
	}
	p.PrepayID, p.CodeURL = prepayID, codeURL
	return s.prepared(ctx, p)
}

// payable says why a payment cannot be paid now.
func (s *Service) payable(p intent) error {
	switch {
	case p.State == StatePaid:
		return ErrAlreadyPaid
	case !p.live():
		return ErrClosed
	case s.db.Now().UnixMilli() >= p.ExpiresAt:
		return ErrExpired
	}
	return nil
}

func (s *Service) prepared(ctx context.Context, p intent) (Prepared, error) {
	out := Prepared{ExpiresAt: clock.FromMillis(p.ExpiresAt)}
	if p.TradeType == Native {
		out.CodeURL = p.CodeURL
		return out, nil
	}
	j, err := s.wx.SignJSAPI(ctx, p.AppID, p.PrepayID)
	if err != nil {
		return out, wechat.Fault(err)
	}
	out.Jsapi = &j
	return out, nil
}

// prepayFailed finds out what a refusal means: an error answer is unsigned, so WeChat is asked before anything changes.
func (s *Service) prepayFailed(ctx context.Context, p intent, cause error) error {
	switch wechat.ClassOf(cause) {
	case wechat.Paid, wechat.Closed:
		now, err := s.ask(ctx, p)
		if err != nil {
			return err
		}
		if err := s.payable(now); err != nil {
			return err
		}
		return wechat.ErrUnavailable.With(cause)
	case wechat.Rejected:
		s.log.WarnContext(ctx, "WeChat Pay refused an order", "payment", p.ID, "code", wechat.CodeOf(cause))
		s.alert(ctx, p.ID, "微信拒绝下单（"+wechat.CodeOf(cause)+"）")
	}
	return wechat.Fault(cause)
}

// alert notes on a payment what somebody should look at. It is a remark: when it cannot be stored, the log has it.
func (s *Service) alert(ctx context.Context, id int64, text string) {
	if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return setAlert(ctx, tx, id, text) }); err != nil {
		s.log.WarnContext(ctx, "an alert was not stored", "payment", id, "alert", text, "err", err)
	}
}

// Check asks WeChat about a payment that is not final, or that ended unpaid, and about its unfinished refunds, and does
// what follows from the answers. Faults: fault.ErrNotFound, wechat.ErrUnavailable, wechat.ErrQuota, wechat.ErrRejected.
func (s *Service) Check(ctx context.Context, paymentID int64) (Payment, error) {
	p, err := getIntent(ctx, s.db, paymentID)
	if err != nil {
		return Payment{}, err
	}
	if p.SentAt != 0 && p.TransactionID == nil {
		if p, err = s.ask(ctx, p); err != nil {
			return p.payment(), err
		}
	}
	rows, err := refundsOf(ctx, s.db, p.ID)
	for _, f := range rows {
		if err == nil && !f.final() {
			_, err = s.stepRefund(ctx, f.ID)
		}
	}
	if err == nil && len(rows) > 0 {
		p, err = getIntent(ctx, s.db, paymentID)
	}
	return p.payment(), err
}

// ask queries WeChat about an order and settles what it says.
func (s *Service) ask(ctx context.Context, p intent) (intent, error) {
	t, err := s.wx.Query(ctx, p.OutTradeNo)
	switch {
	case wechat.ClassOf(err) == wechat.NotFound:
		t = wechat.Transaction{State: "NOTEXIST"} // unsigned: noted, nothing decided
	case err != nil:
		return p, wechat.Fault(err)
	default:
		if v, _ := judge(p, t, s.wx.MchID()); v == nothing {
			break
		}
		if p, err = s.settle(ctx, p.ID, t); err != nil {
			return p, err
		}
	}
	return p, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		state := t.State
		if p.WechatState == wechat.TradeSuccess && state == "NOTEXIST" {
			state = ""
		}
		if state != "" {
			p.WechatState = state
		}
		return noteCheck(ctx, tx, p.ID, state, s.nextCheck(p))
	})
}

// Close ends a payment unpaid: at WeChat first, then here. When it was paid meanwhile, it is fulfilled and returned as
// paid. A payment that is final already is returned as it is. Faults: fault.ErrNotFound, wechat.ErrUnavailable (nothing
// changed, try again), wechat.ErrQuota, wechat.ErrRejected.
func (s *Service) Close(ctx context.Context, paymentID int64) (Payment, error) {
	p, err := getIntent(ctx, s.db, paymentID)
	if err != nil || !p.live() {
		return p.payment(), err
	}
	if p.SentAt != 0 {
		if p, err = s.closeAtWeChat(ctx, p); err != nil || !p.live() {
			return p.payment(), err
		}
	}
	p, err = s.closeHere(ctx, p)
	if errors.Is(err, errMoved) { // Prepay or a notification was faster: look again
		if p, err = getIntent(ctx, s.db, paymentID); err == nil && p.live() {
			return p.payment(), fault.ErrBusyWrite
		}
	}
	return p.payment(), err
}

// closeAtWeChat returns the payment still live when WeChat has no open order any more, and otherwise what became of it.
func (s *Service) closeAtWeChat(ctx context.Context, p intent) (intent, error) {
	err := s.wx.CloseOrder(ctx, p.OutTradeNo)
	switch wechat.ClassOf(err) {
	case "":
		return p, nil // signed: it can no longer be paid
	case wechat.Paid, wechat.Closed, wechat.Rejected:
		cause := err
		if p, err = s.ask(ctx, p); err != nil || !p.live() {
			return p, err
		}
		return p, wechat.ErrUnavailable.With(cause) // the two answers disagree
	case wechat.NotFound:
		// Prepay never arrived. That answer is unsigned, so the query has to agree; and if both were wrong, a payment
		// that comes later becomes a surplus and goes back.
		if p, err = s.ask(ctx, p); err != nil || !p.live() {
			return p, err
		}
		if p.WechatState != "NOTEXIST" {
			return p, wechat.ErrUnavailable
		}
		return p, nil
	}
	return p, wechat.Fault(err)
}

// closeHere changes the state, unless the payment is no longer what it was when that was decided.
func (s *Service) closeHere(ctx context.Context, seen intent) (p intent, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		locked, err := lockIntent(ctx, tx, seen.ID)
		if err != nil {
			return err
		}
		if !locked.live() || (locked.SentAt != 0) != (seen.SentAt != 0) {
			return errMoved
		}
		if err := s.endTx(ctx, tx, locked, StateClosed, ""); err != nil {
			return err
		}
		locked.State, locked.ActiveKey = StateClosed, nil
		p = locked
		return nil
	})
	return p, err
}

// endTx moves a live payment to closed or failed and tells its Fulfiller.
func (s *Service) endTx(ctx context.Context, tx *db.Tx, p intent, state, alert string) error {
	if err := move(ctx, tx, p, state, alert, actorName(ctx)); err != nil {
		return err
	}
	p.State, p.ActiveKey = state, nil
	f, err := s.fulfiller(p.Purpose)
	if err != nil {
		return err
	}
	return f.ClosedTx(ctx, tx, p.payment())
}

func (s *Service) fulfiller(purpose string) (Fulfiller, error) {
	if f := s.fulfillers[purpose]; f != nil {
		return f, nil
	}
	return nil, errors.New("payment: nobody fulfils " + purpose)
}

// actorName is who acts, as the history shows it.
func actorName(ctx context.Context) string {
	who := actor.From(ctx)
	switch {
	case who.Kind == actor.Owner:
		return "车主"
	case who.Name != "":
		return who.Name
	case who.Kind == actor.None:
		return "系统"
	}
	return string(who.Kind)
}
