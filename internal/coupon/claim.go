package coupon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/secret"
)

// ClaimInput is what a claim page is made of. Code "" draws one; it never changes afterwards.
type ClaimInput struct {
	TemplateID int64     `json:"templateId" minimum:"1"`
	Code       string    `json:"code,omitempty" maxLength:"16" doc:"4 to 16 letters or digits that owners may type; drawn when empty; fixed once the page exists"`
	Title      string    `json:"title" maxLength:"40"`
	Note       string    `json:"note,omitempty" maxLength:"200"`
	Stock      int64     `json:"stock" minimum:"1" maximum:"1000000"`
	PerMember  int64     `json:"perMember,omitempty" minimum:"0" maximum:"20" doc:"How many one owner may take; 1 unless told"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until"`
	Active     *bool     `json:"active,omitempty"`
}

// ClaimPage is a claim page as the console sees it.
type ClaimPage struct {
	ID         int64     `json:"id"`
	TemplateID int64     `json:"templateId"`
	Template   string    `json:"template"`
	Code       string    `json:"code"`
	Path       string    `json:"path" doc:"Page of the mini-program"`
	URL        string    `json:"url" doc:"For a browser and a QR code"`
	Title      string    `json:"title"`
	Note       string    `json:"note"`
	Stock      int64     `json:"stock"`
	Taken      int64     `json:"taken"`
	PerMember  int64     `json:"perMember"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until"`
	Active     bool      `json:"active"`
}

const claimPath = "pages/club/claim/index?code="

func (s *Service) claimView(c claimRow, template string) ClaimPage {
	return ClaimPage{ID: c.ID, TemplateID: c.TemplateID, Template: template, Code: c.Code, Path: claimPath + c.Code, URL: s.BaseURL + claimPath + c.Code, Title: c.Title, Note: c.Note,
		Stock: c.Stock, Taken: c.Taken, PerMember: c.PerMember, From: clock.FromMillis(c.FromAt), Until: clock.FromMillis(c.UntilAt), Active: c.Active}
}

var codeForm = regexp.MustCompile(`^[A-Z0-9]{4,16}$`)

func normalCode(code string) string { return strings.ToUpper(strings.Join(strings.Fields(code), "")) }

func (s *Service) cleanClaim(in ClaimInput) (ClaimInput, error) {
	var c fault.Complaints
	in.Code = normalCode(in.Code)
	c.Text("title", &in.Title, 1, 40, false)
	c.Text("note", &in.Note, 0, 200, false)
	if in.Code != "" && !codeForm.MatchString(in.Code) {
		c.Bad("code", "请用 4 至 16 位字母或数字")
	}
	if in.Stock < 1 || in.Stock > maxStock {
		c.Bad("stock", fmt.Sprintf("应在 1 至 %d 之间", maxStock))
	}
	if in.PerMember = max(in.PerMember, 1); in.PerMember > maxEach {
		c.Bad("perMember", fmt.Sprintf("每人最多 %d 张", maxEach))
	}
	switch {
	case !in.Until.After(in.From):
		c.Bad("until", "结束应晚于开始")
	case !in.Until.After(s.db.Now()) && (in.Active == nil || *in.Active):
		c.Bad("until", "已经过去了，请重新选择")
	}
	return in, c.Err()
}

// Claims pages claim pages, newest first.
func (s *Service) Claims(ctx context.Context, before int64, limit int) ([]ClaimPage, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := claims(ctx, s.db, before, limit)
	if err != nil {
		return nil, err
	}
	all, err := templates(ctx, s.db)
	names := map[int64]string{}
	for _, t := range all {
		names[t.ID] = t.Name
	}
	out := make([]ClaimPage, 0, len(rows))
	for _, c := range rows {
		out = append(out, s.claimView(c, names[c.TemplateID]))
	}
	return out, err
}

// SaveClaim adds a page (id 0) or changes one; the template and the code of a page never change. Faults: request.invalid, not_found,
// ErrTemplate, ErrCodeTaken.
func (s *Service) SaveClaim(ctx context.Context, id int64, in ClaimInput) (ClaimPage, error) {
	in, err := s.cleanClaim(in)
	if err != nil {
		return ClaimPage{}, err
	}
	var out ClaimPage
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		c := claimRow{ID: tx.NewID(), TemplateID: in.TemplateID, Code: in.Code, CreatedAt: tx.Millis(), Active: true}
		if id != 0 {
			if c, err = claimByID(ctx, tx, id, tx.ForUpdate()); err != nil {
				return err
			}
			if in.TemplateID != c.TemplateID || (in.Code != "" && in.Code != c.Code) {
				return fault.ErrInvalid.On("templateId", "优惠券和券码不能改，请另建一个领券活动")
			}
			if in.Stock < c.Taken {
				return fault.ErrInvalid.On("stock", fmt.Sprintf("已领走 %d 张，不能少于它", c.Taken))
			}
		}
		t, err := templateByID(ctx, tx, in.TemplateID, "")
		if errors.Is(err, fault.ErrNotFound) || (err == nil && id == 0 && !t.Active) {
			return ErrTemplate.On("templateId", "请重新选择")
		}
		if err != nil {
			return err
		}
		c.Title, c.Note, c.Stock, c.PerMember, c.FromAt, c.UntilAt, c.UpdatedAt = in.Title, in.Note, in.Stock, in.PerMember, in.From.UnixMilli(), in.Until.UnixMilli(), tx.Millis()
		if in.Active != nil {
			c.Active = *in.Active
		}
		if c.Code == "" {
			c.Code = secret.Code(10)
		}
		if id == 0 {
			err = insertClaim(ctx, tx, c)
		} else {
			err = updateClaim(ctx, tx, c)
		}
		if err != nil {
			return err
		}
		out = s.claimView(c, t.Name)
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "coupon.claim_page", SubjectKind: "coupon_claim", SubjectID: c.ID, SubjectLabel: c.Title, Detail: out})
	})
	return out, err
}

// OwnerClaim is a claim page as an owner sees it.
type OwnerClaim struct {
	Code   string    `json:"code"`
	Title  string    `json:"title"`
	Note   string    `json:"note"`
	Coupon Offer     `json:"coupon"`
	State  string    `json:"state" enum:"open,soon,over,gone,mine" doc:"mine: I have taken what I may"`
	Left   int64     `json:"left" doc:"How many are left for everybody"`
	Mine   int64     `json:"mine" doc:"How many I took"`
	May    int64     `json:"may" doc:"How many one owner may take"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
}

// state says whether a page gives something to a member who took so many.
func (c claimRow) state(now time.Time, mine int64) *fault.Error {
	switch at := now.UnixMilli(); {
	case !c.Active || at >= c.UntilAt:
		return ErrEnded
	case mine >= c.PerMember:
		return ErrClaimed
	case at < c.FromAt:
		return ErrNotOpen
	case c.Taken >= c.Stock:
		return ErrGone
	}
	return nil
}

// ClaimPageOf shows a page to an owner; memberID 0 has not joined yet. Fault: ErrCode.
func (s *Service) ClaimPageOf(ctx context.Context, memberID int64, code string) (o OwnerClaim, err error) {
	c, err := claimByCode(ctx, s.db, normalCode(code))
	if err != nil {
		return o, err
	}
	if memberID != 0 {
		if o.Mine, err = s.claimedBy(ctx, s.db, c.ID, memberID); err != nil {
			return o, err
		}
	}
	t, err := templateByID(ctx, s.db, c.TemplateID, "")
	if err != nil {
		return o, err
	}
	if o.Coupon, err = s.offer(ctx, t.TermsID); err != nil {
		return o, err
	}
	o.Code, o.Title, o.Note, o.Left, o.May, o.From, o.Until = c.Code, c.Title, c.Note, c.Stock-c.Taken, c.PerMember, clock.FromMillis(c.FromAt), clock.FromMillis(c.UntilAt)
	o.State = "open"
	switch f := c.state(s.db.Now(), o.Mine); {
	case f == nil && !t.Active:
		o.State = "over"
	case f == nil:
	case f.Is(ErrEnded):
		o.State = "over"
	case f.Is(ErrClaimed):
		o.State = "mine"
	case f.Is(ErrNotOpen):
		o.State = "soon"
	case f.Is(ErrGone):
		o.State = "gone"
	}
	return o, nil
}

// Claim takes one coupon of a page. It is a money command: among any number of owners at the same moment exactly the stock is given. Faults:
// ErrCode, ErrEnded, ErrNotOpen, ErrGone, ErrClaimed, ErrLimit, those of member.Standing.Usable.
func (s *Service) Claim(ctx context.Context, memberID int64, code string) (CouponView, error) {
	c, err := claimByCode(ctx, s.db, normalCode(code))
	if err == nil && c.Taken >= c.Stock {
		err = s.tooLate(ctx, memberID, c) // most of a stampede is turned away here, before it waits for anything
	}
	if err != nil {
		id, err := idem.Or[int64](ctx, s.db, err)
		if err != nil {
			return CouponView{}, err
		}
		return s.one(ctx, id)
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		id, _, err = idem.Once(ctx, tx, func() (int64, error) { return s.claimTx(ctx, tx, memberID, c) })
		return err
	})
	if err != nil {
		return CouponView{}, err
	}
	return s.one(ctx, id)
}

func (s *Service) tooLate(ctx context.Context, memberID int64, c claimRow) error {
	mine, err := s.claimedBy(ctx, s.db, c.ID, memberID)
	if err != nil {
		return err
	}
	if f := c.state(s.db.Now(), mine); f != nil {
		return f
	}
	return ErrGone
}

// claimTx takes one; the row of the page, which everybody wants, is touched last.
func (s *Service) claimTx(ctx context.Context, tx *db.Tx, memberID int64, c claimRow) (int64, error) {
	st, err := s.Members.StandingTx(ctx, tx, memberID) // two taps of one owner wait for each other here
	if err != nil {
		return 0, err
	}
	if err := st.MayTopUp(); err != nil {
		return 0, err
	}
	mine, err := s.claimedBy(ctx, tx, c.ID, memberID)
	if err != nil {
		return 0, err
	}
	if f := c.state(tx.Now, mine); f != nil {
		return 0, f
	}
	ids, err := s.IssueTx(ctx, tx, Issue{TemplateID: c.TemplateID, MemberID: memberID, Source: FromClaim, SourceID: c.ID, Dedupe: "claim:" + strconv.FormatInt(c.ID, 10) + ":" + strconv.FormatInt(memberID, 10) + ":" + strconv.FormatInt(mine+1, 10)})
	if err != nil {
		return 0, err
	}
	return ids[0], takeStock(ctx, tx, c.ID)
}
