// Package actor says who is acting, from the HTTP edge down to the audit trail.
//
// Model: an Actor is an owner's WeChat identity, a staff account, a job or nobody; it travels in the context.
// Owns: nothing. Invariants: rules read the actor from the context, never from request fields.
package actor

import (
	"context"
	"slices"
)

// Kind says what sort of actor it is.
type Kind string

// The kinds of actor.
const (
	None   Kind = "none"
	Owner  Kind = "owner"  // a car owner's WeChat identity; MemberID is 0 before joining
	Staff  Kind = "staff"  // a staff account
	System Kind = "system" // a job or a command line
)

// Actor is who does something.
type Actor struct {
	Kind        Kind
	ID          int64  // identity id of an owner, account id of staff
	Name        string // shown in records and in the audit trail
	MemberID    int64  // owner: the member, 0 before joining
	App         string // owner: "mini_program" or "official_account"
	SessionID   int64
	Permissions []string
	AllStores   bool    // staff: may act in every store
	Stores      []int64 // staff: the stores otherwise
	IP          string
}

// Can says whether the actor holds the permission.
func (a Actor) Can(permission string) bool {
	return a.Kind == System || slices.Contains(a.Permissions, permission)
}

// InStore says whether the actor may act in the store.
func (a Actor) InStore(storeID int64) bool {
	return a.Kind == System || a.AllStores || slices.Contains(a.Stores, storeID)
}

type key struct{}

// With returns a context in which a acts.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, key{}, a) }

// From returns who acts in ctx; Kind None when nobody was set.
func From(ctx context.Context) Actor {
	if a, ok := ctx.Value(key{}).(Actor); ok {
		return a
	}
	return Actor{Kind: None}
}

// Job is the system actor with the name of the job or command.
func Job(name string) Actor { return Actor{Kind: System, Name: name} }
