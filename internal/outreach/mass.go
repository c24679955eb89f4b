package outreach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
)

// The states of a campaign.
const (
	Draft   = "draft"
	Running = "running"
	Paused  = "paused"
	Stopped = "stopped"
	Ended   = "done" // everybody was promised the text; some may still be under way
)

const (
	jobMass = "outreach.mass"
	// underWay is how many texts of a campaign wait to be sent at most: so much goes out after a stop that was seen too late by nobody.
	underWay = 1000
	// turn is how long a job works before it lets others.
	turn = 45 * time.Second
)

var (
	templateForm = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
	keyForm      = regexp.MustCompile(`^[A-Za-z0-9_]{1,20}$`)
	optOut       = regexp.MustCompile(`退订|拒收|回复`)
	link         = regexp.MustCompile(`\$\{[^}]*\}|\{[0-9]+\}`)
)

// Campaign is one text to all that a filter finds.
type Campaign struct {
	ID        int64
	Name      string
	Filter    coupon.Filter
	Template  string // the provider's id of the approved text
	Sign      string
	Body      string // the approved text, for people and for its price
	Fields    []notify.Field
	State     string
	Reason    string // why it is paused or stopped
	Found     int    // members that the filter found by now
	Promised  int    // of them: consented and reachable, the text is on its way
	Skipped   int
	After     int64
	Runs      int // how often it was begun: tells jobs apart
	Segments  int
	PriceLi   int
	StaffName string
	CreatedAt time.Time
	StartedAt time.Time
	DoneAt    time.Time
}

// CampaignInput is what a campaign is made of.
type CampaignInput struct {
	Name     string         `json:"name" minLength:"1" maxLength:"30"`
	Filter   coupon.Filter  `json:"filter"`
	Template string         `json:"template" maxLength:"64" doc:"The provider's id of the approved marketing text"`
	Sign     string         `json:"sign,omitempty" maxLength:"20" doc:"Empty: the configured one"`
	Body     string         `json:"body" maxLength:"400" doc:"The approved text"`
	Fields   []notify.Field `json:"fields,omitempty" maxItems:"10"`
}

// values are what a text may name, beside fixed words.
var values = []string{"name", "store"}

func (in *CampaignInput) check(c *fault.Complaints) {
	c.Text("name", &in.Name, 1, 30, false)
	c.Text("sign", &in.Sign, 0, 20, false)
	c.Text("body", &in.Body, 1, 400, true)
	if in.Template = strings.TrimSpace(in.Template); !templateForm.MatchString(in.Template) {
		c.Bad("template", "请填写短信平台的模板编号")
	}
	if in.Body != "" && !optOut.MatchString(in.Body) {
		c.Bad("body", "营销短信须写明退订方式，如「拒收请回复R」")
	}
	if n := len(link.FindAllString(in.Body, -1)); in.Body != "" && n != len(in.Fields) {
		c.Bad("fields", fmt.Sprintf("内容里有 %d 个变量，填了 %d 个", n, len(in.Fields)))
	}
	for i, f := range in.Fields {
		at := fmt.Sprintf("fields[%d].", i)
		if !keyForm.MatchString(f.Key) {
			c.Bad(at+"key", "只能用字母、数字和下划线")
		}
		fixed, is := strings.CutPrefix(f.From, "=")
		if is && strings.TrimSpace(fixed) == "" || !is && !slices.Contains(values, f.From) {
			c.Bad(at+"from", "请选择要填的内容")
		}
	}
	if in.Fields == nil {
		in.Fields = []notify.Field{}
	}
}

// Estimate is whom a campaign would reach now, and what it would cost.
type Estimate struct {
	Found     int    `json:"found" doc:"Members that the filter finds"`
	Reachable int    `json:"reachable" doc:"Of them: consented to offers by SMS, verified phone"`
	Segments  int    `json:"segments" doc:"Messages that one text costs"`
	CostLi    int64  `json:"costLi" doc:"In thousandths of a yuan"`
	Sample    string `json:"sample" doc:"The text as one member would read it"`
}

// Preview counts. Fault: request.invalid.
func (s *Service) Preview(ctx context.Context, in CampaignInput) (e Estimate, err error) {
	if _, err := s.Coupons.Preview(ctx, in.Filter); err != nil { // checks the filter as coupons do
		return e, err
	}
	rule, err := s.Rule(ctx)
	if err != nil {
		return e, err
	}
	for after := int64(0); ; {
		ids, err := s.People.Find(ctx, in.Filter, after, findChunk)
		if err != nil {
			return e, err
		}
		reach, err := s.reachable(ctx, ids)
		if err != nil {
			return e, err
		}
		e.Found, e.Reachable = e.Found+len(ids), e.Reachable+len(reach)
		if len(ids) < findChunk {
			break
		}
		after = ids[len(ids)-1]
	}
	shopName, err := s.ShopName(ctx)
	if err != nil {
		return e, err
	}
	e.Sample = filled(in.Body, in.Fields, map[string]string{"name": "王女士", "store": shopName})
	if sign := strings.TrimSpace(in.Sign); sign != "" {
		e.Sample = "【" + sign + "】" + e.Sample
	}
	e.Segments = segments("", e.Sample)
	if in.Sign == "" {
		e.Segments = segments(shopName, e.Sample) // the configured one is about as long
	}
	e.CostLi = int64(e.Reachable) * int64(e.Segments) * int64(rule.PriceLi)
	return e, nil
}

// reachable are those of members who consented to offers by SMS and have a verified phone, in their order.
func (s *Service) reachable(ctx context.Context, ids []int64) (out []int64, err error) {
	prefs, err := s.Messages.Preferences(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if p := prefs[id]; p.Marketing && p.SMS && !slices.Contains(p.Off, notify.GroupWishes) {
			out = append(out, id)
		}
	}
	return s.People.Textable(ctx, out)
}

// SaveCampaign stores a draft; id 0 is a new one. Faults: request.invalid, ErrState, not_found.
func (s *Service) SaveCampaign(ctx context.Context, id int64, in CampaignInput) (Campaign, error) {
	var c fault.Complaints
	in.check(&c)
	if err := c.Err(); err != nil {
		return Campaign{}, err
	}
	if _, err := s.Coupons.Preview(ctx, in.Filter); err != nil {
		return Campaign{}, err
	}
	x := Campaign{ID: id, Name: in.Name, Filter: in.Filter, Template: in.Template, Sign: in.Sign, Body: in.Body, Fields: in.Fields, State: Draft}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if id != 0 {
			was, err := campaignByID(ctx, tx, id, tx.ForUpdate())
			if err != nil {
				return err
			}
			if was.State != Draft && (was.State != Paused || !sameAudience(was.Filter, in.Filter)) {
				return ErrState // of one that began only the text may be mended, while it is paused
			}
			x.State = was.State
			if err := saveDraft(ctx, tx, x); err != nil {
				return err
			}
		} else {
			who := actor.From(ctx)
			x.ID, x.StaffName, x.CreatedAt = tx.NewID(), db.Clip(who.Name, 64), tx.Now
			if err := insertCampaign(ctx, tx, x, who.ID); err != nil {
				return err
			}
		}
		return recordTx(ctx, tx, "outreach.campaign_save", x, map[string]any{"filter": x.Filter, "template": x.Template, "body": x.Body})
	})
	if err != nil {
		return Campaign{}, err
	}
	return s.CampaignByID(ctx, x.ID)
}

func sameAudience(a, b coupon.Filter) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(x) == string(y)
}

func recordTx(ctx context.Context, tx *db.Tx, action string, x Campaign, detail map[string]any) error {
	return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "campaign", SubjectID: x.ID, SubjectLabel: x.Name, Detail: detail})
}

// CampaignByID reads a campaign. Fault: not_found.
func (s *Service) CampaignByID(ctx context.Context, id int64) (Campaign, error) {
	return campaignByID(ctx, s.db, id, "")
}

// Campaigns lists campaigns, newest first.
func (s *Service) Campaigns(ctx context.Context, before int64, limit int) ([]Campaign, error) {
	return campaignsBefore(ctx, s.db, before, limit)
}

// Start begins a draft, or goes on with one that is paused. It costs money: the key makes it happen once. Faults: ErrState, ErrNobody, ErrNoChannel,
// not_found.
func (s *Service) Start(ctx context.Context, id int64) (Campaign, error) {
	seen, err := s.CampaignByID(ctx, id)
	if err != nil {
		return seen, err
	}
	if !s.Texts {
		return seen, ErrNoChannel
	}
	e, err := s.Preview(ctx, CampaignInput{Filter: seen.Filter, Body: seen.Body, Sign: seen.Sign, Fields: seen.Fields})
	if err != nil {
		return seen, err
	}
	if e.Reachable == 0 && seen.State == Draft {
		return seen, ErrNobody
	}
	rule, err := s.Rule(ctx)
	if err != nil {
		return seen, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, _, err := idem.Once(ctx, tx, func() (int64, error) {
			x, err := campaignByID(ctx, tx, id, tx.ForUpdate())
			if err != nil {
				return 0, err
			}
			if x.State != Draft && x.State != Paused {
				return 0, ErrState
			}
			if err := startCampaign(ctx, tx, x, e.Segments, rule.PriceLi); err != nil {
				return 0, err
			}
			if err := s.Queue.EnqueueTx(ctx, tx, jobs.Job{Kind: jobMass, Payload: massPayload{id}, Dedupe: fmt.Sprintf("%s:%d:%d", jobMass, id, x.Runs+1)}); err != nil {
				return 0, err
			}
			return id, recordTx(ctx, tx, "outreach.campaign_start", x, map[string]any{"found": e.Found, "reachable": e.Reachable, "costLi": e.CostLi})
		})
		return err
	})
	if err != nil {
		return seen, err
	}
	return s.CampaignByID(ctx, id)
}

// Pause holds a campaign: what is not sent yet waits. Faults: ErrState, not_found.
func (s *Service) Pause(ctx context.Context, id int64) (Campaign, error) {
	return s.move(ctx, id, "outreach.campaign_pause", Paused, "", Running, Ended)
}

// Stop ends a campaign: what is not sent yet is not sent. Faults: ErrState, not_found.
func (s *Service) Stop(ctx context.Context, id int64) (Campaign, error) {
	return s.move(ctx, id, "outreach.campaign_stop", Stopped, "", Draft, Running, Paused, Ended)
}

func (s *Service) move(ctx context.Context, id int64, action, to, reason string, from ...string) (Campaign, error) {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		x, err := campaignByID(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		if !slices.Contains(from, x.State) {
			return ErrState
		}
		if err := moveCampaign(ctx, tx, x, to, reason); err != nil {
			return err
		}
		return recordTx(ctx, tx, action, x, map[string]any{"from": x.State, "promised": x.Promised, "reason": reason})
	})
	if err != nil {
		return Campaign{}, err
	}
	return s.CampaignByID(ctx, id)
}

// Tally counts the texts of a campaign by what became of them.
func (s *Service) Tally(ctx context.Context, id int64) (map[string]int64, error) {
	return s.Messages.Tally(ctx, massKey(id))
}

func massKey(id int64) string { return fmt.Sprintf("offer:%d:", id) }

type massPayload struct {
	ID int64 `json:"id"`
}

// massJob promises the text to everybody that the filter finds, chunk by chunk in ascending order of members: how far it is stands in the same
// transaction as what was promised, so that it goes on after a kill and promises nobody twice.
func (s *Service) massJob(ctx context.Context, payload []byte) error {
	var p massPayload
	if err := json.Unmarshal(payload, &p); err != nil {
		return errors.Join(jobs.ErrPermanent, err)
	}
	ctx = actor.With(ctx, actor.Job("群发短信"))
	for elapsed := clock.Stopwatch(); ; {
		x, err := s.CampaignByID(ctx, p.ID)
		if errors.Is(err, fault.ErrNotFound) {
			return errors.Join(jobs.ErrPermanent, err)
		}
		if err != nil || x.State != Running {
			return err
		}
		tally, err := s.Tally(ctx, x.ID)
		if err != nil {
			return err
		}
		if tally[notify.Queued]+tally[notify.Held]+tally[notify.Sending] >= underWay {
			return jobs.After{D: 30 * time.Second}
		}
		if err := s.massChunk(ctx, x); err != nil {
			return err
		}
		if elapsed() > turn {
			return jobs.After{}
		}
	}
}

func (s *Service) massChunk(ctx context.Context, x Campaign) error {
	ids, err := s.People.Find(ctx, x.Filter, x.After, massSize)
	if err != nil {
		return err
	}
	reach, err := s.reachable(ctx, ids)
	if err != nil {
		return err
	}
	shopName, err := s.ShopName(ctx)
	if err != nil {
		return err
	}
	texts := make([]notify.Message, 0, len(reach))
	for _, id := range reach {
		data := map[string]string{notify.CampaignField: strconv.FormatInt(x.ID, 10), "title": x.Name, "store": shopName}
		if slices.ContainsFunc(x.Fields, func(f notify.Field) bool { return f.From == "name" }) {
			m, err := s.Members.Get(ctx, id)
			if err != nil {
				return err
			}
			data["name"] = salute(m.Name, m.Gender)
		}
		texts = append(texts, notify.Message{MemberID: id, Event: notify.Offer, Dedupe: massKey(x.ID) + strconv.FormatInt(id, 10), Data: data})
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		next := x
		next.Found, next.Promised, next.Skipped = x.Found+len(ids), x.Promised+len(reach), x.Skipped+len(ids)-len(reach)
		if len(ids) > 0 {
			next.After = ids[len(ids)-1]
		}
		if len(ids) < massSize {
			next.State, next.DoneAt = Ended, tx.Now
		}
		if err := advanceCampaign(ctx, tx, next, x.After); err != nil {
			return err
		}
		_, err := s.Messages.EnqueueManyTx(ctx, tx, texts)
		return err
	})
}

// Campaign tells how a campaign stands for a member, when its text is to be sent.
func (s *Service) Campaign(ctx context.Context, id, memberID int64) (out notify.Campaign, err error) {
	x, err := s.CampaignByID(ctx, id)
	if errors.Is(err, fault.ErrNotFound) {
		return notify.Campaign{Stopped: "没有这次群发"}, nil
	}
	if err != nil {
		return out, err
	}
	out.Template = notify.Template{ID: x.Template, Sign: x.Sign, Body: x.Body, Fields: x.Fields}
	out.Paused = x.State == Paused
	if x.State == Stopped {
		out.Stopped = "群发已停止"
	}
	m, err := s.Members.Get(ctx, memberID)
	if errors.Is(err, fault.ErrNotFound) || err == nil && m.Status != member.StatusActive {
		out.Stopped, err = "会员已暂停或离开", nil
	}
	return out, err
}

// Broken pauses a campaign whose template the provider does not take.
func (s *Service) Broken(ctx context.Context, id int64, why string) error {
	_, err := s.move(actor.With(ctx, actor.Job("群发短信")), id, "outreach.campaign_pause", Paused, why, Running, Ended)
	if errors.Is(err, ErrState) {
		return nil // paused already
	}
	return err
}

// Test sends the text with example values to the acting member of staff's own phone. Faults: not_found, notify.ErrNoSelf.
func (s *Service) Test(ctx context.Context, id int64) (ok bool, says string, err error) {
	x, err := s.CampaignByID(ctx, id)
	if err != nil {
		return false, "", err
	}
	return s.Messages.TestText(ctx, notify.Template{Channel: notify.TextMessage, Event: notify.Offer, ID: x.Template, Sign: x.Sign, Body: x.Body, Fields: x.Fields})
}
