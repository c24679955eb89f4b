package app

import (
	"context"
	"errors"
	"strings"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/staff"
	"github.com/liangche/liangche/internal/tier"
)

// secure says whether the public address is reached over https.
func secure(publicURL string) bool { return strings.HasPrefix(publicURL, "https://") }

// balances tells the member slice what a wallet holds.
type balances struct{ db *db.DB }

func (b balances) TotalFen(ctx context.Context, memberID int64) (money.Fen, error) {
	x, err := ledger.BalanceOf(ctx, b.db, memberID)
	return money.Fen(x.Principal + x.Bonus), err
}

// owed is what the shop owes a member: the wallet, and what was paid for and is still to come. Nobody leaves with it.
type owed struct {
	balances
	more []func(ctx context.Context, memberID int64) (money.Fen, error)
}

func (o owed) TotalFen(ctx context.Context, memberID int64) (money.Fen, error) {
	total, err := o.balances.TotalFen(ctx, memberID)
	for _, f := range o.more {
		n, e := f(ctx, memberID)
		total, err = total+n, errors.Join(err, e)
	}
	return total, err
}

// tierNames lets the member slice name and set tiers.
type tierNames struct {
	db    *db.DB
	tiers *tier.Service
}

func (t tierNames) TierName(ctx context.Context, memberID int64) (string, error) {
	x, err := t.tiers.OfMember(ctx, t.db, memberID)
	return x.Name, err
}

func (t tierNames) SetTierTx(ctx context.Context, tx *db.Tx, memberID, tierID int64, reason string) error {
	return t.tiers.SetMemberTierTx(ctx, tx, memberID, tierID, reason)
}

// tierIDs tells the points and the coupons which tier a member is in.
type tierIDs struct{ tiers *tier.Service }

func (t tierIDs) of(ctx context.Context, r db.Reader, memberID int64) (int64, error) {
	x, err := t.tiers.OfMember(ctx, r, memberID)
	return x.ID, err
}

// staffStores names the stores in which staff may work.
type staffStores struct{ shops *shop.Service }

func (s staffStores) StaffStores(ctx context.Context) ([]staff.Store, error) {
	all, err := s.shops.Stores(ctx)
	var out []staff.Store
	for _, x := range all {
		if x.Active {
			out = append(out, staff.Store{ID: x.ID, Name: x.Name})
		}
	}
	return out, err
}

// colleagues tells the roster who works here.
type colleagues struct{ staff *staff.Service }

func (c colleagues) StaffPeople(ctx context.Context) ([]roster.Person, error) {
	all, err := c.staff.People(ctx)
	var out []roster.Person
	for _, x := range all {
		out = append(out, roster.Person{ID: x.ID, Name: x.Name, Active: x.Status != staff.StatusSuspended, StoreIDs: x.StoreIDs})
	}
	return out, err
}

// directory tells the messages who a member is on WeChat.
type directory struct{ members *member.Service }

func (d directory) Recipients(ctx context.Context, memberID int64) ([]notify.Recipient, error) {
	ids, err := d.members.Recipients(ctx, memberID)
	var out []notify.Recipient
	for _, x := range ids {
		out = append(out, notify.Recipient{App: x.App, OpenID: x.OpenID})
	}
	return out, err
}

func (d directory) OpenID(ctx context.Context, identityID int64) (string, string, error) {
	return d.members.OpenID(ctx, identityID)
}

// templates maps our events to the shop's templates. The fields are those that docs and README tell the shop to choose in WeChat's
// library, in that order.
func templates(ids map[string]string) map[string]notify.TemplateConfig {
	fields := map[string]map[string]string{
		notify.Deduction: {"thing1": "title", "amount2": "amount", "amount3": "balance", "time4": "time", "thing5": "store"},
		notify.Topup:     {"thing1": "title", "amount2": "amount", "amount3": "balance", "time4": "time"},
		notify.Reversal:  {"thing1": "title", "amount2": "amount", "amount3": "balance", "time4": "time", "thing5": "store"},
		notify.Refund:    {"thing1": "title", "amount2": "amount", "amount3": "balance", "time4": "time"},

		notify.BookingConfirmed: {"thing1": "title", "time2": "time", "thing3": "store", "car_number4": "plate", "thing5": "=到店前可在小程序查看或改期"},
		notify.BookingReminder:  {"thing1": "title", "time2": "time", "thing3": "store", "car_number4": "plate", "thing5": "hint"},
		notify.BookingChanged:   {"thing1": "title", "time2": "time", "thing3": "store", "car_number4": "plate", "thing5": "hint"},
		notify.BookingCancelled: {"thing1": "title", "time2": "time", "thing3": "store", "car_number4": "plate", "thing5": "reason"},
		notify.BookingOffer:     {"thing1": "title", "time2": "time", "thing3": "store", "car_number4": "plate", "thing5": "hint"},
		notify.CarReady:         {"thing1": "title", "time2": "time", "thing3": "store", "car_number4": "plate", "thing5": "=爱车已完工，欢迎来取"},

		notify.MallReady:        {"thing1": "title", "thing2": "store", "thing3": "hint", "time4": "time"},
		notify.MallShipped:      {"thing1": "title", "thing2": "hint", "character_string3": "number", "time4": "time"},
		notify.ReferralRewarded: {"thing1": "title", "thing2": "gift", "time3": "time"},

		notify.GroupApproval:  {"thing1": "title", "amount2": "amount", "car_number3": "plate", "time4": "time", "thing5": "hint"},
		notify.PassSold:       {"thing1": "title", "amount2": "amount", "time3": "time", "thing4": "hint"},
		notify.PassExpiring:   {"thing1": "title", "date2": "time", "thing3": "hint"},
		notify.PassRenewal:    {"thing1": "title", "amount2": "amount", "date3": "time", "thing4": "hint"},
		notify.TierChanged:    {"thing1": "title", "thing2": "reason", "time3": "time"},
		notify.MembershipEnds: {"thing1": "title", "date2": "time", "thing3": "hint"},
		notify.PointsExpiring: {"thing1": "title", "number2": "points", "date3": "time", "thing4": "hint"},
		notify.CouponReceived: {"thing1": "title", "date2": "time", "thing3": "hint"},
		notify.CouponExpiring: {"thing1": "title", "number2": "count", "date3": "time", "thing4": "hint"},
	}
	out := map[string]notify.TemplateConfig{}
	for event, id := range ids {
		if f, ok := fields[event]; ok && id != "" {
			out[event] = notify.TemplateConfig{ID: id, Fields: f}
		}
	}
	return out
}

// onSale tells what an owner could buy.
type onSale struct {
	passes  *pass.Service
	catalog *catalog.Service
}

func (o onSale) OnSale(ctx context.Context, storeID int64) ([]pass.Plan, error) {
	return o.passes.OnSale(ctx, storeID)
}

func (o onSale) TopupPlans(ctx context.Context, storeID int64) ([]catalog.TopupPlan, error) {
	return o.catalog.TopupPlans(ctx, storeID)
}
