package notify

import (
	"context"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// Preference is what a member wants to be told and how (J05). Who never chose has the zero value's hours, SMS and calls, and gave no
// consent to marketing.
type Preference struct {
	Off        []string `json:"off" maxItems:"10" doc:"Groups that the member does not want"`
	SMS        bool     `json:"sms" doc:"May be reached by SMS where WeChat does not reach"`
	Calls      bool     `json:"calls" doc:"May be called by staff where nothing else reaches"`
	Marketing  bool     `json:"marketing" doc:"Consents to greetings and offers by SMS"`
	FromMinute int      `json:"fromMinute" minimum:"0" maximum:"1439" doc:"What is not urgent comes from this minute of the day on; equal to toMinute: at any hour"`
	ToMinute   int      `json:"toMinute" minimum:"0" maximum:"1439"`
}

func defaultPreference() Preference { return Preference{Off: []string{}, SMS: true, Calls: true} }

func (r preferenceRow) preference() Preference {
	p := Preference{Off: []string{}, SMS: r.SMS, Calls: r.Calls, Marketing: r.Marketing, FromMinute: r.FromMinute, ToMinute: r.ToMinute}
	for g := range strings.SplitSeq(r.OffGroups, ",") {
		if g != "" {
			p.Off = append(p.Off, g)
		}
	}
	return p
}

func (p Preference) wants(e EventInfo) bool { return !slices.Contains(p.Off, e.Group) }

// check brings a preference into its stored form.
func (p Preference) check() (off string, err error) {
	var c fault.Complaints
	for _, g := range Groups() {
		if !slices.Contains(p.Off, g.Group) {
			continue
		}
		if g.Fixed {
			c.Bad("off", "「"+g.Title+"」必须告知，不能关闭")
		}
		off += g.Group + ","
	}
	if strings.Count(off, ",") != len(p.Off) {
		c.Bad("off", "没有这类消息")
	}
	c.Between("fromMinute", int64(p.FromMinute), 0, 1439)
	c.Between("toMinute", int64(p.ToMinute), 0, 1439)
	if d := (p.ToMinute - p.FromMinute + 1440) % 1440; d != 0 && d < 60 {
		c.Bad("toMinute", "联系时段至少一小时")
	}
	return off, c.First()
}

// Preferences reads what members chose; every id has an entry. It is for whoever reaches members in other ways: marketing needs Marketing.
func (s *Service) Preferences(ctx context.Context, memberIDs []int64) (map[int64]Preference, error) {
	out := make(map[int64]Preference, len(memberIDs))
	for part := range slices.Chunk(memberIDs, 500) {
		rows, err := readPreferences(ctx, s.db, part, "")
		if err != nil {
			return nil, err
		}
		for _, id := range part {
			out[id] = defaultPreference()
			if r, ok := rows[id]; ok {
				out[id] = r.preference()
			}
		}
	}
	return out, nil
}

// preferenceOf reads one member's.
func (s *Service) preferenceOf(ctx context.Context, memberID int64) (Preference, error) {
	all, err := s.Preferences(ctx, []int64{memberID})
	return all[memberID], err
}

// SetPreference stores what a member wants; the trail shows who changed what. Fault: request.invalid.
func (s *Service) SetPreference(ctx context.Context, memberID int64, p Preference) (Preference, error) {
	off, err := p.check()
	if err != nil {
		return p, err
	}
	row := preferenceRow{MemberID: memberID, OffGroups: off, SMS: p.SMS, Calls: p.Calls, Marketing: p.Marketing, FromMinute: p.FromMinute, ToMinute: p.ToMinute}
	if p.FromMinute == p.ToMinute {
		row.FromMinute, row.ToMinute = 0, 0
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		had, err := readPreferences(ctx, tx, []int64{memberID}, tx.ForUpdate())
		if err != nil {
			return err
		}
		was := defaultPreference()
		if r, ok := had[memberID]; ok {
			was = r.preference()
		}
		row.UpdatedAt = tx.Millis()
		if err := savePreference(ctx, tx, row); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "message.preference", SubjectKind: "member", SubjectID: memberID,
			Detail: map[string]any{"from": was, "to": row.preference(), "byMember": actor.From(ctx).Kind == actor.Owner}})
	})
	return row.preference(), err
}

// MergeTx leaves to a member what they chose, but for offers: who said no to them as the one or the other gets none.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	rows, err := readPreferences(ctx, tx, []int64{from, into}, tx.ForUpdate())
	if err != nil {
		return err
	}
	theirs, chose := rows[from]
	if !chose {
		return nil
	}
	was := defaultPreference()
	own, has := rows[into]
	if has {
		was = own.preference()
	} else {
		own = preferenceRow{MemberID: into, SMS: was.SMS, Calls: was.Calls}
	}
	if slices.Contains(theirs.preference().Off, GroupWishes) && !slices.Contains(was.Off, GroupWishes) {
		own.OffGroups += GroupWishes + ","
	}
	own.Marketing = own.Marketing && theirs.Marketing
	if now := own.preference(); now.Marketing == was.Marketing && len(now.Off) == len(was.Off) {
		return nil
	}
	own.UpdatedAt = tx.Millis()
	return savePreference(ctx, tx, own)
}
