package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// kinds are the field types that WeChat knows.
var kinds = []string{"thing", "const", "name", "phrase", "character_string", "letter", "number", "symbol", "car_number", "phone_number", "amount", "time", "date"}

var (
	fieldForm  = regexp.MustCompile(`^([a-z_]+)([0-9]{1,2})$`)
	paramForm  = regexp.MustCompile(`^[A-Za-z0-9_]{1,20}$`)
	wechatForm = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)
	textForm   = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
)

// Line is a field as the owner will see it, filled with example values.
type Line struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Value string `json:"value" doc:"As it is sent"`
	Full  string `json:"full" doc:"Before it was cut"`
	Cut   bool   `json:"cut"`
	Note  string `json:"note" doc:"What is wrong with it, empty when nothing is"`
}

// check refuses a template that could never be sent.
func (t Template) check(e EventInfo) error {
	var c fault.Complaints
	t.ID = strings.TrimSpace(t.ID)
	switch {
	case t.Channel == TextMessage:
		if !textForm.MatchString(t.ID) {
			c.Bad("templateId", "请填写短信平台的模板编号")
		}
	case t.Channel != MiniProgram && t.Channel != OfficialAccount:
		c.Bad("channel", "没有这个渠道")
	case !wechatForm.MatchString(t.ID):
		c.Bad("templateId", "请从微信后台复制模板编号")
	}
	if t.Channel == OfficialAccount && e.Marketing() {
		c.Bad("channel", "祝福和优惠不能用公众号模板消息发送，会被微信封号；请用短信")
	}
	if t.Channel != TextMessage && e.TextOnly() {
		c.Bad("channel", "营销内容只能用短信发送；用微信模板发送会被封号")
	}
	if e.Event == Offer {
		c.Bad("event", "群发短信的模板在「客户维系 → 群发短信」里填写")
	}
	c.Text("sign", &t.Sign, 0, 20, false)
	c.Text("body", &t.Body, 0, 400, true)
	if len(t.Fields) == 0 && t.Channel != TextMessage {
		c.Bad("fields", "至少填写一个字段")
	}
	seen := map[string]bool{}
	for i, f := range t.Fields {
		at := fmt.Sprintf("fields[%d].", i)
		form, help := fieldForm, "请照抄微信后台的字段名，如 thing1"
		if t.Channel == TextMessage {
			form, help = paramForm, "只能用字母、数字和下划线"
		}
		switch m := form.FindStringSubmatch(f.Key); {
		case m == nil, t.Channel != TextMessage && !slices.Contains(kinds, m[1]):
			c.Bad(at+"key", help)
		case seen[f.Key]:
			c.Bad(at+"key", "字段重复")
		}
		seen[f.Key] = true
		c.Text(at+"label", &f.Label, 0, 20, false)
		fixed, is := strings.CutPrefix(f.From, "=")
		known := slices.ContainsFunc(e.Fields, func(x FieldInfo) bool { return x.Name == f.From })
		if is && strings.TrimSpace(fixed) == "" || !is && !known || !utf8.ValidString(f.From) {
			c.Bad(at+"from", "请选择要填的内容")
		}
	}
	return c.First()
}

// Preview fills a template with the event's example values, as WeChat or the gateway would get them.
func (s *Service) Preview(t Template) ([]Line, error) {
	e, ok := eventInfo(t.Event)
	if !ok {
		return nil, ErrEvent
	}
	data := map[string]string{}
	for _, f := range e.Fields {
		data[f.Name] = f.Example
	}
	return lines(t, data, s.opt.Zone), nil
}

func lines(t Template, data map[string]string, zone string) []Line {
	out := make([]Line, 0, len(t.Fields))
	for _, f := range t.Fields {
		l := Line{Key: f.Key, Label: f.Label}
		if t.Channel == TextMessage {
			l.Full = strings.TrimPrefix(f.From, "=")
			if !strings.HasPrefix(f.From, "=") {
				l.Full = data[f.From]
			}
			l.Value = textValue(f, data, zone)
			l.Cut = utf8.RuneCountInString(l.Full) > maxParam
		} else {
			l.Full = value(f, data, zone)
			l.Value = fill([]Field{f}, data, zone)[f.Key]
			l.Cut = strings.HasSuffix(l.Value, "…") || utf8.RuneCountInString(l.Value) < utf8.RuneCountInString(strings.TrimSpace(l.Full)) && l.Value != strings.ReplaceAll(l.Full, ",", "")
			l.Note = fits(f, data, l)
		}
		if l.Cut && l.Note == "" {
			l.Note = "内容过长，会被截断"
		}
		out = append(out, l)
	}
	return out
}

// fits says when a value is of another kind than the field.
func fits(f Field, data map[string]string, l Line) string {
	kind := strings.TrimRight(f.Key, "0123456789")
	raw, fixed := strings.CutPrefix(f.From, "=")
	if !fixed {
		raw = data[f.From]
	}
	switch kind {
	case "time", "date":
		if strings.HasPrefix(l.Value, "1970-01-01") {
			return "这个字段要填时间"
		}
	case "amount", "number":
		if raw != "" && !numberForm.MatchString(strings.NewReplacer(",", "", "¥", "").Replace(raw)) {
			return "这个字段要填数字"
		}
	case "phrase", "car_number", "letter", "character_string", "name", "symbol", "phone_number":
		if raw != "" && (l.Value == "无" || l.Value == "-" || l.Value == "N" || l.Value == "0") && raw != l.Value {
			return "内容不符合这个字段的类型"
		}
	}
	return ""
}

// SaveTemplate stores what an event uses on a channel; an empty id ends it. The trail shows both. Faults: ErrEvent, request.invalid.
func (s *Service) SaveTemplate(ctx context.Context, t Template) error {
	e, ok := eventInfo(t.Event)
	if !ok {
		return ErrEvent
	}
	if t.ID = strings.TrimSpace(t.ID); t.ID != "" {
		if err := t.check(e); err != nil {
			return err
		}
	} else if t.Channel != MiniProgram && t.Channel != OfficialAccount && t.Channel != TextMessage {
		return fault.ErrInvalid.On("channel", "没有这个渠道")
	}
	if t.Fields == nil {
		t.Fields = []Field{}
	}
	layout, err := json.Marshal(t.Fields)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		set, err := s.loadSetup(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		was := set.template(t.Channel, t.Event)
		if err := saveTemplate(ctx, tx, templateRow{Channel: t.Channel, Event: t.Event, TemplateID: t.ID, Sign: strings.TrimSpace(t.Sign), Body: strings.TrimSpace(t.Body), Layout: string(layout),
			UpdatedAt: tx.Millis(), UpdatedBy: actor.From(ctx).ID}); err != nil {
			return err
		}
		s.forgetAfter(ctx, tx)
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "message.template", SubjectKind: "setting", SubjectLabel: e.Title + " · " + channelName(t.Channel),
			Detail: map[string]any{"event": t.Event, "channel": t.Channel, "from": map[string]any{"template": was.ID, "fields": was.Fields}, "to": map[string]any{"template": t.ID, "fields": t.Fields}}})
	})
}

// breakTemplate marks a template that the provider does not know any more: the console shows it, and nobody tries it again.
func (s *Service) breakTemplate(ctx context.Context, t Template, why string) error {
	layout, err := json.Marshal(t.Fields)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		s.forgetAfter(ctx, tx)
		if ok, err := breakTemplate(ctx, tx, t.Channel, t.Event, t.ID, why); err != nil || ok || t.Stored {
			return err // stored: somebody chose another one meanwhile
		}
		return saveTemplate(ctx, tx, templateRow{Channel: t.Channel, Event: t.Event, TemplateID: t.ID, Sign: t.Sign, Body: t.Body, Layout: string(layout), Broken: db.Clip(why, 200), UpdatedAt: tx.Millis()})
	})
}

// Self is whom a member of staff may send a test to: their own WeChat identities and their own phone.
type Self struct {
	Identities []Recipient
	Phone      string
}

// TestTemplate sends the stored template with example values to the acting member of staff, and says what came of it. Faults: ErrEvent,
// ErrNoSetup, ErrNoSelf.
func (s *Service) TestTemplate(ctx context.Context, channel, event string) (ok bool, says string, err error) {
	e, known := eventInfo(event)
	if !known {
		return false, "", ErrEvent
	}
	set, err := s.current(ctx)
	if err != nil {
		return false, "", err
	}
	t := set.template(channel, event)
	if t.ID == "" {
		return false, "", ErrNoSetup
	}
	t.Channel, t.Event = channel, event
	return s.test(ctx, e, t)
}

// TestText sends a text that is no event's to the acting member of staff's own phone. Faults: ErrEvent, ErrNoSelf.
func (s *Service) TestText(ctx context.Context, t Template) (ok bool, says string, err error) {
	e, known := eventInfo(t.Event)
	if !known || t.Channel != TextMessage {
		return false, "", ErrEvent
	}
	return s.test(ctx, e, t)
}

func (s *Service) test(ctx context.Context, e EventInfo, t Template) (ok bool, says string, err error) {
	channel := t.Channel
	var self Self
	if s.opt.Self != nil {
		if self, err = s.opt.Self(ctx, actor.From(ctx).ID); err != nil {
			return false, "", err
		}
	}
	w := way{channel: channel, template: t, phone: self.Phone}
	var to Recipient
	for _, r := range self.Identities {
		if r.App == channel {
			to = r
		}
	}
	if (channel == TextMessage && (self.Phone == "" || s.opt.SMS == nil)) || (channel != TextMessage && to.OpenID == "") {
		return false, "", ErrNoSelf
	}
	if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "message.test", SubjectKind: "setting", SubjectLabel: e.Title + " · " + channelName(channel)})
	}); err != nil {
		return false, "", err
	}
	data := map[string]string{}
	for _, f := range e.Fields {
		data[f.Name] = f.Example
	}
	a := s.call(ctx, w, to, messageRow{ID: s.db.NewID(), MemberID: 0, Event: t.Event}, data, s.opt.Zone)
	switch {
	case a.kind == taken:
		return true, "已发送，请在手机上查看", nil
	case a.kind == refused && channel == MiniProgram:
		return false, "您还没有在小程序里允许接收这个模板，请先在小程序里点一次允许", nil
	}
	return false, or(a.detail, "没有发出"), nil
}

// SaveRules stores the shop's choices for events and for all messages; the trail shows each. Faults: ErrEvent, request.invalid.
func (s *Service) SaveRules(ctx context.Context, rules []Rule) error {
	for _, r := range rules {
		if _, ok := eventInfo(r.Event); !ok {
			return ErrEvent
		}
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.saveRulesTx(ctx, tx, rules) })
}

func (s *Service) saveRulesTx(ctx context.Context, tx *db.Tx, rules []Rule) error {
	set, err := s.loadSetup(ctx, tx, tx.ForUpdate())
	if err != nil {
		return err
	}
	for _, r := range rules {
		was := set.rule(r.Event)
		if was.On == r.On && was.SMS == r.SMS && was.Calls == r.Calls {
			continue
		}
		if err := saveRule(ctx, tx, ruleRow{Event: r.Event, Enabled: r.On, SMS: r.SMS, Calls: r.Calls, UpdatedAt: tx.Millis(), UpdatedBy: actor.From(ctx).ID}); err != nil {
			return err
		}
		e, _ := eventInfo(r.Event)
		if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "message.rule", SubjectKind: "setting", SubjectLabel: e.Title,
			Detail: map[string]any{"event": r.Event, "from": switches(was), "to": switches(r)}}); err != nil {
			return err
		}
	}
	s.forgetAfter(ctx, tx)
	return nil
}

func switches(r Rule) map[string]any {
	return map[string]any{"on": r.On, "sms": r.SMS, "calls": r.Calls}
}
