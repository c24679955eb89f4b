package member

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
)

func TestCardReissueKeepsMember(t *testing.T) {
	w := newWorld(t)
	ctx, j := w.member("13800138000")
	staff := desk(t.Context(), 7)
	_, err := w.UnfreezeCard(staff, j.MemberID, "误操作")
	wants(t, err, ErrCardState)
	lost, err := w.ReportLost(ctx, j.MemberID, "手机丢了")
	must(t, err)
	again, err := w.ReportLost(ctx, j.MemberID, "")
	must(t, err)
	if lost.Status != CardLost || again != lost {
		t.Fatalf("%+v %+v", lost, again)
	}
	_, err = w.FreezeCard(staff, j.MemberID, "x")
	wants(t, err, ErrCardState)
	c, err := w.Reissue(staff, j.MemberID, "补办")
	must(t, err)
	if c.No == j.CardNo || !ValidCardNo(c.No) || c.Status != CardActive {
		t.Fatalf("%+v", c)
	}
	all, err := w.Cards(ctx, j.MemberID)
	must(t, err)
	if len(all) != 2 || all[0].ID != c.ID || all[1].Status != CardReplaced {
		t.Fatalf("%+v", all)
	}
	must(t, w.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		st, err := w.StandingTx(ctx, tx, j.MemberID)
		if err != nil {
			return err
		}
		if st.CardNo != c.No || st.Name != "王小明" || st.PhoneMasked != "138****8000" {
			t.Errorf("%+v", st)
		}
		_, err = w.StandingTx(ctx, tx, 42)
		if !errors.Is(err, fault.ErrNotFound) {
			t.Error(err)
		}
		return st.Usable()
	}))
}

func TestReissueAtOnce(t *testing.T) {
	w := newWorld(t)
	_, j := w.member("13800138000")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := w.Reissue(desk(t.Context(), 7), j.MemberID, "补办"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all, err := w.Cards(t.Context(), j.MemberID)
	must(t, err)
	active := 0
	for _, c := range all {
		if c.Status == CardActive {
			active++
		}
	}
	if len(all) != 9 || active != 1 {
		t.Fatalf("%d cards, %d active", len(all), active)
	}
}

func TestCloseErases(t *testing.T) {
	w := newWorld(t)
	ctx, j := w.member("13800138000")
	w.device(ctx)
	w.purse[j.MemberID] = 12345
	left, err := w.Close(ctx, j.MemberID, "不用了")
	must(t, err)
	if left.Status != StatusClosing || !strings.Contains(left.Message, "¥123.45") {
		t.Fatalf("%+v", left)
	}
	must(t, w.Reopen(ctx, j.MemberID))
	wants(t, w.Reopen(ctx, j.MemberID), ErrState)
	w.purse[j.MemberID] = 0
	must(t, w.Suspend(desk(ctx, 1), j.MemberID, "核实中"))
	_, err = w.Close(ctx, j.MemberID, "") // leaving is no way out of a suspension
	wants(t, err, ErrSuspended)
	must(t, w.Reinstate(desk(ctx, 1), j.MemberID, "核实完毕"))
	ses, _, err := w.LoginAs(ctx, identityOf(t, w, ctx))
	must(t, err)
	if left, err = w.Close(ctx, j.MemberID, "不用了"); err != nil || left.Status != StatusClosed {
		t.Fatalf("%+v %v", left, err)
	}
	_, err = w.Authenticate(t.Context(), ses.AccessToken)
	wants(t, err, fault.ErrExpired)
	m, err := w.Get(t.Context(), j.MemberID)
	must(t, err)
	if m.Name != "" || m.Phone != "" || m.Birthday != "" || m.Gender != "unknown" || m.Status != StatusClosed {
		t.Fatalf("%+v", m)
	}
	if vs, err := w.Vehicles(t.Context(), j.MemberID); err != nil || len(vs) != 0 {
		t.Fatalf("%+v %v", vs, err)
	}
	_, err = w.Card(t.Context(), j.MemberID)
	wants(t, err, ErrNoCard)
	_, err = w.Close(ctx, j.MemberID, "")
	wants(t, err, ErrClosed)
	_, _, err = w.Unmask(desk(ctx, 1), j.MemberID, "找人")
	wants(t, err, ErrClosed)
	// The phone, the plate and the WeChat identity are free for a new membership.
	back := w.again(ctx)
	if actor.From(back).MemberID != 0 {
		t.Fatal("the identity still belongs to the closed member")
	}
	j2, err := w.Join(back, w.form(back, "13800138000"))
	must(t, err)
	if j2.MemberID == j.MemberID {
		t.Fatal("a closed member came back")
	}
}

func TestCloseWithoutWallet(t *testing.T) {
	w := newWorld(t)
	ctx, j := w.member("13800138000")
	w.Connect(nil, nil)
	if _, err := w.Close(ctx, j.MemberID, ""); err == nil {
		t.Fatal("closed a member whose balance nobody could tell")
	}
}

func TestVehicles(t *testing.T) {
	w := newWorld(t)
	ctx, j := w.member("13800138000")
	other, o := w.member("13900139000")
	_, err := w.AddVehicle(ctx, j.MemberID, VehicleInput{Plate: "京A12345"})
	wants(t, err, ErrVehicleTaken)
	v, err := w.AddVehicle(ctx, j.MemberID, VehicleInput{Plate: "京B12345", MileageKm: ptr(int64(5))})
	must(t, err)
	_, err = w.EditVehicle(ctx, j.MemberID, v.ID, VehicleInput{Plate: "京A12345"})
	wants(t, err, ErrVehicleTaken)
	v, err = w.EditVehicle(ctx, j.MemberID, v.ID, VehicleInput{Plate: "京C12345", Color: "白"})
	must(t, err)
	_, err = w.EditVehicle(other, o.MemberID, v.ID, VehicleInput{Plate: "京C12345"})
	wants(t, err, fault.ErrNotFound)
	wants(t, w.RemoveVehicle(other, o.MemberID, v.ID), fault.ErrNotFound)
	must(t, w.RemoveVehicle(ctx, j.MemberID, v.ID))
	_, err = w.AddVehicle(ctx, j.MemberID, VehicleInput{Plate: "x", PurchasedOn: "2999-01-01", MileageKm: ptr(int64(-1)), Brand: "a\x00b"})
	wantsField(t, err, "plate", "brand", "purchasedOn", "mileageKm")
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			_, err := w.AddVehicle(ctx, j.MemberID, VehicleInput{Plate: fmt.Sprintf("京D%05d", i)})
			if err != nil && !errors.Is(err, ErrVehicleMany) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if vs, err := w.Vehicles(ctx, j.MemberID); err != nil || len(vs) != maxVehicles {
		t.Fatalf("%d vehicles, %v", len(vs), err)
	}
}

// Name and phone are nowhere in clear: not in the slice's tables, not in the trail, not in idempotency answers.
func TestPersonalDataIsSealed(t *testing.T) {
	w := newWorld(t)
	ctx, j := w.member("13800138000")
	staff := desk(t.Context(), 7)
	name, phone, err := w.Unmask(staff, j.MemberID, "电话 13800138000 回访")
	if must(t, err); name != "王小明" || phone != "13800138000" {
		t.Fatal(name, phone)
	}
	must(t, w.Update(staff, j.MemberID, Edit{Birthday: ptr("1991-01-01"), Reason: "客户 13800138000 来电"}))
	must(t, w.ChangePhone(ctx, j.MemberID, w.phoneToken(ctx, "13900139000")))
	d := w.device(ctx)
	var dump strings.Builder
	for _, table := range []string{"member_members", "member_identities", "member_cards", "member_vehicles", "member_code_devices", "member_scans", "member_tickets", "member_attempts", "audit_log", "session_tokens", "idem_keys"} {
		rows, err := w.db.SQLDB().QueryContext(t.Context(), "SELECT * FROM "+table)
		must(t, err)
		cols, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			vals := make([]any, len(cols))
			for i := range vals {
				vals[i] = new([]byte)
			}
			must(t, rows.Scan(vals...))
			for _, v := range vals {
				dump.WriteString(string(*v.(*[]byte)) + "\n")
			}
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	for _, clear := range []string{"王小明", "小明", "13800138000", "13900139000", d.Secret} {
		if strings.Contains(dump.String(), clear) {
			t.Errorf("%q stands in clear in the database", clear)
		}
	}
	if !strings.Contains(dump.String(), "138****8000") {
		t.Error("the trail should keep the masked phone")
	}
}

func TestKeysetRotation(t *testing.T) {
	w := newWorld(t)
	ctx, j := w.member("13800138000")
	keys, err := secret.Rotate(w.keys)
	must(t, err)
	box, err := secret.New(keys)
	must(t, err)
	s := New(w.db, box, w.settings, w.wx, sizes{}, Options{})
	m, err := s.ByPhone(ctx, "13800138000")
	must(t, err)
	if m.ID != j.MemberID || m.Name != "王小明" {
		t.Fatalf("%+v", m)
	}
	name := "王大明"
	must(t, s.Update(ctx, j.MemberID, Edit{Name: &name}))
	if _, err := w.Get(ctx, j.MemberID); err == nil {
		t.Fatal("the old keyset alone opened what the new key sealed")
	}
}

func TestCharterVersions(t *testing.T) {
	w := newWorld(t)
	ctx, j := w.member("13800138000")
	must(t, w.EnsureCharter(ctx)) // again: nothing happens
	c, err := w.PublishCharter(desk(ctx, 1), "会员章程（新）", strings.Repeat("新的条款。", 10), strings.Repeat("新的隐私政策。", 10))
	must(t, err)
	if c.Version != 2 {
		t.Fatalf("%+v", c)
	}
	wants(t, w.AcceptCharter(ctx, j.MemberID, 1), ErrCharter)
	must(t, w.AcceptCharter(ctx, j.MemberID, 2))
	_, err = w.PublishCharter(ctx, "x", "短", "短")
	wantsField(t, err, "title", "body", "privacyBody")
	all, err := w.Charters(ctx)
	must(t, err)
	if len(all) != 2 || all[0].Version != 2 || !strings.Contains(all[1].Body, "# 一、入会") {
		t.Fatalf("%d versions", len(all))
	}
	must(t, w.Purge(ctx))
}
