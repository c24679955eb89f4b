package points

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/perm"
)

// Entry is one change of a member's points.
type Entry struct {
	ID     int64     `json:"id"`
	Kind   string    `json:"kind" doc:"points_earn, points_gift, points_spend, points_return, points_expire, points_clawback, points_adjust, benefit, reversal"`
	Title  string    `json:"title"`
	Memo   string    `json:"memo"`
	Points int64     `json:"points" doc:"Negative when they went"`
	After  int64     `json:"after"`
	At     time.Time `json:"at"`
}

func (s *Service) entries(ctx context.Context, memberID int64, p httpapi.Paging) (page httpapi.Page[Entry], err error) {
	before, _ := strconv.ParseInt(p.After, 10, 64) // a cursor that is none starts from the newest
	list, err := ledger.Movements(ctx, s.db, memberID, ledger.Points, before, p.Limit)
	for _, m := range list {
		page.Items = append(page.Items, Entry{m.Seq, m.Kind, m.Title, m.Memo, m.Amount, m.After, m.At})
	}
	if len(list) == p.Limit {
		page.Next = strconv.FormatInt(list[len(list)-1].Seq, 10)
	}
	return page, err
}

// Routes declares the operations of the slice.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "ownerPoints", Method: http.MethodGet, Path: "/api/owner/points", Who: httpapi.Member, Summary: "My points, what expires and what I owe"},
		func(ctx context.Context, _ *httpapi.None) (Summary, error) {
			return s.Of(ctx, actor.From(ctx).MemberID)
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerPointsList", Method: http.MethodGet, Path: "/api/owner/points/entries", Who: httpapi.Member, Summary: "How my points changed, newest first"},
		func(ctx context.Context, in *httpapi.Paging) (httpapi.Page[Entry], error) {
			return s.entries(ctx, actor.From(ctx).MemberID, *in)
		})
	httpapi.Register(r, httpapi.Op{ID: "staffMemberPoints", Method: http.MethodGet, Path: "/api/staff/members/{id}/points", Who: httpapi.Staff, Permission: perm.PointsRead, Summary: "A member's points"},
		func(ctx context.Context, in *httpapi.ByID) (Summary, error) { return s.member(ctx, in.ID) })
	s.consoleRoutes(r)
}

func (s *Service) member(ctx context.Context, id int64) (Summary, error) {
	if err := s.exists(ctx, id); err != nil {
		return Summary{}, err
	}
	return s.Of(ctx, id)
}
