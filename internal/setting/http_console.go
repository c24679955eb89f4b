package setting

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Item is a setting as the console shows it.
type Item struct {
	Key     string   `json:"key"`
	Group   string   `json:"group"`
	Label   string   `json:"label"`
	Help    string   `json:"help"`
	Type    Type     `json:"type" enum:"bool,int,fen,bp,text,enum,color"`
	Value   any      `json:"value" doc:"bool, integer or text, by type"`
	Default any      `json:"default"`
	Min     *int64   `json:"min,omitempty" doc:"Numbers: smallest value; text: fewest characters"`
	Max     *int64   `json:"max,omitempty"`
	Options []Option `json:"options,omitempty"`
}

// List is every setting.
type List struct {
	Items []Item `json:"items"`
}

// Changes is what the console sends.
type Changes struct {
	Values []Value `json:"values" minItems:"1" maxItems:"50"`
}

// Routes registers the console's operations.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleSettingList", Method: http.MethodGet, Path: "/api/console/settings",
		Summary: "Every setting with its definition", Who: httpapi.Console, Permission: perm.SettingRead},
		func(ctx context.Context, _ *httpapi.None) (List, error) { return s.items(ctx) })
	httpapi.Register(r, httpapi.Op{ID: "consoleSettingUpdate", Method: http.MethodPut, Path: "/api/console/settings",
		Summary: "Change settings, all or none", Who: httpapi.Console, Permission: perm.SettingWrite},
		func(ctx context.Context, in *httpapi.Body[Changes]) (List, error) {
			if err := s.Update(ctx, in.Body.Values); err != nil {
				return List{}, err
			}
			return s.items(ctx)
		})
}

func (s *Service) items(ctx context.Context) (List, error) {
	all, err := s.all(ctx)
	if err != nil {
		return List{}, err
	}
	var out List
	for _, d := range Definitions() {
		if d.Apart {
			continue
		}
		it := Item{Key: d.Key, Group: d.Group, Label: d.Label, Help: d.Help, Type: d.Type, Value: d.native(all[d.Key]),
			Default: d.native(d.Default), Options: d.Options}
		if d.number() || d.Type == Text {
			it.Min, it.Max = &d.Min, &d.Max
		}
		out.Items = append(out.Items, it)
	}
	return out, nil
}
