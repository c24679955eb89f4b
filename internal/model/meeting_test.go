package model

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// command is one of several that meet. Its context makes it wait for its turn.
type command struct {
	name string
	do   func(ctx context.Context)
}

// inTurns runs commands so that one of them works at a time: it is held before each of its transactions, and choose says who of those that wait goes on.
func inTurns(ctx context.Context, commands []command, choose func(waiting []int) int) {
	type news struct {
		who  int
		done bool
	}
	heard := make(chan news)
	turn := make([]chan struct{}, len(commands))
	for i, c := range commands {
		turn[i] = make(chan struct{})
		hold := func() {
			heard <- news{who: i}
			<-turn[i]
		}
		go func() {
			hold()
			c.do(db.WithSteps(ctx, func(at db.Step) {
				if at == db.StepBegin {
					hold()
				}
			}))
			heard <- news{who: i, done: true}
		}()
	}
	var waiting []int
	for range commands {
		waiting = append(waiting, (<-heard).who)
	}
	slices.Sort(waiting)
	for len(waiting) > 0 {
		at := choose(waiting)
		turn[waiting[at]] <- struct{}{}
		if n := <-heard; n.done {
			waiting = slices.Delete(waiting, at, at+1)
		}
	}
}

// orders runs something in one order of turns after the other: in every order when there are no more than most of them, else in so many that are drawn.
// It returns how many it tried and whether those were all.
func orders(most int, run func(choose func(waiting []int) int)) (tried int, all bool) {
	var path, width []int // the decisions of the last run, and how many there were to choose from
	for tried < most {
		depth := 0
		width = width[:0]
		run(func(waiting []int) int {
			if depth == len(path) {
				path = append(path, 0)
			}
			width = append(width, len(waiting))
			depth++
			return path[depth-1]
		})
		tried++
		path = path[:depth]
		for len(path) > 0 && path[len(path)-1]+1 == width[len(path)-1] {
			path = path[:len(path)-1]
		}
		if len(path) == 0 {
			return tried, true
		}
		path[len(path)-1]++
	}
	r := rand.New(rand.NewPCG(uint64(most), 5))
	for range most {
		run(func(waiting []int) int { return r.IntN(len(waiting)) })
		tried++
	}
	return tried, false
}

// patience is how long a command waits for the others before it commits: they may be unable to come, because it holds what they wait for. Nothing
// depends on it but how closely they meet. Without guards hardly anything keeps anybody from coming, however busy the machine is.
func patience() time.Duration {
	if unguarded {
		return 500 * time.Millisecond
	}
	return 15 * time.Millisecond
}

// atOnce lets commands run truly at the same time. Where several can write at once, each of them waits before it commits until the others are about to
// commit too: all have decided before any is done, unless a lock keeps them apart.
func atOnce(ctx context.Context, commands []command, several bool) {
	m := meeting{expected: len(commands), met: make(chan struct{})}
	gate := make(chan struct{})
	var all sync.WaitGroup
	for _, c := range commands {
		all.Go(func() {
			<-gate
			c.do(db.WithSteps(ctx, func(at db.Step) {
				if at == db.StepCommit && several {
					m.wait()
				}
			}))
			m.leave()
		})
	}
	close(gate)
	all.Wait()
}

// meeting is a place where everybody who is still expected waits for the others.
type meeting struct {
	mu       sync.Mutex
	expected int
	here     int
	met      chan struct{} // closed when all are here
}

func (m *meeting) wait() {
	m.mu.Lock()
	m.here++
	met := m.met
	m.ends()
	m.mu.Unlock()
	timer := time.NewTimer(patience())
	defer timer.Stop()
	select {
	case <-met:
	case <-timer.C:
		m.mu.Lock()
		if met == m.met { // not met meanwhile
			m.here--
		}
		m.mu.Unlock()
	}
}

// leave says that somebody does not come any more.
func (m *meeting) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expected--
	m.ends()
}

func (m *meeting) ends() {
	if m.here > 0 && m.here >= m.expected {
		m.here = 0
		close(m.met)
		m.met = make(chan struct{})
	}
}
