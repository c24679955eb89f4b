package campaign

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

// basis is for what a purchase brought a gift, frozen when it was given: what goes back of the money later is measured by it.
type basis struct {
	MinFen   money.Fen `json:"minFen,omitempty"`
	StepFen  money.Fen `json:"stepFen,omitempty"`
	StepMost int       `json:"stepMost,omitempty"`
}

func (r Rule) basis() basis { return basis{r.Terms.MinFen, r.Terms.StepFen, r.Terms.StepMost} }

// times is how often money brings the gift.
func (b basis) times(fen money.Fen) int64 {
	switch {
	case fen <= 0 || fen < b.MinFen:
		return 0
	case b.StepFen > 0:
		return min(int64(fen/b.StepFen), int64(b.StepMost))
	}
	return 1
}

// of is the gift so many times.
func (g Gift) of(times int64) Gift {
	out := slices.Clone(g)
	for i := range out {
		out[i].N *= times
	}
	return out
}

// stays is how many of n presents stay when of what was paid only kept is left: points in proportion, rounded down as when they are earned; the rest,
// and all of what each full amount brings, as the money still brings it.
func (b basis) stays(p Present, paid, kept money.Fen) int64 {
	switch {
	case kept >= paid:
		return p.N
	case kept <= 0:
		return 0
	case p.Kind == Points && b.StepFen == 0:
		return p.N * int64(kept) / int64(paid)
	}
	return p.N * b.times(kept) / max(b.times(paid), 1)
}

// keep writes presents into the row.
func (x *giftRow) keep(list []given) error {
	text, err := json.Marshal(list)
	x.Presents = string(text)
	return err
}

func (x giftRow) list() (list []given, err error) {
	return list, json.Unmarshal([]byte(x.Presents), &list)
}

// base writes the basis into the row: nothing for what is no purchase.
func (x *giftRow) base(b basis) error {
	if b == (basis{}) {
		return nil
	}
	text, err := json.Marshal(b)
	x.Basis = string(text)
	return err
}

func (x giftRow) basis() (b basis, err error) {
	if x.Basis != "" {
		err = json.Unmarshal([]byte(x.Basis), &b)
	}
	return b, err
}

// shrinkTx takes back what a gift was given for the money that went back: kept is what is left of paid. Doing it again takes nothing more.
func (s *Service) shrinkTx(ctx context.Context, tx *db.Tx, dedupe string, paid, kept money.Fen) error {
	if kept <= 0 {
		_, err := s.TakeBackTx(ctx, tx, dedupe)
		return err
	}
	row, err := giftBy(ctx, tx, dedupe, tx.ForUpdate())
	if err != nil || row.State != Given {
		return err
	}
	list, err := row.list()
	b, err2 := row.basis()
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	moved := false
	if err := s.eachPresent(row, list, func(giver Giver, p Grant, i int) error {
		if p.Take = p.N - b.stays(list[i].Present, paid, kept) - p.Back; p.Take < 1 {
			return nil
		}
		list[i].Back += p.Take
		moved = true
		return giver.TakeBackTx(ctx, tx, p)
	}); err != nil || !moved {
		return err
	}
	if err := row.keep(list); err != nil {
		return err
	}
	return keepPresents(ctx, tx, row)
}
