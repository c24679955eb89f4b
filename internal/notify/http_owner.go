package notify

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
)

// GrantInput is what WeChat answered when the owner was asked.
type GrantInput struct {
	Results []GrantResult `json:"results" minItems:"1" maxItems:"5"`
}

// GrantCounts is what may still be sent to the owner.
type GrantCounts struct {
	Counts []GrantCount `json:"counts"`
}

// AskList is what to ask the owner for.
type AskList struct {
	TemplateIDs []string `json:"templateIds" doc:"At most three; empty: ask nothing"`
}

type askInput struct {
	Moment string `query:"moment" required:"true" maxLength:"20" doc:"after_join, after_pay, after_topup, after_booking, after_offer, after_pass, after_mall, after_coupon, after_car, preferences"`
}

// Choices is a member's preference with what there is to choose.
type Choices struct {
	Preference Preference  `json:"preference"`
	Groups     []GroupInfo `json:"groups"`
	SMS        bool        `json:"sms" doc:"The shop sends SMS"`
}

// Routes registers the operations of owners, staff and console.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "ownerGrants", Method: http.MethodPost, Path: "/api/owner/grants",
		Summary: "Report which messages the owner allowed", Who: httpapi.Owner},
		func(ctx context.Context, in *httpapi.Body[GrantInput]) (GrantCounts, error) {
			counts, err := s.Grant(ctx, in.Body.Results)
			return GrantCounts{counts}, err
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerNotifyAsk", Method: http.MethodGet, Path: "/api/owner/notify/ask",
		Summary: "Which messages to ask the owner for at a moment", Who: httpapi.Owner},
		func(ctx context.Context, in *askInput) (AskList, error) {
			ids, err := s.Ask(ctx, in.Moment)
			return AskList{ids}, err
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerMessagePreference", Method: http.MethodGet, Path: "/api/owner/message-preference",
		Summary: "What the member wants to be told", Who: httpapi.Member},
		func(ctx context.Context, _ *httpapi.None) (Choices, error) {
			p, err := s.preferenceOf(ctx, actor.From(ctx).MemberID)
			return s.choices(p), err
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerMessagePreferencePut", Method: http.MethodPut, Path: "/api/owner/message-preference",
		Summary: "Choose what to be told", Who: httpapi.Member},
		func(ctx context.Context, in *httpapi.Body[Preference]) (Choices, error) {
			p, err := s.SetPreference(ctx, actor.From(ctx).MemberID, in.Body)
			return s.choices(p), err
		})
	s.staffRoutes(r)
	s.consoleRoutes(r)
	s.setupRoutes(r)
}

func (s *Service) choices(p Preference) Choices {
	return Choices{Preference: p, Groups: Groups(), SMS: s.opt.SMS != nil}
}
