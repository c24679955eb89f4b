package coupon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// People finds members by a filter: what it reads belongs to other slices.
type People interface {
	// Find lists members after the given one in ascending order.
	Find(ctx context.Context, f Filter, after int64, limit int) ([]int64, error)
	Count(ctx context.Context, f Filter) (int64, error)
}

// Deps are what the service needs of the others.
type Deps struct {
	DB       *db.DB
	Log      *slog.Logger
	Box      *secret.Box
	Queue    *jobs.Queue
	Members  *member.Service
	Catalog  *catalog.Service
	Shops    *shop.Service
	Settings *setting.Service
	Messages *notify.Service
	People   People
	BaseURL  string // of the owner's pages in a browser
	// Invite is the code by which a member brings friends, for the link of a gift; nil where there is none.
	Invite func(ctx context.Context, memberID int64) (string, error)
}

// Service runs the use cases of coupons.
type Service struct {
	Deps
	db *db.DB

	mu     sync.Mutex
	frozen map[int64]Terms
}

// New returns the service and registers the handler of its bulk issues.
func New(d Deps) *Service {
	s := &Service{Deps: d, db: d.DB, frozen: map[int64]Terms{}}
	d.Queue.Handle(jobIssue, s.issueJob)
	return s
}

// TemplateInput is what a template is made of. Active nil means true for a new one and unchanged for an old one.
type TemplateInput struct {
	Terms
	PerMember int64 `json:"perMember,omitempty" minimum:"0" maximum:"1000" doc:"How many a member may be given in all; 0 any number"`
	Active    *bool `json:"active,omitempty"`
}

// Template is a template with its terms as they are given now.
type Template struct {
	ID int64 `json:"id"`
	Terms
	PerMember int64  `json:"perMember"`
	Active    bool   `json:"active"`
	Scope     string `json:"scope" doc:"Where and for what it counts, in words"`
	Issued    int64  `json:"issued"`
	UsedCount int64  `json:"used"`
	Expired   int64  `json:"expired"`
}

func (s *Service) cleanTemplate(ctx context.Context, in TemplateInput) (TemplateInput, error) {
	var c fault.Complaints
	in.Terms = in.Terms.clean(&c, bizday.Of(s.db.Now(), bizday.DefaultZone))
	if in.PerMember < 0 || in.PerMember > 1000 {
		c.Bad("perMember", "应在 0 至 1000 之间")
	}
	known, err := s.known(ctx)
	if err != nil {
		return in, err
	}
	for field, ids := range map[string][]int64{"serviceIds": in.ServiceIDs, "goodIds": in.GoodIDs, "storeIds": in.StoreIDs, "classIds": in.ClassIDs} {
		for i, id := range ids {
			if known[field][id] == "" {
				c.Bad(fmt.Sprintf("%s[%d]", field, i), "没有这一项，请重新选择")
			}
		}
	}
	return in, c.Err()
}

// known are the names of services, goods, stores and vehicle classes.
func (s *Service) known(ctx context.Context) (map[string]map[int64]string, error) {
	out := map[string]map[int64]string{"serviceIds": {}, "goodIds": {}, "storeIds": {}, "classIds": {}}
	services, err := s.Catalog.Services(ctx)
	for _, x := range services {
		out["serviceIds"][x.ID] = x.Name
	}
	goods, err2 := s.Catalog.Goods(ctx)
	for _, x := range goods {
		out["goodIds"][x.ID] = x.Name
	}
	stores, err3 := s.Shops.Stores(ctx)
	for _, x := range stores {
		out["storeIds"][x.ID] = x.Name
	}
	classes, err4 := s.Catalog.VehicleClasses(ctx, false)
	for _, x := range classes {
		out["classIds"][x.ID] = x.Name
	}
	return out, errors.Join(err, err2, err3, err4)
}

// Templates lists every template, newest first.
func (s *Service) Templates(ctx context.Context) ([]Template, error) {
	rows, err := templates(ctx, s.db)
	if err != nil {
		return nil, err
	}
	n, err := counts(ctx, s.db)
	if err != nil {
		return nil, err
	}
	known, err := s.known(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Template, 0, len(rows))
	for _, r := range rows {
		terms, err := s.terms(ctx, s.db, r.TermsID)
		if err != nil {
			return nil, err
		}
		t := Template{ID: r.ID, Terms: terms, PerMember: r.PerMember, Active: r.Active, Scope: scope(terms, known), UsedCount: n[r.ID][Used], Expired: n[r.ID][Expired]}
		for _, k := range n[r.ID] {
			t.Issued += k
		}
		out = append(out, t)
	}
	return out, nil
}

// template is one of Templates. Fault: not_found.
func (s *Service) template(ctx context.Context, id int64) (Template, error) {
	all, err := s.Templates(ctx)
	for _, t := range all {
		if t.ID == id {
			return t, nil
		}
	}
	return Template{}, errors.Join(err, fault.ErrNotFound)
}

// CreateTemplate adds a template. Faults: request.invalid, ErrName.
func (s *Service) CreateTemplate(ctx context.Context, in TemplateInput) (Template, error) {
	in, err := s.cleanTemplate(ctx, in)
	if err != nil {
		return Template{}, err
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		t := templateRow{ID: tx.NewID(), Name: in.Name, PerMember: in.PerMember, CreatedAt: tx.Millis(), UpdatedAt: tx.Millis()}.named(in.Active == nil || *in.Active)
		terms, err := insertTerms(ctx, tx, t.ID, in.Terms)
		if err != nil {
			return err
		}
		t.TermsID = terms
		if err := insertTemplate(ctx, tx, t); err != nil {
			return err
		}
		id = t.ID
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "coupon.template", SubjectKind: "coupon_template", SubjectID: t.ID, SubjectLabel: t.Name, Detail: map[string]any{"after": in}})
	})
	if err != nil {
		return Template{}, err
	}
	return s.template(ctx, id)
}

// UpdateTemplate changes what is issued from now on; coupons that members have keep their terms. Faults: not_found, request.invalid, ErrName.
func (s *Service) UpdateTemplate(ctx context.Context, id int64, in TemplateInput) (Template, error) {
	in, err := s.cleanTemplate(ctx, in)
	if err != nil {
		return Template{}, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		t, err := templateByID(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		old, err := s.terms(ctx, tx, t.TermsID)
		if err != nil {
			return err
		}
		was, err := old.text()
		if err != nil {
			return err
		}
		if now, err := in.Terms.text(); err != nil {
			return err
		} else if now != was {
			if t.TermsID, err = insertTerms(ctx, tx, id, in.Terms); err != nil {
				return err
			}
		}
		before := TemplateInput{Terms: old, PerMember: t.PerMember, Active: &t.Active}
		active := t.Active
		if in.Active != nil {
			active = *in.Active
		}
		t.Name, t.PerMember = in.Name, in.PerMember
		if err := updateTemplate(ctx, tx, t.named(active)); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "coupon.template", SubjectKind: "coupon_template", SubjectID: id, SubjectLabel: t.Name,
			Detail: map[string]any{"before": before, "after": in}})
	})
	if err != nil {
		return Template{}, err
	}
	return s.template(ctx, id)
}

// NameOf is the name of a template that may be issued, for others' rules. Fault: ErrTemplate.
func (s *Service) NameOf(ctx context.Context, id int64) (string, error) {
	t, err := templateByID(ctx, s.db, id, "")
	if errors.Is(err, fault.ErrNotFound) || (err == nil && !t.Active) {
		return "", ErrTemplate
	}
	return t.Name, err
}
