package coupon

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
)

// Offer is what a coupon does, in words too.
type Offer struct {
	Name         string    `json:"name"`
	Note         string    `json:"note"`
	Kind         string    `json:"kind" enum:"amount,percent,service"`
	OffFen       money.Fen `json:"offFen"`
	PayBP        money.BP  `json:"payBp" doc:"percent: the share that is paid"`
	MaxOffFen    money.Fen `json:"maxOffFen"`
	ThresholdFen money.Fen `json:"thresholdFen"`
	Stack        string    `json:"stack" enum:"none,any,no_tier"`
	Giftable     bool      `json:"giftable"`
	Scope        string    `json:"scope" doc:"Where and for what it counts, in words"`
	ServiceIDs   []int64   `json:"serviceIds"`
	GoodIDs      []int64   `json:"goodIds"`
	Kinds        []string  `json:"kinds"`
}

// CouponView is a coupon as people see it.
type CouponView struct {
	ID         int64     `json:"id"`
	TemplateID int64     `json:"templateId"`
	MemberID   int64     `json:"memberId"`
	MemberName string    `json:"memberName,omitempty" doc:"Masked; console only"`
	State      string    `json:"state" enum:"available,held,used,expired,void"`
	Offer      Offer     `json:"offer"`
	StartsAt   time.Time `json:"startsAt"`
	ExpiresAt  time.Time `json:"expiresAt"`
	LastDay    string    `json:"lastDay" doc:"The last date on which it may be used"`
	IssuedAt   time.Time `json:"issuedAt"`
	Source     string    `json:"source"`
	GiftedFrom string    `json:"giftedFrom,omitempty" doc:"Masked name of the friend who gave it"`
	MayGift    bool      `json:"mayGift"`
	Gift       *GiftLink `json:"gift,omitempty" doc:"On its way to a friend"`
	OrderID    int64     `json:"orderId,omitempty" doc:"The order that holds or used it"`
}

func names(ids []int64, known map[int64]string) (out []string) {
	for _, id := range ids {
		if n := known[id]; n != "" {
			out = append(out, n)
		}
	}
	return out
}

// scope says for what and where a coupon counts: 限洗车、打蜡 · 西湖店 · 轿车.
func scope(t Terms, known map[string]map[int64]string) string {
	var what []string
	for _, k := range t.Kinds {
		what = append(what, kindNames[k])
	}
	what = append(append(what, names(t.ServiceIDs, known["serviceIds"])...), names(t.GoodIDs, known["goodIds"])...)
	parts := []string{"全部项目"}
	if len(what) > 0 {
		parts[0] = "限" + strings.Join(what, "、")
	}
	if len(t.StoreIDs) > 0 {
		parts = append(parts, strings.Join(names(t.StoreIDs, known["storeIds"]), "、"))
	}
	if len(t.ClassIDs) > 0 {
		parts = append(parts, strings.Join(names(t.ClassIDs, known["classIds"]), "、"))
	}
	switch t.Stack {
	case pricing.StackNone:
		parts = append(parts, "每天限一张，不与同类券同享")
	case pricing.StackNoTier:
		parts = append(parts, "不与会员折扣同享")
	}
	return strings.Join(parts, " · ")
}

func newOffer(t Terms, known map[string]map[int64]string) Offer {
	return Offer{Name: t.Name, Note: t.Note, Kind: t.Kind, OffFen: t.OffFen, PayBP: t.PayBP, MaxOffFen: t.MaxOffFen, ThresholdFen: t.ThresholdFen, Stack: t.Stack,
		Giftable: t.Giftable, Scope: scope(t, known), ServiceIDs: t.ServiceIDs, GoodIDs: t.GoodIDs, Kinds: t.Kinds}
}

func (s *Service) offer(ctx context.Context, termsID int64) (Offer, error) {
	t, err := s.terms(ctx, s.db, termsID)
	if err != nil {
		return Offer{}, err
	}
	known, err := s.known(ctx)
	return newOffer(t, known), err
}

// views shows coupons; withNames also says whose they are.
func (s *Service) views(ctx context.Context, rows []row, withNames bool) ([]CouponView, error) {
	known, err := s.known(ctx)
	if err != nil {
		return nil, err
	}
	var people, gifts []int64
	for _, c := range rows {
		if people = append(people, c.GiftedFrom); withNames {
			people = append(people, c.MemberID)
		}
		if c.State == Held && c.RefKind == refGift {
			gifts = append(gifts, c.RefID)
		}
	}
	slices.Sort(people)
	named, err := s.Members.MaskedNames(ctx, slices.Compact(people))
	if err != nil {
		return nil, err
	}
	open, err := giftsByID(ctx, s.db, gifts)
	if err != nil {
		return nil, err
	}
	out := make([]CouponView, 0, len(rows))
	for _, c := range rows {
		t, err := s.terms(ctx, s.db, c.TermsID)
		if err != nil {
			return nil, err
		}
		v := CouponView{ID: c.ID, TemplateID: c.TemplateID, MemberID: c.MemberID, State: c.State, Offer: newOffer(t, known), StartsAt: clock.FromMillis(c.StartsAt),
			ExpiresAt: clock.FromMillis(c.ExpiresAt), LastDay: lastDay(c.ExpiresAt), IssuedAt: clock.FromMillis(c.IssuedAt), Source: c.Source, GiftedFrom: named[c.GiftedFrom],
			MayGift: t.Giftable && c.GiftedFrom == 0 && c.State == Available}
		if withNames {
			v.MemberName = named[c.MemberID]
		}
		if c.State == Available && c.ExpiresAt <= s.db.Now().UnixMilli() {
			v.State, v.MayGift = Expired, false // the job has not come by yet
		}
		switch {
		case c.State == Held && c.RefKind == refGift:
			if v.Gift, err = s.link(ctx, open[c.RefID]); err != nil {
				return nil, err
			}
		case c.RefKind == "order":
			v.OrderID = c.RefID
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Service) viewsByID(ctx context.Context, ids []int64) ([]CouponView, error) {
	var rows []row
	for _, id := range ids {
		c, err := byID(ctx, s.db, id, "")
		if err != nil {
			return nil, err
		}
		rows = append(rows, c)
	}
	return s.views(ctx, rows, false)
}

func (s *Service) one(ctx context.Context, id int64) (CouponView, error) {
	views, err := s.viewsByID(ctx, []int64{id})
	return append(views, CouponView{})[0], err
}
