package app

import (
	"context"
	"errors"
	"strings"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
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

// directory tells the messages who a member is on WeChat. following says who follows the official account.
type directory struct {
	members   *member.Service
	following func(ctx context.Context, openID string) (follows, known bool, err error)
}

func (d directory) Recipients(ctx context.Context, memberID int64) ([]notify.Recipient, error) {
	ids, err := d.members.Recipients(ctx, memberID)
	var out []notify.Recipient
	for _, x := range ids {
		r := notify.Recipient{App: x.App, OpenID: x.OpenID}
		if x.App == notify.OfficialAccount {
			follows, known, e := d.following(ctx, x.OpenID)
			r.Following, r.Unknown, err = follows, !known, errors.Join(err, e)
		}
		out = append(out, r)
	}
	return out, err
}

func (d directory) OpenID(ctx context.Context, identityID int64) (string, string, error) {
	return d.members.OpenID(ctx, identityID)
}

// reach tells the messages where else a member can be reached.
type reach struct {
	members *member.Service
	shops   *shop.Service
}

func (r reach) Phone(ctx context.Context, memberID int64) (string, error) {
	m, err := r.members.Get(ctx, memberID)
	if err != nil || !m.PhoneVerified {
		return "", unknown(err)
	}
	return m.Phone, nil
}

func (r reach) Place(ctx context.Context, memberID int64) (storeID int64, zone string, err error) {
	m, err := r.members.Get(ctx, memberID)
	if err != nil || m.StoreID == 0 {
		return 0, "", unknown(err)
	}
	st, err := r.shops.Store(ctx, m.StoreID)
	if err != nil {
		return 0, "", unknown(err)
	}
	return st.ID, st.Timezone, nil
}

func (r reach) Contacts(ctx context.Context, ids []int64) (map[int64]notify.Contact, error) {
	all, err := r.members.MaskedContacts(ctx, ids)
	out := make(map[int64]notify.Contact, len(all))
	for id, c := range all {
		out[id] = notify.Contact(c)
	}
	return out, err
}

// unknown takes what does not exist for nothing rather than for a failure: a message to who left ends without one.
func unknown(err error) error {
	if errors.Is(err, fault.ErrNotFound) {
		return nil
	}
	return err
}

// self is whom a member of staff sends a test message to.
func (a *App) self(ctx context.Context, staffID int64) (out notify.Self, err error) {
	who, err := a.Staff.Get(ctx, staffID)
	if err != nil {
		return out, err
	}
	out.Phone = who.Phone
	ids, err := a.Staff.Identities(ctx, staffID)
	for _, x := range ids {
		out.Identities = append(out.Identities, notify.Recipient{App: x.App, OpenID: x.OpenID})
	}
	return out, err
}

// templates maps our events to the shop's templates of the configuration. Their fields are those that docs and README tell the shop to
// choose in WeChat's library, in that order; the console can choose others.
func templates(ids map[string]string) map[string]notify.TemplateConfig {
	out := map[string]notify.TemplateConfig{}
	for _, e := range notify.Events() {
		if id := ids[e.Event]; id != "" {
			out[e.Event] = notify.TemplateConfig{ID: id, Fields: e.Layout}
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
