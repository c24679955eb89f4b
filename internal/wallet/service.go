package wallet

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// Service runs the use cases of stored value.
type Service struct {
	db       *db.DB
	log      *slog.Logger
	members  *member.Service
	payments *payment.Service
	plans    *catalog.Service
	shops    *shop.Service
	settings *setting.Service
	messages *notify.Service

	// Gifts says, in words, what a top-up of each amount brings beside its bonus. It is set once, before the first request; nil says nothing.
	Gifts func(ctx context.Context, memberID int64, amounts []money.Fen) ([]string, error)
}

// New returns the service and registers it as the fulfiller of top-up payments.
func New(d *db.DB, log *slog.Logger, m *member.Service, p *payment.Service, c *catalog.Service, sh *shop.Service, st *setting.Service, n *notify.Service) *Service {
	s := &Service{db: d, log: log, members: m, payments: p, plans: c, shops: sh, settings: st, messages: n}
	p.Fulfil(PurposeTopup, fulfiller{s})
	return s
}

func zone() *time.Location { return bizday.Location(bizday.DefaultZone) }

// limits are the shop's rules for one top-up.
type limits struct {
	custom        bool
	min, max, cap money.Fen
	payMinutes    int64
}

func (s *Service) limits(ctx context.Context) (l limits, err error) {
	read := func(key string) (n int64) {
		if err == nil {
			n, err = s.settings.Int(ctx, key)
		}
		return n
	}
	l.min, l.max, l.cap = money.Fen(read(setting.TopupCustomMinFen)), money.Fen(read(setting.TopupCustomMaxFen)), money.Fen(read(setting.CardCapFen))
	l.payMinutes = read(setting.TopupPayMinutes)
	if err == nil {
		l.custom, err = s.settings.Bool(ctx, setting.TopupCustomAllowed)
	}
	return l, err
}

// Ask is what somebody wants to top up. PlanID 0 is a free amount without bonus.
type Ask struct {
	MemberID  int64
	StoreID   int64 // 0: online, by the owner
	PlanID    int64
	AmountFen money.Fen
	Method    string
	Reference string
}

// price checks the amount against plan or limits and returns plan name and bonus.
func (s *Service) price(ctx context.Context, tx *db.Tx, a Ask, l limits) (name string, bonus money.Fen, err error) {
	if a.PlanID != 0 {
		p, err := s.plans.TopupPlan(ctx, tx, a.StoreID, a.PlanID)
		if err != nil {
			return "", 0, err
		}
		if p.AmountFen != a.AmountFen {
			return "", 0, ErrPlanChanged
		}
		return p.Name, p.BonusFen, nil
	}
	switch {
	case !l.custom:
		return "", 0, ErrNoCustom
	case a.AmountFen < l.min:
		return "", 0, ErrAmount.Say("最少充值 %s", l.min.Yuan()).On("amountFen", "金额太小")
	case a.AmountFen > l.max:
		return "", 0, ErrAmount.Say("一次最多充值 %s", l.max.Yuan()).On("amountFen", "金额太大")
	}
	return "", 0, nil
}

// beginTx writes a pending top-up after checking amount, member and cap. Faults: ErrAmount, ErrNoCustom, ErrPlanChanged, ErrCap and those
// of member.Standing.MayTopUp.
func (s *Service) beginTx(ctx context.Context, tx *db.Tx, a Ask, l limits) (Topup, error) {
	name, bonus, err := s.price(ctx, tx, a, l)
	if err != nil {
		return Topup{}, err
	}
	st, err := s.members.StandingTx(ctx, tx, a.MemberID)
	if err != nil {
		return Topup{}, err
	}
	if err := st.MayTopUp(); err != nil {
		return Topup{}, err
	}
	b, err := ledger.LockTx(ctx, tx, a.MemberID)
	if err != nil {
		return Topup{}, err
	}
	pending, err := pendingTx(ctx, tx, a.MemberID)
	if err != nil {
		return Topup{}, err
	}
	if room := l.cap - money.Fen(b.Balance(ledger.Principal)) - pending; a.AmountFen > room {
		return Topup{}, ErrCap.Say("单张记名卡本金最多 %s，现在还能充 %s", l.cap.Yuan(), max(room, 0).Yuan()).
			Give(map[string]money.Fen{"capFen": l.cap, "capLeftFen": max(room, 0)})
	}
	who := actor.From(ctx)
	id := tx.NewID()
	t := Topup{ID: id, No: fmt.Sprintf("T%d", id), MemberID: a.MemberID, StoreID: a.StoreID, PlanID: a.PlanID, PlanName: name, AmountFen: a.AmountFen,
		BonusFen: bonus, Method: a.Method, Reference: a.Reference, State: StatePending, CreatedAt: tx.Now,
		ExpiresAt: tx.Now.Add(time.Duration(l.payMinutes) * time.Minute), BizDay: s.shops.BizDay(ctx, tx.Now, a.StoreID)}
	if who.Kind == actor.Staff {
		t.StaffID, t.StaffName = who.ID, who.Name
	}
	return t, nil
}

// Begin starts an owner's top-up by WeChat Pay in the app of the session and returns what the phone needs to pay. It is a money
// command: the same key returns the same order. Faults: those of beginTx; wechat.unavailable when WeChat cannot be reached: the
// order stays and the same command may be sent again.
func (s *Service) Begin(ctx context.Context, planID int64, amount money.Fen) (Topup, payment.Prepared, error) {
	who := actor.From(ctx)
	app, openID, err := s.members.OpenID(ctx, who.ID)
	if err != nil {
		return Topup{}, payment.Prepared{}, err
	}
	l, err := s.limits(ctx)
	if err != nil {
		return Topup{}, payment.Prepared{}, err
	}
	shopName, err := s.settings.Text(ctx, setting.ShopName)
	if err != nil {
		return Topup{}, payment.Prepared{}, err
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (int64, error) {
			t, err := s.beginTx(ctx, tx, Ask{MemberID: who.MemberID, PlanID: planID, AmountFen: amount, Method: MethodWeChat}, l)
			if err != nil {
				return 0, err
			}
			return t.ID, s.payableTx(ctx, tx, &t, payment.Create{App: app, TradeType: payment.JSAPI, OpenID: openID, Description: shopName + "-会员充值"})
		})
		id = got
		return err
	})
	if err != nil {
		return Topup{}, payment.Prepared{}, err
	}
	return s.Pay(ctx, who.MemberID, id)
}

// payableTx writes the top-up with its payment.
func (s *Service) payableTx(ctx context.Context, tx *db.Tx, t *Topup, c payment.Create) error {
	c.Purpose, c.SubjectID, c.AmountFen, c.ExpiresAt, c.StoreID, c.MemberID = PurposeTopup, t.ID, t.AmountFen, t.ExpiresAt, t.StoreID, t.MemberID
	p, err := s.payments.CreateTx(ctx, tx, c)
	if err != nil {
		return err
	}
	t.PaymentID = p.ID
	return insertTopup(ctx, tx, *t)
}

// Pay returns what is needed to pay a pending top-up of the member, again if need be. Fault: ErrTopupState.
func (s *Service) Pay(ctx context.Context, memberID, id int64) (Topup, payment.Prepared, error) {
	t, err := s.Topup(ctx, memberID, id)
	if err != nil {
		return t, payment.Prepared{}, err
	}
	if t.State != StatePending {
		return t, payment.Prepared{}, ErrTopupState
	}
	prep, err := s.payments.Prepay(ctx, t.PaymentID)
	return t, prep, err
}

// Topup reads a top-up of the member; memberID 0 reads anybody's. Fault: fault.ErrNotFound.
func (s *Service) Topup(ctx context.Context, memberID, id int64) (Topup, error) {
	t, err := topupByID(ctx, s.db, id, "")
	if err != nil {
		return t, err
	}
	if memberID != 0 && t.MemberID != memberID {
		return Topup{}, fault.ErrNotFound
	}
	return t, nil
}

// Check asks WeChat now what became of a pending top-up.
func (s *Service) Check(ctx context.Context, memberID, id int64) (Topup, error) {
	t, err := s.Topup(ctx, memberID, id)
	if err != nil || t.State != StatePending || t.PaymentID == 0 {
		return t, err
	}
	if _, err := s.payments.Check(ctx, t.PaymentID); err != nil {
		return t, err
	}
	return s.Topup(ctx, memberID, id)
}

// Cancel gives a pending top-up up: at WeChat first; when it was paid meanwhile it is credited instead (N06).
func (s *Service) Cancel(ctx context.Context, memberID, id int64) (Topup, error) {
	t, err := s.Topup(ctx, memberID, id)
	if err != nil || t.State != StatePending {
		return t, err
	}
	if _, err := s.payments.Close(ctx, t.PaymentID); err != nil {
		return t, err
	}
	return s.Topup(ctx, memberID, id)
}

// Desk tops a member up at the counter. Cash, card and Alipay are credited at once; WeChat Native returns a code for the customer to scan.
// It is a money command. Faults: those of beginTx, fault.ErrStore.
func (s *Service) Desk(ctx context.Context, a Ask) (Topup, payment.Prepared, error) {
	if !actor.From(ctx).InStore(a.StoreID) {
		return Topup{}, payment.Prepared{}, fault.ErrStore
	}
	if _, err := s.shops.Store(ctx, a.StoreID); err != nil {
		return Topup{}, payment.Prepared{}, err
	}
	l, err := s.limits(ctx)
	if err != nil {
		return Topup{}, payment.Prepared{}, err
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (int64, error) { return s.deskTx(ctx, tx, a, l) })
		id = got
		return err
	})
	if err != nil {
		return Topup{}, payment.Prepared{}, err
	}
	t, err := s.Topup(ctx, 0, id)
	if err != nil || t.Method != MethodWeChatNative || t.State != StatePending {
		return t, payment.Prepared{}, err
	}
	prep, err := s.payments.Prepay(ctx, t.PaymentID)
	return t, prep, err
}

func (s *Service) deskTx(ctx context.Context, tx *db.Tx, a Ask, l limits) (int64, error) {
	t, err := s.beginTx(ctx, tx, a, l)
	if err != nil {
		return 0, err
	}
	if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "topup.desk", SubjectKind: "member", SubjectID: a.MemberID, SubjectLabel: t.No, StoreID: a.StoreID,
		Detail: map[string]any{"amountFen": t.AmountFen, "bonusFen": t.BonusFen, "method": t.Method, "reference": t.Reference}}); err != nil {
		return 0, err
	}
	if a.Method == MethodWeChatNative {
		return t.ID, s.payableTx(ctx, tx, &t, payment.Create{TradeType: payment.Native, Description: "会员充值"})
	}
	if err := insertTopup(ctx, tx, t); err != nil {
		return 0, err
	}
	return t.ID, s.creditTx(ctx, tx, t)
}
