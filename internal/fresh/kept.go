package fresh

import "sync"

// Kept remembers, for every question, the last answer and the state of the world that it was given in. An answer is used only while the state is the
// same, so it is as good as a new one; which state that is, its user reads anew each time. The zero value is empty and ready.
type Kept[Q comparable, A any, S comparable] struct {
	mu  sync.Mutex
	all map[Q]*keptAnswer[A, S]
}

type keptAnswer[A any, S comparable] struct {
	mu    sync.Mutex
	state S
	value A
	full  bool
}

// maxKept bounds the memory: the longest answers are some 100 kB.
const maxKept = 128

func (k *Kept[Q, A, S]) at(q Q) *keptAnswer[A, S] {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.all[q]
	if e == nil {
		if k.all == nil {
			k.all = map[Q]*keptAnswer[A, S]{}
		}
		if len(k.all) >= maxKept {
			for old := range k.all { // any of them: whoever still asks is answered anew
				delete(k.all, old)
				break
			}
		}
		e = &keptAnswer[A, S]{}
		k.all[q] = e
	}
	return e
}

// Get answers q in a state: with what is kept, or what find returns. Those who ask the same at the same moment wait for one who finds it. find must
// not look at anything older than the state.
func (k *Kept[Q, A, S]) Get(q Q, now S, find func() (A, error)) (A, error) {
	e := k.at(q)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.full && e.state == now {
		return e.value, nil
	}
	v, err := find()
	if err == nil {
		e.value, e.state, e.full = v, now, true
	}
	return v, err
}
