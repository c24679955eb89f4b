package httpapi

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
)

// Guesses dams codes that people type, so that nobody finds one by trying: ten at once and then one in ten seconds for each person, sixty and then one
// a second for each address, because many phones share a carrier's.
type Guesses struct{ people, addresses *Limiter }

// NewGuesses returns a dam of its own for one kind of code.
func NewGuesses() *Guesses {
	return &Guesses{NewLimiter(10*time.Second, 10), NewLimiter(time.Second, 60)}
}

// Allow counts one try of the acting person at instant now. Fault: fault.ErrTooMany.
func (g *Guesses) Allow(ctx context.Context, now time.Time) error {
	who := actor.From(ctx)
	key := fmt.Sprintf("%v:%d", who.Kind, who.ID)
	if who.MemberID != 0 {
		key = fmt.Sprintf("member:%d", who.MemberID) // one person with several phones
	}
	if g.people.Allow(now, key) != nil || (who.IP != "" && g.addresses.Allow(now, who.IP) != nil) {
		return fault.ErrTooMany.Say("输入次数太多，请等一分钟再试；如码不清楚，请联系发放的门店")
	}
	return nil
}
