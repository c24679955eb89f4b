package group

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/blob"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
)

const company = "91350100M000100Y43"

func (r *rig) apply(payer int64) Group {
	r.t.Helper()
	g, err := r.Create(r.owner(payer), NewGroup{Kind: Corporate, Name: "福州某某科技有限公司", CreditCode: company, Contact: Contact{Name: "赵经理", Phone: "0591-8888 6666", Note: "三辆车"}})
	must(r.t, err)
	return g
}

func TestALinkBringsOneDriver(t *testing.T) {
	r := newRig(t)
	g, _ := r.family(Place{Note: "太太"})
	v, err := r.Invite(r.owner(r.payer), g.ID, Place{CardKind: CardDriver})
	must(t, err)
	if len(v.Code) != 16 || v.URL != "https://shop.example/join?code="+v.Code {
		t.Errorf("%+v", v)
	}
	if got, p, _, err := r.Invited(r.owner(r.bruno), v.Code[:4]+"-"+v.Code[4:]); err != nil || got.ID != g.ID || p.CardKind != CardDriver {
		t.Errorf("%+v %v", got, err)
	}
	_, err = r.Join(r.owner(r.payer), v.Code)
	wants(t, err, ErrOwnInvite)
	_, err = r.Join(r.owner(r.anna), v.Code)
	wants(t, err, ErrJoined)
	carla := r.person("卡司机", "13800138004")
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	for _, who := range []int64{r.bruno, carla} {
		wg.Go(func() {
			_, err := r.Join(r.owner(who), v.Code)
			errs <- err
		})
	}
	wg.Wait()
	first, second := <-errs, <-errs
	if (first == nil) == (second == nil) {
		t.Errorf("%v and %v", first, second)
	}
	wants(t, errors.Join(first, second), ErrInvite)
	all, err := driversOf(t.Context(), r.db, g.ID)
	if err != nil || len(all) != 2 {
		t.Errorf("%v %v", all, err)
	}

	late, err := r.Invite(r.owner(r.payer), g.ID, Place{CardKind: CardDriver})
	must(t, err)
	taken, err := r.Invite(r.owner(r.payer), g.ID, Place{CardKind: CardDriver})
	must(t, err)
	must(t, r.Revoke(r.owner(r.payer), g.ID, taken.ID))
	wants(t, r.Revoke(r.owner(r.payer), g.ID, taken.ID), ErrInvite)
	_, err = r.Join(r.owner(r.bruno), taken.Code)
	wants(t, err, ErrInvite)
	r.clk.Advance(inviteLife)
	_, err = r.Join(r.owner(r.bruno), late.Code)
	wants(t, err, ErrInvite)
	_, _, _, err = r.Invited(r.owner(r.bruno), "0000000000000000")
	wants(t, err, ErrInvite)
	r.sound()
}

func TestAFamilyHasTenDrivers(t *testing.T) {
	r := newRig(t)
	g, _ := r.family(Place{})
	var codes []string
	for range 10 {
		v, err := r.Invite(r.owner(r.payer), g.ID, Place{CardKind: CardDriver})
		must(t, err)
		codes = append(codes, v.Code)
	}
	for i, code := range codes {
		who := r.person("张三", "139001380"+string(rune('0'+i/10))+string(rune('0'+i%10)))
		_, err := r.Join(r.owner(who), code)
		if i < 9 {
			must(t, err)
		} else {
			wants(t, err, ErrFull)
		}
	}
	_, err := r.Invite(r.owner(r.payer), g.ID, Place{CardKind: CardDriver})
	wants(t, err, ErrFull)
	r.sound()
}

func TestOnlyThePayerManages(t *testing.T) {
	r := newRig(t)
	g, d := r.family(Place{})
	place := Place{CardKind: CardDriver}
	for name, f := range map[string]func(who int64) error{
		"rename":   func(who int64) error { _, err := r.Rename(r.owner(who), g.ID, "别家"); return err },
		"invite":   func(who int64) error { _, err := r.Invite(r.owner(who), g.ID, place); return err },
		"driver":   func(who int64) error { _, err := r.PutDriver(r.owner(who), g.ID, d.ID, place); return err },
		"remove":   func(who int64) error { return r.RemoveDriver(r.owner(who), g.ID, d.ID) },
		"dissolve": func(who int64) error { _, err := r.Dissolve(r.owner(who), g.ID, ""); return err },
	} {
		if err := f(r.anna); !errors.Is(err, ErrNotMine) {
			t.Errorf("%s by a driver: %v", name, err)
		}
		if err := f(r.bruno); !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("%s by a stranger: %v", name, err)
		}
	}
	wants(t, r.Leave(r.owner(r.bruno), g.ID), fault.ErrNotFound)
	other, err := r.Create(r.owner(r.bruno), NewGroup{Kind: Family, Name: "布家"})
	must(t, err)
	_, err = r.PutDriver(r.owner(r.bruno), other.ID, d.ID, place)
	wants(t, err, fault.ErrNotFound)
	must(t, r.RemoveDriver(r.owner(r.payer), g.ID, d.ID))
	wants(t, r.RemoveDriver(r.owner(r.payer), g.ID, d.ID), fault.ErrNotFound)
	got, err := r.Rename(r.owner(r.payer), g.ID, " 王家人 ")
	if err != nil || got.Name != "王家人" {
		t.Errorf("%+v %v", got, err)
	}
	for range maxGroups - 1 {
		_, err = r.Create(r.owner(r.payer), NewGroup{Kind: Family, Name: "又一家"})
		must(t, err)
	}
	_, err = r.Create(r.owner(r.payer), NewGroup{Kind: Family, Name: "又一家"})
	wants(t, err, ErrTooMany)
	r.sound()
}

func TestTheSameKeyMakesOneGroup(t *testing.T) {
	r := newRig(t)
	ctx := r.owner(r.payer)
	a, err := r.Create(ctx, NewGroup{Kind: Family, Name: "王家"})
	must(t, err)
	b, err := r.Create(ctx, NewGroup{Kind: Family, Name: "王家"})
	if err != nil || a.ID != b.ID {
		t.Errorf("%d and %d, %v", a.ID, b.ID, err)
	}
}

func TestACompanyIsReviewed(t *testing.T) {
	r := newRig(t)
	g := r.apply(r.payer)
	if g.State != StateReview || g.Contact.Name != "赵经理" {
		t.Fatalf("%+v", g)
	}
	_, err := r.Invite(r.owner(r.payer), g.ID, Place{CardKind: CardDriver})
	wants(t, err, ErrReview)
	_, err = r.Review(r.staff(), g.ID, true, "")
	wants(t, err, ErrDocuments)
	_, err = r.AddDocument(r.owner(r.anna), g.ID, DocumentLicense, photo())
	wants(t, err, fault.ErrNotFound)
	_, err = r.AddDocument(r.owner(r.payer), g.ID, DocumentLicense, []byte("<html>"))
	wants(t, err, blob.ErrNotImage)
	for i := range 7 {
		kind := DocumentOther
		if i == 0 {
			kind = DocumentLicense
		}
		if _, err = r.AddDocument(r.owner(r.payer), g.ID, kind, photo()); i < 6 {
			must(t, err)
		}
	}
	wants(t, err, ErrDocMax)
	_, err = r.Review(r.staff(), g.ID, false, "")
	if f := fault.As(err).Fields; len(f) != 1 || f[0].Field != "reason" {
		t.Errorf("%v", err)
	}
	got, err := r.Review(r.staff(), g.ID, false, "执照看不清")
	must(t, err)
	if got.State != StateRejected || got.Reason != "执照看不清" || got.ReviewedBy != "王店长" {
		t.Errorf("%+v", got)
	}
	_, err = r.Review(r.staff(), g.ID, true, "")
	wants(t, err, ErrState)
	_, err = r.Reapply(r.owner(r.payer), g.ID, NewGroup{Name: "福州某某科技有限公司", CreditCode: company, Contact: Contact{Name: "钱经理", Phone: "13900139000"}})
	must(t, err)
	got, err = r.Review(r.staff(), g.ID, true, "")
	must(t, err)
	if got.State != StateActive {
		t.Errorf("%+v", got)
	}
	_, err = r.AddDocument(r.owner(r.payer), g.ID, DocumentOther, photo())
	wants(t, err, ErrState)
	_, err = r.Rename(r.owner(r.payer), g.ID, "别的公司")
	wants(t, err, ErrState)

	// Another application with the same code waits, and cannot be approved while the first lives.
	second := r.apply(r.bruno)
	_, err = r.AddDocument(r.owner(r.bruno), second.ID, DocumentLicense, photo())
	must(t, err)
	_, err = r.Review(r.staff(), second.ID, true, "")
	wants(t, err, ErrCreditUsed)
	_, err = r.Dissolve(r.staff(), g.ID, "合同到期")
	must(t, err)
	_, err = r.Review(r.staff(), second.ID, true, "")
	must(t, err)
	r.sound()
}

func TestDocumentsAreSealedAndForgotten(t *testing.T) {
	r := newRig(t)
	g := r.apply(r.payer)
	_, err := r.AddDocument(r.owner(r.payer), g.ID, DocumentLicense, photo())
	must(t, err)
	docs, err := documentsOf(t.Context(), r.db, g.ID, "")
	must(t, err)
	files := func() []string { list, _ := filepath.Glob(filepath.Join(r.dir, "*", "*", "*")); return list }
	raw, err := os.ReadFile(files()[0])
	if err != nil || bytes.Contains(raw, []byte("JFIF")) || bytes.HasPrefix(raw, []byte("\xff\xd8")) {
		t.Errorf("the picture lies open: %.20q %v", raw, err)
	}
	data, err := r.Document(r.owner(r.payer), g.ID, docs[0].ID)
	if err != nil || !bytes.HasPrefix(data, []byte("\xff\xd8")) {
		t.Errorf("%.10q %v", data, err)
	}
	_, err = r.Document(r.staff(), g.ID, docs[0].ID)
	must(t, err)
	_, err = r.Document(r.owner(r.anna), g.ID, docs[0].ID)
	wants(t, err, fault.ErrNotFound)
	_, err = r.Document(r.staff(), g.ID, 42)
	wants(t, err, fault.ErrNotFound)
	var row groupRow
	must(t, r.db.Get(t.Context(), &row, `SELECT `+groupColumns+` FROM group_groups WHERE id = ?`, g.ID))
	if bytes.Contains([]byte(row.ContactSealed), []byte("赵经理")) || row.ContactSealed == "" {
		t.Error("the contact lies open")
	}
	_, err = r.AddDocument(r.owner(r.payer), g.ID, DocumentOther, photo())
	must(t, err)
	_, err = r.RemoveDocument(r.owner(r.payer), g.ID, docs[0].ID)
	must(t, err)
	must(t, r.queue.Drain(t.Context()))
	if n := len(files()); n != 1 {
		t.Errorf("%d files are left", n)
	}
	_, err = r.Dissolve(r.owner(r.payer), g.ID, "不办了")
	must(t, err)
	must(t, r.queue.Drain(t.Context()))
	if n := len(files()); n != 0 {
		t.Errorf("%d files are left", n)
	}
	got, err := r.Get(t.Context(), g.ID)
	if err != nil || got.Contact != (Contact{}) || got.State != StateEnded {
		t.Errorf("%+v %v", got, err)
	}
	r.sound()
}

func TestWhoLeavesTheShopLeavesTheGroups(t *testing.T) {
	r := newRig(t)
	g, _ := r.family(Place{})
	own, err := r.Create(r.owner(r.anna), NewGroup{Kind: Family, Name: "安家"})
	must(t, err)
	r.join(own, r.bruno, Place{})
	y := r.till(g, r.anna, 100)
	must(t, r.pay(y))
	left, err := r.members.Close(r.owner(r.anna), r.anna, "搬家")
	if err != nil || left.Status != member.StatusClosed {
		t.Fatalf("%+v %v", left, err)
	}
	wants(t, r.pay(r.till(own, r.bruno, 1)), ErrPayer)
	wants(t, r.pay(r.till(g, r.anna, 1)), ErrDriver)
	if got, err := r.Get(t.Context(), own.ID); err != nil || got.State != StateEnded {
		t.Errorf("%+v %v", got, err)
	}
	for _, id := range []int64{g.ID, own.ID} {
		if all, err := driversOf(t.Context(), r.db, id); err != nil || len(all) != 0 {
			t.Errorf("%v %v", all, err)
		}
	}
	r.undo(y.OrderID)
	r.sound()
}

func TestTemporaryCardsEnd(t *testing.T) {
	r := newRig(t)
	g := r.apply(r.payer)
	_, err := r.AddDocument(r.owner(r.payer), g.ID, DocumentLicense, photo())
	must(t, err)
	_, err = r.Review(r.staff(), g.ID, true, "")
	must(t, err)
	guest := r.join(g, r.anna, Place{CardKind: CardTemporary, Until: "2026-11-19"})
	vip := r.join(g, r.bruno, Place{CardKind: CardVIP})
	if vip.Place.Until != "2027-11-19" || guest.Place.Until != "2026-11-19" {
		t.Errorf("%+v %+v", vip, guest)
	}
	r.clk.Advance(38 * time.Hour) // midnight of the 20th
	wants(t, r.pay(r.till(g, r.anna, 100)), ErrPlaceOver)
	must(t, r.pay(r.till(g, r.bruno, 100)))
	_, err = r.PutDriver(r.staff(), g.ID, guest.ID, guest.Place)
	if f := fault.As(err).Fields; len(f) != 1 || f[0].Field != "until" {
		t.Errorf("%v", err)
	}
	r.sound()
}
