package staff

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Row is a staff member as the console shows it.
type Row struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	Username    string     `json:"username,omitempty"`
	PhoneMasked string     `json:"phoneMasked"`
	RoleIDs     []int64    `json:"roleIds"`
	StoreIDs    []int64    `json:"storeIds" doc:"Empty: every store"`
	Status      string     `json:"status" enum:"invited,active,suspended"`
	WeChatBound bool       `json:"wechatBound"`
	LastLoginAt *time.Time `json:"lastLoginAt,omitempty"`
}

// Body is what the console says about a staff member.
type Body struct {
	Name     string  `json:"name" minLength:"1" maxLength:"40"`
	Username string  `json:"username,omitempty" maxLength:"32"`
	Phone    string  `json:"phone,omitempty" maxLength:"24" doc:"Absent on an update: unchanged"`
	RoleIDs  []int64 `json:"roleIds" minItems:"1" maxItems:"20"`
	StoreIDs []int64 `json:"storeIds,omitempty" maxItems:"500" doc:"Empty: every store"`
}

// InviteAnswer is a fresh invite; the code is shown once.
type InviteAnswer struct {
	InviteCode      string    `json:"inviteCode"`
	InviteURL       string    `json:"inviteUrl"`
	InviteExpiresAt time.Time `json:"inviteExpiresAt"`
}

// Created is a new staff member with the invite.
type Created struct {
	Row
	InviteAnswer
}

// ReasonRequest says why; it goes into the audit trail.
type ReasonRequest struct {
	Reason string `json:"reason" minLength:"2" maxLength:"200"`
}

// PasswordSet gives somebody a password.
type PasswordSet struct {
	Password string `json:"password" minLength:"8" maxLength:"128"`
}

// RoleRow is a role as the console shows it.
type RoleRow struct {
	ID          int64    `json:"id"`
	Name        string   `json:"name"`
	Key         string   `json:"key"`
	Permissions []string `json:"permissions"`
	System      bool     `json:"system" doc:"Holds every permission and cannot be changed"`
}

// RoleBody changes a role.
type RoleBody struct {
	Name        string   `json:"name,omitempty" maxLength:"20"`
	Permissions []string `json:"permissions" maxItems:"100"`
}

// RoleList is every role.
type RoleList struct {
	Items []RoleRow `json:"items"`
}

// PermissionRow describes a permission.
type PermissionRow struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Group string `json:"group"`
}

// PermissionList is every permission, in the order of the matrix.
type PermissionList struct {
	Items []PermissionRow `json:"items"`
}

func row(a Account) Row {
	r := Row{ID: a.ID, Name: a.Name, Username: a.Username, PhoneMasked: maskPhone(a.Phone), RoleIDs: a.RoleIDs, StoreIDs: a.StoreIDs, Status: a.Status, WeChatBound: a.WeChatBound}
	if !a.LastLoginAt.IsZero() {
		r.LastLoginAt = &a.LastLoginAt
	}
	return r
}

func roleOf(r Role) RoleRow {
	return RoleRow{r.ID, r.Name, r.Key, r.Permissions, r.Key == perm.RoleOwner}
}

func maskPhone(p string) string {
	if len(p) < 11 {
		return ""
	}
	return p[:3] + "****" + p[len(p)-4:]
}

func answer(v Invite) InviteAnswer { return InviteAnswer{v.Code, v.URL, v.ExpiresAt} }

func (s *Service) accountRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleStaffList", http.MethodGet, "/staff", "Staff accounts", perm.StaffRead), s.listAccounts)
	httpapi.Register(r, op("consoleStaffCreate", http.MethodPost, "/staff", "Add and invite a staff member", perm.StaffWrite),
		func(ctx context.Context, in *httpapi.Body[Body]) (Created, error) {
			a, v, err := s.Create(ctx, Input(in.Body))
			return Created{row(a), answer(v)}, err
		})
	httpapi.Register(r, op("consoleStaffUpdate", http.MethodPut, "/staff/{id}", "Change a staff member", perm.StaffWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[Body]) (Row, error) {
			a, err := s.Update(ctx, in.ID, Input(in.Body))
			return row(a), err
		})
	httpapi.Register(r, op("consoleStaffInvite", http.MethodPost, "/staff/{id}/invite", "A new invite code; the old one ends", perm.StaffWrite),
		func(ctx context.Context, in *httpapi.ByID) (InviteAnswer, error) {
			v, err := s.NewInvite(ctx, in.ID)
			return answer(v), err
		})
	because := func(id, verb, summary string, do func(context.Context, int64, string) error) {
		httpapi.Register(r, op(id, http.MethodPost, "/staff/{id}/"+verb, summary, perm.StaffWrite),
			func(ctx context.Context, in *httpapi.ByIDBody[ReasonRequest]) (Row, error) {
				return s.then(ctx, in.ID, do(ctx, in.ID, in.Body.Reason))
			})
	}
	because("consoleStaffSuspend", "suspend", "Stop an account at once", s.Suspend)
	because("consoleStaffReactivate", "reactivate", "End a suspension", s.Reactivate)
	httpapi.Register(r, op("consoleStaffPassword", http.MethodPost, "/staff/{id}/password", "Give a password; sessions end", perm.StaffWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[PasswordSet]) (Row, error) {
			return s.then(ctx, in.ID, s.SetPassword(ctx, in.ID, in.Body.Password))
		})
	httpapi.Register(r, op("consoleStaffUnbind", http.MethodPost, "/staff/{id}/unbind-wechat", "Free an account of its WeChat identities", perm.StaffWrite),
		func(ctx context.Context, in *httpapi.ByID) (Row, error) {
			return s.then(ctx, in.ID, s.UnbindWeChat(ctx, in.ID))
		})

	httpapi.Register(r, op("consoleRoleList", http.MethodGet, "/roles", "Roles with their permissions", perm.StaffRead),
		func(ctx context.Context, _ *httpapi.None) (RoleList, error) {
			all, err := s.Roles(ctx)
			var out RoleList
			for _, x := range all {
				out.Items = append(out.Items, roleOf(x))
			}
			return out, err
		})
	httpapi.Register(r, op("consoleRoleUpdate", http.MethodPut, "/roles/{id}", "Change a role's permissions", perm.RoleWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[RoleBody]) (RoleRow, error) {
			x, err := s.UpdateRole(ctx, in.ID, in.Body.Name, in.Body.Permissions)
			return roleOf(x), err
		})
	httpapi.Register(r, op("consolePermissionList", http.MethodGet, "/permissions", "Every permission", perm.StaffRead),
		func(context.Context, *httpapi.None) (PermissionList, error) {
			var out PermissionList
			for _, p := range perm.All() {
				out.Items = append(out.Items, PermissionRow{p.Key, p.Label, p.Group})
			}
			return out, nil
		})
}

func (s *Service) then(ctx context.Context, id int64, err error) (Row, error) {
	if err != nil {
		return Row{}, err
	}
	a, err := s.Get(ctx, id)
	return row(a), err
}

type listInput struct {
	httpapi.Paging
	Q      string `query:"q" maxLength:"40" doc:"Part of name or user name"`
	Status string `query:"status" enum:"invited,active,suspended"`
}

func (s *Service) listAccounts(ctx context.Context, in *listInput) (page httpapi.Page[Row], err error) {
	var after int64
	if in.After != "" {
		if after, err = strconv.ParseInt(in.After, 10, 64); err != nil {
			return page, fault.ErrInvalid.On("after", "翻页位置不正确，请从第一页开始")
		}
	}
	all, err := s.List(ctx, Filter{Text: strings.TrimSpace(in.Q), Status: in.Status, After: after, Limit: in.Limit + 1})
	if err != nil {
		return page, err
	}
	if len(all) > in.Limit {
		all = all[:in.Limit]
		page.Next = strconv.FormatInt(all[len(all)-1].ID, 10)
	}
	for _, a := range all {
		page.Items = append(page.Items, row(a))
	}
	return page, nil
}
