// Package id makes the system's primary keys.
//
// Model: an id is an int64 below 2^53 (exact in JavaScript): 41 bits of milliseconds since 2025-01-01 UTC,
// 12 bits that count and spread within the millisecond. Ids sort by time; they are no secrets.
// Owns: nothing. Invariants: one generator never returns the same id twice, even when the clock steps back;
// instances started with different node numbers do not collide within a millisecond's 4 slots of counting space.
package id

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

var epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

const lowBits = 12

// Gen makes ids. The zero value is not usable: call NewGen.
type Gen struct {
	mu   sync.Mutex
	last int64 // last id given out
}

// NewGen returns a generator. It needs no coordination: within a millisecond it starts at a random low part,
// and a collision between instances shows as a duplicate-key error that the transaction retry absorbs.
func NewGen() *Gen { return &Gen{} }

// New returns the next id at instant now.
func (g *Gen) New(now time.Time) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	ms := now.UnixMilli() - epoch
	if ms < 0 {
		ms = 0
	}
	next := ms<<lowBits | int64(randomLow())
	if next <= g.last {
		next = g.last + 1
	}
	g.last = next
	return next
}

// randomLow leaves the upper half of the low part free, so that a burst within one millisecond counts upwards
// without running into the next one.
func randomLow() uint16 {
	var b [2]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails on the supported systems; it aborts the program instead
	return binary.BigEndian.Uint16(b[:]) >> 5
}

// First is the lowest id that can be made at instant t: where a search through what was written since begins.
func First(t time.Time) int64 { return max(t.UnixMilli()-epoch, 0) << lowBits }
