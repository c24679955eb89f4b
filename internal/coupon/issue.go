package coupon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
)

// Filter chooses members; what is empty chooses all. Only active members are found.
type Filter struct {
	TierIDs         []int64  `json:"tierIds,omitempty" maxItems:"50"`
	JoinedFrom      string   `json:"joinedFrom,omitempty" maxLength:"10" doc:"YYYY-MM-DD"`
	JoinedTo        string   `json:"joinedTo,omitempty" maxLength:"10" doc:"YYYY-MM-DD, inclusive"`
	LastVisitBefore string   `json:"lastVisitBefore,omitempty" maxLength:"10" doc:"Nothing settled from this date on: who stays away"`
	BirthMonth      int      `json:"birthMonth,omitempty" minimum:"0" maximum:"12"`
	StoreID         int64    `json:"storeId,omitempty" minimum:"0" doc:"Home store"`
	VisitedFrom     string   `json:"visitedFrom,omitempty" maxLength:"10" doc:"Something settled on this date or later: who comes"`
	ClassIDs        []int64  `json:"classIds,omitempty" maxItems:"50" doc:"A car of one of these vehicle classes"`
	PlatePrefix     string   `json:"platePrefix,omitempty" maxLength:"8" doc:"A car whose plate begins so: 粤 or 粤B, the region"`
	PurchasedFrom   string   `json:"purchasedFrom,omitempty" maxLength:"10" doc:"A car bought on this date or later"`
	PurchasedTo     string   `json:"purchasedTo,omitempty" maxLength:"10" doc:"A car bought on this date or earlier"`
	Tags            []string `json:"tags,omitempty" maxItems:"20" doc:"One of these tags"`
}

func (f Filter) clean(c *fault.Complaints) {
	for field, day := range map[string]string{"filter.joinedFrom": f.JoinedFrom, "filter.joinedTo": f.JoinedTo, "filter.lastVisitBefore": f.LastVisitBefore,
		"filter.visitedFrom": f.VisitedFrom, "filter.purchasedFrom": f.PurchasedFrom, "filter.purchasedTo": f.PurchasedTo} {
		if day != "" && !bizday.Valid(day) {
			c.Bad(field, "请填写日期，如 2026-11-18")
		}
	}
	if f.JoinedFrom != "" && f.JoinedTo != "" && f.JoinedTo < f.JoinedFrom {
		c.Bad("filter.joinedTo", "结束不能早于开始")
	}
	if f.PurchasedFrom != "" && f.PurchasedTo != "" && f.PurchasedTo < f.PurchasedFrom {
		c.Bad("filter.purchasedTo", "结束不能早于开始")
	}
	if f.VisitedFrom != "" && f.LastVisitBefore != "" && f.LastVisitBefore <= f.VisitedFrom {
		c.Bad("filter.lastVisitBefore", "应晚于「来过的起始日期」")
	}
	if n := utf8.RuneCountInString(f.PlatePrefix); n > 8 || strings.ContainsFunc(f.PlatePrefix, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		c.Bad("filter.platePrefix", "请填写车牌开头，如 粤 或 粤B")
	}
	for _, t := range f.Tags {
		if t == "" || utf8.RuneCountInString(t) > 12 {
			c.Bad("filter.tags", "请从已有的标签里选择")
		}
	}
	if f.BirthMonth < 0 || f.BirthMonth > 12 {
		c.Bad("filter.birthMonth", "月份应为 1 至 12")
	}
}

// IssueTx gives a member coupons and returns their ids; who was merged into another member gets none, the other does. The same dedupe key gives nothing again: the coupons that it gave are returned.
// Faults: ErrTemplate, ErrOver, ErrLimit, request.invalid.
func (s *Service) IssueTx(ctx context.Context, tx *db.Tx, i Issue) ([]int64, error) {
	i.N = max(i.N, 1)
	if i.N > maxEach || i.MemberID == 0 {
		return nil, fault.ErrInvalid.On("n", fmt.Sprintf("每次 1 至 %d 张", maxEach))
	}
	holder, err := s.Members.Holder(ctx, tx, i.MemberID)
	if err != nil {
		return nil, err
	}
	i.MemberID = holder
	t, err := templateByID(ctx, tx, i.TemplateID, "")
	if errors.Is(err, fault.ErrNotFound) || (err == nil && !t.Active) {
		return nil, ErrTemplate
	}
	if err != nil {
		return nil, err
	}
	terms, err := s.terms(ctx, tx, t.TermsID)
	if err != nil {
		return nil, err
	}
	forget(tx, i.MemberID)
	var ids []int64
	fresh := false
	for k := range i.N {
		key := i.Dedupe
		if key != "" && i.N > 1 {
			key = fmt.Sprintf("%s#%d", key, k+1)
		}
		id, isNew, err := s.issueOneTx(ctx, tx, t, terms, i, key)
		if err != nil {
			return nil, err
		}
		ids, fresh = append(ids, id), fresh || isNew
	}
	if !i.Tell || !fresh {
		return ids, nil
	}
	c, err := byID(ctx, tx, ids[0], "")
	if err != nil {
		return nil, err
	}
	return ids, s.Messages.EnqueueTx(ctx, tx, notify.Message{MemberID: i.MemberID, Event: notify.CouponReceived, Dedupe: fmt.Sprintf("coupon_received:%d", ids[0]), Page: "pages/club/coupons/index",
		Data: map[string]string{"title": terms.Name, "time": lastDay(c.ExpiresAt), "hint": "请在有效期内使用"}})
}

// newRow is a member's seq-th coupon of a template; before is how many those had who were merged into the member. Fault: ErrLimit.
func newRow(tx *db.Tx, t templateRow, terms Terms, i Issue, key string, seq, before int64) (row, error) {
	from, until, err := terms.span(tx.Now)
	if err != nil {
		return row{}, err
	}
	if t.PerMember > 0 && before+seq > t.PerMember {
		return row{}, ErrLimit.Say("「%s」每人最多 %d 张", t.Name, t.PerMember)
	}
	c := row{ID: tx.NewID(), TemplateID: t.ID, TermsID: t.TermsID, MemberID: i.MemberID, FirstID: i.MemberID, SeqNo: seq, State: Available, Source: i.Source, SourceID: i.SourceID,
		Dedupe: key, StartsAt: from, ExpiresAt: until, IssuedAt: tx.Millis()}
	if key == "" {
		c.Dedupe = fmt.Sprintf("id:%d", c.ID)
	}
	return c, nil
}

// issueOneTx inserts one coupon. The unique keys decide: of its dedupe key, whether it was given before; of its number, whether somebody gave
// the member another one just now, and then the limit is looked at again.
func (s *Service) issueOneTx(ctx context.Context, tx *db.Tx, t templateRow, terms Terms, i Issue, key string) (id int64, fresh bool, err error) {
	for range 4 {
		if key != "" {
			if was, err := byDedupe(ctx, tx, key); err != nil || len(was) > 0 {
				return append(was, 0)[0], false, err
			}
		}
		seq, err := seqOf(ctx, tx, t.ID, []int64{i.MemberID})
		if err != nil {
			return 0, false, err
		}
		before, err := s.beforeMerging(ctx, tx, t, []int64{i.MemberID})
		if err != nil {
			return 0, false, err
		}
		c, err := newRow(tx, t, terms, i, key, seq[i.MemberID]+1, before[i.MemberID])
		if err != nil {
			return 0, false, err
		}
		if err = tx.Insert(ctx, "coupon_coupons", c); !errors.Is(err, db.ErrDuplicate) {
			return c.ID, true, err
		}
	}
	return 0, false, fault.ErrBusyWrite
}

// issueManyTx gives each member some coupons of a template; who has reached the limit is left out. It returns how many coupons were given and
// how many members got none.
func (s *Service) issueManyTx(ctx context.Context, tx *db.Tx, t templateRow, terms Terms, source string, sourceID int64, members []int64, each int64) (issued, skipped int64, err error) {
	seq, err := seqOf(ctx, tx, t.ID, members)
	if err != nil {
		return 0, 0, err
	}
	before, err := s.beforeMerging(ctx, tx, t, members)
	if err != nil {
		return 0, 0, err
	}
	var rows []row
	for _, m := range members {
		got := false
		for k := int64(1); k <= each; k++ {
			c, err := newRow(tx, t, terms, Issue{MemberID: m, Source: source, SourceID: sourceID}, fmt.Sprintf("%s:%d:%d#%d", source, sourceID, m, k), seq[m]+k, before[m])
			if errors.Is(err, ErrLimit) {
				break
			}
			if err != nil {
				return 0, 0, err
			}
			rows, got = append(rows, c), true
		}
		if !got {
			skipped++
		}
	}
	if err := tx.Insert(ctx, "coupon_coupons", rows); errors.Is(err, db.ErrDuplicate) {
		return 0, 0, fault.ErrBusyWrite.With(err) // somebody gave one of them a coupon just now
	} else if err != nil {
		return 0, 0, err
	}
	return int64(len(rows)), skipped, nil
}

// Bulk asks to issue to members by their ids, at most 200, or to all that a filter finds.
type Bulk struct {
	TemplateID int64
	MemberIDs  []int64
	Filter     *Filter
	Each       int64
	Note       string
}

// Issued is an issue and how far it is.
type Issued struct {
	ID         int64      `json:"id"`
	TemplateID int64      `json:"templateId"`
	Name       string     `json:"name"`
	Each       int64      `json:"each"`
	Note       string     `json:"note"`
	State      string     `json:"state" enum:"running,done"`
	Found      int64      `json:"found" doc:"Members looked at so far"`
	Issued     int64      `json:"issued"`
	Skipped    int64      `json:"skipped" doc:"Members who had reached their limit"`
	StaffName  string     `json:"staffName"`
	CreatedAt  time.Time  `json:"createdAt"`
	DoneAt     *time.Time `json:"doneAt,omitempty"`
	Filter     *Filter    `json:"filter,omitempty"`
}

func (i issueRow) view(name string) Issued {
	v := Issued{ID: i.ID, TemplateID: i.TemplateID, Name: name, Each: i.Each, Note: i.Note, State: i.State, Found: i.Found, Issued: i.Issued, Skipped: i.Skipped,
		StaffName: i.StaffName, CreatedAt: clock.FromMillis(i.CreatedAt)}
	if i.DoneAt != 0 {
		at := clock.FromMillis(i.DoneAt)
		v.DoneAt = &at
	}
	var f Filter
	if i.Filter != "" && json.Unmarshal([]byte(i.Filter), &f) == nil {
		v.Filter = &f
	}
	return v
}

// IssueBulk issues to many: to named members at once, to a filter's in the background. It is a money command. Faults: request.invalid,
// ErrTemplate, ErrOver.
func (s *Service) IssueBulk(ctx context.Context, b Bulk) (Issued, error) {
	var c fault.Complaints
	b.Note = strings.TrimSpace(b.Note)
	b.Each = max(b.Each, 1)
	if b.Each > maxEach {
		c.Bad("each", fmt.Sprintf("每人 1 至 %d 张", maxEach))
	}
	if utf8.RuneCountInString(b.Note) > 100 {
		c.Bad("note", "最多 100 个字")
	}
	switch {
	case (len(b.MemberIDs) > 0) == (b.Filter != nil):
		c.Bad("memberIds", "请选择会员，或填写筛选条件")
	case len(b.MemberIDs) > maxMembers:
		c.Bad("memberIds", fmt.Sprintf("一次最多选 %d 位，更多请用筛选条件", maxMembers))
	case b.Filter != nil:
		b.Filter.clean(&c)
	}
	slices.Sort(b.MemberIDs)
	b.MemberIDs = slices.Compact(b.MemberIDs)
	if len(b.MemberIDs) > 0 {
		names, err := s.Members.MaskedNames(ctx, b.MemberIDs)
		if err != nil {
			return Issued{}, err
		}
		for i, id := range b.MemberIDs {
			if _, ok := names[id]; !ok {
				c.Bad(fmt.Sprintf("memberIds[%d]", i), "没有这位会员")
			}
		}
	}
	if err := c.Err(); err != nil {
		return Issued{}, err
	}
	var id int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		id, _, err = idem.Once(ctx, tx, func() (int64, error) { return s.issueBulkTx(ctx, tx, b) })
		return err
	})
	if err != nil {
		return Issued{}, err
	}
	return s.IssueByID(ctx, id)
}

func (s *Service) issueBulkTx(ctx context.Context, tx *db.Tx, b Bulk) (int64, error) {
	t, err := templateByID(ctx, tx, b.TemplateID, "")
	if errors.Is(err, fault.ErrNotFound) || (err == nil && !t.Active) {
		return 0, ErrTemplate.On("templateId", "请重新选择")
	}
	if err != nil {
		return 0, err
	}
	terms, err := s.terms(ctx, tx, t.TermsID)
	if err != nil {
		return 0, err
	}
	if _, _, err := terms.span(tx.Now); err != nil {
		return 0, err
	}
	who := actor.From(ctx)
	i := issueRow{ID: tx.NewID(), TemplateID: t.ID, Each: b.Each, Note: b.Note, State: "running", StaffID: who.ID, StaffName: db.Clip(who.Name, 60), CreatedAt: tx.Millis()}
	if b.Filter != nil {
		doc, err := json.Marshal(b.Filter)
		if err != nil {
			return 0, err
		}
		i.Filter = string(doc)
		if err := s.Queue.EnqueueTx(ctx, tx, jobs.Job{Kind: jobIssue, Payload: issuePayload{i.ID}, Dedupe: fmt.Sprintf("%s:%d", jobIssue, i.ID)}); err != nil {
			return 0, err
		}
	} else {
		if i.Issued, i.Skipped, err = s.issueManyTx(ctx, tx, t, terms, FromIssue, i.ID, b.MemberIDs, b.Each); err != nil {
			return 0, err
		}
		i.Found, i.State, i.DoneAt = int64(len(b.MemberIDs)), "done", tx.Millis()
	}
	if err := tx.Insert(ctx, "coupon_issues", i); err != nil {
		return 0, err
	}
	return i.ID, audit.RecordTx(ctx, tx, audit.Entry{Action: "coupon.issue", SubjectKind: "coupon_template", SubjectID: t.ID, SubjectLabel: t.Name,
		Detail: map[string]any{"issueId": i.ID, "memberIds": b.MemberIDs, "filter": b.Filter, "each": b.Each, "note": b.Note}})
}

// IssueByID is an issue and how far it is. Fault: not_found.
func (s *Service) IssueByID(ctx context.Context, id int64) (Issued, error) {
	i, err := issueByID(ctx, s.db, id, "")
	if err != nil {
		return Issued{}, err
	}
	t, err := templateByID(ctx, s.db, i.TemplateID, "")
	return i.view(t.Name), err
}

// Issues pages issues, newest first.
func (s *Service) Issues(ctx context.Context, before int64, limit int) ([]Issued, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := issuesBefore(ctx, s.db, before, limit)
	if err != nil {
		return nil, err
	}
	all, err := templates(ctx, s.db)
	names := map[int64]string{}
	for _, t := range all {
		names[t.ID] = t.Name
	}
	out := make([]Issued, 0, len(rows))
	for _, i := range rows {
		out = append(out, i.view(names[i.TemplateID]))
	}
	return out, err
}

// Preview counts whom a filter finds now. Fault: request.invalid.
func (s *Service) Preview(ctx context.Context, f Filter) (int64, error) {
	var c fault.Complaints
	if f.clean(&c); c.Err() != nil {
		return 0, c.Err()
	}
	return s.People.Count(ctx, f)
}

// Give issues to one member by hand. It is a money command. Faults: those of IssueTx, ErrReason, not_found, member.ErrClosed.
func (s *Service) Give(ctx context.Context, memberID, templateID, n int64, reason string) ([]CouponView, error) {
	reason = strings.TrimSpace(reason)
	if k := utf8.RuneCountInString(reason); k < 2 || k > 100 {
		return nil, ErrReason.On("reason", "2 至 100 个字")
	}
	var ids []int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		ids, _, err = idem.Once(ctx, tx, func() ([]int64, error) {
			st, err := s.Members.StandingTx(ctx, tx, memberID)
			if err != nil {
				return nil, err
			}
			if st.Status == member.StatusMerged {
				return nil, member.ErrMerged
			}
			if st.Status == member.StatusClosed {
				return nil, member.ErrClosed
			}
			got, err := s.IssueTx(ctx, tx, Issue{TemplateID: templateID, MemberID: memberID, N: n, Source: FromStaff, Tell: true})
			if err != nil {
				return nil, err
			}
			return got, audit.RecordTx(ctx, tx, audit.Entry{Action: "coupon.issue", SubjectKind: "member", SubjectID: memberID, SubjectLabel: member.MaskName(st.Name),
				Detail: map[string]any{"templateId": templateID, "couponIds": got, "reason": reason}})
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.viewsByID(ctx, ids)
}

// VoidCoupon ends an available coupon. Faults: not_found, ErrReason, ErrHeld, ErrUsed, ErrExpired, ErrVoid.
func (s *Service) VoidCoupon(ctx context.Context, id int64, reason string) (CouponView, error) {
	reason = strings.TrimSpace(reason)
	if k := utf8.RuneCountInString(reason); k < 2 || k > 100 {
		return CouponView{}, ErrReason.On("reason", "2 至 100 个字")
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		c, err := byID(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		if f := refusal(c.State); f != nil {
			return f
		}
		if err := moveState(ctx, tx, id, Available, Void, "", 0); err != nil {
			return err
		}
		t, err := s.terms(ctx, tx, c.TermsID)
		if err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "coupon.void", SubjectKind: "coupon", SubjectID: id, SubjectLabel: t.Name,
			Detail: map[string]any{"memberId": c.MemberID, "reason": reason}})
	})
	if err != nil {
		return CouponView{}, err
	}
	views, err := s.viewsByID(ctx, []int64{id})
	return append(views, CouponView{})[0], err
}

// EraseTx ends what a member who leaves still has.
func (s *Service) EraseTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	gifts, err := openGiftsOf(ctx, tx, memberID)
	if err != nil {
		return err
	}
	for _, id := range gifts {
		if err := s.endGiftTx(ctx, tx, id, "cancelled"); err != nil {
			return err
		}
	}
	return voidOpen(ctx, tx, memberID)
}
