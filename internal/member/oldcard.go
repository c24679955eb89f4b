package member

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
)

// An old card is a plastic or magnetic card from before (A07): the shop registers its number at the member, who may then
// bind WeChat by number and proved phone.

// OldCard is a registered card.
type OldCard struct {
	ID        int64     `json:"id"`
	No        string    `json:"no"`
	Note      string    `json:"note"`
	By        string    `json:"by" doc:"Who registered it"`
	At        time.Time `json:"at"`
	Lost      bool      `json:"lost"`
	LostSince time.Time `json:"lostSince,omitzero"`
}

const (
	maxOldCards     = 10
	oldCardFailures = 5  // wrong pairs an hour, by identity
	oldCardAddress  = 20 // and by address
)

var oldCardForm = regexp.MustCompile(`^[0-9A-Z]{4,32}$`)

// cleanOldCard reads a number as a scanner, a swipe or a hand typed it; "" when it is none. A swipe brings the whole
// track: %B1234^NAME^…? or ;1234=…?
func cleanOldCard(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	switch {
	case strings.HasPrefix(s, "%B"):
		s, _, _ = strings.Cut(s[2:], "^")
	case strings.HasPrefix(s, "%"), strings.HasPrefix(s, ";"):
		s = s[1:]
	}
	s, _, _ = strings.Cut(s, "=")
	s, _, _ = strings.Cut(s, "?")
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, s)
	if !oldCardForm.MatchString(s) {
		return ""
	}
	return s
}

// CleanOldCard is the form in which member_old_cards.card_no is kept; "" for what is no card number.
func CleanOldCard(s string) string { return cleanOldCard(s) }

// AddOldCard registers a card at a member. storeID is 0 from the console. Faults: fault.ErrInvalid, fault.ErrNotFound,
// ErrClosed, ErrOldCardTaken, ErrOldCardMany, fault.ErrStore.
func (s *Service) AddOldCard(ctx context.Context, memberID, storeID int64, no, note string) (out OldCard, err error) {
	who := actor.From(ctx)
	if storeID != 0 && !who.InStore(storeID) {
		return out, fault.ErrStore
	}
	var c fault.Complaints
	number := cleanOldCard(no)
	if number == "" {
		c.Bad("no", "卡号为 4 到 32 位数字或字母")
	}
	note, complaint := cleanText(note, 60)
	c.Bad("note", complaint)
	if err := c.First(); err != nil {
		return out, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		m, err := s.readMember(ctx, tx, memberID, tx.ForUpdate())
		if err != nil {
			return err
		}
		if Gone(m.Status) {
			return m.left()
		}
		have, err := oldCardsOf(ctx, tx, memberID, tx.ForUpdate())
		if err != nil {
			return err
		}
		for _, x := range have {
			if x.No == number { // again, by an impatient hand
				out = x.card()
				return nil
			}
		}
		if len(have) >= maxOldCards {
			return ErrOldCardMany
		}
		r := oldCardRow{ID: tx.NewID(), No: number, MemberID: memberID, Note: note, StoreID: storeID, CreatedKind: string(who.Kind), CreatedBy: who.ID, CreatedName: who.Name, CreatedAt: tx.Millis()}
		if err := tx.Insert(ctx, "member_old_cards", r); errors.Is(err, db.ErrDuplicate) {
			return s.oldCardTaken(ctx, tx, number)
		} else if err != nil {
			return err
		}
		out = r.card()
		return s.recordOldCardTx(ctx, tx, "oldcard.add", m, r, map[string]any{"note": note})
	})
	return out, err
}

// oldCardTaken tells staff whose the number is.
func (s *Service) oldCardTaken(ctx context.Context, tx *db.Tx, number string) error {
	r, found, err := readOldCard(ctx, tx, number, "")
	if err != nil || !found {
		return errors.Join(err, ErrOldCardTaken)
	}
	return ErrOldCardTaken.On("no", "已登记在另一位会员名下").Give(map[string]any{"memberId": r.MemberID})
}

// OldCards lists a member's old cards, oldest first.
func (s *Service) OldCards(ctx context.Context, memberID int64) ([]OldCard, error) {
	rows, err := oldCardsOf(ctx, s.db, memberID, "")
	out := make([]OldCard, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.card())
	}
	return out, err
}

// LoseOldCard marks a card as lost, or as found again: a lost one binds nobody. Faults: fault.ErrNotFound, fault.ErrInvalid.
func (s *Service) LoseOldCard(ctx context.Context, memberID, id int64, lost bool, reason string) (out OldCard, err error) {
	action := "oldcard.found"
	if lost {
		action = "oldcard.lost"
	}
	err = s.changeOldCard(ctx, memberID, id, action, reason, func(tx *db.Tx, r *oldCardRow) error {
		if lost == (r.LostAt != nil) {
			out = r.card()
			return nil
		}
		r.LostAt = nil
		if lost {
			now := tx.Millis()
			r.LostAt = &now
		}
		out = r.card()
		return loseOldCardTx(ctx, tx, *r)
	})
	return out, err
}

// RemoveOldCard takes a card off a member: it was registered by mistake. Faults: fault.ErrNotFound, fault.ErrInvalid.
func (s *Service) RemoveOldCard(ctx context.Context, memberID, id int64, reason string) error {
	return s.changeOldCard(ctx, memberID, id, "oldcard.remove", reason, func(tx *db.Tx, r *oldCardRow) error { return deleteOldCardTx(ctx, tx, r.ID) })
}

func (s *Service) changeOldCard(ctx context.Context, memberID, id int64, action, reason string, fn func(tx *db.Tx, r *oldCardRow) error) error {
	var c fault.Complaints
	reason, complaint := cleanText(reason, 200)
	c.Bad("reason", complaint)
	if err := c.First(); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		m, err := s.readMember(ctx, tx, memberID, tx.ForUpdate())
		if err != nil {
			return err
		}
		have, err := oldCardsOf(ctx, tx, memberID, tx.ForUpdate())
		if err != nil {
			return err
		}
		for i := range have {
			if have[i].ID != id {
				continue
			}
			if err := fn(tx, &have[i]); err != nil {
				return err
			}
			return s.recordOldCardTx(ctx, tx, action, m, have[i], map[string]any{"reason": reason})
		}
		return fault.ErrNotFound
	})
}

func (s *Service) recordOldCardTx(ctx context.Context, tx *db.Tx, action string, m memberRow, r oldCardRow, detail map[string]any) error {
	detail["oldCardId"] = r.ID
	return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "member", SubjectID: m.ID, SubjectLabel: s.label(m) + " 实体卡 " + tail(r.No), StoreID: r.StoreID, Detail: detail})
}

// tail keeps the last four characters of a card number.
func tail(no string) string { return "…" + no[max(0, len(no)-4):] }

// BindOldCard makes the acting identity one of the member's whose old card and phone it proves. Whatever does not fit,
// the answer is the same, and it is counted. Faults: ErrPhoneToken, ErrOldCard, fault.ErrTooMany, and those of Bind.
func (s *Service) BindOldCard(ctx context.Context, no, token string, charter int64) (Joined, error) {
	me := actor.From(ctx)
	if me.Kind != actor.Owner {
		return Joined{}, fault.ErrNoSession
	}
	phone, err := s.readPhoneToken(me.ID, token)
	if err != nil {
		return idem.Or[Joined](ctx, s.db, err)
	}
	mine, theirs := fmt.Sprintf("oldcard:%d", me.ID), "oldcard:a:"+s.box.Index("member.address", actor.Network(me.IP))
	if err := errors.Join(s.throttle(ctx, mine, oldCardFailures), s.throttle(ctx, theirs, oldCardAddress)); err != nil {
		return Joined{}, fault.As(err)
	}
	var out Joined
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		j, err := once(ctx, tx, func() (Joined, error) { return s.bindOldCardTx(ctx, tx, me.ID, cleanOldCard(no), phone, charter) })
		out = j
		return err
	})
	if errors.Is(err, ErrOldCard) {
		if cerr := errors.Join(s.count(ctx, mine, time.Hour), s.count(ctx, theirs, time.Hour)); cerr != nil {
			return Joined{}, cerr
		}
	}
	return out, err
}

func (s *Service) bindOldCardTx(ctx context.Context, tx *db.Tx, identityID int64, number, phone string, charter int64) (Joined, error) {
	card, found, err := readOldCard(ctx, tx, number, "")
	if err != nil {
		return Joined{}, err
	}
	m, known, err := s.byPhone(ctx, tx, phone, "")
	switch {
	case err != nil:
		return Joined{}, err
	case !found, !known, card.LostAt != nil, card.MemberID != m.ID:
		return Joined{}, ErrOldCard
	}
	return s.bindTx(ctx, tx, identityID, phone, charter)
}
