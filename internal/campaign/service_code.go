package campaign

import (
	"context"
	"fmt"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/secret"
)

// CreateBatch makes a batch; its codes are drawn by the export. Faults: fault.ErrInvalid, ErrGift.
func (s *Service) CreateBatch(ctx context.Context, in BatchInput) (out Batch, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		var c fault.Complaints
		in.check(&c, tx.Now)
		if err := c.Err(); err != nil {
			return err
		}
		if _, err := s.CheckGift(ctx, tx, "gift", in.Gift); err != nil {
			return err
		}
		b := Batch{ID: tx.NewID(), Name: in.Name, Kind: in.Kind, Partner: in.Partner, Gift: in.Gift, Count: in.Count, PerMember: in.PerMember, StartsAt: tx.Now,
			State: BatchOpen, CreatedBy: db.Clip(actor.From(ctx).Name, 60), CreatedAt: tx.Now}
		if in.StartsAt != nil {
			b.StartsAt = *in.StartsAt
		}
		if in.EndsAt != nil {
			b.EndsAt = *in.EndsAt
		}
		if err := insertBatch(ctx, tx, b); err != nil {
			return err
		}
		out = b
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "code_batch.create", SubjectKind: "code_batch", SubjectID: b.ID, SubjectLabel: b.Name, Detail: in})
	})
	return out, err
}

// Export draws the codes of a batch and returns them, this once: afterwards only their blind indexes are known. Faults: ErrExported, ErrStopped,
// fault.ErrNotFound.
func (s *Service) Export(ctx context.Context, id int64) (out []string, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		b, err := readBatch(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		if b.State != BatchOpen {
			return ErrStopped
		}
		if err := markExported(ctx, tx, id, db.Clip(actor.From(ctx).Name, 60)); err != nil {
			return err
		}
		codes := make([]string, 0, b.Count)
		rows := make([]codeRow, 0, 500)
		for len(codes) < b.Count {
			code := secret.Code(codeLen)
			codes = append(codes, shown(code))
			rows = append(rows, codeRow{ID: tx.NewID(), BatchID: id, Hash: s.hash(code), Tail: code[8:], CreatedAt: tx.Millis()})
			if len(rows) == cap(rows) || len(codes) == b.Count {
				if err := tx.Insert(ctx, "campaign_codes", rows); err != nil {
					return err
				}
				rows = rows[:0]
			}
		}
		out = codes
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "code_batch.export", SubjectKind: "code_batch", SubjectID: id, SubjectLabel: b.Name, Detail: map[string]any{"count": b.Count}})
	})
	return out, err
}

// StopBatch ends a batch: what is not used yet is worth nothing any more. Fault: fault.ErrNotFound.
func (s *Service) StopBatch(ctx context.Context, id int64) (out Batch, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		b, err := readBatch(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		if b.State == BatchOpen {
			if err := stopBatch(ctx, tx, id); err != nil {
				return err
			}
			b.State, b.StoppedAt = BatchStopped, tx.Now
			if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "code_batch.stop", SubjectKind: "code_batch", SubjectID: id, SubjectLabel: b.Name, Detail: map[string]any{"used": b.Used}}); err != nil {
				return err
			}
		}
		out = b
		return nil
	})
	return out, err
}

// Redeemed is what a code brought.
type Redeemed struct {
	Title string `json:"title" doc:"What the card is called"`
	Gift  string `json:"gift" doc:"What was given, in words"`
}

// Redeem gives the acting owner the gift of a code. It is a money command. Faults: ErrUnknown, ErrUsed, ErrStopped, ErrExpired, ErrEarly, ErrLimit,
// those of member.Standing.MayTopUp.
func (s *Service) Redeem(ctx context.Context, code string) (out Redeemed, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (Redeemed, error) { return s.redeemTx(ctx, tx, actor.From(ctx).MemberID, code) })
		out = got
		return err
	})
	return out, err
}

func (s *Service) redeemTx(ctx context.Context, tx *db.Tx, memberID int64, code string) (out Redeemed, err error) {
	plain := plainCode(code)
	if plain == "" {
		return out, ErrUnknown.On("code", "兑换码是 12 位字母和数字")
	}
	c, err := codeOf(ctx, tx, s.hash(plain))
	if err != nil {
		return out, err
	}
	if c.UsedAt != 0 {
		return out, ErrUsed
	}
	b, err := readBatch(ctx, tx, c.BatchID, "")
	if err != nil {
		return out, err
	}
	if err := b.usable(tx.Now); err != nil {
		return out, err
	}
	st, err := s.members.StandingTx(ctx, tx, memberID)
	if err != nil {
		return out, err
	}
	if err := st.MayTopUp(); err != nil {
		return out, err
	}
	if err := s.useCode(ctx, tx, c, memberID, b.PerMember); err != nil {
		return out, err
	}
	if _, err := s.GiveTx(ctx, tx, Give{MemberID: memberID, Source: "code", RefID: c.ID, Dedupe: fmt.Sprintf("code:%d", c.ID), Title: b.Name, Gift: b.Gift}); err != nil {
		return out, err
	}
	out.Title = b.Name
	if out.Gift, err = s.Title(ctx, tx, b.Gift); err != nil {
		return out, err
	}
	return out, audit.RecordTx(ctx, tx, audit.Entry{Action: "code.redeem", SubjectKind: "member", SubjectID: memberID, SubjectLabel: st.PhoneMasked,
		Detail: map[string]any{"batchId": b.ID, "batch": b.Name, "tail": c.Tail}})
}

// hash is the blind index of a code: without the key, nobody finds the code that belongs to it.
func (s *Service) hash(code string) string { return s.box.Index("campaign.code", code) }
