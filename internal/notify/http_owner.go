package notify

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
)

// GrantInput is what WeChat answered when the owner was asked.
type GrantInput struct {
	Results []GrantResult `json:"results" minItems:"1" maxItems:"5"`
}

// GrantCounts is what may still be sent to the owner.
type GrantCounts struct {
	Counts []GrantCount `json:"counts"`
}

// Routes registers the owner's operations.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "ownerGrants", Method: http.MethodPost, Path: "/api/owner/grants",
		Summary: "Report which messages the owner allowed", Who: httpapi.Owner},
		func(ctx context.Context, in *httpapi.Body[GrantInput]) (GrantCounts, error) {
			counts, err := s.Grant(ctx, in.Body.Results)
			return GrantCounts{counts}, err
		})
}
