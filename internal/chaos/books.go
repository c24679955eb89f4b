package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// books are what the people of a site know by themselves: which commands were answered, and what each of them must hold because of it. The checks
// compare the database with them. Nothing in here comes from the database.
type books struct {
	mu     sync.Mutex
	tally  tally
	acks   []ack
	ids    map[string]string // "order 17" → the key that was answered so
	count  map[string]int    // "order" → how many were answered
	begun  map[string]int    // "topup" → how many were refused although they exist
	open   map[string]ack    // by key: sent, without an answer so far
	holds  map[int64]int64   // member → fen on the card
	paid   map[string]int64  // out_trade_no → fen, paid at WeChat
	booked map[int64]*kept   // by booking
	undone map[int64]bool    // orders of the till that were reversed
	ended  map[int64]string  // how orders of the mall ended
	stock  int64             // brought into the mall
}

// ack is a command that was answered.
type ack struct {
	who    *phone
	path   string
	key    string
	body   obj
	kind   string
	at     string // what the answer calls the thing that it made; "" when it makes none
	may    string // with what it may be refused beside what its kind may always be
	did    effect
	result int64 // what it made
}

// effect is what a command does to what its member has, as who gave it knows from what was quoted and answered.
type effect struct {
	member  int64
	fen     int64   // taken from the card
	coupons []int64 // used
	uses    int64   // of passes, taken; negative: bought
	points  int64   // brought
	code    string  // with which an order of the mall is collected
}

// hear adds what only the answer says.
func (e *effect) hear(a answer) {
	e.points += max(a.i("pointsEarned"), 0)
	e.code = a.s("order.pickupCode")
}

// kept is a booking as its owner was last told.
type kept struct {
	member int64
	state  string
	busy   bool // somebody is about to change it
}

func newBooks() *books {
	return &books{ids: map[string]string{}, count: map[string]int{}, begun: map[string]int{}, open: map[string]ack{}, holds: map[int64]int64{}, paid: map[string]int64{}, booked: map[int64]*kept{},
		undone: map[int64]bool{}, ended: map[int64]string{}}
}

func (b *books) locked(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// opened is the first money on a card.
func (b *books) opened(member, fen int64) {
	b.locked(func() { b.holds[member] += fen; b.count["topup"]++ })
}

// sent notes a command that has no answer yet.
func (b *books) sent(a ack) { b.locked(func() { b.open[a.key] = a }) }

// answered notes what became of it; code is the reason when it was refused. It returns what must not be: two commands that made the same thing.
func (b *books) answered(a ack, retries int, done bool, code string) (wrong string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open, a.key)
	b.tally.retried += retries
	if !done {
		b.tally.refused++
		if strings.HasPrefix(code, "payment.") {
			b.begun[a.kind]++ // it exists, and its time was over before it could be paid
		}
		return ""
	}
	b.tally.acked++
	if a.result == 0 {
		return ""
	}
	id := fmt.Sprintf("%s %d", a.kind, a.result)
	if other, known := b.ids[id]; known && other != a.key {
		wrong = fmt.Sprintf("the commands %s and %s were both answered with %s", other, a.key, id)
	}
	b.ids[id] = a.key
	b.count[a.kind]++
	b.acks = append(b.acks, a)
	return wrong
}

// moved changes what a member must hold.
func (b *books) moved(member, fen int64) { b.locked(func() { b.holds[member] += fen }) }

// some is one of the last n commands of a kind that made something; false when there is none.
func (b *books) some(r *rand.Rand, kind string, n int) (a ack, found bool) {
	var last []ack
	b.locked(func() {
		for i := len(b.acks) - 1; i >= 0 && len(last) < n; i-- {
			if b.acks[i].kind == kind {
				last = append(last, b.acks[i])
			}
		}
	})
	if len(last) == 0 {
		return a, false
	}
	return last[r.IntN(len(last))], true
}

// lives says whether what a command did still stands. The books are locked.
func (b *books) lives(a ack) bool {
	return !(a.kind == "order" && b.undone[a.result]) && !(a.kind == "exchange" && b.ended[a.result] == "cancelled")
}

// unanswered are the keys of the commands that wait for an answer.
func (b *books) unanswered() (keys []string) {
	b.locked(func() {
		for k := range b.open {
			keys = append(keys, k)
		}
	})
	return keys
}

// spare takes a booking of a member that could be given back; 0 when there is none.
func (b *books) spare(member int64) (id int64) {
	b.locked(func() {
		for i, k := range b.booked {
			if k.member == member && !k.busy && k.state != "cancelled" {
				id, k.busy = i, true
				return
			}
		}
	})
	return id
}

// told notes what the owner of a booking was told; then others may change it.
func (b *books) told(id, member int64, state string, busy bool) {
	b.locked(func() {
		if k := b.booked[id]; k != nil && state == "" {
			state = k.state
		}
		b.booked[id] = &kept{member, state, busy}
	})
}
