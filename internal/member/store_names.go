package member

import (
	"context"

	"github.com/liangche/liangche/internal/db"
)

// MaskedNames maps member ids to masked names, for receipts and lists; unknown ids are absent.
func (s *Service) MaskedNames(ctx context.Context, ids []int64) (map[int64]string, error) {
	out := map[int64]string{}
	if len(ids) == 0 {
		return out, nil
	}
	query, args, err := db.In(`SELECT id, name_sealed FROM member_members WHERE id IN (?)`, ids)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID   int64  `db:"id"`
		Name string `db:"name_sealed"`
	}
	if err := s.db.Select(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	for _, r := range rows {
		name, err := s.OpenName(r.Name)
		if err != nil {
			return nil, err
		}
		out[r.ID] = MaskName(name)
	}
	return out, nil
}

// Contact is a member's name and phone, masked.
type Contact struct{ Name, Phone string }

// MaskedContacts maps member ids to masked names and phones; unknown ids are absent, and who left has neither.
func (s *Service) MaskedContacts(ctx context.Context, ids []int64) (map[int64]Contact, error) {
	out := map[int64]Contact{}
	if len(ids) == 0 {
		return out, nil
	}
	query, args, err := db.In(`SELECT id, name_sealed, phone_sealed FROM member_members WHERE id IN (?)`, ids)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID    int64  `db:"id"`
		Name  string `db:"name_sealed"`
		Phone string `db:"phone_sealed"`
	}
	if err := s.db.Select(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	for _, r := range rows {
		name, err := s.OpenName(r.Name)
		if err != nil {
			return nil, err
		}
		phone, err := s.OpenPhone(r.Phone)
		if err != nil {
			return nil, err
		}
		out[r.ID] = Contact{MaskName(name), MaskPhone(phone)}
	}
	return out, nil
}
