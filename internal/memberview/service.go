package memberview

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
)

// Service answers questions about members.
type Service struct {
	db       *db.DB
	members  *member.Service
	tiers    *tier.Service
	shops    *shop.Service
	settings *setting.Service
	plans    Plans
}

// New returns the service.
func New(d *db.DB, m *member.Service, t *tier.Service, sh *shop.Service, st *setting.Service) *Service {
	return &Service{db: d, members: m, tiers: t, shops: sh, settings: st}
}

// Offer tells what can be bought, for proposals, before the first request.
func (s *Service) Offer(p Plans) *Service { s.plans = p; return s }

// onlineStore is what a record without a store is said to come from.
const onlineStore = "线上"

func (s *Service) storeNames(ctx context.Context) (func(id int64) string, error) {
	all, err := s.shops.Stores(ctx)
	names := make(map[int64]string, len(all))
	for _, st := range all {
		names[st.ID] = st.Name
	}
	return func(id int64) string {
		if id == 0 {
			return onlineStore
		}
		return names[id]
	}, err
}

// card reads the current card; nil when there is none.
func (s *Service) card(ctx context.Context, memberID int64) (*member.Card, error) {
	c, err := s.members.Card(ctx, memberID)
	if errors.Is(err, member.ErrNoCard) {
		return nil, nil //nolint:nilnil // having no card is a state that the answer shows by leaving it out
	}
	if err != nil {
		return nil, err
	}
	return &c, nil
}

func (s *Service) holding(ctx context.Context, memberID int64) (holding, error) {
	all, err := readHoldings(ctx, s.db, []int64{memberID}, s.db.Now().UnixMilli())
	return all[memberID], err
}

// records turns a member's postings into what the owner reads.
func (s *Service) records(ctx context.Context, rows []postingRow) ([]Record, error) {
	out := make([]Record, 0, len(rows))
	if len(rows) == 0 {
		return out, nil
	}
	var ids, orderIDs, topupIDs, saleIDs, backIDs []int64
	for _, p := range rows {
		ids = append(ids, p.ID)
		switch p.RefKind {
		case "order":
			orderIDs = append(orderIDs, p.RefID)
		case "topup":
			topupIDs = append(topupIDs, p.RefID)
		case "sale":
			saleIDs = append(saleIDs, p.RefID)
		case "sale_refund":
			backIDs = append(backIDs, p.RefID)
		}
	}
	names, err := s.storeNames(ctx)
	if err != nil {
		return nil, err
	}
	moves, err := movedBy(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	balance, err := balancesBefore(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	billed, err := bills(ctx, s.db, orderIDs)
	if err != nil {
		return nil, err
	}
	paid, err := paidTopups(ctx, s.db, topupIDs)
	if err != nil {
		return nil, err
	}
	bought, err := paidSales(ctx, s.db, saleIDs)
	if err != nil {
		return nil, err
	}
	back, err := refundedSales(ctx, s.db, backIDs)
	if err != nil {
		return nil, err
	}
	for _, p := range rows {
		r := Record{ID: p.ID, Seq: p.ID, Kind: p.Kind, Title: p.Title, At: clock.FromMillis(p.CreatedAt), StoreName: names(p.StoreID)}
		after, touched := balance[p.ID], false
		for _, m := range moves {
			switch {
			case m.PostingID != p.ID:
				continue
			case m.Unit == "principal":
				r.PrincipalDeltaFen += money.Fen(m.Amount)
				after[0] = m.BalanceAfter
			default:
				r.BonusDeltaFen += money.Fen(m.Amount)
				after[1] = m.BalanceAfter
			}
			touched = true
		}
		r.DeltaFen = r.PrincipalDeltaFen + r.BonusDeltaFen
		r.BalanceAfterFen = money.Fen(after[0] + after[1])
		if p.Kind == "consume" && !touched {
			r.Kind = KindWalkInTender
		}
		switch p.RefKind {
		case "order":
			r.OrderID, r.PaidFen = p.RefID, billed[p.RefID]
		case "topup":
			r.TopupID, r.PaidFen = p.RefID, paid[p.RefID]
		case "sale":
			r.SaleID, r.PaidFen = p.RefID, bought[p.RefID]
		case "sale_refund":
			r.PaidFen = back[p.RefID]
		case "merge":
			r.StoreName = ""
		default:
			r.PaidFen = max(-r.PrincipalDeltaFen, r.PrincipalDeltaFen)
		}
		out = append(out, r)
	}
	return out, nil
}

// Records pages a member's records, newest first. kind "" is all. Fault: ErrCursor.
func (s *Service) Records(ctx context.Context, memberID int64, kind, after string, limit int) ([]Record, string, error) {
	before, err := parseID(after)
	if err != nil {
		return nil, "", err
	}
	rows, err := postings(ctx, s.db, memberID, kind, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	rows, next := cutPage(rows, limit, func(p postingRow) string { return strconv.FormatInt(p.ID, 10) })
	out, err := s.records(ctx, rows)
	return out, next, err
}

// Pulse returns the member's records after since, newest first and at most 10, and the sequence to ask with next time.
// Nothing new costs one indexed read. Ids grow in the order of the commands of a member, because each takes the
// member's lock before it makes them.
func (s *Service) Pulse(ctx context.Context, memberID, since int64) (int64, []Record, error) {
	rows, err := newPostings(ctx, s.db, memberID, since, 10)
	if err != nil || len(rows) == 0 {
		return since, []Record{}, err
	}
	out, err := s.records(ctx, rows)
	return rows[0].ID, out, err
}

// blockReason says why a member cannot be served, "" when nothing is in the way; for showing only: money commands read it again under lock.
func blockReason(m member.Member, c *member.Card) string {
	st := member.Standing{MemberID: m.ID, Status: m.Status}
	if c != nil {
		st.CardID, st.CardNo, st.CardStatus = c.ID, c.No, c.Status
	}
	if err := st.Usable(); err != nil {
		return fault.As(err).Message
	}
	return ""
}

func instant(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := clock.FromMillis(ms)
	return &t
}
