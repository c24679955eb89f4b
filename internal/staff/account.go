package staff

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/session"
)

// Account is a staff member with the phone in clear: mask it before it leaves.
type Account struct {
	ID          int64
	Name        string
	Username    string // "" without one
	Phone       string
	RoleIDs     []int64
	StoreIDs    []int64 // empty: every store
	Status      string
	WeChatBound bool
	LastLoginAt time.Time // zero: never
}

// Input is what the shop says about a staff member.
type Input struct {
	Name     string
	Username string
	Phone    string // "" leaves it as it is on an update
	RoleIDs  []int64
	StoreIDs []int64 // empty: every store
}

// Invite is a code that binds the invitee's own WeChat identity, once.
type Invite struct {
	Code, URL string
	ExpiresAt time.Time
}

var phoneForm = regexp.MustCompile(`^1[3-9][0-9]{9}$`)

// List reads accounts in the order of their creation.
func (s *Service) List(ctx context.Context, f Filter) ([]Account, error) {
	rows, err := accounts(ctx, s.db, f)
	if err != nil {
		return nil, err
	}
	return s.complete(ctx, s.db, rows)
}

// Person is an account without what is private.
type Person struct {
	ID       int64
	Name     string
	Status   string
	StoreIDs []int64 // empty: every store
}

// People lists every account, also the suspended ones.
func (s *Service) People(ctx context.Context) ([]Person, error) {
	rows, err := everybody(ctx, s.db)
	if err != nil {
		return nil, err
	}
	stores, err := storesOfAll(ctx, s.db)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].StoreIDs = stores[rows[i].ID]
	}
	return rows, nil
}

// Get reads one account. Fault: fault.ErrNotFound.
func (s *Service) Get(ctx context.Context, id int64) (Account, error) {
	a, err := s.readAccount(ctx, s.db, id, "")
	if err != nil {
		return Account{}, err
	}
	out, err := s.complete(ctx, s.db, []accountRow{a})
	if err != nil {
		return Account{}, err
	}
	return out[0], nil
}

func (s *Service) complete(ctx context.Context, r db.Reader, rows []accountRow) ([]Account, error) {
	var ids []int64
	for _, a := range rows {
		ids = append(ids, a.ID)
	}
	rs, err1 := rolesOf(ctx, r, ids)
	ss, err2 := storesOf(ctx, r, ids)
	wx, err3 := bound(ctx, r, ids)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	var out []Account
	for _, a := range rows {
		phone, err := s.box.Open(colPhone, a.PhoneSealed)
		if err != nil {
			return nil, err
		}
		x := Account{ID: a.ID, Name: a.Name, Username: deref(a.Username), Phone: phone, RoleIDs: rs[a.ID], StoreIDs: ss[a.ID], Status: a.Status, WeChatBound: wx[a.ID]}
		if a.LastLoginAt != 0 {
			x.LastLoginAt = clock.FromMillis(a.LastLoginAt)
		}
		out = append(out, x)
	}
	return out, nil
}

// powers are what an account may do, for comparing two of them.
type powers struct {
	owner       bool
	permissions []string
	allStores   bool
	stores      []int64
}

// powersOf reads an account's powers whatever its status; the system has all of them.
func powersOf(ctx context.Context, r db.Reader, who actor.Actor, id int64) (powers, error) {
	if who.Kind == actor.System && id == who.ID {
		return powers{owner: true, permissions: perm.Keys(), allStores: true}, nil
	}
	got, err := standings(ctx, r, []int64{id})
	if err != nil {
		return powers{}, err
	}
	var p powers
	for _, x := range got[id] {
		if x.RoleKey != nil {
			p.owner = p.owner || *x.RoleKey == perm.RoleOwner
			p.permissions = append(p.permissions, effective(*x.RoleKey, *x.Permissions)...)
		}
		if x.StoreID != nil {
			p.stores = append(p.stores, *x.StoreID)
		}
	}
	p.allStores = len(p.stores) == 0
	return p, nil
}

// covers says whether p may grant, or lay hands on, what q holds. Faults: ErrOwnerOnly, ErrEscalation.
func (p powers) covers(q powers) error {
	switch {
	case p.owner:
		return nil
	case q.owner:
		return ErrOwnerOnly
	case len(missing(p.permissions, q.permissions)) > 0:
		return ErrEscalation
	case !p.allStores && (q.allStores || len(missing(p.stores, q.stores)) > 0):
		return ErrEscalation.Say("不能操作您所在门店以外的员工，请联系老板")
	}
	return nil
}

// granted are the powers that roles and stores would give. Fault: fault.ErrInvalid for an unknown role.
func granted(ctx context.Context, r db.Reader, roleIDs, storeIDs []int64) (powers, error) {
	all, err := roles(ctx, r, "")
	if err != nil {
		return powers{}, err
	}
	p := powers{allStores: len(storeIDs) == 0, stores: storeIDs}
	for _, id := range roleIDs {
		i := slices.IndexFunc(all, func(x roleRow) bool { return x.ID == id })
		if i < 0 {
			return p, fault.ErrInvalid.Say("没有这个角色，请刷新后重新选择").On("roleIds", "没有这个角色")
		}
		p.owner = p.owner || all[i].Key == perm.RoleOwner
		p.permissions = append(p.permissions, effective(all[i].Key, all[i].Permissions)...)
	}
	return p, nil
}

// clean checks an input and removes repeated ids.
func (s *Service) clean(ctx context.Context, in Input) (Input, error) {
	var f *fault.Error
	blame := func(field, complaint string) {
		if complaint == "" {
			return
		}
		if f == nil {
			f = fault.ErrInvalid.Say("%s", complaint)
		}
		f = f.On(field, complaint)
	}
	var complaint string
	in.Name, complaint = cleanName(in.Name)
	blame("name", complaint)
	in.Username, complaint = cleanUsername(in.Username)
	blame("username", complaint)
	in.Phone = strings.NewReplacer(" ", "", "-", "", "+86", "").Replace(in.Phone)
	if in.Phone != "" && !phoneForm.MatchString(in.Phone) {
		blame("phone", "请填写 11 位手机号")
	}
	slices.Sort(in.RoleIDs)
	in.RoleIDs = slices.Compact(in.RoleIDs)
	slices.Sort(in.StoreIDs)
	in.StoreIDs = slices.Compact(in.StoreIDs)
	if len(in.RoleIDs) == 0 {
		blame("roleIds", "请至少选择一个角色")
	}
	known, err := s.stores.StaffStores(ctx)
	if err != nil {
		return in, err
	}
	for _, id := range in.StoreIDs {
		if !slices.ContainsFunc(known, func(x Store) bool { return x.ID == id }) {
			blame("storeIds", "没有这家门店，请刷新后重新选择")
		}
	}
	if f != nil {
		return in, f
	}
	return in, nil
}

// Create adds a staff member and invites them. Faults: fault.ErrInvalid at the fields, ErrUsername, ErrEscalation,
// ErrOwnerOnly.
func (s *Service) Create(ctx context.Context, in Input) (Account, Invite, error) {
	in, err := s.clean(ctx, in)
	if err != nil {
		return Account{}, Invite{}, err
	}
	me := actor.From(ctx)
	var id int64
	var inv Invite
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		mine, err := powersOf(ctx, tx, me, me.ID)
		if err != nil {
			return err
		}
		want, err := granted(ctx, tx, in.RoleIDs, in.StoreIDs)
		if err != nil {
			return err
		}
		if err := mine.covers(want); err != nil {
			return err
		}
		a := accountRow{ID: tx.NewID(), Name: in.Name, Username: optional(in.Username), Status: StatusInvited, CreatedBy: me.ID, CreatedAt: tx.Millis(), UpdatedAt: tx.Millis()}
		if a.PhoneSealed, err = s.box.Seal(colPhone, in.Phone); err != nil {
			return err
		}
		if err := insertAccountTx(ctx, tx, a); err != nil {
			return err
		}
		if err := relinkTx(ctx, tx, a.ID, in.RoleIDs, in.StoreIDs); err != nil {
			return err
		}
		id = a.ID
		if inv, err = s.inviteTx(ctx, tx, a); err != nil {
			return err
		}
		return record(ctx, tx, "staff.create", a, map[string]any{"roleIds": in.RoleIDs, "storeIds": in.StoreIDs})
	})
	if err != nil {
		return Account{}, Invite{}, err
	}
	a, err := s.Get(ctx, id)
	return a, inv, err
}

// CreateOwner adds an active owner with a password: the first start, the command line, the demo. Faults:
// fault.ErrInvalid, ErrUsername.
func (s *Service) CreateOwner(ctx context.Context, username, password, name string) (int64, error) {
	name, c1 := cleanName(name)
	username, c2 := cleanUsername(username)
	if username == "" {
		c2 = "请填写用户名"
	}
	for field, c := range map[string]string{"name": c1, "username": c2, "password": checkPassword(password, username)} {
		if c != "" {
			return 0, fault.ErrInvalid.Say("%s", c).On(field, c)
		}
	}
	hash := hashPassword(password)
	var id int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := ensureRolesTx(ctx, tx); err != nil {
			return err
		}
		all, err := roles(ctx, tx, "")
		if err != nil {
			return err
		}
		a := accountRow{ID: tx.NewID(), Name: name, Username: &username, PasswordHash: hash, Status: StatusActive, CreatedAt: tx.Millis(), UpdatedAt: tx.Millis()}
		if err := insertAccountTx(ctx, tx, a); err != nil {
			return err
		}
		for _, r := range all {
			if r.Key == perm.RoleOwner {
				if err := relinkTx(ctx, tx, a.ID, []int64{r.ID}, nil); err != nil {
					return err
				}
			}
		}
		id = a.ID
		return record(ctx, tx, "staff.create", a, map[string]any{"role": perm.RoleOwner})
	})
	return id, err
}

// HasOwner says whether the shop has an active owner.
func (s *Service) HasOwner(ctx context.Context) (bool, error) {
	var n int
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) { n, err = otherOwnersTx(ctx, tx, 0); return err })
	return n > 0, err
}

// touch locks an account that the actor may lay hands on, lets fn edit it, saves and records it.
func (s *Service) touch(ctx context.Context, id int64, action string, fn func(ctx context.Context, tx *db.Tx, a *accountRow, mine, theirs powers) (map[string]any, error)) error {
	me := actor.From(ctx)
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		a, err := s.readAccount(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		mine, err := powersOf(ctx, tx, me, me.ID)
		if err != nil {
			return err
		}
		theirs, err := powersOf(ctx, tx, actor.Actor{}, id)
		if err != nil {
			return err
		}
		if err := mine.covers(theirs); err != nil {
			return err
		}
		detail, err := fn(ctx, tx, &a, mine, theirs)
		if err != nil {
			return err
		}
		if err := saveTx(ctx, tx, a); err != nil {
			return err
		}
		return record(ctx, tx, action, a, detail)
	})
}

// Update changes name, user name, phone, roles and stores. Faults: those of Create, fault.ErrNotFound, ErrLastOwner.
func (s *Service) Update(ctx context.Context, id int64, in Input) (Account, error) {
	in, err := s.clean(ctx, in)
	if err != nil {
		return Account{}, err
	}
	err = s.touch(ctx, id, "staff.update", func(ctx context.Context, tx *db.Tx, a *accountRow, mine, theirs powers) (map[string]any, error) {
		want, err := granted(ctx, tx, in.RoleIDs, in.StoreIDs)
		if err != nil {
			return nil, err
		}
		if err := mine.covers(want); err != nil {
			return nil, err
		}
		if theirs.owner && !want.owner {
			if err := keepOwner(ctx, tx, id); err != nil {
				return nil, err
			}
		}
		a.Name, a.Username = in.Name, optional(in.Username)
		if in.Username == "" {
			a.PasswordHash = ""
		}
		if in.Phone != "" {
			if a.PhoneSealed, err = s.box.Seal(colPhone, in.Phone); err != nil {
				return nil, err
			}
		}
		return map[string]any{"roleIds": in.RoleIDs, "storeIds": in.StoreIDs}, relinkTx(ctx, tx, id, in.RoleIDs, in.StoreIDs)
	})
	if err != nil {
		return Account{}, err
	}
	return s.Get(ctx, id)
}

func keepOwner(ctx context.Context, tx *db.Tx, id int64) error {
	n, err := otherOwnersTx(ctx, tx, id)
	if err == nil && n == 0 {
		err = ErrLastOwner
	}
	return err
}

// Suspend stops an account at once: its sessions end, its invites too. Faults: ErrSelf, ErrOwnerOnly, ErrEscalation,
// ErrLastOwner, ErrState.
func (s *Service) Suspend(ctx context.Context, id int64, reason string) error {
	if me := actor.From(ctx); me.Kind == actor.Staff && me.ID == id {
		return ErrSelf
	}
	return s.touch(ctx, id, "staff.suspend", func(ctx context.Context, tx *db.Tx, a *accountRow, _, theirs powers) (map[string]any, error) {
		if a.Status == StatusSuspended {
			return nil, ErrState
		}
		if theirs.owner {
			if err := keepOwner(ctx, tx, id); err != nil {
				return nil, err
			}
		}
		a.Status, a.StatusReason = StatusSuspended, reason
		return map[string]any{"reason": reason}, errors.Join(session.RevokeAllTx(ctx, tx, actor.Staff, id), revokeInvitesTx(ctx, tx, id))
	})
}

// Reactivate ends a suspension. Faults: ErrOwnerOnly, ErrEscalation, ErrState.
func (s *Service) Reactivate(ctx context.Context, id int64, reason string) error {
	return s.touch(ctx, id, "staff.reactivate", func(_ context.Context, _ *db.Tx, a *accountRow, _, _ powers) (map[string]any, error) {
		if a.Status != StatusSuspended {
			return nil, ErrState
		}
		a.Status, a.StatusReason = StatusActive, ""
		if a.LastLoginAt == 0 {
			a.Status = StatusInvited
		}
		return map[string]any{"reason": reason}, nil
	})
}

// SetPassword gives an account a password and ends its sessions. Faults: fault.ErrInvalid, ErrOwnerOnly, ErrEscalation.
func (s *Service) SetPassword(ctx context.Context, id int64, password string) error {
	a, err := s.readAccount(ctx, s.db, id, "")
	if err != nil {
		return err
	}
	if a.Username == nil {
		return fault.ErrInvalid.Say("请先为员工设置用户名").On("password", "还没有用户名")
	}
	if complaint := checkPassword(password, *a.Username); complaint != "" {
		return fault.ErrInvalid.Say("%s", complaint).On("password", complaint)
	}
	hash := hashPassword(password)
	return s.touch(ctx, id, "staff.password", func(ctx context.Context, tx *db.Tx, a *accountRow, _, _ powers) (map[string]any, error) {
		if a.Username == nil {
			return nil, fault.ErrBusyWrite
		}
		a.PasswordHash = hash
		return nil, errors.Join(session.RevokeAllTx(ctx, tx, actor.Staff, id), forgiveTx(ctx, tx, "user:"+*a.Username, true))
	})
}

// UnbindWeChat frees an account of its WeChat identities and ends its sessions. Faults: ErrOwnerOnly, ErrEscalation,
// ErrState when nothing was bound.
func (s *Service) UnbindWeChat(ctx context.Context, id int64) error {
	return s.touch(ctx, id, "staff.unbind", func(ctx context.Context, tx *db.Tx, _ *accountRow, _, _ powers) (map[string]any, error) {
		n, err := unbindTx(ctx, tx, id)
		if err == nil && n == 0 {
			err = ErrState.Say("该员工没有绑定微信")
		}
		if err != nil {
			return nil, err
		}
		return map[string]any{"identities": n}, session.RevokeAllTx(ctx, tx, actor.Staff, id)
	})
}

// NewInvite replaces the account's invite. Faults: ErrOwnerOnly, ErrEscalation, ErrState for a suspended account.
func (s *Service) NewInvite(ctx context.Context, id int64) (out Invite, err error) {
	err = s.touch(ctx, id, "staff.invite", func(ctx context.Context, tx *db.Tx, a *accountRow, _, _ powers) (map[string]any, error) {
		if a.Status == StatusSuspended {
			return nil, ErrState.Say("账号已停用，请先恢复再邀请")
		}
		v, err := s.inviteTx(ctx, tx, *a)
		out = v
		return nil, err
	})
	return out, err
}

// inviteTx makes the code: ten characters of Crockford's alphabet, 50 bits, stored as a hash.
func (s *Service) inviteTx(ctx context.Context, tx *db.Tx, a accountRow) (Invite, error) {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	b := make([]byte, 10)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	code := string(b)
	until := tx.Now.Add(inviteLife)
	err := insertInviteTx(ctx, tx, inviteRow{Hash: secret.Hash(code), AccountID: a.ID, ExpiresAt: until.UnixMilli(), CreatedBy: actor.From(ctx).ID, CreatedAt: tx.Millis()})
	shown := fmt.Sprintf("%s-%s", code[:5], code[5:])
	return Invite{Code: shown, URL: s.opt.InviteURL + shown, ExpiresAt: until}, err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func record(ctx context.Context, tx *db.Tx, action string, a accountRow, detail map[string]any) error {
	return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "staff", SubjectID: a.ID, SubjectLabel: a.Name, Detail: detail})
}
