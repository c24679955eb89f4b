// Package clock is the only door to the time of day.
//
// Model: a Clock tells now and waits; System is the machine's, Manual is moved by hand in tests and by the demo seed.
// Owns: nothing. Invariants: no other package calls time.Now (held by internal/arch_test.go).
package clock

import (
	"sync"
	"time"
)

// Clock tells the time. Instants are UTC and cut to milliseconds, the precision of the database.
type Clock interface {
	Now() time.Time
}

type system struct{}

// System is the machine's clock.
func System() Clock { return system{} }

func (system) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Manual is a clock that stands still until it is moved.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual returns a Manual clock that shows t.
func NewManual(t time.Time) *Manual { return &Manual{now: t.UTC().Truncate(time.Millisecond)} }

// Now returns the instant that was set last.
func (m *Manual) Now() time.Time { m.mu.Lock(); defer m.mu.Unlock(); return m.now }

// Set moves the clock to t, forwards or backwards.
func (m *Manual) Set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = t.UTC().Truncate(time.Millisecond)
}

// Advance moves the clock by d.
func (m *Manual) Advance(d time.Duration) { m.Set(m.Now().Add(d)) }

// Switch is a clock that follows another one and can be pointed elsewhere: the demo seeds its
// months of history on a Manual clock, then switches to the System one.
type Switch struct {
	mu sync.RWMutex
	c  Clock
}

// NewSwitch returns a Switch that follows c.
func NewSwitch(c Clock) *Switch { return &Switch{c: c} }

// Now returns the instant of the clock that is followed.
func (s *Switch) Now() time.Time { s.mu.RLock(); defer s.mu.RUnlock(); return s.c.Now() }

// Follow points the switch at c.
func (s *Switch) Follow(c Clock) { s.mu.Lock(); defer s.mu.Unlock(); s.c = c }

// Millis is t as unix milliseconds, the form in which every instant is stored.
func Millis(t time.Time) int64 { return t.UnixMilli() }

// FromMillis is the inverse of Millis, in UTC.
func FromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// Stopwatch starts a measurement of elapsed time on the monotonic clock, for metrics and for giving up a wait: no rule of
// the shop may depend on it.
func Stopwatch() func() time.Duration {
	t := time.Now()
	return func() time.Duration { return time.Since(t) }
}

// Maybe is the instant of unix ms, the zero time for 0.
func Maybe(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return FromMillis(ms)
}

// MaybeMillis undoes Maybe.
func MaybeMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return Millis(t)
}

// FromNull is the instant of unix ms that may be NULL, then the zero time.
func FromNull(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return FromMillis(*ms)
}

// NullMillis undoes FromNull.
func NullMillis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := Millis(t)
	return &ms
}

// Pointer is t, nil for the zero time: what a client sees of an instant that may be missing.
func Pointer(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
