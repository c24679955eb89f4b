package slot

import (
	"context"

	"github.com/liangche/liangche/internal/db"
)

// Held are the claims that owners have now, as few spans as possible, by resource and time; owners without cells are absent.
func (s *Service) Held(ctx context.Context, r db.Reader, ownerIDs ...int64) (map[int64][]Claim, error) {
	rows, err := readCells(ctx, r, ownerIDs)
	out := map[int64][]Claim{}
	for _, c := range rows {
		list := out[c.OwnerID]
		if n := len(list); n > 0 && list[n-1].ResourceID == c.ResourceID && list[n-1].To == c.Cell {
			list[n-1].To++
			continue
		}
		out[c.OwnerID] = append(list, Claim{c.ResourceID, Span{c.Cell, c.Cell + 1}})
	}
	return out, err
}
