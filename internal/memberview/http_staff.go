package memberview

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/tier"
)

// Visit is an earlier order.
type Visit struct {
	OrderID  int64     `json:"orderId"`
	No       string    `json:"no"`
	At       time.Time `json:"at"`
	Title    string    `json:"title"`
	TotalFen money.Fen `json:"totalFen"`
	Plate    string    `json:"plate"`
}

// DeskMember is a customer as the desk sees one; the name is masked.
type DeskMember struct {
	MemberID      int64            `json:"memberId"`
	ScanID        int64            `json:"scanId,omitempty" doc:"After a scan: settle with it"`
	ScanExpiresAt *time.Time       `json:"scanExpiresAt,omitempty"`
	Name          string           `json:"name" doc:"Masked"`
	PhoneMasked   string           `json:"phoneMasked"`
	Gender        string           `json:"gender" enum:"male,female,unknown"`
	Tier          tier.Tier        `json:"tier"`
	Card          *member.Card     `json:"card,omitempty"`
	Status        string           `json:"status" enum:"review,active,suspended,closing,closed,rejected"`
	BlockReason   string           `json:"blockReason,omitempty" doc:"Why stored value cannot be used now, and what to do"`
	Vehicles      []member.Vehicle `json:"vehicles"`
	Wallet        Wallet           `json:"wallet"`
	Points        int64            `json:"points"`
	Benefits
	CapFen         money.Fen  `json:"capFen,omitempty" doc:"The owner's limit on this code"`
	BoundVehicleID int64      `json:"boundVehicleId,omitempty" doc:"The owner allows this code for one car only"`
	Visits         int        `json:"visits"`
	LastVisitAt    *time.Time `json:"lastVisitAt,omitempty"`
	Recent         []Visit    `json:"recent"`
	Unreachable    bool       `json:"unreachable" doc:"The last message found no way to the member"`
	Untold         []string   `json:"untold" doc:"What no message could tell the member, for staff to say"`
}

// ScanInput is a member code, scanned or typed.
type ScanInput struct {
	StoreID int64  `json:"storeId" minimum:"1"`
	Code    string `json:"code" minLength:"1" maxLength:"64"`
}

// Hit is one hit of a search: a member, or a plate that came without membership.
type Hit struct {
	Kind        string     `json:"kind" enum:"member,walk_in"`
	MemberID    int64      `json:"memberId,omitempty"`
	NameMasked  string     `json:"nameMasked"`
	Gender      string     `json:"gender,omitempty" enum:"male,female,unknown" doc:"Of a member"`
	PhoneMasked string     `json:"phoneMasked"`
	CardNo      string     `json:"cardNo,omitempty"`
	TierName    string     `json:"tierName,omitempty"`
	Plates      []string   `json:"plates"`
	Visits      int        `json:"visits"`
	LastAt      *time.Time `json:"lastAt,omitempty"`
	Status      string     `json:"status,omitempty" enum:"review,active,suspended,closing,closed,rejected"`
}

// Hits is the list to choose from.
type Hits struct {
	Items []Hit `json:"items"`
}

// Plate is what is known of a car by its plate.
type Plate struct {
	Plate       string     `json:"plate"`
	MemberID    int64      `json:"memberId,omitempty" doc:"Only when exactly one member drives it"`
	Visits      int        `json:"visits"`
	TotalFen    money.Fen  `json:"totalFen"`
	LastAt      *time.Time `json:"lastAt,omitempty"`
	SuggestJoin bool       `json:"suggestJoin" doc:"Came often enough to be offered membership"`
	Recent      []Visit    `json:"recent"`
}

// Taking is the sum of one way of paying.
type Taking struct {
	Kind      string    `json:"kind"`
	Label     string    `json:"label"`
	AmountFen money.Fen `json:"amountFen"`
	Count     int       `json:"count"`
}

// TodayItem is an order of today.
type TodayItem struct {
	OrderID     int64     `json:"orderId"`
	No          string    `json:"no"`
	At          time.Time `json:"at"`
	Plate       string    `json:"plate"`
	MemberName  string    `json:"memberName,omitempty" doc:"Masked"`
	Title       string    `json:"title"`
	TotalFen    money.Fen `json:"totalFen"`
	Status      string    `json:"status" enum:"awaiting_payment,settled,cancelled,reversed"`
	TenderLabel string    `json:"tenderLabel"`
}

// Today is a store's business day so far.
type Today struct {
	BizDay       string      `json:"bizDay"`
	Takings      []Taking    `json:"takings" doc:"Settled orders, desk top-ups and what was sold beside work, by tender"`
	SettledCount int         `json:"settledCount"`
	SettledFen   money.Fen   `json:"settledFen"`
	Items        []TodayItem `json:"items"`
	Next         string      `json:"next,omitempty"`
}

type lookupInput struct {
	StoreID int64  `query:"storeId" required:"true" minimum:"1"`
	Q       string `query:"q" required:"true" maxLength:"40"`
}

type deskInput struct {
	ID      int64 `path:"id" minimum:"1"`
	StoreID int64 `query:"storeId" required:"true" minimum:"1"`
}

type plateInput struct {
	Plate   string `path:"plate" maxLength:"40"`
	StoreID int64  `query:"storeId" required:"true" minimum:"1"`
}

type todayInput struct {
	httpapi.Paging
	StoreID int64 `query:"storeId" required:"true" minimum:"1"`
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/staff" + path, Summary: summary, Who: httpapi.Staff, Permission: permission}
	}
	httpapi.Register(r, op("staffScan", http.MethodPost, "/scan", "Take a member code", perm.MemberRead), s.scan)
	httpapi.Register(r, op("staffLookup", http.MethodGet, "/lookup", "Search members and plates; always a list to choose from", perm.MemberRead), s.lookup)
	httpapi.Register(r, op("staffMember", http.MethodGet, "/members/{id}", "A customer at the desk", perm.MemberRead),
		func(ctx context.Context, in *deskInput) (DeskMember, error) {
			if !actor.From(ctx).InStore(in.StoreID) {
				return DeskMember{}, fault.ErrStore
			}
			return s.desk(ctx, in.ID)
		})
	create := op("staffMemberCreate", http.MethodPost, "/members", "Register a customer", perm.MemberWrite)
	create.Idempotent = true
	httpapi.Register(r, create, func(ctx context.Context, in *httpapi.Body[member.NewMember]) (DeskMember, error) {
		j, err := s.members.Register(ctx, in.Body)
		if err != nil {
			return DeskMember{}, err
		}
		return s.desk(ctx, j.MemberID)
	})
	httpapi.Register(r, op("staffPlate", http.MethodGet, "/plates/{plate}", "What is known of a plate", perm.MemberRead), s.plate)
	httpapi.Register(r, op("staffToday", http.MethodGet, "/today", "A store's business day so far", perm.CheckoutSettle), s.today)
}

func (s *Service) scan(ctx context.Context, in *httpapi.Body[ScanInput]) (DeskMember, error) {
	got, err := s.members.Scan(ctx, in.Body.StoreID, in.Body.Code)
	if err != nil {
		return DeskMember{}, err
	}
	d, err := s.desk(ctx, got.MemberID)
	d.ScanID, d.ScanExpiresAt, d.CapFen, d.BoundVehicleID = got.ScanID, &got.ExpiresAt, got.CapFen, got.BoundVehicleID
	return d, err
}

// desk reads a customer. Fault: not_found.
func (s *Service) desk(ctx context.Context, id int64) (d DeskMember, err error) {
	m, err := s.members.Get(ctx, id)
	if err != nil {
		return d, err
	}
	d = DeskMember{MemberID: id, Name: member.MaskName(m.Name), PhoneMasked: member.MaskPhone(m.Phone), Gender: m.Gender, Status: m.Status}
	if d.Card, err = s.card(ctx, id); err != nil {
		return d, err
	}
	d.BlockReason = blockReason(m, d.Card)
	if d.Tier, err = s.tiers.OfMember(ctx, s.db, id); err != nil {
		return d, err
	}
	if d.Vehicles, err = s.members.Vehicles(ctx, id); err != nil {
		return d, err
	}
	held, err := s.holding(ctx, id)
	if err != nil {
		return d, err
	}
	d.Wallet, d.Points = held.Wallet, held.Points
	if d.Benefits, err = s.benefits(ctx, id, held); err != nil {
		return d, err
	}
	seen, err := readVisits(ctx, s.db, []int64{id})
	if err != nil {
		return d, err
	}
	d.Visits, d.LastVisitAt = seen[id].Count, instant(seen[id].Last)
	recent, err := recentOrders(ctx, s.db, id)
	if err != nil {
		return d, err
	}
	d.Recent = visitsOf(recent)
	d.Unreachable, d.Untold, err = unreached(ctx, s.db, id)
	return d, err
}

func visitsOf(rows []orderRow) []Visit {
	out := make([]Visit, 0, len(rows))
	for _, o := range rows {
		out = append(out, Visit{o.ID, o.No, clock.FromMillis(o.CreatedAt), o.Title, money.Fen(o.TotalFen), o.Plate})
	}
	return out
}

func (s *Service) lookup(ctx context.Context, in *lookupInput) (out Hits, err error) {
	if !actor.From(ctx).InStore(in.StoreID) {
		return out, fault.ErrStore
	}
	q, err := parseQuery(in.Q, false)
	if err != nil {
		return out, err
	}
	ids, err := s.lookupMembers(ctx, q)
	if err != nil {
		return out, err
	}
	found, err := s.people(ctx, ids)
	if err != nil {
		return out, err
	}
	tiers, err := s.tierNames(ctx)
	if err != nil {
		return out, err
	}
	known := map[string]bool{}
	for _, p := range found {
		for _, plate := range p.Plates {
			known[plate] = true
		}
		out.Items = append(out.Items, Hit{Kind: "member", MemberID: p.ID, NameMasked: p.Name, Gender: p.Gender, PhoneMasked: p.Phone, CardNo: member.MaskCardNo(p.CardNo),
			TierName: tiers(p.TierID), Plates: p.Plates, Visits: p.Visits.Count, LastAt: instant(p.Visits.Last), Status: p.Status})
	}
	cars, err := lookupWalkIns(ctx, s.db, q.plate)
	for _, c := range cars {
		if !known[c.Plate] { // a car that joined since is shown as its member
			out.Items = append(out.Items, Hit{Kind: "walk_in", Plates: []string{c.Plate}, Visits: c.Count, LastAt: instant(c.Last)})
		}
	}
	return out, err
}

func (s *Service) plate(ctx context.Context, in *plateInput) (out Plate, err error) {
	if !actor.From(ctx).InStore(in.StoreID) {
		return out, fault.ErrStore
	}
	plate, _, complaint := member.ParsePlate(in.Plate)
	if complaint != "" {
		return out, fault.ErrInvalid.Say("车牌号不正确：%s", complaint).On("plate", complaint)
	}
	out.Plate = plate
	owners, err := s.members.OwnersOfPlate(ctx, s.db, plate)
	if err != nil {
		return out, err
	}
	if len(owners) == 1 {
		out.MemberID = owners[0]
	}
	v, err := plateVisits(ctx, s.db, plate)
	if err != nil {
		return out, err
	}
	out.Visits, out.TotalFen, out.LastAt = v.Count, money.Fen(v.Spent), instant(v.Last)
	often, err := s.settings.Int(ctx, setting.WalkInPromptVisits)
	if err != nil {
		return out, err
	}
	out.SuggestJoin = len(owners) == 0 && int64(v.Count) >= often
	recent, err := recentOfPlate(ctx, s.db, plate)
	out.Recent = visitsOf(recent)
	return out, err
}

// tenders names the ways of paying in the order in which they are shown.
var tenders = []struct{ kind, label string }{{"balance", "储值"}, {"cash", "现金"}, {"card", "刷卡"}, {"alipay", "支付宝"}, {"wechat_native", "微信支付"}, {"deposit", "定金"},
	{"points", "积分"}, {"group", "家庭/企业账户"}}

func (s *Service) today(ctx context.Context, in *todayInput) (out Today, err error) {
	if !actor.From(ctx).InStore(in.StoreID) {
		return out, fault.ErrStore
	}
	st, err := s.shops.Store(ctx, in.StoreID)
	if err != nil {
		return out, err
	}
	before, err := parseID(in.After)
	if err != nil {
		return out, err
	}
	out.BizDay = bizday.Of(s.db.Now(), st.Timezone)
	orders, topups, err := todayTakings(ctx, s.db, in.StoreID, out.BizDay)
	if err != nil {
		return out, err
	}
	out.Takings = sumTakings(append(orders, topups...))
	total, err := settledOn(ctx, s.db, in.StoreID, out.BizDay)
	if err != nil {
		return out, err
	}
	out.SettledCount, out.SettledFen = total.Count, money.Fen(total.Amount)
	rows, err := todayOrders(ctx, s.db, in.StoreID, out.BizDay, before, in.Limit+1)
	if err != nil {
		return out, err
	}
	rows, out.Next = cutPage(rows, in.Limit, func(o orderRow) string { return strconv.FormatInt(o.ID, 10) })
	var ids []int64
	for _, o := range rows {
		if o.MemberID != 0 {
			ids = append(ids, o.MemberID)
		}
	}
	names, err := s.members.MaskedNames(ctx, ids)
	for _, o := range rows {
		out.Items = append(out.Items, TodayItem{o.ID, o.No, clock.FromMillis(o.CreatedAt), o.Plate, names[o.MemberID], o.Title, money.Fen(o.TotalFen),
			o.Status, o.TenderLabel})
	}
	return out, err
}

// sumTakings adds up by tender; every tender is listed, also one that took nothing.
func sumTakings(rows []taking) []Taking {
	out := make([]Taking, 0, len(tenders))
	for _, t := range tenders {
		out = append(out, Taking{Kind: t.kind, Label: t.label})
	}
	for _, r := range rows {
		i := slices.IndexFunc(out, func(t Taking) bool { return t.Kind == r.Kind })
		if i < 0 {
			continue // "wechat" is paid on the phone, not at this desk
		}
		out[i].AmountFen += money.Fen(r.Amount)
		out[i].Count += r.Count
	}
	return out
}
