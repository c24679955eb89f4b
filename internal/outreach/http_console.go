package outreach

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Holidays is the list of holidays, and what most shops keep.
type Holidays struct {
	Items       []Holiday      `json:"items"`
	Suggestions []HolidayInput `json:"suggestions"`
	HasText     bool           `json:"hasText" doc:"A text message is approved and mapped for greetings"`
}

// RuleView is the rule with the names of its coupons.
type RuleView struct {
	Rule
	Gifts []Gift `json:"gifts"`
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary string) httpapi.Op {
		return httpapi.Op{ID: "consoleOutreach" + id, Method: method, Path: "/api/console/outreach" + path, Summary: summary, Who: httpapi.Console, Permission: perm.MessageBulk}
	}
	httpapi.Register(r, op("Rule", http.MethodGet, "/rule", "Who is missing, and what the lists may give"),
		func(ctx context.Context, _ *httpapi.None) (RuleView, error) {
			rule, err := s.Rule(ctx)
			if err != nil {
				return RuleView{}, err
			}
			return s.ruleView(ctx, rule)
		})
	httpapi.Register(r, op("RuleSave", http.MethodPut, "/rule", "Change it"),
		func(ctx context.Context, in *httpapi.Body[Rule]) (RuleView, error) {
			rule, err := s.SaveRule(ctx, in.Body)
			if err != nil {
				return RuleView{}, err
			}
			return s.ruleView(ctx, rule)
		})
	httpapi.Register(r, op("HolidayList", http.MethodGet, "/holidays", "Holidays, the next one first"),
		func(ctx context.Context, _ *httpapi.None) (Holidays, error) { return s.holidayList(ctx) })
	httpapi.Register(r, op("HolidayCreate", http.MethodPost, "/holidays", "Add a holiday"),
		func(ctx context.Context, in *httpapi.Body[HolidayInput]) (Holiday, error) {
			return s.SaveHoliday(ctx, 0, in.Body)
		})
	httpapi.Register(r, op("HolidayUpdate", http.MethodPut, "/holidays/{id}", "Change a holiday"),
		func(ctx context.Context, in *httpapi.ByIDBody[HolidayInput]) (Holiday, error) {
			return s.SaveHoliday(ctx, in.ID, in.Body)
		})
	httpapi.Register(r, op("HolidayDelete", http.MethodDelete, "/holidays/{id}", "End a holiday"),
		func(ctx context.Context, in *httpapi.ByID) (Holidays, error) {
			if err := s.RemoveHoliday(ctx, in.ID); err != nil {
				return Holidays{}, err
			}
			return s.holidayList(ctx)
		})
}

func (s *Service) ruleView(ctx context.Context, rule Rule) (RuleView, error) {
	gifts, err := s.Gifts(ctx)
	return RuleView{rule, gifts}, err
}

func (s *Service) holidayList(ctx context.Context) (out Holidays, err error) {
	if out.Items, err = s.Holidays(ctx); err != nil {
		return out, err
	}
	out.Suggestions = Suggestions(s.today())
	out.HasText, err = s.HasHolidayText(ctx)
	return out, err
}
