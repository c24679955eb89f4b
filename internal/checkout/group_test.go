package checkout_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/group"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/setting"
)

// What a payer who has left paid cannot go back to the wallet that is gone: the reversal is refused, as it is for who pays from the own wallet.
func TestGroupsPayerHasLeft(t *testing.T) {
	c := openClub(t)
	payer, driver := c.member(true), c.member(false)
	r := c.asks(driver)
	r.GroupID = c.family(payer, driver, group.Place{CardKind: group.CardDriver}).ID
	o := c.settles(r, tender(checkout.TenderGroup, 4500))
	shopfloor.Must(t, c.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE member_members SET status = 'closed' WHERE id = ?`, payer)
		return err
	}))
	if _, err := c.till.Reverse(c.key(), o.ID, "客户要求撤销"); !errors.Is(err, checkout.ErrLeft) {
		t.Errorf("reversed into a wallet that nobody has: %v", err)
	}
	c.exact()
}

// Where stored value needs the member code, somebody else's stored value needs the driver's.
func TestGroupNeedsTheCodeToo(t *testing.T) {
	c := openClub(t)
	payer, driver := c.member(true), c.member(false)
	r := c.asks(driver)
	r.GroupID = c.family(payer, driver, group.Place{CardKind: group.CardDriver}).ID
	c.set(setting.RequireCode, true)
	if _, err := c.try(r, tender(checkout.TenderGroup, 4500)); !errors.Is(err, checkout.ErrNeedsCode) {
		t.Errorf("charged the payer without the driver's code: %v", err)
	}
	r.ScanID = 12345
	if _, err := c.try(r, tender(checkout.TenderGroup, 4500)); err == nil {
		t.Error("a scan that is none was taken")
	}
	c.exact()
}

// A group is asked for what points leave of a bill: the payer who said yes to that much pays it.
func TestGroupPaysWhatPointsLeave(t *testing.T) {
	c := openClub(t)
	payer, driver := c.member(true), c.member(false)
	over := money.Fen(1000)
	g := c.family(payer, driver, group.Place{CardKind: group.CardDriver, Rules: group.Rules{ApprovalOverFen: &over}})
	c.give(driver, 2000)
	r := c.asks(driver)
	r.Benefits = &checkout.BenefitAsk{Auto: true, Points: 2000}
	left := c.quote(r).TotalFen - 2000
	y, err := c.groups.AskPayer(c.key(), group.Ask{GroupID: g.ID, DriverMemberID: driver, StoreID: r.StoreID, Plate: r.Plate, ServiceIDs: []int64{r.Items[0].ID}, AmountFen: left}, "洗车")
	shopfloor.Must(t, err)
	_, err = c.groups.Answer(actor.With(t.Context(), c.Owner(payer)), y.ID, true, "")
	shopfloor.Must(t, err)
	r.GroupID = g.ID
	q := c.quote(r)
	want := []checkout.Tender{{Kind: checkout.TenderPoints, AmountFen: 2000}, {Kind: checkout.TenderGroup, AmountFen: left}}
	if !slices.Equal(q.Suggestion, want) {
		t.Fatalf("%+v, want %+v; %+v", q.Suggestion, want, q.Offers.Groups)
	}
	c.settles(r, want...)
	c.exact()
}
