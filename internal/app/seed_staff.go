package app

import (
	"context"
	"fmt"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/staff"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// staff makes the accounts, binds those that have a persona to WeChat through an invitation, and learns who works the tills.
func (s *seeder) staff(ctx context.Context) error {
	roles, err := s.Staff.Roles(ctx)
	if err != nil {
		return err
	}
	roleID := map[string]int64{}
	for _, r := range roles {
		roleID[r.Key] = r.ID
	}
	for i, x := range demoStaff {
		var who actor.Actor
		if x.role == perm.RoleOwner {
			_, err = s.Staff.CreateOwner(actor.With(ctx, actor.Job("演示数据")), x.username, DemoPassword, x.name)
		} else {
			err = s.hire(ctx, x, roleID[x.role], i)
		}
		if err != nil {
			return fmt.Errorf("staff %s: %w", x.username, err)
		}
		if x.username == "" {
			continue
		}
		if who, err = s.signIn(ctx, x.username); err != nil {
			return fmt.Errorf("staff %s: %w", x.username, err)
		}
		switch x.role {
		case perm.RoleOwner:
			s.boss = who
		case perm.RoleReceptionist:
			s.desks = append(s.desks, who)
		case perm.RoleTechnician:
			s.tech = who
		}
	}
	people, err := s.Staff.People(ctx)
	for _, p := range people {
		s.team[p.Name] = p.ID
	}
	return err
}

func (s *seeder) hire(ctx context.Context, x demoAccount, role int64, i int) error {
	boss := actor.With(ctx, s.boss)
	in := staff.Input{Name: x.name, Username: x.username, Phone: fmt.Sprintf("1380002%04d", i), RoleIDs: []int64{role}}
	if x.role == perm.RoleReceptionist || x.role == perm.RoleTechnician {
		in.StoreIDs = []int64{s.stores[len(s.desks)%2].ID}
	}
	if t, ok := demoTechnicians[x.name]; ok {
		in.StoreIDs = []int64{s.stores[t.store].ID}
	}
	a, invite, err := s.Staff.Create(boss, in)
	if err != nil {
		return err
	}
	if x.persona != "" {
		code, err := s.Sandbox.LoginCode(x.persona, wxsandbox.AppMP)
		if err != nil {
			return err
		}
		if _, _, err := s.Staff.LoginMini(ctx, code, invite.Code); err != nil {
			return err
		}
	}
	if x.username == "" {
		return nil
	}
	return s.Staff.SetPassword(boss, a.ID, DemoPassword)
}

func (s *seeder) signIn(ctx context.Context, username string) (actor.Actor, error) {
	session, _, err := s.Staff.LoginPassword(ctx, username, DemoPassword)
	if err != nil {
		return actor.Actor{}, err
	}
	return s.Staff.Authenticate(ctx, session.AccessToken)
}
