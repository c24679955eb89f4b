package campaign

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/perm"
)

func (r *rig) batch(in BatchInput) (Batch, []string) {
	r.t.Helper()
	if in.Name == "" {
		in.Name = "4S 店赠卡"
	}
	if in.Kind == "" {
		in.Kind = BatchDealer
	}
	if in.Gift == nil {
		in.Gift = Gift{{Kind: Points, N: 100}}
	}
	in.PerMember = max(in.PerMember, 1)
	in.Count = max(in.Count, 3)
	b, err := r.CreateBatch(r.ctx(), in)
	must(r.t, err)
	codes, err := r.Export(r.ctx(), b.ID)
	must(r.t, err)
	return b, codes
}

func TestCodesAreShownOnceAndStoredHashed(t *testing.T) {
	r := newRig(t)
	b, err := r.CreateBatch(r.ctx(), BatchInput{Name: "新车赠卡", Kind: BatchDealer, Partner: "某 4S 店", Count: 1200, PerMember: 1, Gift: Gift{{Kind: Points, N: 100}}})
	must(t, err)
	var mu sync.Mutex
	var codes []string
	exports := 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := r.Export(r.ctx(), b.ID)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				codes, exports = got, exports+1
			} else if !errors.Is(err, ErrExported) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	form, seen := regexp.MustCompile(`^[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){2}$`), map[string]bool{}
	for _, c := range codes {
		if !form.MatchString(c) || seen[c] {
			t.Fatal(c)
		}
		seen[c] = true
	}
	if exports != 1 || len(codes) != 1200 {
		t.Fatalf("%d exports of %d codes", exports, len(codes))
	}
	var rows []codeRow
	must(t, r.db.Select(t.Context(), &rows, `SELECT id, batch_id, code_hash, tail, member_id, use_no, used_at, created_at FROM campaign_codes`))
	for _, x := range rows {
		for _, c := range codes[:20] {
			if strings.Contains(x.Hash, strings.ReplaceAll(c, "-", "")) {
				t.Fatal("a code lies in the open")
			}
		}
	}
	var trail []string
	must(t, r.db.Select(t.Context(), &trail, `SELECT action FROM audit_log ORDER BY id`))
	if strings.Join(trail[len(trail)-2:], " ") != "code_batch.create code_batch.export" {
		t.Errorf("%v", trail)
	}
	r.exact()
}

func TestACodeIsUsedOnce(t *testing.T) {
	r := newRig(t)
	b, codes := r.batch(BatchInput{Count: 10, PerMember: 2})
	members := []int64{}
	for range 12 {
		members = append(members, r.join(""))
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := map[string]int{}
	for _, m := range members {
		for _, c := range codes[:3] {
			wg.Go(func() {
				_, err := r.Redeem(r.owner(m), strings.ToLower(c))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won[c]++
				case !errors.Is(err, ErrUsed) && !errors.Is(err, ErrLimit) && !errors.Is(err, fault.ErrBusyWrite):
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	var sum int64
	for _, m := range members {
		sum += r.has(m)
	}
	if len(won) != 3 || sum != 300 {
		t.Errorf("%v, %d points", won, sum)
	}
	// One member with many codes at once: two and no more.
	m := r.join("")
	for _, c := range codes[3:] {
		wg.Go(func() {
			if _, err := r.Redeem(r.owner(m), c); err != nil && !errors.Is(err, ErrLimit) && !errors.Is(err, fault.ErrBusyWrite) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.want(m, 200, "two codes")
	// The same key answers the same, without giving again.
	n := r.join("")
	var free string
	for _, c := range codes[3:] {
		ctx := r.owner(n)
		if _, err := r.Redeem(ctx, c); err == nil {
			free = c
			again, err := r.Redeem(ctx, c)
			if err != nil || again.Gift != "100 积分" {
				t.Error(again, err)
			}
			break
		}
	}
	if _, err := r.Redeem(r.owner(n), free); !errors.Is(err, ErrUsed) {
		t.Error(err)
	}
	r.want(n, 100, "once")
	got, err := readBatch(t.Context(), r.db, b.ID, "")
	if err != nil || got.Used != 6 {
		t.Errorf("%+v %v", got, err)
	}
	r.exact()
}

func TestCodesThatDoNotCount(t *testing.T) {
	r := newRig(t)
	m := r.join("")
	soon, end := r.clk.Now().Add(time.Hour), r.clk.Now().Add(2*time.Hour)
	b, codes := r.batch(BatchInput{StartsAt: &soon, EndsAt: &end})
	use := func(c string, want error) {
		t.Helper()
		if _, err := r.Redeem(r.owner(m), c); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", c, err, want)
		}
	}
	for _, c := range []string{"", "x", "0000-0000-0000", "AAAA-AAAA-AAAA", codes[0] + "A", "' OR 1=1 --", strings.Repeat("A", 40), "中文中文中文"} {
		use(c, ErrUnknown)
	}
	use(codes[0], ErrEarly)
	r.clk.Set(soon)
	use(" "+strings.ReplaceAll(codes[0], "-", " ")+" ", nil)
	use(codes[1], ErrLimit)
	other := r.join("")
	if _, err := r.StopBatch(r.ctx(), b.ID); err != nil {
		t.Fatal(err)
	}
	m = other
	use(codes[1], ErrStopped)
	if _, err := r.Export(r.ctx(), b.ID); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	_, codes = r.batch(BatchInput{EndsAt: &end})
	r.clk.Set(end)
	use(codes[0], ErrExpired)
	_, codes = r.batch(BatchInput{})
	must(t, r.members.Suspend(r.ctx(), other, "欠款"))
	if _, err := r.Redeem(r.owner(other), codes[0]); fault.As(err).Kind != fault.Forbidden && fault.As(err).Kind != fault.Conflict {
		t.Error(err)
	}
	r.want(other, 0, "suspended")
	r.exact()
	for name, in := range map[string]BatchInput{
		"name":      {Kind: BatchSwap, Count: 1, PerMember: 1, Gift: Gift{{Kind: Points, N: 1}}},
		"count":     {Name: "x", Kind: BatchSwap, Count: 5001, PerMember: 1, Gift: Gift{{Kind: Points, N: 1}}},
		"perMember": {Name: "x", Kind: BatchSwap, Count: 1, Gift: Gift{{Kind: Points, N: 1}}},
		"endsAt":    {Name: "x", Kind: BatchSwap, Count: 1, PerMember: 1, Gift: Gift{{Kind: Points, N: 1}}, EndsAt: &soon},
		"gift":      {Name: "x", Kind: BatchSwap, Count: 1, PerMember: 1},
	} {
		if _, err := r.CreateBatch(r.ctx(), in); err == nil || len(fault.As(err).Fields) != 1 || fault.As(err).Fields[0].Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOverHTTP(t *testing.T) {
	r := newRig(t)
	c := apitest.New(t, r.Routes)
	boss := c.As(apitest.Staff(perm.CampaignRead, perm.CampaignWrite))
	var rule RuleView
	boss.OK(http.MethodPost, "/api/console/gift-rules", map[string]any{"name": "满百送", "trigger": "after_purchase", "terms": map[string]any{"minFen": 10000}, "gift": []map[string]any{{"kind": "points", "n": 50}}}, &rule)
	if rule.GiftTitle != "50 积分" || !rule.Active {
		t.Errorf("%+v", rule)
	}
	boss.Fault(ErrGift, http.MethodPost, "/api/console/gift-rules", map[string]any{"name": "满百送", "trigger": "join", "terms": map[string]any{}, "gift": []any{}})
	var list struct{ Items []RuleView }
	boss.OK(http.MethodGet, "/api/console/gift-rules", nil, &list)
	boss.OK(http.MethodDelete, fmt.Sprintf("/api/console/gift-rules/%d", rule.ID), nil, nil)
	if len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}
	var b BatchView
	boss.OK(http.MethodPost, "/api/console/code-batches", map[string]any{"name": "换卡", "kind": "swap", "count": 3, "perMember": 1, "gift": []map[string]any{{"kind": "points", "n": 50}}}, &b)
	c.As(apitest.Staff(perm.CampaignRead)).Fault(fault.ErrForbidden, http.MethodPost, fmt.Sprintf("/api/console/code-batches/%d/codes", b.ID), nil)
	var codes Codes
	boss.OK(http.MethodPost, fmt.Sprintf("/api/console/code-batches/%d/codes", b.ID), nil, &codes)
	boss.Fault(ErrExported, http.MethodPost, fmt.Sprintf("/api/console/code-batches/%d/codes", b.ID), nil)
	m := r.join("")
	me := c.As(actor.Actor{Kind: actor.Owner, ID: 9, MemberID: m})
	me.Fault(idem.ErrMissing, http.MethodPost, "/api/owner/codes", RedeemRequest{codes.Codes[0]})
	var got Redeemed
	me.OK(http.MethodPost, "/api/owner/codes", RedeemRequest{codes.Codes[0]}, &got, "Idempotency-Key", "key-00000001")
	if got != (Redeemed{"换卡", "50 积分"}) {
		t.Errorf("%+v", got)
	}
	for i := range 12 { // guessing is slow
		a := me.Do(http.MethodPost, "/api/owner/codes", RedeemRequest{"AAAA-BBBB-CCCC"}, "Idempotency-Key", fmt.Sprintf("key-1000000%d", i))
		if i == 11 && a.Status != http.StatusTooManyRequests {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	boss.OK(http.MethodPost, fmt.Sprintf("/api/console/code-batches/%d/stop", b.ID), nil, &b)
	if b.State != BatchStopped || b.Used != 1 {
		t.Errorf("%+v", b)
	}
	var batches struct{ Items []BatchView }
	boss.OK(http.MethodGet, "/api/console/code-batches?limit=1", nil, &batches)
	if len(batches.Items) != 1 || batches.Items[0].Used != 1 {
		t.Errorf("%+v", batches)
	}
}
