package httpapi

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/liangche/liangche/internal/fault"
)

// maxBusy bounds the operations under way in an instance: about as many as it finishes in two seconds on a small machine. Who comes on top is refused at
// once and may try again; behind a longer line everybody's answer would come when nobody waits for it any more. Streams have their own bound.
const maxBusy = 2048

// enter counts an operation in; leave counts it out. It answers by itself, and returns nil, when there are too many.
func (r *Router) enter(c huma.Context, op Op) (leave func()) {
	if op.live {
		return func() {}
	}
	if r.busy.Add(1) > r.maxBusy {
		r.busy.Add(-1)
		c.SetHeader("Retry-After", "1")
		writeProblem(c, r.problem(c.Context(), fault.ErrUnavailable))
		return nil
	}
	return func() { r.busy.Add(-1) }
}
