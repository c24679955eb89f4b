package merge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
)

// Part is one slice's share of a merge.
type Part struct {
	// Look says what would go over, by kind in the words of people, and what is in the way; with the locking clause it locks what it decides on. Nil:
	// the slice shows nothing and minds nothing.
	Look func(ctx context.Context, r db.Reader, lock string, from, into int64) (moves map[string][]string, blocks []*fault.Error, err error)
	// Move moves the slice's rows; both members are locked. Nil: nothing to move.
	Move func(ctx context.Context, tx *db.Tx, from, into int64) error
	// Late parts move after the ledger has.
	Late bool
}

// Deps are what the service needs of others.
type Deps struct {
	DB       *db.DB
	Log      *slog.Logger
	Members  *member.Service
	Messages *notify.Service
	Settings *setting.Service
	Parts    []Part // in the order in which their rows are locked; the first are locked before the members
	Before   int    // how many of the parts lock before the members
	Orders   func(ctx context.Context, r db.Reader, memberID int64) (int64, error)
}

// Service runs the use cases of merging.
type Service struct {
	Deps
	db *db.DB
}

// New returns the service.
func New(d Deps) *Service { return &Service{Deps: d, db: d.DB} }

// Preview says what a merge would do, and changes nothing. Faults: ErrSame, fault.ErrNotFound.
func (s *Service) Preview(ctx context.Context, from, into int64) (Preview, error) {
	return s.look(ctx, s.db, s.db.Now(), "", from, into)
}

func (s *Service) look(ctx context.Context, r db.Reader, now time.Time, lock string, from, into int64) (p Preview, err error) {
	if from == into {
		return p, ErrSame.On("fromId", "请选择另一位")
	}
	p = Preview{FromID: from, IntoID: into, Blocks: []Block{}}
	moves := map[string][]string{}
	for _, part := range s.Parts {
		if part.Look == nil {
			continue
		}
		more, blocks, err := part.Look(ctx, r, lock, from, into)
		if err != nil {
			return p, err
		}
		for k, names := range more {
			moves[k] = append(moves[k], names...)
		}
		for _, b := range blocks {
			p.block(b)
		}
	}
	theirs, err := ledger.BalanceOf(ctx, r, from)
	if err != nil {
		return p, err
	}
	own, err := ledger.BalanceOf(ctx, r, into)
	if err != nil {
		return p, err
	}
	if theirs.Held > 0 {
		p.block(ledger.ErrMergeHeld)
	}
	p.Moves, p.Items = holdings(theirs), itemsOf(moves)
	p.After = holdings(ledger.Balance{Principal: own.Principal + theirs.Principal, Bonus: own.Bonus + theirs.Bonus, Points: own.Points + theirs.Points,
		PointsDebt: own.PointsDebt + theirs.PointsDebt, Experience: own.Experience + theirs.Experience, Uses: own.Uses + theirs.Uses})
	if p.Orders, err = s.Orders(ctx, r, from); err != nil {
		return p, err
	}
	card, err := s.Members.Card(ctx, from)
	if err != nil && !errors.Is(err, member.ErrNoCard) {
		return p, err
	}
	if p.Confirm = card.No; p.Confirm == "" {
		p.Confirm = confirmWord
	}
	limit, err := s.Settings.Int(ctx, setting.CardCapFen)
	if over := p.After.PrincipalFen - money.Fen(limit); err == nil && p.Moves.PrincipalFen > 0 && over > 0 {
		p.block(ErrCap.Say("合并后本金 %s，超过单张记名卡的上限 %s：请先消费或退款 %s 再合并", p.After.PrincipalFen.Yuan(), money.Fen(limit).Yuan(), over.Yuan()))
	}
	p.Notes = notesOf(p)
	p.Hash = p.hash()
	return p, err
}

// Do merges one member into another. It is a money command. Faults: ErrSame, ErrReason, ErrConfirm, ErrChanged with the new preview, fault.ErrNotFound,
// and whatever is in the way with the preview.
func (s *Service) Do(ctx context.Context, a Ask) (Merge, error) {
	a.Reason = strings.TrimSpace(a.Reason)
	if n := utf8.RuneCountInString(a.Reason); n < 2 || n > 200 {
		return Merge{}, ErrReason.On("reason", "2 至 200 个字")
	}
	if a.FromID == a.IntoID {
		return Merge{}, ErrSame.On("fromId", "请选择另一位")
	}
	var id int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (int64, error) { return s.doTx(ctx, tx, a) })
		id = got
		return err
	})
	if err != nil {
		return Merge{}, err
	}
	list, err := s.show(ctx, `id = ?`, id)
	if err != nil || len(list) == 0 {
		return Merge{}, errors.Join(err, fault.ErrNotFound)
	}
	return list[0], nil
}

func (s *Service) doTx(ctx context.Context, tx *db.Tx, a Ask) (int64, error) {
	for _, part := range s.Parts[:s.Before] { // such as bookings, which lock before their members
		if _, _, err := part.Look(ctx, tx, tx.ForUpdate(), a.FromID, a.IntoID); err != nil {
			return 0, err
		}
	}
	who := map[int64]member.Standing{}
	for _, id := range []int64{min(a.FromID, a.IntoID), max(a.FromID, a.IntoID)} {
		st, err := s.Members.StandingTx(ctx, tx, id)
		if err != nil {
			return 0, err
		}
		who[id] = st
	}
	p, err := s.look(ctx, tx, tx.Now, tx.ForUpdate(), a.FromID, a.IntoID)
	if err != nil {
		return 0, err
	}
	if err := mayDo(p, a); err != nil {
		return 0, err
	}
	from, into := who[a.FromID], who[a.IntoID]
	row := mergeRow{ID: tx.NewID(), FromID: a.FromID, IntoID: a.IntoID, FromCard: from.CardNo, IntoCard: into.CardNo, Moved: itemsText(p.Items), Reason: a.Reason,
		StaffID: actor.From(ctx).ID, StaffName: db.Clip(actor.From(ctx).Name, 64), CreatedAt: tx.Millis()}
	moved, err := s.moveTx(ctx, tx, row)
	if err != nil {
		return 0, err
	}
	row.PrincipalFen, row.BonusFen, row.Points, row.PointsDebt = moved.Moved.Principal, moved.Moved.Bonus, moved.Moved.Points, moved.Moved.PointsDebt
	row.Experience, row.Uses, row.OutID, row.InID = moved.Moved.Experience, moved.Moved.Uses, moved.OutID, moved.InID
	if err := insertMerge(ctx, tx, row); err != nil {
		return 0, err
	}
	return row.ID, errors.Join(s.recordTx(ctx, tx, row, from, into), s.tellTx(ctx, tx, row))
}

// mayDo checks a preview under lock against what staff confirmed. Faults: what is in the way, ErrConfirm, ErrChanged.
func mayDo(p Preview, a Ask) error {
	if len(p.faults) > 0 {
		return p.faults[0].Give(map[string]any{"preview": p})
	}
	if !confirms(a.Confirm, p.Confirm) {
		return ErrConfirm.On("confirm", "请输入 "+p.Confirm)
	}
	if a.Hash != p.Hash {
		return ErrChanged.Give(map[string]any{"preview": p})
	}
	return nil
}

// moveTx moves everything, the ledger between what pays and what follows from it.
func (s *Service) moveTx(ctx context.Context, tx *db.Tx, row mergeRow) (out ledger.Merged, err error) {
	parts := func(late bool) error {
		for _, part := range s.Parts {
			if part.Move == nil || part.Late != late {
				continue
			}
			if err := part.Move(ctx, tx, row.FromID, row.IntoID); err != nil {
				return err
			}
		}
		return nil
	}
	if err := parts(false); err != nil {
		return out, err
	}
	post := ledger.Post{BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "merge", RefID: row.ID, Memo: row.Reason}
	lost, got := post, post
	lost.Title, got.Title = "并入会员卡 "+member.MaskCardNo(row.IntoCard), "合并自会员卡 "+member.MaskCardNo(row.FromCard)
	if out, err = ledger.MergeTx(ctx, tx, row.FromID, row.IntoID, lost, got); err != nil {
		return out, err
	}
	return out, parts(true)
}

// recordTx writes the trail of both.
func (s *Service) recordTx(ctx context.Context, tx *db.Tx, row mergeRow, from, into member.Standing) error {
	label := func(st member.Standing) string { return member.MaskName(st.Name) + " " + st.PhoneMasked }
	detail := map[string]any{"mergeId": row.ID, "mergedFrom": label(from), "fromId": row.FromID, "mergedInto": label(into), "intoId": row.IntoID, "reason": row.Reason,
		"principalFen": row.PrincipalFen, "bonusFen": row.BonusFen, "points": row.Points, "pointsDebt": row.PointsDebt}
	if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "member.merge", SubjectKind: "member", SubjectID: row.IntoID, SubjectLabel: label(into), Detail: detail}); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "member.merged", SubjectKind: "member", SubjectID: row.FromID, SubjectLabel: label(from), Detail: detail})
}

// tellTx tells both: whoever did not want it must hear of it. What is told to the one that ended reaches the WeChat accounts that came from there.
func (s *Service) tellTx(ctx context.Context, tx *db.Tx, row mergeRow) error {
	for _, m := range []struct {
		id   int64
		text string
	}{{row.IntoID, "另一张会员卡已合并到您的卡里"}, {row.FromID, "您的会员卡已合并，请重新登录"}} {
		if err := s.Messages.EnqueueTx(ctx, tx, notify.Message{MemberID: m.id, Event: notify.AccountLinked, Dedupe: fmt.Sprintf("merge:%d:%d", row.ID, m.id), Page: "pages/home/index",
			Data: map[string]string{"title": m.text, "time": tx.Now.Format(time.RFC3339), "hint": "不是本人？请联系门店"}}); err != nil {
			return err
		}
	}
	return nil
}

// History says what a member has to do with merges.
func (s *Service) History(ctx context.Context, memberID int64) (h History, err error) {
	h.From = []Merge{}
	list, err := s.show(ctx, `from_id = ? OR into_id = ?`, memberID, memberID)
	for _, m := range list {
		if m.FromID == memberID {
			h.Into = &m
		} else {
			h.From = append(h.From, m)
		}
	}
	return h, err
}

// show reads merges with the names of both; where is one of this package's own texts.
func (s *Service) show(ctx context.Context, where string, args ...any) ([]Merge, error) {
	rows, err := mergesWhere(ctx, s.db, where, args...)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, r := range rows {
		ids = append(ids, r.FromID, r.IntoID)
	}
	names, err := s.Members.MaskedNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Merge, 0, len(rows))
	for _, r := range rows {
		m, err := r.merge()
		if err != nil {
			return nil, err
		}
		m.FromName, m.IntoName = names[r.FromID], names[r.IntoID]
		out = append(out, m)
	}
	return out, nil
}
