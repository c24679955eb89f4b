package memberview

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/tier"
)

// Row is a member in the console's list; name and phone are always masked there.
type Row struct {
	ID           int64      `json:"id"`
	Name         string     `json:"name" doc:"Masked"`
	PhoneMasked  string     `json:"phoneMasked"`
	CardNo       string     `json:"cardNo"`
	CardStatus   string     `json:"cardStatus" doc:"Empty without a current card"`
	TierName     string     `json:"tierName"`
	Status       string     `json:"status" enum:"review,active,suspended,closing,closed,rejected,merged"`
	TotalFen     money.Fen  `json:"totalFen"`
	PrincipalFen money.Fen  `json:"principalFen"`
	BonusFen     money.Fen  `json:"bonusFen"`
	Plates       []string   `json:"plates"`
	Visits       int        `json:"visits"`
	LastVisitAt  *time.Time `json:"lastVisitAt,omitempty"`
	JoinedAt     time.Time  `json:"joinedAt"`
	StoreName    string     `json:"storeName"`
}

// Identity is a person at one WeChat app.
type Identity struct {
	ID           int64      `json:"id"`
	App          string     `json:"app" enum:"mini_program,official_account"`
	OpenIDMasked string     `json:"openidMasked"`
	UnionID      bool       `json:"unionid" doc:"WeChat joins this identity with the other app's"`
	BoundAt      time.Time  `json:"boundAt"`
	LastSeenAt   *time.Time `json:"lastSeenAt,omitempty"`
}

// DetailMember is who the detail page is about; name and phone are masked, see consoleMemberUnmask.
type DetailMember struct {
	ID             int64     `json:"id"`
	NameMasked     string    `json:"nameMasked"`
	PhoneMasked    string    `json:"phoneMasked"`
	Gender         string    `json:"gender" enum:"male,female,unknown"`
	Birthday       string    `json:"birthday,omitempty"`
	Status         string    `json:"status" enum:"review,active,suspended,closing,closed,rejected,merged"`
	StatusReason   string    `json:"statusReason"`
	PhoneVerified  bool      `json:"phoneVerified"`
	JoinedAt       time.Time `json:"joinedAt"`
	StoreName      string    `json:"storeName"`
	CharterVersion int64     `json:"charterVersion" doc:"0: none accepted yet"`
	Tags           []string  `json:"tags" doc:"By which the shop finds the member again"`
}

// Counts are how many of something a member has.
type Counts struct {
	Disputes int `json:"disputes"`
	Orders   int `json:"orders"`
}

// Detail is everything that the console shows of a member.
type Detail struct {
	Member DetailMember  `json:"member"`
	Cards  []member.Card `json:"cards" doc:"All, newest first"`
	Tier   tier.Tier     `json:"tier"`
	Wallet Wallet        `json:"wallet"`
	Points int64         `json:"points"`
	Benefits
	Vehicles    []member.Vehicle `json:"vehicles"`
	Identities  []Identity       `json:"identities"`
	Visits      int              `json:"visits"`
	LastVisitAt *time.Time       `json:"lastVisitAt,omitempty"`
	SpentFen    money.Fen        `json:"spentFen"`
	Counts      Counts           `json:"counts"`
}

// Entry is one movement on one of a member's accounts.
type Entry struct {
	ID           int64     `json:"id"`
	At           time.Time `json:"at"`
	BizDay       string    `json:"bizDay"`
	Kind         string    `json:"kind" doc:"What happened: topup, consume, reversal, refund, adjust, sale, points_earn …; the title says it to people"`
	Title        string    `json:"title"`
	Unit         string    `json:"unit" enum:"principal,bonus,points,points_debt,experience,uses"`
	Amount       int64     `json:"amount" doc:"Signed; fen of principal and bonus, otherwise pieces"`
	BalanceAfter int64     `json:"balanceAfter"`
	StoreName    string    `json:"storeName"`
	ActorName    string    `json:"actorName"`
	ReversesID   int64     `json:"reversesId,omitempty" doc:"The entry that this one undoes"`
	ReversedByID int64     `json:"reversedById,omitempty" doc:"The entry that undid this one"`
	RefKind      string    `json:"refKind"`
	RefID        int64     `json:"refId"`
	Memo         string    `json:"memo"`
}

type listInput struct {
	httpapi.Paging
	Q       string `query:"q" maxLength:"60" doc:"Phone, its last four digits, card number, three characters of a plate, or a whole name"`
	Status  string `query:"status" enum:"review,active,suspended,closing,closed,rejected,merged"`
	TierID  int64  `query:"tierId" minimum:"0"`
	StoreID int64  `query:"storeId" minimum:"0" doc:"The store where they joined"`
	Sort    string `query:"sort" enum:"joinedAt,-joinedAt,balance,-balance,lastVisit,-lastVisit" default:"-joinedAt"`
}

type ledgerInput struct {
	httpapi.Paging
	ID   int64  `path:"id" minimum:"1"`
	Unit string `query:"unit" enum:"principal,bonus,points,points_debt,experience,uses"`
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodGet, Path: "/api/console/members" + path, Summary: summary, Who: httpapi.Console, Permission: perm.MemberRead}
	}
	httpapi.Register(r, op("consoleMemberList", "", "Members of the whole business"), s.list)
	httpapi.Register(r, op("consoleMember", "/{id}", "A member"), func(ctx context.Context, in *httpapi.ByID) (Detail, error) { return s.Detail(ctx, in.ID) })
	httpapi.Register(r, op("consoleMemberLedger", "/{id}/ledger", "Every movement on a member's accounts, newest first"), s.ledger)
}

func (s *Service) list(ctx context.Context, in *listInput) (page httpapi.Page[Row], err error) {
	f := memberFilter{status: in.Status, tierID: in.TierID, storeID: in.StoreID, sort: strings.TrimPrefix(in.Sort, "-"), desc: strings.HasPrefix(in.Sort, "-"), limit: in.Limit + 1}
	if strings.TrimSpace(in.Q) != "" {
		q, err := parseQuery(in.Q, true)
		if err != nil {
			return page, err
		}
		f.find = &q
	}
	if c, ok, err := parseCursor(in.After); err != nil {
		return page, err
	} else if ok {
		f.after = &c
	}
	if in.TierID != 0 {
		def, err := s.tiers.Default(ctx, s.db)
		if err != nil {
			return page, err
		}
		f.isDef = def.ID == in.TierID
	}
	hits, err := s.listMembers(ctx, f)
	if err != nil {
		return page, err
	}
	hits, page.Next = cutPage(hits, in.Limit, func(h sortedID) string { return cursor{h.Value, h.ID}.String() })
	ids := make([]int64, 0, len(hits))
	for _, h := range hits {
		ids = append(ids, h.ID)
	}
	page.Items, err = s.rows(ctx, ids)
	return page, err
}

func (s *Service) rows(ctx context.Context, ids []int64) ([]Row, error) {
	found, err := s.people(ctx, ids)
	if err != nil {
		return nil, err
	}
	tiers, err := s.tierNames(ctx)
	if err != nil {
		return nil, err
	}
	stores, err := s.storeNames(ctx)
	out := make([]Row, 0, len(found))
	for _, p := range found {
		out = append(out, Row{ID: p.ID, Name: p.Name, PhoneMasked: p.Phone, CardNo: p.CardNo, CardStatus: p.CardStat, TierName: tiers(p.TierID), Status: p.Status,
			TotalFen: p.Holding.TotalFen, PrincipalFen: p.Holding.PrincipalFen, BonusFen: p.Holding.BonusFen, Plates: p.Plates, Visits: p.Visits.Count,
			LastVisitAt: instant(p.Visits.Last), JoinedAt: clock.FromMillis(p.JoinedAt), StoreName: stores(p.StoreID)})
	}
	return out, err
}

// Detail reads everything about a member, masked. Fault: not_found.
func (s *Service) Detail(ctx context.Context, id int64) (d Detail, err error) {
	m, err := s.members.Get(ctx, id)
	if err != nil {
		return d, err
	}
	stores, err := s.storeNames(ctx)
	if err != nil {
		return d, err
	}
	d.Member = DetailMember{ID: id, NameMasked: member.MaskName(m.Name), PhoneMasked: member.MaskPhone(m.Phone), Gender: m.Gender, Birthday: m.Birthday, Status: m.Status,
		StatusReason: m.StatusReason, PhoneVerified: m.PhoneVerified, JoinedAt: m.JoinedAt, StoreName: stores(m.StoreID), CharterVersion: m.CharterVersion}
	if d.Member.Tags, err = s.members.Tags(ctx, id); err != nil {
		return d, err
	}
	if d.Cards, err = s.members.Cards(ctx, id); err != nil {
		return d, err
	}
	if d.Tier, err = s.tiers.OfMember(ctx, s.db, id); err != nil {
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
	if d.Vehicles, err = s.members.Vehicles(ctx, id); err != nil {
		return d, err
	}
	people, err := s.members.Identities(ctx, id)
	if err != nil {
		return d, err
	}
	for _, p := range people {
		i := Identity{ID: p.ID, App: p.App, OpenIDMasked: maskOpenID(p.OpenID), UnionID: p.UnionID != "", BoundAt: p.BoundAt}
		if p.LastSeenAt.UnixMilli() > 0 {
			i.LastSeenAt = &p.LastSeenAt
		}
		d.Identities = append(d.Identities, i)
	}
	seen, err := readVisits(ctx, s.db, []int64{id})
	if err != nil {
		return d, err
	}
	d.Visits, d.LastVisitAt, d.SpentFen = seen[id].Count, instant(seen[id].Last), money.Fen(seen[id].Spent)
	n, err := countsOf(ctx, s.db, id)
	d.Counts = Counts{n.Disputes, n.Orders}
	return d, err
}

// maskOpenID keeps enough to tell two identities apart.
func maskOpenID(s string) string {
	if len(s) <= 8 {
		return strings.Repeat("*", len(s))
	}
	return s[:4] + "****" + s[len(s)-4:]
}

func (s *Service) ledger(ctx context.Context, in *ledgerInput) (page httpapi.Page[Entry], err error) {
	before, err := parseID(in.After)
	if err != nil {
		return page, err
	}
	if err := memberExists(ctx, s.db, in.ID); err != nil {
		return page, err
	}
	rows, err := ledgerPage(ctx, s.db, in.ID, in.Unit, before, in.Limit+1)
	if err != nil {
		return page, err
	}
	rows, page.Next = cutPage(rows, in.Limit, func(e ledgerRow) string { return strconv.FormatInt(e.ID, 10) })
	page.Items, err = s.entries(ctx, rows)
	return page, err
}

// entries links each movement with the one that undid it or that it undid, in the same unit.
func (s *Service) entries(ctx context.Context, rows []ledgerRow) ([]Entry, error) {
	stores, err := s.storeNames(ctx)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, e := range rows {
		ids = append(ids, e.PostingID)
	}
	undone, err := reversals(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	var others []int64
	for _, e := range rows {
		if e.ReversesID != nil {
			others = append(others, *e.ReversesID)
		}
		if by, ok := undone[e.PostingID]; ok {
			others = append(others, by)
		}
	}
	linked, err := memberEntries(ctx, s.db, others)
	if err != nil {
		return nil, err
	}
	out := make([]Entry, 0, len(rows))
	for _, e := range rows {
		v := Entry{ID: e.ID, At: clock.FromMillis(e.CreatedAt), BizDay: e.BizDay, Kind: e.Kind, Title: e.Title, Unit: e.Unit, Amount: e.Amount,
			BalanceAfter: e.BalanceAfter, StoreName: stores(e.StoreID), ActorName: e.ActorName, RefKind: e.RefKind, RefID: e.RefID, Memo: e.Memo}
		if e.Kind == "merge" {
			v.StoreName = ""
		}
		if e.ReversesID != nil {
			v.ReversesID = linked[entryKey{*e.ReversesID, e.Unit}]
		}
		if by, ok := undone[e.PostingID]; ok {
			v.ReversedByID = linked[entryKey{by, e.Unit}]
		}
		out = append(out, v)
	}
	return out, nil
}
