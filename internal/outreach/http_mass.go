package outreach

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/perm"
)

// CampaignView is a campaign as the console shows it.
type CampaignView struct {
	ID        int64          `json:"id"`
	Name      string         `json:"name"`
	Filter    coupon.Filter  `json:"filter"`
	Template  string         `json:"template"`
	Sign      string         `json:"sign"`
	Body      string         `json:"body"`
	Fields    []notify.Field `json:"fields"`
	State     string         `json:"state" enum:"draft,running,paused,stopped,done"`
	Reason    string         `json:"reason"`
	Found     int            `json:"found" doc:"Members looked at by now"`
	Promised  int            `json:"promised" doc:"Of them: the text is sent or on its way"`
	Skipped   int            `json:"skipped" doc:"Of them: no consent, or no verified phone"`
	Segments  int            `json:"segments"`
	PriceLi   int            `json:"priceLi"`
	StaffName string         `json:"staffName"`
	CreatedAt time.Time      `json:"createdAt"`
	StartedAt *time.Time     `json:"startedAt,omitempty"`
	DoneAt    *time.Time     `json:"doneAt,omitempty"`
}

// CampaignDetail is a campaign with what became of its texts.
type CampaignDetail struct {
	CampaignView
	Sent    int64 `json:"sent" doc:"The gateway took it"`
	Waiting int64 `json:"waiting" doc:"Quiet hours, a pause, or on its way"`
	Capped  int64 `json:"capped" doc:"The member had enough messages already"`
	Off     int64 `json:"off" doc:"Stopped, or the member does not want it any more"`
	Failed  int64 `json:"failed"`
	CostLi  int64 `json:"costLi" doc:"Of what was sent, in thousandths of a yuan"`
}

func (x Campaign) view() CampaignView {
	return CampaignView{ID: x.ID, Name: x.Name, Filter: x.Filter, Template: x.Template, Sign: x.Sign, Body: x.Body, Fields: x.Fields, State: x.State, Reason: x.Reason, Found: x.Found,
		Promised: x.Promised, Skipped: x.Skipped, Segments: x.Segments, PriceLi: x.PriceLi, StaffName: x.StaffName, CreatedAt: x.CreatedAt, StartedAt: clock.Pointer(x.StartedAt), DoneAt: clock.Pointer(x.DoneAt)}
}

func (s *Service) detail(ctx context.Context, x Campaign, err error) (CampaignDetail, error) {
	if err != nil {
		return CampaignDetail{}, err
	}
	d := CampaignDetail{CampaignView: x.view()}
	tally, err := s.Tally(ctx, x.ID)
	for state, n := range tally {
		switch state {
		case notify.Sent, notify.Delivered:
			d.Sent += n
		case notify.Queued, notify.Held, notify.Sending:
			d.Waiting += n
		case notify.Capped:
			d.Capped += n
		case notify.Off:
			d.Off += n
		default:
			d.Failed += n
		}
	}
	d.CostLi = d.Sent * int64(x.Segments) * int64(x.PriceLi)
	return d, err
}

func (s *Service) massRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary string) httpapi.Op {
		return httpapi.Op{ID: "consoleCampaign" + id, Method: method, Path: "/api/console/outreach/campaigns" + path, Summary: summary, Who: httpapi.Console, Permission: perm.MessageBulk}
	}
	httpapi.Register(r, op("List", http.MethodGet, "", "Texts to many, newest first"),
		func(ctx context.Context, in *httpapi.Paging) (page httpapi.Page[CampaignView], err error) {
			before, _ := strconv.ParseInt(in.After, 10, 64) // a cursor that is none starts anew
			list, err := s.Campaigns(ctx, before, in.Limit+1)
			if len(list) > in.Limit {
				list = list[:in.Limit]
				page.Next = strconv.FormatInt(list[in.Limit-1].ID, 10)
			}
			for _, x := range list {
				page.Items = append(page.Items, x.view())
			}
			return page, err
		})
	httpapi.Register(r, op("Preview", http.MethodPost, "/preview", "Whom it would reach, and what it would cost"),
		func(ctx context.Context, in *httpapi.Body[CampaignInput]) (Estimate, error) {
			return s.Preview(ctx, in.Body)
		})
	httpapi.Register(r, op("Create", http.MethodPost, "", "A draft"),
		func(ctx context.Context, in *httpapi.Body[CampaignInput]) (CampaignDetail, error) {
			x, err := s.SaveCampaign(ctx, 0, in.Body)
			return s.detail(ctx, x, err)
		})
	httpapi.Register(r, op("Get", http.MethodGet, "/{id}", "How far it is"),
		func(ctx context.Context, in *httpapi.ByID) (CampaignDetail, error) {
			x, err := s.CampaignByID(ctx, in.ID)
			return s.detail(ctx, x, err)
		})
	httpapi.Register(r, op("Update", http.MethodPut, "/{id}", "Change a draft, or the text of one that is paused"),
		func(ctx context.Context, in *httpapi.ByIDBody[CampaignInput]) (CampaignDetail, error) {
			x, err := s.SaveCampaign(ctx, in.ID, in.Body)
			return s.detail(ctx, x, err)
		})
	start := op("Start", http.MethodPost, "/{id}/start", "Send it, or go on")
	start.Idempotent = true
	httpapi.Register(r, start, func(ctx context.Context, in *httpapi.ByID) (CampaignDetail, error) {
		x, err := s.Start(ctx, in.ID)
		return s.detail(ctx, x, err)
	})
	httpapi.Register(r, op("Pause", http.MethodPost, "/{id}/pause", "What is not sent yet waits"),
		func(ctx context.Context, in *httpapi.ByID) (CampaignDetail, error) {
			x, err := s.Pause(ctx, in.ID)
			return s.detail(ctx, x, err)
		})
	httpapi.Register(r, op("Stop", http.MethodPost, "/{id}/stop", "What is not sent yet is not sent"),
		func(ctx context.Context, in *httpapi.ByID) (CampaignDetail, error) {
			x, err := s.Stop(ctx, in.ID)
			return s.detail(ctx, x, err)
		})
	httpapi.Register(r, op("Test", http.MethodPost, "/{id}/test", "Send it to the caller's own phone"),
		func(ctx context.Context, in *httpapi.ByID) (TestResult, error) {
			ok, says, err := s.Test(ctx, in.ID)
			return TestResult{ok, says}, err
		})
}

// TestResult says what came of a test.
type TestResult struct {
	OK   bool   `json:"ok"`
	Says string `json:"says"`
}
