package notify

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
)

// pausedFor is how long a message of a paused campaign waits until it looks again.
const pausedFor = 10 * time.Minute

// CampaignField is the name in Message.Data under which an Offer carries its campaign's id.
const CampaignField = "campaign"

// Campaign is what a text to many is sent with, asked at delivery: it may have been paused or stopped since it was promised.
type Campaign struct {
	ID       int64
	Template Template
	Paused   bool
	Stopped  string // why this member gets it no more; "" while they do
}

// Campaigns knows the texts to many.
type Campaigns interface {
	// Campaign tells how a campaign stands for a member.
	Campaign(ctx context.Context, id, memberID int64) (Campaign, error)
	// Broken says that the provider does not take its template.
	Broken(ctx context.Context, id int64, why string) error
}

func (s *Service) campaignOf(ctx context.Context, m messageRow) (*Campaign, error) {
	var data map[string]string
	if err := json.Unmarshal([]byte(m.Data), &data); err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(data[CampaignField], 10, 64)
	if err != nil || s.opt.Campaigns == nil {
		return &Campaign{Stopped: "没有这次群发"}, nil
	}
	c, err := s.opt.Campaigns.Campaign(ctx, id, m.MemberID)
	c.ID, c.Template.Channel, c.Template.Event = id, TextMessage, Offer
	return &c, err
}

// Tally counts the messages whose dedupe key begins with a prefix, by state. The prefix ends with a colon.
func (s *Service) Tally(ctx context.Context, prefix string) (map[string]int64, error) {
	return tally(ctx, s.db, prefix)
}

// HasText says whether an event can go by SMS: the shop has a provider and an approved text for it, and did not switch it off.
func (s *Service) HasText(ctx context.Context, event string) (bool, error) {
	set, err := s.current(ctx)
	t, rule := set.template(TextMessage, event), set.rule(event)
	return s.opt.SMS != nil && t.ID != "" && t.Broken == "" && rule.On && rule.SMS, err
}

// ObjectTx notes that a member wants neither calls nor offers any more, as they said to staff.
func (s *Service) ObjectTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	had, err := readPreferences(ctx, tx, []int64{memberID}, tx.ForUpdate())
	if err != nil {
		return err
	}
	was := defaultPreference()
	if r, ok := had[memberID]; ok {
		was = r.preference()
	}
	off, err := was.check()
	if err != nil {
		return err
	}
	row := preferenceRow{MemberID: memberID, OffGroups: off, SMS: was.SMS, FromMinute: was.FromMinute, ToMinute: was.ToMinute, UpdatedAt: tx.Millis()}
	if err := savePreference(ctx, tx, row); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "message.preference", SubjectKind: "member", SubjectID: memberID, Detail: map[string]any{"from": was, "to": row.preference(), "byMember": false}})
}
