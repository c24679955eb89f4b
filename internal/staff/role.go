package staff

import (
	"context"
	"slices"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/perm"
)

// Roles lists every role.
func (s *Service) Roles(ctx context.Context) ([]Role, error) {
	rows, err := roles(ctx, s.db, "")
	out := make([]Role, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.role())
	}
	return out, err
}

// UpdateRole changes a role's name ("" keeps it) and permissions; it acts at the next request of everybody who has it.
// Faults: fault.ErrNotFound, ErrOwnerRole, ErrEscalation for adding what the actor does not hold, fault.ErrInvalid.
func (s *Service) UpdateRole(ctx context.Context, id int64, name string, permissions []string) (Role, error) {
	if unknown := missing(perm.Keys(), permissions); len(unknown) > 0 {
		return Role{}, fault.ErrInvalid.Say("没有这项权限，请刷新后重试").On("permissions", "没有这项权限")
	}
	if name != "" {
		var complaint string
		if name, complaint = cleanName(name); complaint != "" {
			return Role{}, fault.ErrInvalid.Say("%s", complaint).On("name", complaint)
		}
	}
	me := actor.From(ctx)
	var out Role
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		all, err := roles(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(r roleRow) bool { return r.ID == id })
		if i < 0 {
			return fault.ErrNotFound
		}
		r := all[i]
		if r.Key == perm.RoleOwner {
			return ErrOwnerRole
		}
		mine, err := powersOf(ctx, tx, me, me.ID)
		if err != nil {
			return err
		}
		before := effective(r.Key, r.Permissions)
		added, removed := missing(before, permissions), missing(permissions, before)
		if len(missing(mine.permissions, added)) > 0 {
			return ErrEscalation
		}
		r.Permissions = joined(permissions)
		if name != "" {
			r.Name = name
		}
		if err := updateRoleTx(ctx, tx, r); err != nil {
			return err
		}
		out = r.role()
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "role.update", SubjectKind: "role", SubjectID: r.ID, SubjectLabel: r.Name,
			Detail: map[string]any{"added": added, "removed": removed}})
	})
	return out, err
}

// Me is the acting account as staff pages show it.
type Me struct {
	ID          int64    `json:"id"`
	Name        string   `json:"name"`
	Username    string   `json:"username"`
	Roles       []Named  `json:"roles"`
	Permissions []string `json:"permissions"`
	Stores      []Store  `json:"stores"`
	WeChatBound bool     `json:"wechatBound"`
}

// Named is an id with its name.
type Named struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Me reads an account that may act, with the stores where. Fault: fault.ErrExpired.
func (s *Service) Me(ctx context.Context, id int64) (Me, error) {
	a, err := who(ctx, s.db, id)
	if err != nil {
		return Me{}, err
	}
	acc, err := s.Get(ctx, id)
	if err != nil {
		return Me{}, err
	}
	all, err := s.Roles(ctx)
	if err != nil {
		return Me{}, err
	}
	stores, err := s.stores.StaffStores(ctx)
	if err != nil {
		return Me{}, err
	}
	out := Me{ID: id, Name: a.Name, Username: acc.Username, Permissions: a.Permissions, WeChatBound: acc.WeChatBound}
	for _, r := range all {
		if slices.Contains(acc.RoleIDs, r.ID) {
			out.Roles = append(out.Roles, Named{r.ID, r.Name})
		}
	}
	for _, x := range stores {
		if a.InStore(x.ID) {
			out.Stores = append(out.Stores, x)
		}
	}
	return out, nil
}
