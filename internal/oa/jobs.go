package oa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/wechat"
)

// keepArrivals is how long the inbox is kept: what people write is personal.
const keepArrivals = 30 * 24 * time.Hour

type batchJob struct {
	Batch int64 `json:"batch"`
}

func (s *Service) jobs() {
	s.queue.Handle(JobEvents, func(ctx context.Context, payload []byte) error {
		var j batchJob
		if err := json.Unmarshal(payload, &j); err != nil {
			return errors.Join(jobs.ErrPermanent, err)
		}
		return s.Work(ctx, j.Batch)
	})
	s.queue.Every("oa.purge", 6*time.Hour, func(ctx context.Context) error {
		return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			return purgeArrivals(ctx, tx, tx.Now.Add(-keepArrivals).UnixMilli())
		})
	})
}

// Work handles the events of a batch: who follows, who left, which message arrived, who took an authorisation back. It may run again: each event is
// handled once. WeChat is asked who the new followers are afterwards; as long as it does not answer their present waits and the job runs again.
func (s *Service) Work(ctx context.Context, batch int64) error {
	rows, err := openArrivals(ctx, s.db, batch)
	if err != nil {
		return err
	}
	err = each(ctx, s.db, rows, func(ctx context.Context, tx *db.Tx, x inboxRow) error {
		ok, err := claimArrival(ctx, tx, x.ID)
		if err != nil || !ok {
			return err
		}
		return s.handleTx(ctx, tx, x)
	})
	return errors.Join(err, s.introduce(ctx, batch))
}

// each does something to every item: all in one transaction, and when that fails each in its own, so that one harms no other.
func each[T any](ctx context.Context, d *db.DB, items []T, do func(ctx context.Context, tx *db.Tx, x T) error) error {
	if len(items) == 0 {
		return nil
	}
	err := d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, x := range items {
			if err := do(ctx, tx, x); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil || len(items) == 1 {
		return err
	}
	err = nil
	for _, x := range items {
		err = errors.Join(err, d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return do(ctx, tx, x) }))
	}
	return err
}

func (s *Service) handleTx(ctx context.Context, tx *db.Tx, x inboxRow) error {
	switch strings.ToLower(x.Kind) {
	case "subscribe", "scan":
		return s.followedTx(ctx, tx, x)
	case "unsubscribe":
		return s.leftTx(ctx, tx, x)
	case "templatesendjobfinish":
		id, err := strconv.ParseInt(x.MsgID, 10, 64)
		if err != nil || s.DeliveredTx == nil {
			return nil // no message of ours
		}
		return s.DeliveredTx(ctx, tx, x.App, id, x.Status)
	case "user_authorization_revoke", "user_authorization_cancellation":
		return s.forgetTx(ctx, tx, x)
	}
	return nil
}

// followedTx notes that somebody follows. A scan by a follower tells of the code only, unless the follow itself was never heard of.
func (s *Service) followedTx(ctx context.Context, tx *db.Tx, x inboxRow) error {
	scene := sceneOf(x.EventKey)
	f, err := s.meetTx(ctx, tx, x)
	if err != nil {
		return err
	}
	scan := strings.EqualFold(x.Kind, "SCAN")
	if !scan {
		tx.InsertSoon("oa_moves", moveRow{ID: tx.NewID(), FollowerID: f.ID, Kind: moveFollow, Scene: scene, Day: day(x.EventAt), CreatedAt: tx.Millis()})
		f.Follows++
	}
	if f.FirstScene == "" {
		f.FirstScene = scene
	}
	if x.EventAt >= f.EventAt {
		f.EventAt, f.LeftAt = x.EventAt, 0
		if !scan || f.State != Following {
			f.State, f.LastAt = Following, x.EventAt
			f.InfoAt = 0 // ask again: the account may be bound to an Open Platform account meanwhile
		}
		if scene != "" {
			f.Scene = scene
		}
	}
	return saveFollower(ctx, tx, f)
}

func (s *Service) leftTx(ctx context.Context, tx *db.Tx, x inboxRow) error {
	f, err := s.meetTx(ctx, tx, x)
	if err != nil {
		return err
	}
	tx.InsertSoon("oa_moves", moveRow{ID: tx.NewID(), FollowerID: f.ID, Kind: moveUnfollow, Scene: f.Scene, Day: day(x.EventAt), CreatedAt: tx.Millis()})
	if x.EventAt >= f.EventAt && f.State != Left {
		f.EventAt, f.LeftAt, f.State = x.EventAt, x.EventAt, Left
	}
	return saveFollower(ctx, tx, f)
}

// meetTx finds somebody under lock, or makes the record.
func (s *Service) meetTx(ctx context.Context, tx *db.Tx, x inboxRow) (followerRow, error) {
	f, err := followerBy(ctx, tx, x.OpenID, tx.ForUpdate())
	if !errors.Is(err, db.ErrNoRows) {
		return f, err
	}
	open := x.OpenID
	f = followerRow{ID: tx.NewID(), OpenID: &open, State: Stranger, FirstAt: x.EventAt}
	if err = tx.Insert(ctx, "oa_followers", f); errors.Is(err, db.ErrDuplicate) {
		return f, db.ErrAgain // another event of theirs was quicker
	}
	return f, err
}

// forgetTx erases what is known of somebody who took the authorisation back or closed the account: WeChat obliges us to. What the membership itself
// needs stays with the member until leaving.
func (s *Service) forgetTx(ctx context.Context, tx *db.Tx, x inboxRow) error {
	if x.OpenID == "" {
		return nil
	}
	memberID := int64(0)
	if s.ForgetTx != nil {
		var err error
		if memberID, err = s.ForgetTx(ctx, tx, x.App, x.OpenID); err != nil {
			return err
		}
	}
	if x.App == wechat.OfficialAccount {
		f, err := followerBy(ctx, tx, x.OpenID, tx.ForUpdate())
		switch {
		case err == nil:
			f.OpenID, f.UnionID, f.Person, f.State, f.Source, f.EventAt = nil, "", "", Revoked, "", x.EventAt
			if err := saveFollower(ctx, tx, f); err != nil {
				return err
			}
		case !errors.Is(err, db.ErrNoRows):
			return err
		}
	}
	if err := forgetArrivals(ctx, tx, x.OpenID); err != nil {
		return err
	}
	e := audit.Entry{Action: "oa.revoked", SubjectKind: "oa", Detail: map[string]any{"app": x.App, "event": x.Kind, "info": x.Content}}
	if memberID != 0 {
		e.SubjectKind, e.SubjectID, e.SubjectLabel = "member", memberID, fmt.Sprintf("会员 %d", memberID)
	}
	return audit.RecordTx(ctx, tx, e)
}

// introduce asks WeChat who the new followers of a batch are: the unionid joins them to a member of the mini-program. Then the present may be given.
func (s *Service) introduce(ctx context.Context, batch int64) error {
	openIDs, err := followedIn(ctx, s.db, batch)
	if err != nil {
		return err
	}
	if openIDs, err = askedFor(ctx, s.db, openIDs); err != nil || len(openIDs) == 0 {
		return err
	}
	infos, failed := s.ask(ctx, openIDs)
	err = each(ctx, s.db, infos, s.introducedTx)
	return errors.Join(failed, err)
}

// ask asks in one call, and one by one where that is refused. Whom WeChat does not know, and everybody where there is nobody to ask, is who the openid
// says.
func (s *Service) ask(ctx context.Context, openIDs []string) (out []wechat.Follower, failed error) {
	if len(openIDs) > 1 {
		if out, err := s.wx.FollowerInfos(ctx, openIDs); err == nil {
			return out, nil
		} else if c := wechat.ClassOf(err); c == wechat.Unavailable || c == wechat.Quota {
			return nil, err
		}
	}
	for _, id := range openIDs {
		info, err := s.wx.FollowerInfo(ctx, id)
		switch c := wechat.ClassOf(err); {
		case err == nil:
			out = append(out, info)
		case c == wechat.Rejected || c == wechat.NotConfigured:
			out = append(out, wechat.Follower{OpenID: id, Following: true})
		default:
			return out, errors.Join(failed, err)
		}
	}
	return out, failed
}

func (s *Service) introducedTx(ctx context.Context, tx *db.Tx, info wechat.Follower) error {
	f, err := followerBy(ctx, tx, info.OpenID, tx.ForUpdate())
	if errors.Is(err, db.ErrNoRows) {
		return nil // forgotten meanwhile
	}
	if err != nil || f.InfoAt != 0 {
		return err
	}
	f.InfoAt = tx.Millis()
	if info.UnionID != "" {
		f.UnionID = info.UnionID
	}
	if f.Person == "" {
		f.Person = person(info)
	}
	if f.Source == "" {
		f.Source = db.Clip(info.Scene, 40)
	}
	if err := saveFollower(ctx, tx, f); err != nil {
		return err
	}
	memberID, err := s.members.FollowerTx(ctx, tx, info.OpenID, f.UnionID)
	if err != nil {
		return err
	}
	return s.giftTx(ctx, tx, f, memberID)
}
