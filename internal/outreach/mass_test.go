package outreach

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
)

func (r *rig) draft() Campaign {
	r.t.Helper()
	c, err := r.SaveCampaign(r.Ctx(), 0, CampaignInput{Name: "洗车节", Template: "SMS_5", Body: "{1}，精洗八折。拒收请回复R", Fields: []notify.Field{{Key: "1", From: "name"}}})
	shopfloor.Must(r.t, err)
	return c
}

// phones counts the texts by number.
func (r *rig) phones() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]int{}
	for _, m := range r.sent {
		out[m.Phone]++
	}
	return out
}

func (r *rig) six() []int64 {
	for _, name := range []string{"林晓舟", "陈知远", "王小满", "赵一鸣", "周思远", "吴清"} {
		r.join(name)
	}
	return r.ids
}

// N30, F16: whoever consented, is there and may be texted gets the text once; nobody else does, and nothing goes by WeChat.
func TestN30MassText(t *testing.T) {
	r := newRig(t)
	ids := r.six()
	r.consent(ids[:4]...)
	r.gone[ids[3]] = true // left
	c := r.draft()
	e, err := r.Preview(r.Ctx(), CampaignInput{Filter: c.Filter, Body: c.Body, Fields: c.Fields})
	if err != nil || e.Found != 5 || e.Reachable != 3 || e.Segments != 1 || e.CostLi != 150 || e.Sample != "王女士，精洗八折。拒收请回复R" {
		t.Fatalf("%+v %v", e, err)
	}
	if r.work(); len(r.sent) != 0 {
		t.Fatal("a draft was sent")
	}
	c, err = r.Start(r.Ctx(), c.ID)
	if err != nil || c.State != Running {
		t.Fatalf("%+v %v", c, err)
	}
	if _, err := r.Start(r.Ctx(), c.ID); !errors.Is(err, ErrState) {
		t.Fatalf("started twice: %v", err)
	}
	r.work()
	got := r.phones()
	if len(got) != 3 || len(r.sent) != 3 || r.wechat != 0 {
		t.Fatalf("%v, %d by WeChat", got, r.wechat)
	}
	c, err = r.CampaignByID(t.Context(), c.ID)
	if err != nil || c.State != Ended || c.Found != 5 || c.Promised != 3 || c.Skipped != 2 {
		t.Fatalf("%+v %v", c, err)
	}
	if tally, err := r.Tally(t.Context(), c.ID); err != nil || tally[notify.Sent] != 3 {
		t.Fatalf("%v %v", tally, err)
	}
}

// The job runs in several instances at once, and again after a kill: nobody twice, nobody forgotten.
func TestF16MassTextStampede(t *testing.T) {
	r := newRig(t)
	r.consent(r.six()...)
	c, err := r.Start(r.Ctx(), r.draft().ID)
	shopfloor.Must(t, err)
	payload, err := json.Marshal(massPayload{c.ID})
	shopfloor.Must(t, err)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if err := r.massJob(t.Context(), payload); err != nil && !errors.Is(err, fault.ErrBusyWrite) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	shopfloor.Must(t, r.massJob(t.Context(), payload))
	wg.Go(func() { _ = r.Queue.Drain(t.Context()) })
	wg.Go(func() { _ = r.Queue.Drain(t.Context()) })
	wg.Wait()
	r.work()
	if got := r.phones(); len(got) != 6 || len(r.sent) != 6 {
		t.Fatalf("%v", got)
	}
}

func TestF16PauseMendStop(t *testing.T) {
	r := newRig(t)
	r.consent(r.six()...)
	c, err := r.Start(r.Ctx(), r.draft().ID)
	shopfloor.Must(t, err)
	_, err = r.Pause(r.Ctx(), c.ID)
	shopfloor.Must(t, err)
	r.work()
	if len(r.sent) != 0 {
		t.Fatal("a paused campaign was sent")
	}
	in := CampaignInput{Name: c.Name, Template: "SMS_6", Body: c.Body, Fields: c.Fields, Filter: c.Filter}
	in.Filter.BirthMonth = 3
	if _, err := r.SaveCampaign(r.Ctx(), c.ID, in); !errors.Is(err, ErrState) {
		t.Fatalf("other members after the start: %v", err)
	}
	in.Filter = c.Filter
	_, err = r.SaveCampaign(r.Ctx(), c.ID, in)
	shopfloor.Must(t, err)
	_, err = r.Start(r.Ctx(), c.ID)
	shopfloor.Must(t, err)
	r.work()
	if len(r.sent) != 6 || r.sent[0].TemplateID != "SMS_6" {
		t.Fatalf("%d sent", len(r.sent))
	}
	x, err := r.Start(r.Ctx(), r.draft().ID)
	shopfloor.Must(t, err)
	_, err = r.Stop(r.Ctx(), x.ID)
	shopfloor.Must(t, err)
	r.work()
	if len(r.sent) != 6 {
		t.Fatal("a stopped campaign was sent")
	}
}

// F14, J05: the cap and the quiet hours hold for texts to many.
func TestF14MassTextWaitsAndIsCapped(t *testing.T) {
	r := newRig(t)
	r.consent(r.six()[:1]...)
	shopfloor.Must(t, r.Floor.Settings.Update(r.Ctx(), []setting.Value{{Key: setting.MessageCapDay, Value: 1}}))
	r.Clock.Set(time.Date(2026, 11, 18, 23, 0, 0, 0, time.FixedZone("", 8*3600)))
	for range 2 {
		_, err := r.Start(r.Ctx(), r.draft().ID)
		shopfloor.Must(t, err)
	}
	r.work()
	if len(r.sent) != 0 {
		t.Fatal("sent in the night")
	}
	r.Clock.Set(time.Date(2026, 11, 19, 9, 0, 0, 0, time.FixedZone("", 8*3600)))
	r.work()
	if len(r.sent) != 1 {
		t.Fatalf("%d texts on one day", len(r.sent))
	}
}

// C12: a holiday greets and gives once, to the tiers that it is for.
func TestC12Holiday(t *testing.T) {
	r := newRig(t)
	ids := r.six()
	r.consent(ids[:2]...)
	r.gone[ids[5]] = true
	today := r.Service.today()
	_, err := r.SaveHoliday(r.Ctx(), 0, HolidayInput{Name: "店庆", Day: "2020" + today[4:], Yearly: true, Words: "三周年快乐", Greet: true, Points: 50, TemplateID: r.gift})
	shopfloor.Must(t, err)
	_, err = r.SaveHoliday(r.Ctx(), 0, HolidayInput{Name: "别的节", Day: "2027-02-06", Words: "新春快乐", Greet: true, Points: 50})
	shopfloor.Must(t, err)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := r.Celebrate(context.WithoutCancel(t.Context())); err != nil && !errors.Is(err, fault.ErrBusyWrite) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	shopfloor.Must(t, r.Celebrate(t.Context()))
	r.work()
	if got := r.phones(); len(got) != 2 || len(r.sent) != 2 {
		t.Fatalf("%v", got)
	}
	for i, id := range ids {
		b, err := r.Points.Of(t.Context(), id)
		shopfloor.Must(t, err)
		want := int64(50)
		if i == 5 {
			want = 0
		}
		if b.Available != want || r.coupons(id) != int(want/50) {
			t.Errorf("member %d: %d points, %d coupons", i, b.Available, r.coupons(id))
		}
	}
	list, err := r.Holidays(t.Context())
	if err != nil || len(list) != 2 || list[0].Name != "店庆" || list[0].Greeted != 2 || list[0].Gifted < 5 {
		t.Fatalf("%+v %v", list, err)
	}
}
