package oa

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fresh"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/wechat"
)

// zone is the one in which the account's days are counted.
const zone = "Asia/Shanghai"

// JobEvents is the kind of the job that handles the events of one batch.
const JobEvents = "oa.events"

// oldFollower is when somebody of whom no event told is no newcomer any more.
const oldFollower = 30 * 24 * time.Hour

// Service runs the use cases of the official account. It is safe for concurrent use.
type Service struct {
	Deps
	db      *db.DB
	log     *slog.Logger
	queue   *jobs.Queue
	wx      *wechat.Client
	members *member.Service
	inbox   *db.Combiner[keys]
	replies fresh.Value[book]
}

// New returns the service and registers its jobs.
func New(d *db.DB, log *slog.Logger, q *jobs.Queue, wx *wechat.Client, members *member.Service, deps Deps) *Service {
	s := &Service{Deps: deps, db: d, log: log, queue: q, wx: wx, members: members}
	s.inbox = db.NewCombiner(d, s.ahead)
	s.jobs()
	return s
}

func (s *Service) pageBase() string { return s.PublicURL + "/h5/#/" }

// keys are what tells an arrival from those before.
type keys struct{ dedupe, nonce string }

type arrivalsKey struct{}

// arrivals is what of a batch of arrivals is known already, and the batch whose job handles the new ones.
type arrivals struct {
	dedupe, nonce map[string]bool
	batch         int64
}

// ahead reads which of several arrivals came before.
func (s *Service) ahead(ctx context.Context, tx *db.Tx, needs []keys) error {
	a, err := knownArrivals(ctx, tx, needs)
	if err == nil {
		tx.Stash(arrivalsKey{}, a)
	}
	return err
}

// Arrive keeps what WeChat pushed, in one short transaction with others of the same moment, and says what is answered at once. One that came before
// gets the same answer again, because WeChat may not have heard the first. Faults: wechat.ErrReplayed for a nonce that came with other content; those of
// InTx.
func (s *Service) Arrive(ctx context.Context, p wechat.Push) (wechat.Reply, error) {
	row, handled := arrivalOf(p)
	k := keys{row.Dedupe, row.Nonce}
	err := s.inbox.Do(ctx, k, func(ctx context.Context, tx *db.Tx) error { return s.keepTx(ctx, tx, k, row, handled) })
	if errors.Is(err, db.ErrDuplicate) { // another instance was quicker
		err = nil
	}
	if err != nil {
		return wechat.Reply{}, err
	}
	if p.App != wechat.OfficialAccount {
		return wechat.Reply{}, nil
	}
	return s.answer(ctx, p)
}

func (s *Service) keepTx(ctx context.Context, tx *db.Tx, k keys, row inboxRow, handled bool) error {
	a := db.Stashed[*arrivals](tx, arrivalsKey{})
	alone := a == nil
	if alone {
		var err error
		if a, err = knownArrivals(ctx, tx, []keys{k}); err != nil {
			return err
		}
	}
	switch {
	case a.dedupe[k.dedupe]:
		return nil
	case a.nonce[k.nonce]:
		return errReplayed
	}
	row.ID, row.CreatedAt = tx.NewID(), tx.Millis()
	if handled {
		if a.batch == 0 { // the first of a batch promises the job for all of them
			a.batch = tx.NewID()
			tx.OnUndo(func() { a.batch = 0 })
			if err := s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobEvents, Payload: batchJob{a.batch}}); err != nil {
				return err
			}
		}
		row.BatchID = a.batch
	} else {
		done := tx.Millis()
		row.DoneAt = &done
	}
	a.dedupe[k.dedupe], a.nonce[k.nonce] = true, true
	tx.OnUndo(func() { delete(a.dedupe, k.dedupe); delete(a.nonce, k.nonce) })
	if alone {
		return tx.Insert(ctx, "oa_inbox", row)
	}
	tx.InsertSoon("oa_inbox", row)
	return nil
}

// keptBody bounds what is kept of an event that nobody knows, in bytes.
const keptBody = 16 << 10

// arrivalOf is the row of a push, and whether a job handles it.
func arrivalOf(p wechat.Push) (row inboxRow, handled bool) {
	kind := p.Type
	if p.Type == "event" {
		kind = p.Event
	}
	row = inboxRow{Dedupe: p.Dedupe(), Nonce: p.Nonce, App: p.App, Kind: db.Clip(kind, 64), OpenID: p.From, EventKey: db.Clip(p.Key, 200), Content: db.Clip(p.Content, 600),
		Status: db.Clip(p.Status, 64), MsgID: p.MsgID, State: stateDone, EventAt: p.CreatedAt.UnixMilli()}
	switch strings.ToLower(p.Event) {
	case "subscribe", "unsubscribe", "scan", "templatesendjobfinish":
		handled = p.App == wechat.OfficialAccount
	case "user_authorization_revoke", "user_authorization_cancellation":
		handled = true
		if id := p.Fields["OpenID"]; id != "" && len(id) <= 64 { // whom it is about; the sender may be WeChat itself
			row.OpenID = id
		}
		row.Content = db.Clip(p.Fields["RevokeInfo"], 600)
	case "click", "view", "view_miniprogram":
	default:
		if p.Type == "event" || !slices.Contains([]string{"text", "image", "voice", "video", "shortvideo", "location", "link"}, p.Type) {
			row.State, row.Body = stateKept, clipBytes(string(p.Raw), keptBody)
		}
	}
	if handled {
		row.State = stateNew
	}
	return row, handled
}

func clipBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// answer finds what is said to a push, from memory.
func (s *Service) answer(ctx context.Context, p wechat.Push) (wechat.Reply, error) {
	b, err := s.book(ctx)
	if err != nil { // it is kept: to answer nothing is better than to have it sent again
		s.log.WarnContext(ctx, "an answer was not found", "err", err)
		return wechat.Reply{}, nil
	}
	var r *Reply
	switch {
	case p.Type == "event" && strings.EqualFold(p.Event, "subscribe"):
		if r = b.welcome; r == nil {
			return s.firstWelcome(ctx), nil
		}
	case p.Type == "event" && strings.EqualFold(p.Event, "CLICK"):
		if r = b.byID[replyID(p.Key)]; r != nil && !r.Active {
			r = b.fallback
		}
	case p.Type == "text":
		r = b.find(p.Content)
	case p.Type != "event":
		r = b.fallback
	}
	if r == nil {
		return wechat.Reply{}, nil
	}
	return r.Answer.render(s.PublicURL, s.pageBase(), s.wx.AppID(wechat.MiniProgram), p.Type != "event"), nil
}

// firstWelcome greets where the shop has not written a welcome of its own; a shop that wants none switches its own off.
func (s *Service) firstWelcome(ctx context.Context) wechat.Reply {
	name := ""
	if s.ShopName != nil {
		name, _ = s.ShopName(ctx) // a welcome without the name is a welcome too
	}
	a := Answer{Kind: AnswerMini, Text: "欢迎关注" + name + "！\n在这里预约洗车、查余额和次卡、领优惠券。", Link: "成为会员，查看我的权益", Page: "pages/home/index"}
	return a.render(s.PublicURL, s.pageBase(), s.wx.AppID(wechat.MiniProgram), false)
}

func (s *Service) book(ctx context.Context) (book, error) {
	return s.replies.Get(ctx, s.db.Now(), func(ctx context.Context) (book, error) {
		all, err := readReplies(ctx, s.db)
		return newBook(all), err
	})
}

func sortParts(l []part) {
	slices.SortStableFunc(l, func(a, b part) int { return utf8.RuneCountInString(b.word) - utf8.RuneCountInString(a.word) })
}

// Following says whether somebody follows the official account. Of an openid that no event has told of yet, WeChat is asked, once; as long as it does not
// answer, that is not known: a message to somebody who does not follow is an error at WeChat (N24), and one that is not sent to somebody who does is lost.
func (s *Service) Following(ctx context.Context, openID string) (follows, known bool, err error) {
	f, err := followerBy(ctx, s.db, openID, "")
	if err == nil {
		return f.State == Following, true, nil
	}
	if !errors.Is(err, db.ErrNoRows) {
		return false, false, err
	}
	info, err := s.wx.FollowerInfo(ctx, openID)
	if err != nil {
		if c := wechat.ClassOf(err); c == wechat.NotConfigured || c == wechat.Rejected {
			return false, true, nil
		}
		s.log.WarnContext(ctx, "WeChat did not say whether somebody follows", "err", err)
		return false, false, nil
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.askedTx(ctx, tx, info) })
	return info.Following, err == nil, err
}

// askedTx keeps what WeChat said of somebody who was unknown; an event that came meanwhile knows better.
func (s *Service) askedTx(ctx context.Context, tx *db.Tx, info wechat.Follower) error {
	open := info.OpenID
	f := followerRow{ID: tx.NewID(), OpenID: &open, UnionID: info.UnionID, State: Stranger, Source: db.Clip(info.Scene, 40), FirstAt: tx.Millis(), InfoAt: tx.Millis(),
		Person: person(info)}
	if info.Following {
		f.State, f.Follows, f.LastAt = Following, 1, info.Since.UnixMilli()
		f.FirstAt = f.LastAt
		if tx.Now.Sub(info.Since) > oldFollower { // long before this system asked: the present is for those who come
			f.GiftAt = tx.Millis()
		}
	}
	err := tx.Insert(ctx, "oa_followers", f)
	if errors.Is(err, db.ErrDuplicate) {
		return nil
	}
	return err
}

func person(info wechat.Follower) string {
	if info.UnionID != "" {
		return info.UnionID
	}
	return info.OpenID
}

// JoinedTx hears that a WeChat identity became a member's: what following brings is given to who follows now, and an invite code that the follower's
// code carried counts.
func (s *Service) JoinedTx(ctx context.Context, tx *db.Tx, memberID, identityID int64) error {
	who, err := s.members.IdentityTx(ctx, tx, identityID)
	if err != nil {
		return err
	}
	open := ""
	if who.App == member.AppOfficial {
		open = who.OpenID
	}
	list, err := followersOf(ctx, tx, open, who.UnionID)
	if err != nil {
		return err
	}
	for _, f := range list {
		if code := inviteOf(f.FirstScene); code != "" && s.InvitedTx != nil {
			if err := s.InvitedTx(ctx, tx, memberID, code); err != nil {
				return err
			}
		}
		if err := s.giftTx(ctx, tx, f, memberID); err != nil {
			return err
		}
	}
	return nil
}

// giftTx gives the present for following, once and only to who follows; before WeChat has said who it is, it waits.
func (s *Service) giftTx(ctx context.Context, tx *db.Tx, f followerRow, memberID int64) error {
	if s.GiftTx == nil || memberID == 0 || f.State != Following || f.GiftAt != 0 || f.Person == "" {
		return nil
	}
	if err := setGift(ctx, tx, f.ID); err != nil {
		return err
	}
	return s.GiftTx(ctx, tx, memberID, f.Person)
}

func day(ms int64) string { return bizday.Of(clock.FromMillis(ms), zone) }
