package pricing

import (
	"slices"

	"github.com/liangche/liangche/internal/money"
)

// network is a flow of money from coupons to pools of units. It is kept and reset, so that a search does not allocate.
type network struct {
	source, sink []money.Fen   // what each coupon may give, what each pool may take
	edge, used   [][]money.Fen // by coupon and pool: limit and flow
	given, got   []money.Fen
	seen         []bool // pools of one search for a path
}

func (n *network) init(coupons, pools int) {
	n.source, n.sink, n.given, n.got = make([]money.Fen, coupons), make([]money.Fen, pools), make([]money.Fen, coupons), make([]money.Fen, pools)
	n.edge, n.used, n.seen = make([][]money.Fen, coupons), make([][]money.Fen, coupons), make([]bool, pools)
	for k := range n.edge {
		n.edge[k], n.used[k] = make([]money.Fen, pools), make([]money.Fen, pools)
	}
}

func (n *network) reset() {
	clear(n.source)
	clear(n.sink)
	clear(n.given)
	clear(n.got)
	for k := range n.edge {
		clear(n.edge[k])
		clear(n.used[k])
	}
}

// max pushes as much as possible, the first coupons first, and returns the sum.
func (n *network) max() (total money.Fen) {
	for k := range n.source {
		for n.given[k] < n.source[k] {
			clear(n.seen)
			pushed := n.push(k, n.source[k]-n.given[k])
			if pushed == 0 {
				break
			}
			n.given[k] += pushed
			total += pushed
		}
	}
	return total
}

// push sends at most amount from a coupon along one path: to a pool with room, or to one that another coupon can leave for a pool with room.
func (n *network) push(k int, amount money.Fen) money.Fen {
	for p := range n.sink {
		free := min(amount, n.edge[k][p]-n.used[k][p], n.sink[p]-n.got[p])
		if free > 0 {
			n.used[k][p] += free
			n.got[p] += free
			return free
		}
	}
	for p := range n.sink {
		free := min(amount, n.edge[k][p]-n.used[k][p])
		if n.seen[p] || free <= 0 {
			continue
		}
		n.seen[p] = true
		for other := range n.source {
			if other == k || n.used[other][p] == 0 {
				continue
			}
			if moved := n.push(other, min(free, n.used[other][p])); moved > 0 {
				n.used[other][p] -= moved
				n.used[k][p] += moved
				return moved
			}
		}
	}
	return 0
}

func (n *network) copyFlow() [][]money.Fen {
	out := make([][]money.Fen, len(n.used))
	for k := range n.used {
		out[k] = slices.Clone(n.used[k])
	}
	return out
}
