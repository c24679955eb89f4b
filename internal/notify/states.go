package notify

import (
	"context"
	"slices"

	"github.com/liangche/liangche/internal/db"
)

// State is how an event's messages stand: what the shop chose, and which ways are set up.
type State struct {
	Rule
	Title    string
	Channels []string // those with a template that works, in the order in which they are tried
}

// States tells how every event of the catalogue stands.
func (s *Service) States(ctx context.Context) (map[string]State, error) {
	set, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]State{}
	for _, e := range Events() {
		x := State{Rule: set.rule(e.Event), Title: e.Title}
		for _, ch := range []string{MiniProgram, OfficialAccount, TextMessage} {
			if ch == OfficialAccount && e.Marketing() || ch == TextMessage && (!x.SMS || s.opt.SMS == nil) {
				continue
			}
			if t := set.used(ch, e.Event); t.ID != "" && t.Broken == "" {
				x.Channels = append(x.Channels, ch)
			}
		}
		out[e.Event] = x
	}
	return out, nil
}

// SwitchTx turns an event's messages on or off and leaves the rest of its rule as it is. Fault: notify.event_unknown.
func (s *Service) SwitchTx(ctx context.Context, tx *db.Tx, event string, on bool) error {
	if !slices.ContainsFunc(Events(), func(e EventInfo) bool { return e.Event == event }) {
		return ErrEvent
	}
	set, err := s.loadSetup(ctx, tx, "")
	if err != nil {
		return err
	}
	r := set.rule(event)
	r.On = on
	return s.saveRulesTx(ctx, tx, []Rule{r})
}
