package setting

import (
	"context"
	"fmt"
	"strconv"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/fresh"
)

// ErrUnknown reports a key that no definition has.
var ErrUnknown = fault.Define(fault.Invalid, "setting.unknown", "没有这项设置，请刷新页面后再试")

// Service reads and writes settings. It is safe for concurrent use.
type Service struct {
	db   *db.DB
	copy fresh.Value[map[string]string] // complete: defaults filled in
}

// New returns the settings of the database.
func New(d *db.DB) *Service { return &Service{db: d} }

// Bool reads a Bool key.
func (s *Service) Bool(ctx context.Context, key string) (bool, error) {
	v, err := s.get(ctx, key, Bool)
	return v == "true", err
}

// Int reads an Int, Fen or BP key, or an Enum whose choices are numbers.
func (s *Service) Int(ctx context.Context, key string) (int64, error) {
	v, err := s.get(ctx, key, Int, Fen, BP, Enum)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(v, 10, 64)
}

// Text reads a Text, Enum or Color key.
func (s *Service) Text(ctx context.Context, key string) (string, error) {
	return s.get(ctx, key, Text, Enum, Color)
}

func (s *Service) get(ctx context.Context, key string, types ...Type) (string, error) {
	d, ok := definition(key)
	if !ok {
		return "", fmt.Errorf("setting: no key %q", key)
	}
	for _, t := range types {
		if d.Type == t {
			all, err := s.all(ctx)
			return all[key], err
		}
	}
	return "", fmt.Errorf("setting: %q is of type %s", key, d.Type)
}

// all returns every key's text, from a copy of at most two seconds of age. The map is not to be changed.
func (s *Service) all(ctx context.Context) (map[string]string, error) {
	return s.copy.Get(ctx, s.db.Now(), s.load)
}

func (s *Service) load(ctx context.Context) (map[string]string, error) { return load(ctx, s.db, "") }

// Value is a key with its new value: bool, number or text.
type Value struct {
	Key   string `json:"key" maxLength:"64"`
	Value any    `json:"value" doc:"bool, integer or text, by the setting's type"`
}

// Update stores several values at once, all or none, and audits each change. Faults: ErrUnknown, fault.ErrInvalid
// at the field "values[i].value".
func (s *Service) Update(ctx context.Context, values []Value) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.UpdateTx(ctx, tx, values) })
}

// SetTx stores one value. Faults: ErrUnknown, fault.ErrInvalid.
func (s *Service) SetTx(ctx context.Context, tx *db.Tx, key string, value any) error {
	return s.UpdateTx(ctx, tx, []Value{{key, value}})
}

// UpdateTx is Update within a transaction.
func (s *Service) UpdateTx(ctx context.Context, tx *db.Tx, values []Value) error {
	current, err := load(ctx, tx, tx.ForUpdate())
	if err != nil {
		return err
	}
	was := map[string]string{}
	at := map[string]string{}
	for i, v := range values {
		d, ok := definition(v.Key)
		field := fmt.Sprintf("values[%d].value", i)
		if !ok {
			return ErrUnknown.On(fmt.Sprintf("values[%d].key", i), "没有这项设置")
		}
		text, complaint := d.Check(v.Value)
		if complaint != "" {
			return fault.ErrInvalid.Say("「%s」%s", d.Label, complaint).On(field, complaint)
		}
		at[v.Key] = field
		if current[v.Key] != text {
			was[v.Key], current[v.Key] = current[v.Key], text
		}
	}
	if key, complaint := together(current); complaint != "" {
		field, ok := at[key]
		if !ok {
			field = key
		}
		return fault.ErrInvalid.Say("%s", complaint).On(field, complaint)
	}
	for _, d := range Definitions() {
		before, changed := was[d.Key]
		if !changed {
			continue
		}
		if err := store(ctx, tx, row{d.Key, current[d.Key], tx.Millis(), actor.From(ctx).ID}); err != nil {
			return err
		}
		if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "setting.update", SubjectKind: "setting", SubjectLabel: d.Label,
			Detail: map[string]any{"key": d.Key, "from": d.native(before), "to": d.native(current[d.Key])}}); err != nil {
			return err
		}
	}
	tx.AfterCommit(func() { s.copy.Renew(ctx, tx.Now, s.load) })
	return nil
}
