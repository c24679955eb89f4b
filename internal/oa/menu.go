package oa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/wechat"
)

// Menus is the draft and what was published last; nil where there is none.
type Menus struct {
	Draft     *SavedMenu `json:"draft,omitempty"`
	Published *SavedMenu `json:"published,omitempty"`
	Changed   bool       `json:"changed" doc:"The draft differs from what was published"`
}

// Menus reads draft and published menu.
func (s *Service) Menus(ctx context.Context) (out Menus, err error) {
	for _, x := range []struct {
		read func() (menuRow, error)
		into **SavedMenu
	}{{func() (menuRow, error) { return draftMenu(ctx, s.db, "") }, &out.Draft}, {func() (menuRow, error) { return publishedMenu(ctx, s.db) }, &out.Published}} {
		row, err := x.read()
		if errors.Is(err, db.ErrNoRows) {
			continue
		}
		if err != nil {
			return out, err
		}
		m, err := row.saved()
		if err != nil {
			return out, err
		}
		*x.into = &m
	}
	if out.Draft != nil {
		a, err1 := json.Marshal(out.Draft.Buttons)
		b := []byte("null")
		var err2 error
		if out.Published != nil {
			b, err2 = json.Marshal(out.Published.Buttons)
		}
		out.Changed, err = string(a) != string(b), errors.Join(err1, err2)
	}
	return out, err
}

// SaveMenu keeps a draft. Faults: ErrMenu, fault.ErrBusyWrite.
func (s *Service) SaveMenu(ctx context.Context, buttons []MenuButton) (Menus, error) {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.checkMenuTx(ctx, tx, buttons); err != nil {
			return err
		}
		text, err := json.Marshal(buttons)
		if err != nil {
			return err
		}
		if err := saveDraft(ctx, tx, string(text), db.Clip(actor.From(ctx).Name, 64)); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "oa.menu", SubjectKind: "oa", SubjectLabel: "公众号菜单", Detail: buttons})
	})
	if err != nil {
		return Menus{}, err
	}
	return s.Menus(ctx)
}

func (s *Service) checkMenuTx(ctx context.Context, tx *db.Tx, buttons []MenuButton) error {
	all, err := readReplies(ctx, tx)
	if err != nil {
		return err
	}
	known := map[int64]bool{}
	for _, r := range all {
		known[r.ID] = true
	}
	return checkMenu(buttons, known)
}

// PublishMenu sends the draft to WeChat. Faults: ErrNoDraft, ErrMenu, ErrRefused, those of the wechat package.
func (s *Service) PublishMenu(ctx context.Context) (Menus, error) {
	row, err := draftMenu(ctx, s.db, "")
	if errors.Is(err, db.ErrNoRows) {
		return Menus{}, ErrNoDraft
	}
	if err != nil {
		return Menus{}, err
	}
	draft, err := row.saved()
	if err != nil {
		return Menus{}, err
	}
	if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.checkMenuTx(ctx, tx, draft.Buttons) }); err != nil {
		return Menus{}, err
	}
	if err := s.wx.PublishMenu(ctx, forWeChat(draft.Buttons, s.pageBase(), s.wx.AppID(wechat.MiniProgram))); err != nil {
		return Menus{}, menuFault(err)
	}
	// WeChat has it. When this fails it has it all the same, and publishing again changes nothing.
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := endPublished(ctx, tx); err != nil {
			return err
		}
		if err := insertPublished(ctx, tx, row.Buttons, db.Clip(actor.From(ctx).Name, 64)); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "oa.menu_publish", SubjectKind: "oa", SubjectLabel: "公众号菜单", Detail: draft.Buttons})
	})
	if err != nil {
		return Menus{}, err
	}
	return s.Menus(ctx)
}

// DeleteMenu takes the menu away at WeChat; the draft stays. Faults: those of the wechat package.
func (s *Service) DeleteMenu(ctx context.Context) (Menus, error) {
	if err := s.wx.DeleteMenu(ctx); err != nil {
		return Menus{}, menuFault(err)
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := endPublished(ctx, tx); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "oa.menu_delete", SubjectKind: "oa", SubjectLabel: "公众号菜单"})
	})
	if err != nil {
		return Menus{}, err
	}
	return s.Menus(ctx)
}

func menuFault(err error) error {
	if wechat.ClassOf(err) == wechat.Rejected {
		return ErrRefused.With(err).Give(map[string]any{"code": wechat.CodeOf(err)})
	}
	return wechat.Fault(err)
}

// replyID is the reply that a button's key names, 0 for none.
func replyID(key string) int64 {
	n, err := strconv.ParseInt(strings.TrimPrefix(key, keyPrefix), 10, 64)
	if err != nil || !strings.HasPrefix(key, keyPrefix) {
		return 0
	}
	return n
}

// ReplyInput is what a reply is made of.
type ReplyInput struct {
	Kind   string   `json:"kind" enum:"welcome,default,keyword,button"`
	Name   string   `json:"name" maxLength:"60"`
	Words  []string `json:"words,omitempty" maxItems:"40"`
	Whole  bool     `json:"whole,omitempty" doc:"keyword: the whole text must be the word"`
	Answer Answer   `json:"answer"`
	Active *bool    `json:"active,omitempty"`
}

func (in ReplyInput) reply(c *fault.Complaints, id int64) Reply {
	r := Reply{ID: id, Kind: in.Kind, Name: in.Name, Whole: in.Whole, Answer: in.Answer, Active: in.Active == nil || *in.Active}
	c.Text("name", &r.Name, 1, 60, false)
	r.Words = []string{}
	if r.Kind == Keyword {
		r.Words = cleanWords(c, in.Words)
	} else {
		r.Whole = false
	}
	r.Answer.check(c, "answer")
	return r
}

// SaveReply makes a reply (id 0) or changes one; its kind stays. Faults: fault.ErrInvalid at the fields, fault.ErrNotFound, ErrKeyword, ErrTooMany.
func (s *Service) SaveReply(ctx context.Context, id int64, in ReplyInput) (out Reply, err error) {
	var c fault.Complaints
	r := in.reply(&c, id)
	if err := c.Err(); err != nil {
		return Reply{}, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := lockReplies(ctx, tx); err != nil {
			return err
		}
		all, err := readReplies(ctx, tx)
		if err != nil {
			return err
		}
		if id == 0 && len(all) >= maxReplies {
			return ErrTooMany
		}
		for _, x := range all {
			if x.ID == id || x.Kind != r.Kind {
				continue
			}
			if r.Kind == Welcome || r.Kind == Default {
				return fault.ErrBusyWrite
			}
			for _, w := range r.Words {
				if x.Whole == r.Whole && slices.Contains(x.Words, w) {
					return ErrKeyword.On("words", "“"+w+"”已用于“"+x.Name+"”")
				}
			}
		}
		saved := r
		if id == 0 {
			saved.ID = tx.NewID()
		}
		row, err := saved.row()
		if err != nil {
			return err
		}
		if id == 0 {
			err = insertReply(ctx, tx, row)
		} else {
			err = updateReply(ctx, tx, row)
		}
		if errors.Is(err, db.ErrDuplicate) {
			return fault.ErrBusyWrite
		}
		if err != nil {
			return err
		}
		saved.UpdatedAt = tx.Now
		out = saved
		tx.AfterCommit(s.replies.Forget)
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "oa.reply", SubjectKind: "oa_reply", SubjectID: saved.ID, SubjectLabel: saved.Name, Detail: in})
	})
	return out, err
}

// DeleteReply removes a reply. Faults: fault.ErrNotFound, ErrInUse while a button of the draft or of the published menu answers with it.
func (s *Service) DeleteReply(ctx context.Context, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, read := range []func() (menuRow, error){func() (menuRow, error) { return draftMenu(ctx, tx, "") }, func() (menuRow, error) { return publishedMenu(ctx, tx) }} {
			row, err := read()
			if errors.Is(err, db.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			m, err := row.saved()
			if err != nil {
				return err
			}
			if uses(m.Buttons, id) {
				return ErrInUse
			}
		}
		if err := deleteReply(ctx, tx, id); err != nil {
			return err
		}
		tx.AfterCommit(s.replies.Forget)
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "oa.reply_delete", SubjectKind: "oa_reply", SubjectID: id})
	})
}

func uses(list []MenuButton, id int64) bool {
	answers := func(b SubButton) bool { return b.Action == "reply" && b.ReplyID == id }
	return slices.ContainsFunc(list, func(b MenuButton) bool { return answers(b.own()) || slices.ContainsFunc(b.Sub, answers) })
}

// Replies lists all replies, oldest first.
func (s *Service) Replies(ctx context.Context) ([]Reply, error) { return readReplies(ctx, s.db) }

// Try says what would answer a text, and what WeChat would be given. The reply is nil where nothing answers.
func (s *Service) Try(ctx context.Context, text string) (*Reply, wechat.Reply, error) {
	all, err := readReplies(ctx, s.db)
	if err != nil {
		return nil, wechat.Reply{}, err
	}
	r := newBook(all).find(text)
	if r == nil {
		return nil, wechat.Reply{}, nil
	}
	return r, r.Answer.render(s.PublicURL, s.pageBase(), s.wx.AppID(wechat.MiniProgram), true), nil
}

// Scene is a code that leads to the official account and says where it hangs.
type Scene struct {
	ID        int64
	Scene     string
	Name      string
	StoreID   int64
	StoreName string
	CodeText  string // what the picture says
	Follows   int64
}

// SceneInput is what a code is made of.
type SceneInput struct {
	Name    string `json:"name" maxLength:"60"`
	Scene   string `json:"scene,omitempty" maxLength:"32" doc:"Made up when empty"`
	StoreID int64  `json:"storeId,omitempty" minimum:"0"`
}

// AddScene has WeChat make a lasting code. Faults: fault.ErrInvalid, ErrScene, ErrTooMany, those of the wechat package.
func (s *Service) AddScene(ctx context.Context, in SceneInput) (out Scene, err error) {
	var c fault.Complaints
	c.Text("name", &in.Name, 1, 60, false)
	in.Scene = strings.TrimSpace(in.Scene)
	id := s.db.NewID()
	if in.Scene == "" {
		in.Scene = "s" + strconv.FormatInt(id, 36)
	}
	if !sceneForm.MatchString(in.Scene) {
		c.Bad("scene", "只能用字母、数字、横线，最多 32 位")
	}
	if err := c.Err(); err != nil {
		return out, err
	}
	if in.StoreID != 0 && s.StoreName != nil {
		if _, err := s.StoreName(ctx, in.StoreID); err != nil {
			return out, err
		}
	}
	have, err := readScenes(ctx, s.db)
	if err != nil {
		return out, err
	}
	if len(have) >= maxScenes {
		return out, ErrTooMany
	}
	if slices.ContainsFunc(have, func(x sceneRow) bool { return x.Scene == in.Scene }) {
		return out, ErrScene
	}
	text, err := s.wx.SceneCode(ctx, in.Scene)
	if err != nil {
		return out, wechat.Fault(err)
	}
	row := sceneRow{ID: id, Scene: in.Scene, Name: in.Name, StoreID: in.StoreID, CodeText: db.Clip(text, 300), CreatedAt: s.db.Now().UnixMilli()}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := tx.Insert(ctx, "oa_scenes", row); err != nil {
			if errors.Is(err, db.ErrDuplicate) {
				return ErrScene
			}
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "oa.scene", SubjectKind: "oa", SubjectID: id, SubjectLabel: in.Name, StoreID: in.StoreID, Detail: in})
	})
	if err != nil {
		return out, err
	}
	list, err := s.namedScenes(ctx, []sceneRow{row})
	if err != nil {
		return out, err
	}
	return list[0], nil
}

// Scenes lists the codes, newest first, with how often each was followed.
func (s *Service) Scenes(ctx context.Context) ([]Scene, error) {
	rows, err := readScenes(ctx, s.db)
	if err != nil {
		return nil, err
	}
	return s.namedScenes(ctx, rows)
}

func (s *Service) namedScenes(ctx context.Context, rows []sceneRow) ([]Scene, error) {
	counts, err := sceneCounts(ctx, s.db)
	if err != nil {
		return nil, err
	}
	var out []Scene
	for _, x := range rows {
		y := Scene{ID: x.ID, Scene: x.Scene, Name: x.Name, StoreID: x.StoreID, CodeText: x.CodeText, Follows: counts[x.Scene]}
		if x.StoreID != 0 && s.StoreName != nil {
			name, err := s.StoreName(ctx, x.StoreID)
			if err != nil && !errors.Is(err, fault.ErrNotFound) {
				return nil, err
			}
			y.StoreName = name
		}
		out = append(out, y)
	}
	return out, nil
}

var hostPath = regexp.MustCompile(`^/[^#\s]*$`)

// Sign makes what a page of ours needs to use WeChat's JS-SDK. Faults: ErrAddress, those of the wechat package.
func (s *Service) Sign(ctx context.Context, page string) (wechat.JSConfig, error) {
	page, _, _ = strings.Cut(page, "#")
	rest, ours := strings.CutPrefix(page, s.PublicURL)
	if !ours || !hostPath.MatchString(rest) || len(page) > 1000 {
		return wechat.JSConfig{}, ErrAddress
	}
	c, err := s.wx.JSConfig(ctx, page)
	return c, wechat.Fault(err)
}

// sceneLabel is how a scene is shown.
func sceneLabel(scene string, names map[string]string) string {
	switch {
	case scene == "":
		return ""
	case names[scene] != "":
		return names[scene]
	case inviteOf(scene) != "":
		return fmt.Sprintf("好友邀请 %s", inviteOf(scene))
	}
	return scene
}
