package group

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

// View is a group as its payer, a driver or the shop sees it.
type View struct {
	ID          int64         `json:"id"`
	Kind        string        `json:"kind" enum:"family,corporate"`
	Name        string        `json:"name"`
	State       string        `json:"state" enum:"review,active,rejected,suspended,ended"`
	Reason      string        `json:"reason,omitempty" doc:"Of a rejection, a suspension or an end"`
	Role        string        `json:"role" enum:"payer,driver,shop" doc:"What the reader is to it"`
	PayerID     int64         `json:"payerId,omitempty" doc:"For the shop"`
	PayerName   string        `json:"payerName" doc:"Masked"`
	PayerPhone  string        `json:"payerPhone,omitempty" doc:"Masked; for the shop"`
	Drivers     int           `json:"drivers"`
	SpentFen    money.Fen     `json:"spentFen" doc:"This month: by all drivers; for a driver, by that one"`
	Me          *DriverView   `json:"me,omitempty" doc:"A driver's own place"`
	CreditCode  string        `json:"creditCode,omitempty"`
	Contact     *Contact      `json:"contact,omitempty" doc:"Of a company; for the payer and the shop, where only who may see phones sees this one whole"`
	Documents   []DocumentRef `json:"documents" doc:"Of a company; for the payer and the shop, where only who may see phones sees this one whole"`
	ReviewedBy  string        `json:"reviewedBy,omitempty"`
	ReviewedAt  *time.Time    `json:"reviewedAt,omitempty"`
	CreatedAt   time.Time     `json:"createdAt"`
	EndedAt     *time.Time    `json:"endedAt,omitempty"`
	CanDissolve bool          `json:"canDissolve"`
	TierID      int64         `json:"tierId,omitempty" doc:"Of a company: the least tier of its people"`
	TierName    string        `json:"tierName,omitempty"`
}

// Detail is a group with its drivers.
type Detail struct {
	View
	Places  []DriverView `json:"places" doc:"For a driver, only the own one"`
	Invites []InviteView `json:"invites" doc:"Links that still work; for the payer and the shop"`
}

// DriverView is a driver's place.
type DriverView struct {
	ID          int64     `json:"id"`
	MemberID    int64     `json:"memberId,omitempty" doc:"For the shop"`
	Name        string    `json:"name" doc:"Masked"`
	PhoneMasked string    `json:"phoneMasked,omitempty"`
	JoinedAt    time.Time `json:"joinedAt"`
	Over        bool      `json:"over" doc:"The last day has passed"`
	SpentFen    money.Fen `json:"spentFen" doc:"This month"`
	TierName    string    `json:"tierName,omitempty" doc:"What the place names"`
	Place
}

// DocumentRef names a proof; its picture is asked for apart.
type DocumentRef struct {
	ID        int64     `json:"id"`
	Kind      string    `json:"kind" enum:"license,authorization,other"`
	CreatedAt time.Time `json:"createdAt"`
}

// Picture is a proof: show it as data:image/jpeg;base64.
type Picture struct {
	ContentType string `json:"contentType"`
	Data        []byte `json:"data" doc:"Base64"`
}

// InviteView is a link.
type InviteView struct {
	ID        int64     `json:"id"`
	Code      string    `json:"code,omitempty" doc:"Only in the answer that makes it"`
	URL       string    `json:"url,omitempty" doc:"Only in the answer that makes it"`
	ExpiresAt time.Time `json:"expiresAt"`
	CreatedAt time.Time `json:"createdAt"`
	Place
}

func inviteView(v Invite) InviteView {
	return InviteView{ID: v.ID, Code: v.Code, URL: v.URL, ExpiresAt: v.ExpiresAt, CreatedAt: v.CreatedAt, Place: v.Place}
}

// InvitedView is what a link offers to whoever opens it.
type InvitedView struct {
	GroupName string    `json:"groupName"`
	Kind      string    `json:"kind" enum:"family,corporate"`
	PayerName string    `json:"payerName" doc:"Masked"`
	ExpiresAt time.Time `json:"expiresAt"`
	TierName  string    `json:"tierName,omitempty" doc:"The tier that comes with it"`
	Place
}

// ApprovalView is a question to the payer and its answer.
type ApprovalView struct {
	ID         int64      `json:"id"`
	GroupID    int64      `json:"groupId"`
	GroupName  string     `json:"groupName"`
	DriverName string     `json:"driverName" doc:"Masked"`
	StoreName  string     `json:"storeName"`
	Plate      string     `json:"plate"`
	Title      string     `json:"title"`
	AmountFen  money.Fen  `json:"amountFen"`
	State      string     `json:"state" enum:"asked,approved,denied,used,expired"`
	Note       string     `json:"note,omitempty"`
	AskedBy    string     `json:"askedBy"`
	CreatedAt  time.Time  `json:"createdAt"`
	ExpiresAt  time.Time  `json:"expiresAt"`
	AnsweredAt *time.Time `json:"answeredAt,omitempty"`
}

// CreateAsk makes a family.
type CreateAsk struct {
	Name string `json:"name" minLength:"1" maxLength:"60"`
}

// ApplyAsk is a company's application; its documents follow by upload.
type ApplyAsk struct {
	Name       string  `json:"name" minLength:"1" maxLength:"120"`
	CreditCode string  `json:"creditCode" minLength:"1" maxLength:"40" doc:"Unified social credit code"`
	Contact    Contact `json:"contact"`
}

func (a ApplyAsk) group() NewGroup {
	return NewGroup{Kind: Corporate, Name: a.Name, CreditCode: a.CreditCode, Contact: a.Contact}
}

// CodeAsk carries the code of a link.
type CodeAsk struct {
	Code string `json:"code" minLength:"1" maxLength:"64"`
}

// NoteAsk carries a word about an answer.
type NoteAsk struct {
	Note string `json:"note,omitempty" maxLength:"200"`
}

// ReasonAsk carries why something is done.
type ReasonAsk struct {
	Reason string `json:"reason,omitempty" maxLength:"400"`
}

// ReviewAsk answers an application.
type ReviewAsk struct {
	Outcome string `json:"outcome" enum:"approve,reject"`
	Reason  string `json:"reason,omitempty" maxLength:"400" doc:"Needed to reject; the applicant reads it"`
}

// TillAsk asks the payer from the till.
type TillAsk struct {
	StoreID    int64     `json:"storeId" minimum:"1"`
	GroupID    int64     `json:"groupId" minimum:"1"`
	MemberID   int64     `json:"memberId" minimum:"1" doc:"The driver"`
	Plate      string    `json:"plate" minLength:"1" maxLength:"16"`
	ServiceIDs []int64   `json:"serviceIds" maxItems:"50"`
	Goods      bool      `json:"goods,omitempty" doc:"There are goods among the items"`
	Title      string    `json:"title" minLength:"1" maxLength:"120" doc:"What is done: the payer reads it"`
	AmountFen  money.Fen `json:"amountFen" minimum:"1" maximum:"100000000"`
}

// TierAsk names the least tier of a company's people.
type TierAsk struct {
	TierID int64 `json:"tierId" minimum:"0" doc:"0 names none"`
}

// AddAsk gives a member a place by hand.
type AddAsk struct {
	MemberID int64 `json:"memberId" minimum:"1"`
	Place    Place `json:"place"`
}

// DeskGroupAsk makes a group for a member at the desk.
type DeskGroupAsk struct {
	Kind       string   `json:"kind" enum:"family,corporate"`
	MemberID   int64    `json:"memberId" minimum:"1" doc:"Who pays"`
	StoreID    int64    `json:"storeId,omitempty" minimum:"0"`
	Name       string   `json:"name" minLength:"1" maxLength:"120"`
	CreditCode string   `json:"creditCode,omitempty" maxLength:"40"`
	Contact    *Contact `json:"contact,omitempty" doc:"Of a company"`
}

// views shows groups to whoever asks.
func (s *Service) views(ctx context.Context, list []Group) ([]View, error) {
	who := actor.From(ctx)
	month := monthOf(s.db.Now())
	tiers, err := s.tierNames(ctx)
	if err != nil {
		return nil, err
	}
	var payers []int64
	for _, g := range list {
		payers = append(payers, g.PayerID)
	}
	names, err := s.members.MaskedContacts(ctx, payers)
	if err != nil {
		return nil, err
	}
	out := make([]View, 0, len(list))
	for _, g := range list {
		v := View{ID: g.ID, Kind: g.Kind, Name: g.Name, State: g.State, Role: "shop", PayerName: names[g.PayerID].Name, CreatedAt: g.CreatedAt, EndedAt: g.EndedAt,
			Documents: []DocumentRef{}, TierID: g.TierID, TierName: tiers[g.TierID]}
		all, err := driversOf(ctx, s.db, g.ID)
		if err != nil {
			return nil, err
		}
		v.Drivers = len(all)
		by, err := spentBy(ctx, s.db, g.ID, month)
		if err != nil {
			return nil, err
		}
		if who.Kind == actor.Owner && g.PayerID != who.MemberID {
			v.Role = "driver"
			if i := slices.IndexFunc(all, func(d Driver) bool { return d.MemberID == who.MemberID }); i >= 0 {
				v.Me = &s.drivers(all[i:i+1], nil, by, tiers, false)[0]
				v.SpentFen = v.Me.SpentFen
			}
			out = append(out, v)
			continue
		}
		if err := s.inner(ctx, g, &v, by); err != nil {
			return nil, err
		}
		if who.Kind == actor.Owner {
			v.Role = "payer"
		} else {
			v.PayerID, v.PayerPhone = g.PayerID, names[g.PayerID].Phone
		}
		out = append(out, v)
	}
	return out, nil
}

// inner adds what only the payer and the shop see.
func (s *Service) inner(ctx context.Context, g Group, v *View, by map[int64]money.Fen) error {
	if err := s.openContact(&g); err != nil {
		return err
	}
	v.Reason, v.CreditCode, v.ReviewedBy, v.ReviewedAt, v.CanDissolve = g.Reason, g.CreditCode, g.ReviewedBy, g.ReviewedAt, g.State != StateEnded
	if g.Contact.Name != "" {
		if who := actor.From(ctx); who.Kind == actor.Staff && !who.Can(perm.MemberUnmask) {
			g.Contact.Phone = member.MaskPhone(g.Contact.Phone)
		}
		v.Contact = &g.Contact
	}
	for _, n := range by {
		v.SpentFen += n
	}
	docs, err := documentsOf(ctx, s.db, g.ID, "")
	for _, d := range docs {
		v.Documents = append(v.Documents, DocumentRef{d.ID, d.Kind, time.UnixMilli(d.CreatedAt).UTC()})
	}
	return err
}

// tierNames are what tiers are called.
func (s *Service) tierNames(ctx context.Context) (map[int64]string, error) {
	all, err := s.tiers.Tiers(ctx)
	out := make(map[int64]string, len(all))
	for _, t := range all {
		out[t.ID] = t.Name
	}
	return out, err
}

func (s *Service) drivers(list []Driver, names map[int64]member.Contact, by map[int64]money.Fen, tiers map[int64]string, shop bool) []DriverView {
	out := make([]DriverView, 0, len(list))
	today := s.today()
	for _, d := range list {
		v := DriverView{ID: d.ID, Name: names[d.MemberID].Name, PhoneMasked: names[d.MemberID].Phone, JoinedAt: d.JoinedAt, Over: d.Place.over(today), SpentFen: by[d.MemberID], TierName: tiers[d.Place.TierID], Place: d.Place}
		if shop {
			v.MemberID = d.MemberID
		}
		out = append(out, v)
	}
	return out
}

// detail shows one group with its drivers.
func (s *Service) detail(ctx context.Context, g Group, err error) (Detail, error) {
	if err != nil {
		return Detail{}, err
	}
	list, err := s.views(ctx, []Group{g})
	if err != nil {
		return Detail{}, err
	}
	d := Detail{View: list[0], Places: []DriverView{}, Invites: []InviteView{}}
	if d.Role == "driver" {
		if d.Me != nil {
			d.Places = append(d.Places, *d.Me)
		}
		return d, nil
	}
	all, err := driversOf(ctx, s.db, g.ID)
	if err != nil {
		return d, err
	}
	var ids []int64
	for _, x := range all {
		ids = append(ids, x.MemberID)
	}
	names, err := s.members.MaskedContacts(ctx, ids)
	if err != nil {
		return d, err
	}
	by, err := spentBy(ctx, s.db, g.ID, monthOf(s.db.Now()))
	if err != nil {
		return d, err
	}
	tiers, err := s.tierNames(ctx)
	if err != nil {
		return d, err
	}
	d.Places = s.drivers(all, names, by, tiers, d.Role == "shop")
	open, err := s.Invites(ctx, g.ID)
	for _, v := range open {
		d.Invites = append(d.Invites, inviteView(v))
	}
	return d, err
}

func (s *Service) approvalViews(ctx context.Context, list []Approval) ([]ApprovalView, error) {
	var ids []int64
	for _, y := range list {
		ids = append(ids, y.MemberID)
	}
	names, err := s.members.MaskedNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]ApprovalView, 0, len(list))
	for _, y := range list {
		g, err := groupByID(ctx, s.db, y.GroupID, "")
		if err != nil {
			return nil, err
		}
		v := ApprovalView{ID: y.ID, GroupID: y.GroupID, GroupName: g.Name, DriverName: names[y.MemberID], Plate: y.Plate, Title: y.Title, AmountFen: y.AmountFen,
			State: y.StateAt(s.db.Now()), Note: y.Note, AskedBy: y.AskedBy, CreatedAt: y.CreatedAt, ExpiresAt: y.ExpiresAt, AnsweredAt: y.AnsweredAt}
		if st, err := s.shops.Store(ctx, y.StoreID); err == nil {
			v.StoreName = st.Name
		}
		out = append(out, v)
	}
	return out, nil
}

// oneApproval shows what a use case returned.
func (s *Service) oneApproval(ctx context.Context, y Approval, err error) (ApprovalView, error) {
	if err != nil {
		return ApprovalView{}, err
	}
	list, err := s.approvalViews(ctx, []Approval{y})
	if err != nil {
		return ApprovalView{}, err
	}
	return list[0], nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
