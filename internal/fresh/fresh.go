// Package fresh keeps a copy of a small, rarely changed table in memory for a moment, and answers for as long as they are exact.
//
// Model: a Value holds what was loaded last and when; Get serves it while it is young and loads it again afterwards. A Kept holds answers, each with
// the state of the world that it was given in, and serves it while that is the same.
// Owns: nothing. Invariants: a copy is never older than MaxAge plus one load; after Forget or Renew the writer
// sees its own write; a load that began before never puts the old rows back; callers that find an old copy while another
// one refreshes it go on with it, because they may hold a connection and the refresh needs one.
package fresh

import (
	"context"
	"sync"
	"time"
)

// MaxAge is how old a copy may be when it is served without a new load.
const MaxAge = 2 * time.Second

// Value is a remembered T. The zero value is empty and ready.
type Value[T any] struct {
	mu      sync.Mutex
	val     T
	at      time.Time
	full    bool
	version int // counts own writes
	least   int // loads that began at an older version are not kept
	edition uint64
	loading sync.Mutex
}

// Get returns the copy, or what load returns. now is the clock's; a copy from the future counts as old. The result
// is shared: callers must not change it.
func (v *Value[T]) Get(ctx context.Context, now time.Time, load func(context.Context) (T, error)) (T, error) {
	val, _, err := v.Edition(ctx, now, load)
	return val, err
}

// Edition is Get for who keeps something that was derived from the copy: the number is another one for every copy, and
// what is read after a number was is never older than its copy. 0 is a value that was not kept: derive and forget.
func (v *Value[T]) Edition(ctx context.Context, now time.Time, load func(context.Context) (T, error)) (T, uint64, error) {
	v.mu.Lock()
	val, full, version, edition, age := v.val, v.full, v.version, v.edition, now.Sub(v.at)
	v.mu.Unlock()
	if full && age >= 0 && age < MaxAge {
		return val, edition, nil
	}
	if full {
		if !v.loading.TryLock() {
			return val, edition, nil
		}
		defer v.loading.Unlock()
	}
	val, err := load(ctx)
	if err != nil {
		return val, 0, err
	}
	return val, v.keep(val, now, version), nil
}

// keep takes a load that began at a version as the copy, unless something newer is known of. It returns the edition.
func (v *Value[T]) keep(val T, now time.Time, version int) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if version < v.least {
		return 0
	}
	v.val, v.full, v.at, v.least = val, true, now, version
	v.edition++
	return v.edition
}

// Renew loads anew: call it after the commit of a write, where the copy is asked for inside transactions. The old copy serves the others until then,
// so that none of them needs a second connection, of which there may be none. When the load fails the copy is dropped.
func (v *Value[T]) Renew(ctx context.Context, now time.Time, load func(context.Context) (T, error)) {
	v.mu.Lock()
	v.version++
	version := v.version
	v.mu.Unlock()
	val, err := load(context.WithoutCancel(ctx))
	if err != nil {
		v.Forget()
		return
	}
	v.keep(val, now, version)
}

// Forget drops the copy: call it after the commit of a write.
func (v *Value[T]) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	var zero T
	v.val, v.full, v.version = zero, false, v.version+1
	v.least = v.version
}
