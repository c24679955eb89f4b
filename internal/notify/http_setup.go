package notify

import (
	"context"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/setting"
)

// TemplateView is what an event uses on a channel.
type TemplateView struct {
	Channel    string     `json:"channel" enum:"mini_program,official_account,sms"`
	TemplateID string     `json:"templateId" doc:"Empty: none"`
	Sign       string     `json:"sign"`
	Body       string     `json:"body"`
	Fields     []Field    `json:"fields"`
	Broken     string     `json:"broken" doc:"Why it does not work, empty while it does"`
	Stored     bool       `json:"stored" doc:"Chosen here; otherwise from the configuration file"`
	ChangedAt  *time.Time `json:"changedAt,omitempty"`
	Warnings   int        `json:"warnings" doc:"How many fields are cut or of the wrong kind with example values"`
}

// EventView is an event with everything that the shop chose for it.
type EventView struct {
	Event     string         `json:"event"`
	Title     string         `json:"title"`
	Group     string         `json:"group"`
	Urgent    bool           `json:"urgent"`
	Cap       bool           `json:"cap"`
	Marketing bool           `json:"marketing"`
	On        bool           `json:"on"`
	SMS       bool           `json:"sms"`
	Calls     bool           `json:"calls"`
	Fields    []FieldInfo    `json:"fields"`
	Layout    []Field        `json:"layout" doc:"The fields that a new WeChat template is begun with"`
	Templates []TemplateView `json:"templates" doc:"One for each channel, in the order in which they are tried"`
}

// Setup is all that the shop chose for messages.
type Setup struct {
	Events    []EventView `json:"events"`
	Groups    []GroupInfo `json:"groups"`
	QuietFrom string      `json:"quietFrom" doc:"HH:MM; equal to quietTo: none"`
	QuietTo   string      `json:"quietTo"`
	CapDay    int         `json:"capDay" doc:"0: any number"`
	CapWeek   int         `json:"capWeek"`
	SMS       bool        `json:"sms" doc:"The shop has an SMS provider"`
}

// TemplateInput is a template as it is edited.
type TemplateInput struct {
	Channel    string  `json:"channel" enum:"mini_program,official_account,sms"`
	Event      string  `json:"event" minLength:"1" maxLength:"32"`
	TemplateID string  `json:"templateId" maxLength:"64" doc:"Empty: none"`
	Sign       string  `json:"sign,omitempty" maxLength:"20"`
	Body       string  `json:"body,omitempty" maxLength:"400"`
	Fields     []Field `json:"fields" maxItems:"20"`
}

func (in TemplateInput) template() Template {
	return Template{Channel: in.Channel, Event: in.Event, ID: in.TemplateID, Sign: in.Sign, Body: in.Body, Fields: in.Fields}
}

// PreviewView is a template filled with example values.
type PreviewView struct {
	Lines []Line `json:"lines"`
}

// TestAsk names a stored template to send to oneself.
type TestAsk struct {
	Channel string `json:"channel" enum:"mini_program,official_account,sms"`
	Event   string `json:"event" minLength:"1" maxLength:"32"`
}

// TestView says what came of it.
type TestView struct {
	OK   bool   `json:"ok"`
	Says string `json:"says"`
}

// RuleInput is the switches of an event.
type RuleInput struct {
	Event string `json:"event" minLength:"1" maxLength:"32"`
	On    bool   `json:"on"`
	SMS   bool   `json:"sms"`
	Calls bool   `json:"calls"`
}

// RulesInput changes switches and what holds for all messages.
type RulesInput struct {
	Events    []RuleInput `json:"events" maxItems:"100"`
	QuietFrom string      `json:"quietFrom" maxLength:"5"`
	QuietTo   string      `json:"quietTo" maxLength:"5"`
	CapDay    int         `json:"capDay" minimum:"0" maximum:"20"`
	CapWeek   int         `json:"capWeek" minimum:"0" maximum:"50"`
}

func (s *Service) setupRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console/message-setup" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleMessageSetup", http.MethodGet, "", "Events, templates and switches", perm.MessageRead),
		func(ctx context.Context, _ *httpapi.None) (Setup, error) { return s.setupView(ctx) })
	httpapi.Register(r, op("consoleMessageRules", http.MethodPut, "/rules", "Change switches, quiet hours and caps, all or none", perm.MessageWrite),
		func(ctx context.Context, in *httpapi.Body[RulesInput]) (Setup, error) {
			if err := s.saveAll(ctx, in.Body); err != nil {
				return Setup{}, err
			}
			return s.setupView(ctx)
		})
	httpapi.Register(r, op("consoleMessageTemplate", http.MethodPut, "/templates", "Choose the template of an event on a channel", perm.MessageWrite),
		func(ctx context.Context, in *httpapi.Body[TemplateInput]) (Setup, error) {
			if err := s.SaveTemplate(ctx, in.Body.template()); err != nil {
				return Setup{}, err
			}
			return s.setupView(ctx)
		})
	httpapi.Register(r, op("consoleMessagePreview", http.MethodPost, "/preview", "A template filled with example values, cut as it will be", perm.MessageRead),
		func(_ context.Context, in *httpapi.Body[TemplateInput]) (PreviewView, error) {
			all, err := s.Preview(in.Body.template())
			return PreviewView{all}, err
		})
	httpapi.Register(r, op("consoleMessageTest", http.MethodPost, "/test", "Send a stored template to oneself", perm.MessageWrite),
		func(ctx context.Context, in *httpapi.Body[TestAsk]) (TestView, error) {
			ok, says, err := s.TestTemplate(ctx, in.Body.Channel, in.Body.Event)
			return TestView{ok, says}, err
		})
}

func (s *Service) saveAll(ctx context.Context, in RulesInput) error {
	rules := make([]Rule, 0, len(in.Events))
	for _, e := range in.Events {
		if _, ok := eventInfo(e.Event); !ok {
			return ErrEvent
		}
		rules = append(rules, Rule{Event: e.Event, On: e.On, SMS: e.SMS, Calls: e.Calls})
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if s.opt.SaveSettings != nil {
			if err := s.opt.SaveSettings(ctx, tx, []setting.Value{{Key: setting.MessageQuietFrom, Value: in.QuietFrom}, {Key: setting.MessageQuietTo, Value: in.QuietTo},
				{Key: setting.MessageCapDay, Value: in.CapDay}, {Key: setting.MessageCapWeek, Value: in.CapWeek}}); err != nil {
				return err
			}
		}
		return s.saveRulesTx(ctx, tx, rules)
	})
}

func (s *Service) setupView(ctx context.Context) (Setup, error) {
	set, err := s.current(ctx)
	if err != nil {
		return Setup{}, err
	}
	out := Setup{Groups: Groups(), QuietFrom: clockOf(set.quietFrom), QuietTo: clockOf(set.quietTo), CapDay: set.perDay, CapWeek: set.perWeek, SMS: s.opt.SMS != nil}
	for _, e := range Events() {
		rule := set.rule(e.Event)
		v := EventView{Event: e.Event, Title: e.Title, Group: e.Group, Urgent: e.Urgent, Cap: e.Cap, Marketing: e.Marketing(), On: rule.On, SMS: rule.SMS, Calls: rule.Calls,
			Fields: e.Fields, Layout: fieldsOf(e.Layout)}
		for _, ch := range []string{MiniProgram, OfficialAccount, TextMessage} {
			t := set.template(ch, e.Event)
			t.Channel, t.Event = ch, e.Event
			x := TemplateView{Channel: ch, TemplateID: t.ID, Sign: t.Sign, Body: t.Body, Fields: t.Fields, Broken: t.Broken, Stored: t.Stored, ChangedAt: when(t.Since)}
			if t.ID != "" {
				lines, err := s.Preview(t)
				if err != nil {
					return Setup{}, err
				}
				for _, l := range lines {
					if l.Note != "" {
						x.Warnings++
					}
				}
			}
			v.Templates = append(v.Templates, x)
		}
		out.Events = append(out.Events, v)
	}
	return out, nil
}
