package app

import (
	"context"
	"slices"

	"github.com/liangche/liangche/internal/notify"
)

// mapTexts tells which approved text message says what, as the shop's manager does in the console.
func (s *seeder) mapTexts(ctx context.Context) error {
	for _, e := range notify.Events() {
		m, ok := demoMessages[e.Event]
		if !ok {
			continue
		}
		t := notify.Template{Channel: notify.TextMessage, Event: e.Event, ID: m.id}
		for _, name := range m.values {
			label := name
			if i := slices.IndexFunc(e.Fields, func(f notify.FieldInfo) bool { return f.Name == name }); i >= 0 {
				label = e.Fields[i].Label
			}
			t.Fields = append(t.Fields, notify.Field{Key: name, Label: label, From: name})
		}
		for _, x := range demoTexts {
			if x.ID == m.id {
				t.Body = x.Text
			}
		}
		if err := s.Messages.SaveTemplate(ctx, t); err != nil {
			return err
		}
	}
	return nil
}
