package outreach

import (
	"context"
	"errors"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
)

// F15: who stays away is listed once, called, given a coupon, and seen to come back.
func TestF15MissedYou(t *testing.T) {
	r := newRig(t)
	away, regular := r.join("林晓舟", 60, 75, 90), r.join("陈知远", 3, 10)
	alone := r.join("王小满", 80, 100)
	r.find()
	r.day()
	r.find()
	list := r.lines(Missed, Open)
	if len(list) != 2 || list[0].MemberID != away || list[0].Visits != 3 || list[0].RhythmDays != 15 || list[1].MemberID != alone {
		t.Fatalf("%+v", list)
	}
	id := list[0].ID
	if _, err := r.Handle(r.Ctx(), id, Result{Outcome: Coming, TemplateID: r.gift}); !errors.Is(err, ErrCoupon) {
		t.Fatalf("a coupon that the rule does not allow: %v", err)
	}
	rule := DefaultRule()
	rule.CouponIDs = []int64{r.gift}
	_, err := r.SaveRule(r.Ctx(), rule)
	shopfloor.Must(t, err)
	if phone, err := r.Dial(r.Ctx(), id); err != nil || len(phone) != 11 {
		t.Fatalf("%q %v", phone, err)
	}
	if l, err := r.Handle(r.Ctx(), id, Result{Outcome: NoAnswer}); err != nil || l.State != Open || l.Tries != 1 {
		t.Fatalf("no answer: %+v %v", l, err)
	}
	ctx := r.Ctx()
	for range 2 { // the same key twice is one command
		if l, err := r.Handle(ctx, id, Result{Outcome: Coming, Note: "周末来", TemplateID: r.gift}); err != nil || l.State != Handled || l.Coupon == "" {
			t.Fatalf("%+v %v", l, err)
		}
	}
	if r.coupons(away) != 1 {
		t.Fatalf("%d coupons", r.coupons(away))
	}
	if _, err := r.Handle(r.Ctx(), id, Result{Outcome: Coming}); !errors.Is(err, ErrDone) {
		t.Fatalf("handled twice: %v", err)
	}
	r.day()
	r.came[away] = append(r.came[away], Visit{Day: r.Service.today(), StoreID: r.West})
	r.came[alone] = append(r.came[alone], Visit{Day: r.Service.today(), StoreID: r.West})
	r.find()
	done := r.lines(Missed, Handled)
	if len(done) != 1 || done[0].BackDay != r.Service.today() || len(r.lines(Missed, Open)) != 0 {
		t.Fatalf("%+v", done)
	}
	sum, err := r.Summary(r.Ctx())
	if err != nil || sum.Handled != 1 || sum.CameBack != 1 || sum.CouponBack != 1 || sum.Unprompted != 1 || sum.Missed != 0 {
		t.Fatalf("%+v %v", sum, err)
	}
	if _, ok := r.came[regular]; !ok || r.wechat != 0 {
		t.Fatalf("%d messages by WeChat", r.wechat)
	}
}

// N30, F15: a word to who stays away goes by SMS, with consent, once.
func TestN30MissedYouByTextWithConsentOnce(t *testing.T) {
	r := newRig(t)
	m := r.join("林晓舟", 60, 75)
	r.find()
	id := r.lines(Missed, Open)[0].ID
	if err := r.Text(r.Ctx(), id); !errors.Is(err, ErrConsent) {
		t.Fatalf("without consent: %v", err)
	}
	r.consent(m)
	shopfloor.Must(t, r.Text(r.Ctx(), id))
	if err := r.Text(r.Ctx(), id); !errors.Is(err, ErrTexted) {
		t.Fatalf("twice: %v", err)
	}
	r.work()
	if len(r.sent) != 1 || r.wechat != 0 || r.sent[0].TemplateID != "SMS_missed_you" {
		t.Fatalf("%+v, %d by WeChat", r.sent, r.wechat)
	}
}

func TestWhoObjectsIsLeftAlone(t *testing.T) {
	r := newRig(t)
	m := r.join("林晓舟", 60, 75)
	r.consent(m)
	r.find()
	id := r.lines(Missed, Open)[0].ID
	if _, err := r.Handle(r.Ctx(), id, Result{Outcome: Refused, TemplateID: r.gift}); !errors.Is(err, fault.ErrInvalid) {
		t.Fatalf("a coupon to who objects: %v", err)
	}
	_, err := r.Handle(r.Ctx(), id, Result{Outcome: Refused})
	shopfloor.Must(t, err)
	all, err := r.Messages.Preferences(t.Context(), []int64{m})
	if p := all[m]; err != nil || p.Calls || p.Marketing {
		t.Fatalf("%+v %v", p, err)
	}
	r.came[m] = nil
	r.born = []Born{{m, r.West, "1990" + r.Service.today()[4:]}}
	r.find()
	birthday := r.lines(Birthday, Open)
	if len(birthday) != 1 || birthday[0].MayCall || birthday[0].MayText {
		t.Fatalf("%+v", birthday)
	}
	if _, err := r.Dial(r.Ctx(), birthday[0].ID); !errors.Is(err, ErrNoCalls) {
		t.Fatalf("dialled: %v", err)
	}
}

func TestListsOfStoresAndOfTheSuspended(t *testing.T) {
	r := newRig(t)
	m := r.join("林晓舟", 60, 75)
	r.find()
	id := r.lines(Missed, Open)[0].ID
	east := actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 8, Name: "小李", Stores: []int64{r.East}})
	if list, _, err := r.Lines(east, Filter{Kind: Missed, State: Open, Limit: 10}); err != nil || len(list) != 0 {
		t.Fatalf("another store's: %+v %v", list, err)
	}
	if _, err := r.Dial(east, id); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("another store's: %v", err)
	}
	shopfloor.Must(t, r.Floor.Members.Suspend(r.Ctx(), m, "欠费未处理"))
	if list := r.lines(Missed, Open); len(list) != 0 {
		t.Fatalf("who is suspended is listed: %+v", list)
	}
	for name, err := range map[string]error{"dial": second(r.Dial(r.Ctx(), id)), "text": r.Text(r.Ctx(), id), "result": second(r.Handle(r.Ctx(), id, Result{Outcome: Coming}))} {
		if err == nil {
			t.Errorf("%s of somebody who is suspended", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// J06: the month's birthdays, each once, whatever day the job runs.
func TestJ06Birthdays(t *testing.T) {
	r := newRig(t)
	m, other := r.join("林晓舟"), r.join("陈知远")
	month := r.Service.today()[:7]
	r.born = []Born{{m, r.West, "1990-" + month[5:] + "-28"}, {other, r.West, "1985-03-02"}}
	r.find()
	r.find()
	list := r.lines(Birthday, Open)
	if len(list) != 1 || list[0].DueDay != month+"-28" {
		t.Fatalf("%+v", list)
	}
	l, err := r.Handle(r.Ctx(), list[0].ID, Result{Outcome: Greeted})
	if err != nil || l.State != Handled {
		t.Fatalf("%+v %v", l, err)
	}
	r.find()
	if len(r.lines(Birthday, Open)) != 0 {
		t.Fatal("greeted twice in a year")
	}
}

func TestLeavingErasesTheNotes(t *testing.T) {
	r := newRig(t)
	m := r.join("林晓舟", 60, 75)
	r.find()
	r.born = []Born{{m, r.West, "1990" + r.Service.today()[4:]}}
	id := r.lines(Missed, Open)[0].ID
	_, err := r.Handle(r.Ctx(), id, Result{Outcome: Considering, Note: "说在外地，月底回"})
	shopfloor.Must(t, err)
	r.find()
	shopfloor.Must(t, r.DB.InTx(r.Ctx(), func(ctx context.Context, tx *db.Tx) error { return r.EraseTx(ctx, tx, m) }))
	task, err := taskByID(t.Context(), r.DB, id, "")
	if err != nil || task.Note != "" || task.Outcome != "" {
		t.Fatalf("%+v %v", task, err)
	}
	if list := r.lines(Birthday, Open); len(list) != 0 {
		t.Fatalf("%+v", list)
	}
}
