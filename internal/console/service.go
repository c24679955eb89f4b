package console

import (
	"context"
	"strings"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/shop"
)

// Service answers the lists of the console and serves its pages.
type Service struct {
	db      *db.DB
	members *member.Service
	shops   *shop.Service
}

// New returns the service.
func New(d *db.DB, m *member.Service, sh *shop.Service) *Service {
	return &Service{db: d, members: m, shops: sh}
}

// stores are the ids that a reader's list covers; nil is all. Fault: permission.store.
func stores(ctx context.Context, storeID int64) ([]int64, error) {
	who := actor.From(ctx)
	switch {
	case storeID != 0 && !who.InStore(storeID):
		return nil, fault.ErrStore
	case storeID != 0:
		return []int64{storeID}, nil
	case who.AllStores:
		return nil, nil
	}
	return append([]int64{}, who.Stores...), nil
}

// find parses a search text; nil without one. Fault: lookup.too_short.
func (s *Service) find(text string) (*search, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil //nolint:nilnil // no text is no search
	}
	f, err := parseSearch(text)
	if f.phone != "" {
		f.phoneIndex = s.members.PhoneIndex(f.phone)
	}
	if f.name != "" {
		f.nameIndex = s.members.NameIndex(f.name)
	}
	return &f, err
}
