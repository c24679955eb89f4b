package merge

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

type previewInput struct {
	ID     int64 `path:"id" minimum:"1" doc:"The member who stays"`
	FromID int64 `query:"fromId" minimum:"1" doc:"The member who ends" required:"true"`
}

// Request merges a member into the one of the path.
type Request struct {
	FromID  int64  `json:"fromId" minimum:"1" doc:"The member who ends"`
	Confirm string `json:"confirm" maxLength:"20" doc:"As the preview says: the number of the card that ends"`
	Reason  string `json:"reason" maxLength:"200"`
	Hash    string `json:"hash" maxLength:"64" doc:"Of the preview that was confirmed"`
}

// Routes registers the operations of merging.
func (s *Service) Routes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console/members" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleMemberMergePreview", http.MethodGet, "/{id}/merge", "What merging another member into this one would move, and what is in the way", perm.MemberMerge),
		func(ctx context.Context, in *previewInput) (Preview, error) { return s.Preview(ctx, in.FromID, in.ID) })
	do := op("consoleMemberMerge", http.MethodPost, "/{id}/merge", "Merge another member into this one; it is not undone", perm.MemberMerge)
	do.Idempotent = true
	httpapi.Register(r, do, func(ctx context.Context, in *httpapi.ByIDBody[Request]) (Merge, error) {
		b := in.Body
		return s.Do(ctx, Ask{FromID: b.FromID, IntoID: in.ID, Confirm: b.Confirm, Reason: b.Reason, Hash: b.Hash})
	})
	httpapi.Register(r, op("consoleMemberMerges", http.MethodGet, "/{id}/merges", "Who was merged into a member, and into whom they were", perm.MemberRead),
		func(ctx context.Context, in *httpapi.ByID) (History, error) { return s.History(ctx, in.ID) })
}
