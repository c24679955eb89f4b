package member

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// Charter is one version of the member charter with its privacy policy (A15). Texts are plain: blank lines part
// paragraphs, "# " starts a heading.
type Charter struct {
	ID          int64     `json:"id" doc:"The same number as the version"`
	Version     int64     `json:"version"`
	Title       string    `json:"title"`
	Body        string    `json:"body"`
	PrivacyBody string    `json:"privacyBody"`
	PublishedAt time.Time `json:"publishedAt"`
}

// Charter reads the version in force. Fault: fault.ErrNotFound before EnsureCharter.
func (s *Service) Charter(ctx context.Context) (Charter, error) {
	r, err := latestCharter(ctx, s.db, "")
	return r.charter(), notFound(err)
}

// Charters lists every version, newest first.
func (s *Service) Charters(ctx context.Context) ([]Charter, error) {
	rows, err := charters(ctx, s.db)
	out := make([]Charter, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.charter())
	}
	return out, err
}

// EnsureCharter installs the first version where there is none.
func (s *Service) EnsureCharter(ctx context.Context) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := latestCharter(ctx, tx, "")
		if !errors.Is(err, db.ErrNoRows) {
			return err
		}
		err = insertCharterTx(ctx, tx, charterRow{1, defaultTitle, defaultCharter, defaultPrivacy, tx.Millis(), 0})
		if errors.Is(err, db.ErrDuplicate) { // another instance was quicker
			return nil
		}
		return err
	})
}

// PublishCharter makes a new version; members are asked to accept it. Faults: fault.ErrInvalid, fault.ErrBusyWrite.
func (s *Service) PublishCharter(ctx context.Context, title, body, privacy string) (Charter, error) {
	var c fault.Complaints
	title = strings.TrimSpace(title)
	if n := utf8.RuneCountInString(title); n < 2 || n > 50 || !utf8.ValidString(title) {
		c.Bad("title", "标题为 2 到 50 个字")
	}
	body, privacy = cleanCharter(&c, "body", body), cleanCharter(&c, "privacyBody", privacy)
	if err := c.First(); err != nil {
		return Charter{}, err
	}
	var out Charter
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		last, err := latestCharter(ctx, tx, tx.ForUpdate())
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return err
		}
		r := charterRow{last.Version + 1, title, body, privacy, tx.Millis(), actor.From(ctx).ID}
		if err := insertCharterTx(ctx, tx, r); errors.Is(err, db.ErrDuplicate) {
			return fault.ErrBusyWrite
		} else if err != nil {
			return err
		}
		out = r.charter()
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "charter.publish", SubjectKind: "charter", SubjectID: r.Version, SubjectLabel: title})
	})
	return out, err
}

func cleanCharter(c *fault.Complaints, field, text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch {
	case utf8.RuneCountInString(text) < 20:
		c.Bad(field, "正文至少 20 个字")
	case len(text) > 60_000 || !utf8.ValidString(text):
		c.Bad(field, "正文太长，最多约两万字")
	}
	return text
}

// AcceptCharter notes that a member read and accepted the version in force. Fault: ErrCharter.
func (s *Service) AcceptCharter(ctx context.Context, memberID, version int64) error {
	return s.change(ctx, memberID, "charter.accept", func(tx *db.Tx, m *memberRow) (map[string]any, error) {
		if err := currentCharter(ctx, tx, version); err != nil {
			return nil, err
		}
		if m.CharterVersion != version {
			m.CharterVersion, m.CharterAt = version, tx.Millis()
		}
		return map[string]any{"version": version}, nil
	})
}

// currentCharter checks that a version is the one in force. Fault: ErrCharter with it as detail.
func currentCharter(ctx context.Context, r db.Reader, version int64) error {
	c, err := latestCharter(ctx, r, "")
	if err != nil {
		return err
	}
	if c.Version != version {
		return ErrCharter.Give(map[string]any{"charterVersion": c.Version})
	}
	return nil
}
