package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
)

// Guesses dams codes that people type, so that nobody finds one by trying: ten at once and then one in ten seconds for each person, sixty and then one
// a second for each address, because many phones share a carrier's.
type Guesses struct{ people, addresses *Limiter }

// NewGuesses returns a dam of its own for one kind of code. Every operation that says whether such a code exists shares it.
func NewGuesses() *Guesses {
	return &Guesses{NewLimiter(10*time.Second, 10), NewLimiter(time.Second, 60)}
}

func tooManyGuesses() error {
	return fault.ErrTooMany.Say("输入次数太多，请等一分钟再试；如码不清楚，请联系发放的门店")
}

// guesser is the key of who acts.
func guesser(who actor.Actor) string {
	if who.MemberID != 0 {
		return fmt.Sprintf("member:%d", who.MemberID) // one person with several phones
	}
	return fmt.Sprintf("%v:%d", who.Kind, who.ID)
}

// Allow counts one try of the acting person at instant now. Fault: fault.ErrTooMany.
func (g *Guesses) Allow(ctx context.Context, now time.Time) error {
	who := actor.From(ctx)
	if g.people.Allow(now, guesser(who)) != nil || (who.IP != "" && g.addresses.Allow(now, who.IP) != nil) {
		return tooManyGuesses()
	}
	return nil
}

// Try looks a code up at instant now and counts it only when it fails with one of wrong: a link that is tapped, or a code that is scanned, exists, and a
// crowd that opens the same page behind one address guesses nothing. Faults: fault.ErrTooMany, and what look returns.
func Try[T any](ctx context.Context, g *Guesses, now time.Time, look func() (T, error), wrong ...error) (out T, err error) {
	who := actor.From(ctx)
	back, err := g.people.take(now, guesser(who)) // taken first, so that tries at once are counted too
	if err != nil || (who.IP != "" && g.addresses.spent(now, who.IP)) {
		return out, tooManyGuesses()
	}
	out, err = look()
	switch {
	case !slices.ContainsFunc(wrong, func(w error) bool { return errors.Is(err, w) }):
		back()
	case who.IP != "":
		_ = g.addresses.Allow(now, who.IP) // the next one feels it
	}
	return out, err
}
