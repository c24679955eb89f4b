package db

import "context"

// Step says where a transaction stands.
type Step string

// The steps.
const (
	StepBegin  Step = "begin"  // before it begins, and before each try after the first
	StepCommit Step = "commit" // when it has read all that it decides on, before the last of its changes and the commit
)

type stepKey struct{}

// WithSteps makes every transaction under the context call at before each of its steps, on the goroutine that runs it: the seam at which tests hold one
// command while another one runs. A Combiner's batch steps with the context of its first command.
func WithSteps(ctx context.Context, at func(Step)) context.Context {
	return context.WithValue(ctx, stepKey{}, at)
}

// stepsOf is what WithSteps put into a context; it does nothing where there is none.
func stepsOf(ctx context.Context) func(Step) {
	if at, ok := ctx.Value(stepKey{}).(func(Step)); ok {
		return at
	}
	return func(Step) {}
}

// guarded is never false but in a test binary of internal/model that is built to be wrong, to show that its tests notice: then no row is locked, and nobody
// looks whether a guarded statement hit its row. Nothing in this program changes it.
var guarded = true
