package tier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/fresh"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// Service keeps the programme and who is where in it.
type Service struct {
	db       *db.DB
	copy     fresh.Value[[]Full]
	sold     fresh.Value[bool] // whether any membership runs
	settings *setting.Service
	Deps

	mu   sync.Mutex
	seen map[int64]bool // postings of the overlap that the sweep has dealt with; see Sweep
}

// People tells who there is, what they drive, and whether they may be served.
type People interface {
	LivingAfter(ctx context.Context, r db.Reader, after int64, limit int) ([]int64, error)
	OwnedCars(ctx context.Context, r db.Reader, members []int64) ([]member.OwnedCar, error)
	StandingTx(ctx context.Context, tx *db.Tx, memberID int64) (member.Standing, error)
}

// Accounts are the companies' accounts that name a tier for their people; it is *group.Service.
type Accounts interface {
	PlacedIn(ctx context.Context, r db.Reader, members []int64) ([]Placed, error)
	Naming(ctx context.Context, r db.Reader, tierID int64) (accounts int, err error)
}

// Deps are what the programme works with beside the database. Without one of them what needs it is left out.
type Deps struct {
	Log      *slog.Logger
	People   People
	Messages *notify.Service
	Catalog  *catalog.Service
	Shops    *shop.Service
	Sales    *sale.Service
	Accounts Accounts
	Queue    *jobs.Queue
	ImageURL func(key string) string
	Names    func(ctx context.Context, ids []int64) (map[int64]string, error) // masked
}

// New returns the service. Call EnsureDefault once after migrating.
func New(d *db.DB) *Service {
	return &Service{db: d, settings: setting.New(d), Deps: Deps{Log: slog.New(slog.DiscardHandler)}, seen: map[int64]bool{}}
}

// Connect gives the service what is built after it, before the first request.
func (s *Service) Connect(st *setting.Service, deps Deps) {
	s.settings, s.Deps = st, deps
	if deps.Sales != nil {
		deps.Sales.Offer(SaleKind, product{s})
	}
	if deps.Queue != nil {
		s.jobs(deps.Queue)
	}
}

// EnsureDefault makes the default tier 普通会员 (no discount) unless there is a default tier already.
func (s *Service) EnsureDefault(ctx context.Context) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		all, err := readAll(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		for _, t := range all {
			if t.IsDefault {
				return nil
			}
		}
		tx.AfterCommit(s.copy.Forget)
		return insert(ctx, tx, Full{Tier: Tier{ID: tx.NewID(), Name: "普通会员", Color: "#0B7A75", DiscountBP: money.Whole, IsDefault: true}})
	})
	if errors.Is(err, ErrName) { // another instance was quicker
		return nil
	}
	return err
}

// Tiers lists all tiers, lowest rank first.
func (s *Service) Tiers(ctx context.Context) ([]Tier, error) {
	all, err := s.list(ctx, s.db)
	out := make([]Tier, 0, len(all))
	for _, f := range all {
		out = append(out, f.Tier)
	}
	return out, err
}

// Programmes lists all tiers with what they bring, lowest rank first.
func (s *Service) Programmes(ctx context.Context) ([]Full, error) {
	all, err := s.list(ctx, s.db)
	return slices.Clone(all), err
}

func (s *Service) list(ctx context.Context, r db.Reader) ([]Full, error) {
	return s.copy.Get(ctx, s.db.Now(), func(ctx context.Context) ([]Full, error) {
		all, err := readAll(ctx, r, "")
		sortTiers(all)
		for i := range all {
			all[i] = s.shown(all[i])
		}
		return all, err
	})
}

// shown completes what is not stored.
func (s *Service) shown(f Full) Full {
	if key := f.Programme.CardImage; key != "" && s.ImageURL != nil {
		f.CardURL = s.ImageURL(key)
	}
	return f
}

// Default returns the tier of members that nobody assigned to one.
func (s *Service) Default(ctx context.Context, r db.Reader) (Tier, error) {
	f, err := s.byID(ctx, r, 0)
	return f.Tier, err
}

func (s *Service) byID(ctx context.Context, r db.Reader, id int64) (Full, error) {
	all, err := s.list(ctx, r)
	if err != nil {
		return Full{}, err
	}
	return pick(all, id)
}

// pick finds a tier; the default one for an id that is none.
func pick(all []Full, id int64) (Full, error) {
	var def *Full
	for i := range all {
		if all[i].ID == id {
			return all[i], nil
		}
		if all[i].IsDefault {
			def = &all[i]
		}
	}
	if def == nil {
		return Full{}, errNoDefault
	}
	return *def, nil
}

// AheadTx reads where several members stand, and what they have of their rights, with the next db.Tx.Collect, for OfMember, Terms and Rights in the
// same transaction.
func (s *Service) AheadTx(ctx context.Context, tx *db.Tx, members []int64) error {
	if len(members) == 0 {
		return nil
	}
	all, err := s.list(ctx, tx)
	if err != nil {
		return err
	}
	if err := placesSoon(tx, members, func(at map[int64]placeRow) { tx.Stash(aheadKey{}, at) }); err != nil {
		return err
	}
	rights, err := s.rightsExist(ctx, tx, all)
	if err != nil || !rights {
		tx.Stash(ownedKey{}, noRights(members))
		return err
	}
	return ownedSoon(tx, members, all)
}

// rightsExist says whether anybody can have a right: no tier and no membership gives one in many shops.
func (s *Service) rightsExist(ctx context.Context, r db.Reader, all []Full) (bool, error) {
	if slices.ContainsFunc(all, func(f Full) bool { return len(f.Programme.Rights) > 0 }) {
		return true, nil
	}
	return s.sold.Get(ctx, s.db.Now(), func(ctx context.Context) (bool, error) { return anyMembership(ctx, r) })
}

func (s *Service) placeOf(ctx context.Context, r db.Reader, memberID int64) (placeRow, error) {
	if tx, ok := r.(*db.Tx); ok {
		if p, ok := db.Stashed[map[int64]placeRow](tx, aheadKey{})[memberID]; ok {
			return p, nil
		}
	}
	at, err := places(ctx, r, []int64{memberID}, "")
	return at[memberID], err
}

// OfMember returns the member's tier: the default one when none was set. It costs one indexed read.
func (s *Service) OfMember(ctx context.Context, r db.Reader, memberID int64) (Tier, error) {
	f, err := s.fullOf(ctx, r, memberID)
	return f.Tier, err
}

func (s *Service) fullOf(ctx context.Context, r db.Reader, memberID int64) (Full, error) {
	p, err := s.placeOf(ctx, r, memberID)
	if err != nil {
		return Full{}, err
	}
	return s.byID(ctx, r, p.TierID)
}

// OfMembersSoon is OfMember of several members, with one read for all of them; the map is full once the reads are collected.
func (s *Service) OfMembersSoon(ctx context.Context, r db.Reader, ask db.Asker, members []int64) (map[int64]Tier, error) {
	out := make(map[int64]Tier, len(members))
	if len(members) == 0 {
		return out, nil
	}
	all, err := s.list(ctx, r)
	if err != nil {
		return nil, err
	}
	if _, err := pick(all, 0); err != nil {
		return nil, err
	}
	return out, placesSoon(ask, members, func(at map[int64]placeRow) {
		for m, p := range at {
			f, _ := pick(all, p.TierID) // there is a default, so there is one
			out[m] = f.Tier
		}
	})
}

// Create adds a tier. Faults: request.invalid, tier.name_taken.
func (s *Service) Create(ctx context.Context, in Input) (Tier, error) {
	f, err := s.CreateFull(ctx, in)
	return f.Tier, err
}

// CreateFull is Create with all that the tier brings.
func (s *Service) CreateFull(ctx context.Context, in Input) (f Full, err error) {
	if in, err = in.clean(); err != nil {
		return f, err
	}
	if err = s.known(ctx, in.Programme); err != nil {
		return f, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		all, err := readAll(ctx, tx, tx.ForUpdate()) // who becomes the default is decided under a lock
		if err != nil {
			return err
		}
		if f, err = in.apply(tx.NewID, Full{Tier: Tier{ID: tx.NewID()}}, all); err != nil {
			return err
		}
		if in.IsDefault {
			if err := clearDefault(ctx, tx); err != nil {
				return err
			}
		}
		if err := insert(ctx, tx, f); err != nil {
			return err
		}
		tx.AfterCommit(s.copy.Forget)
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "tier.create", SubjectKind: "tier", SubjectID: f.ID, SubjectLabel: f.Name, Detail: f})
	})
	return s.shown(f), err
}

// apply makes the tier that the input asks for out of the one that was. Fault: request.invalid where it contradicts the other tiers.
func (in Input) apply(newID func() int64, old Full, all []Full) (Full, error) {
	f := Full{Tier: in.tier(old.ID, old.Priority), Programme: old.Programme}
	if in.Programme != nil {
		f.Programme = *in.Programme
		f.Programme.Rights = keepIDs(newID, f.Programme.Rights, old.Programme.Rights)
	}
	if f.IsDefault && f.Programme.Rule != nil {
		return f, fault.ErrInvalid.On("isDefault", "默认等级人人都有，请先去掉它的升级条件")
	}
	return f, amongOthers(all, f)
}

// keepIDs gives new rights their ids; those that there were before keep theirs, so that what was used of them stays used.
func keepIDs(newID func() int64, rights, old []Right) []Right {
	out := slices.Clone(rights)
	for i := range out {
		if !slices.ContainsFunc(old, func(o Right) bool { return o.ID == out[i].ID }) {
			out[i].ID = newID()
		}
	}
	return out
}

// Update changes a tier. Faults: not_found, request.invalid, tier.name_taken, tier.default_needed.
func (s *Service) Update(ctx context.Context, id int64, in Input) (Tier, error) {
	f, err := s.UpdateFull(ctx, id, in)
	return f.Tier, err
}

// UpdateFull is Update with all that the tier brings. Who is in it changes with the next recomputation.
func (s *Service) UpdateFull(ctx context.Context, id int64, in Input) (f Full, err error) {
	if in, err = in.clean(); err != nil {
		return f, err
	}
	if err = s.known(ctx, in.Programme); err != nil {
		return f, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		all, err := readAll(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(t Full) bool { return t.ID == id })
		if i < 0 {
			return fault.ErrNotFound
		}
		old := all[i]
		if f, err = in.apply(tx.NewID, old, all); err != nil {
			return err
		}
		switch {
		case old.IsDefault && !in.IsDefault:
			return ErrDefault.On("isDefault", "请把另一个等级设为默认")
		case in.IsDefault && !old.IsDefault:
			if err := clearDefault(ctx, tx); err != nil {
				return err
			}
		}
		if err := update(ctx, tx, f); err != nil {
			return err
		}
		tx.AfterCommit(s.copy.Forget)
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "tier.update", SubjectKind: "tier", SubjectID: id, SubjectLabel: f.Name,
			Detail: map[string]Full{"before": old, "after": f}})
	})
	return s.shown(f), err
}

// Delete removes a tier that nobody is in and nothing grants. Faults: not_found, tier.default_needed, tier.in_use with what keeps it.
func (s *Service) Delete(ctx context.Context, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		all, err := readAll(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(t Full) bool { return t.ID == id })
		switch {
		case i < 0:
			return fault.ErrNotFound
		case all[i].IsDefault:
			return ErrDefault.Say("「%s」是默认等级，请先把另一个等级设为默认", all[i].Name)
		}
		members, given, plans, memberships, err := using(ctx, tx, id)
		if err != nil {
			return err
		}
		accounts := 0
		if s.Accounts != nil {
			if accounts, err = s.Accounts.Naming(ctx, tx, id); err != nil {
				return err
			}
		}
		name := all[i].Name
		switch {
		case members > 0:
			return ErrInUse.Say("还有 %d 位会员是「%s」，请先调整他们的等级或升级条件", members, name)
		case given > 0:
			return ErrInUse.Say("还有 %d 位会员被指定为「%s」，请先取消指定", given, name)
		case accounts > 0:
			return ErrInUse.Say("还有 %d 个企业账户给出「%s」，请先修改账户", accounts, name)
		case memberships > 0:
			return ErrInUse.Say("还有 %d 份付费会员在享受「%s」，到期后才能删除", memberships, name)
		case plans > 0:
			return ErrInUse.Say("还有 %d 个付费会员方案授予「%s」，请先修改方案", plans, name)
		}
		if err := remove(ctx, tx, id); err != nil {
			return err
		}
		tx.AfterCommit(s.copy.Forget)
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "tier.delete", SubjectKind: "tier", SubjectID: id, SubjectLabel: name, Detail: all[i]})
	})
}

// known says at its field which service or class does not exist, and where a member price is no better than the list price.
func (s *Service) known(ctx context.Context, p *Programme) error {
	if p == nil || s.Catalog == nil {
		return nil
	}
	all, err := s.Catalog.Services(ctx)
	if err != nil {
		return err
	}
	list := map[int64]catalog.ServiceItem{}
	for _, v := range all {
		list[v.ID] = v
	}
	var c fault.Complaints
	for i, m := range p.MemberPrices {
		field := fmt.Sprintf("programme.memberPrices[%d]", i)
		sv, ok := list[m.ServiceID]
		if !ok {
			c.Bad(field+".serviceId", "没有这个项目，请重新选择")
			continue
		}
		priced := false
		for _, x := range sv.Prices {
			if m.VehicleClassID != 0 && x.VehicleClassID != m.VehicleClassID {
				continue
			}
			priced = true
			if m.PriceFen > x.PriceFen {
				c.Bad(field+".priceFen", fmt.Sprintf("比「%s」的原价 %s 还高，会员会吃亏", sv.Name, x.PriceFen.Yuan()))
				break
			}
		}
		if !priced {
			c.Bad(field+".vehicleClassId", "「"+sv.Name+"」没有这个车型的价格")
		}
	}
	knownServices(&c, "programme.rights", p.Rights, list)
	return c.First()
}

func knownServices(c *fault.Complaints, at string, rights []Right, list map[int64]catalog.ServiceItem) {
	for i, r := range rights {
		for k, id := range r.ServiceIDs {
			if _, ok := list[id]; !ok {
				c.Bad(fmt.Sprintf("%s[%d].serviceIds[%d]", at, i, k), "没有这个项目，请重新选择")
			}
		}
	}
}
