package notify

import (
	"math/rand/v2"
	"sync"
	"time"
)

// brakes keep one channel's trouble from eating the workers that other jobs need: after a few failures in a row nobody calls that channel
// for a while, and a used-up quota is not asked for again before its next period.
type brakes struct {
	mu sync.Mutex
	by map[string]*brake
}

type brake struct {
	fails int
	until time.Time
	quota bool
}

// patience is how many failures in a row a channel may have.
const patience = 5

func (b *brakes) of(channel string) *brake {
	if b.by == nil {
		b.by = map[string]*brake{}
	}
	if b.by[channel] == nil {
		b.by[channel] = &brake{}
	}
	return b.by[channel]
}

// closed says until when nobody may call the channel, and whether that is for a quota.
func (b *brakes) closed(channel string, now time.Time) (until time.Time, quota bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.of(channel); x.until.After(now) {
		return x.until, x.quota
	}
	return time.Time{}, false
}

// answered notes that the channel works.
func (b *brakes) answered(channel string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.of(channel)
	x.fails, x.quota, x.until = 0, false, time.Time{}
}

// failed notes that the channel could not be reached.
func (b *brakes) failed(channel string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.of(channel)
	if x.fails++; x.fails >= patience {
		x.quota, x.until = false, now.Add(min(15*time.Second<<min(x.fails-patience, 5), 5*time.Minute))
	}
}

// used notes that the quota of a channel is used up.
func (b *brakes) used(channel string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.of(channel)
	x.quota, x.until = true, until
}

// maxTries is how many calls a message may cost: with retryIn about eight hours without an answer.
const maxTries = 24

// retryIn doubles from 5 s to 30 min, with a quarter of jitter.
func retryIn(attempts int) time.Duration {
	d := min(5*time.Second<<min(max(attempts, 1)-1, 9), 30*time.Minute)
	return d + rand.N(d/4)
}
