package audit

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Record is an entry as the console shows it.
type Record struct {
	ID           int64     `json:"id"`
	At           time.Time `json:"at"`
	ActorID      int64     `json:"actorId"`
	ActorName    string    `json:"actorName"`
	ActorKind    string    `json:"actorKind" enum:"none,owner,staff,system"`
	Action       string    `json:"action"`
	ActionLabel  string    `json:"actionLabel"`
	SubjectKind  string    `json:"subjectKind"`
	SubjectID    int64     `json:"subjectId"`
	SubjectLabel string    `json:"subjectLabel"`
	StoreName    string    `json:"storeName"`
	IP           string    `json:"ip"`
	Detail       any       `json:"detail" doc:"What belongs to the action, as a JSON object"`
}

type listInput struct {
	httpapi.Paging
	ActorID int64  `query:"actorId" minimum:"1"`
	Action  string `query:"action" maxLength:"64"`
	Subject string `query:"subject" maxLength:"100" doc:"kind, kind:id, or part of the subject's label"`
	From    string `query:"from" doc:"First date, YYYY-MM-DD in Shanghai"`
	To      string `query:"to" doc:"Last date, inclusive"`
}

// Routes registers the console's operation.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleAuditList", Method: http.MethodGet, Path: "/api/console/audit",
		Summary: "The audit trail, newest first", Who: httpapi.Console, Permission: perm.AuditRead}, s.list)
}

func (s *Service) list(ctx context.Context, in *listInput) (httpapi.Page[Record], error) {
	var page httpapi.Page[Record]
	f, err := in.filter()
	if err != nil {
		return page, err
	}
	rows, err := list(ctx, s.db, f)
	if err != nil {
		return page, err
	}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		page.Next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	names := map[int64]string{0: ""}
	for _, r := range rows {
		if _, ok := names[r.StoreID]; !ok && s.storeName != nil {
			names[r.StoreID] = s.storeName(ctx, r.StoreID)
		}
		page.Items = append(page.Items, Record{ID: r.ID, At: clock.FromMillis(r.At), ActorID: r.ActorID, ActorName: r.ActorName,
			ActorKind: r.ActorKind, Action: r.Action, ActionLabel: Label(r.Action), SubjectKind: r.SubjectKind, SubjectID: r.SubjectID,
			SubjectLabel: r.SubjectLabel, StoreName: names[r.StoreID], IP: r.IP, Detail: json.RawMessage(r.Detail)})
	}
	return page, nil
}

// filter reads the query. Fault: fault.ErrInvalid at the field.
func (in *listInput) filter() (Filter, error) {
	f := Filter{ActorID: in.ActorID, Action: in.Action, Limit: in.Limit}
	if in.After != "" {
		id, err := strconv.ParseInt(in.After, 10, 64)
		if err != nil {
			return f, fault.ErrInvalid.On("after", "翻页位置不正确，请从第一页开始")
		}
		f.Before = id
	}
	if kind, id, ok := strings.Cut(in.Subject, ":"); ok {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return f, fault.ErrInvalid.On("subject", "应为「类别:编号」")
		}
		f.SubjectKind, f.SubjectID = kind, n
	} else if in.Subject != "" && isKind(in.Subject) {
		f.SubjectKind = in.Subject
	} else {
		f.SubjectText = in.Subject
	}
	if in.From != "" {
		from, _, err := bizday.Bounds(in.From, "")
		if err != nil {
			return f, fault.ErrInvalid.On("from", "请填写正确的日期，如 2026-01-31")
		}
		f.From = from.UnixMilli()
	}
	if in.To != "" {
		_, to, err := bizday.Bounds(in.To, "")
		if err != nil {
			return f, fault.ErrInvalid.On("to", "请填写正确的日期，如 2026-01-31")
		}
		f.To = to.UnixMilli()
	}
	return f, nil
}

// isKind says whether s reads like a subject kind (lower-case ASCII) rather than like a label.
func isKind(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }) < 0
}
