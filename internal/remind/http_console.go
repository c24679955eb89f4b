package remind

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/setting"
)

// RuleView is a reminder as the console shows it.
type RuleView struct {
	Event    string   `json:"event"`
	Title    string   `json:"title"`
	Help     string   `json:"help"`
	On       bool     `json:"on"`
	Unit     string   `json:"unit" enum:"none,days,minutes,hour,steps" doc:"What there is to set: nothing, one number, or the days of its steps"`
	Value    int64    `json:"value"`
	Steps    int      `json:"steps" doc:"How many days it may have"`
	Terms    Terms    `json:"terms"`
	Channels []string `json:"channels" doc:"Ways with a template: mini_program, official_account, sms; none: nobody is reached"`
	Last     *Run     `json:"last,omitempty" doc:"The last run, of the rules that run once a day"`
}

// Reminders is everything that the shop set.
type Reminders struct {
	Items []RuleView `json:"items"`
	Hour  int64      `json:"hour" doc:"From which hour on the day's reminders are sent, in China"`
}

// HourInput is that hour.
type HourInput struct {
	Hour int64 `json:"hour" minimum:"0" maximum:"21"`
}

// Outlook is how many reminders the next days will bring.
type Outlook struct {
	From  string  `json:"from" doc:"Today"`
	Days  int     `json:"days"`
	Items []Count `json:"items"`
}

type ruleInput struct {
	Event string `path:"event" maxLength:"32"`
	Body  Choice
}

// all lists every rule as it stands.
func (s *Service) all(ctx context.Context) (out Reminders, err error) {
	states, err := s.Messages.States(ctx)
	if err != nil {
		return out, err
	}
	b, err := readBook(ctx, s.DB, "")
	if err != nil {
		return out, err
	}
	runs, err := lastRuns(ctx, s.DB, bizday.Add(s.today(), 1-outlook))
	if err != nil {
		return out, err
	}
	if out.Hour, err = s.Settings.Int(ctx, setting.RemindHour); err != nil {
		return out, err
	}
	for _, r := range Rules() {
		st := states[r.Event]
		v := RuleView{Event: r.Event, Title: st.Title, Help: r.Help, On: st.On, Unit: "none", Steps: r.Steps, Terms: Terms{Days: []int{}}, Channels: st.Channels}
		switch {
		case r.ours():
			if r.Steps > 0 {
				v.Unit, v.Terms = "steps", b.terms[r.Event]
			}
			if x, ok := runs[r.Event]; ok {
				v.Last = x.run()
			}
		case r.Setting != nowhere:
			v.Unit = r.Unit
			if v.Value, err = s.Settings.Int(ctx, r.Setting); err != nil {
				return out, err
			}
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleReminderList", Method: http.MethodGet, Path: "/api/console/reminders", Who: httpapi.Console, Permission: perm.MessageRead, Summary: "Every reminder with its switch and window"},
		func(ctx context.Context, _ *httpapi.None) (Reminders, error) { return s.all(ctx) })
	httpapi.Register(r, httpapi.Op{ID: "consoleReminderSave", Method: http.MethodPut, Path: "/api/console/reminders/{event}", Who: httpapi.Console, Permission: perm.MessageWrite, Summary: "Switch a reminder and set its window"},
		func(ctx context.Context, in *ruleInput) (Reminders, error) {
			if err := s.Choose(ctx, in.Event, in.Body); err != nil {
				return Reminders{}, err
			}
			return s.all(ctx)
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleReminderHour", Method: http.MethodPut, Path: "/api/console/reminder-hour", Who: httpapi.Console, Permission: perm.MessageWrite, Summary: "From which hour on the day's reminders are sent"},
		func(ctx context.Context, in *httpapi.Body[HourInput]) (Reminders, error) {
			if err := s.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
				return s.Settings.SetTx(ctx, tx, setting.RemindHour, in.Body.Hour)
			}); err != nil {
				return Reminders{}, err
			}
			return s.all(ctx)
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleReminderOutlook", Method: http.MethodGet, Path: "/api/console/reminder-outlook", Who: httpapi.Console, Permission: perm.MessageRead, Summary: "How many reminders the next seven days bring"},
		func(ctx context.Context, _ *httpapi.None) (Outlook, error) {
			items, err := s.Preview(ctx)
			return Outlook{s.today(), outlook, items}, err
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleInspections", Method: http.MethodGet, Path: "/api/console/inspections", Who: httpapi.Console, Permission: perm.MessageRead, Summary: "How often which vehicles are inspected"},
		func(ctx context.Context, _ *httpapi.None) (Table, error) { return s.Inspections(ctx) })
	httpapi.Register(r, httpapi.Op{ID: "consoleInspectionsSave", Method: http.MethodPut, Path: "/api/console/inspections", Who: httpapi.Console, Permission: perm.MessageWrite, Summary: "Change how often which vehicles are inspected"},
		func(ctx context.Context, in *httpapi.Body[Table]) (Table, error) {
			if err := s.SetInspections(ctx, in.Body); err != nil {
				return Table{}, err
			}
			return s.Inspections(ctx)
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleInspectionsLaw", Method: http.MethodGet, Path: "/api/console/inspections/law", Who: httpapi.Console, Permission: perm.MessageRead, Summary: "The law's table, to begin anew with"},
		func(context.Context, *httpapi.None) (Table, error) { return DefaultTable(), nil })
}
