package campaign

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// RuleView is a rule as the console shows it.
type RuleView struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Trigger   string     `json:"trigger" enum:"after_purchase,after_topup,birthday,first_follow,join,review,activity"`
	Terms     Terms      `json:"terms"`
	Gift      Gift       `json:"gift"`
	GiftTitle string     `json:"giftTitle" doc:"The gift in words"`
	Active    bool       `json:"active"`
	StartsAt  time.Time  `json:"startsAt"`
	EndsAt    *time.Time `json:"endsAt,omitempty"`
	Given     int        `json:"given" doc:"How often it gave"`
}

// BatchView is a batch of codes as the console shows it.
type BatchView struct {
	ID         int64      `json:"id"`
	Name       string     `json:"name"`
	Kind       string     `json:"kind" enum:"dealer,swap,opening,partner"`
	Partner    string     `json:"partner,omitempty"`
	Gift       Gift       `json:"gift"`
	GiftTitle  string     `json:"giftTitle"`
	Count      int        `json:"count"`
	Used       int        `json:"used"`
	PerMember  int        `json:"perMember"`
	StartsAt   time.Time  `json:"startsAt"`
	EndsAt     *time.Time `json:"endsAt,omitempty"`
	State      string     `json:"state" enum:"open,stopped"`
	CreatedBy  string     `json:"createdBy"`
	CreatedAt  time.Time  `json:"createdAt"`
	ExportedBy string     `json:"exportedBy,omitempty"`
	ExportedAt *time.Time `json:"exportedAt,omitempty" doc:"Absent until the codes were drawn and shown"`
	StoppedAt  *time.Time `json:"stoppedAt,omitempty"`
}

// Codes are all codes of a batch, in the one export.
type Codes struct {
	Codes []string `json:"codes" doc:"ABCD-EFGH-JKLM; shown this once"`
}

// RedeemRequest carries a code as it was typed or scanned.
type RedeemRequest struct {
	Code string `json:"code" minLength:"1" maxLength:"40"`
}

// Routes registers the operations of gifts.
func (s *Service) Routes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleGiftRuleList", http.MethodGet, "/gift-rules", "All gift rules", perm.CampaignRead),
		func(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[RuleView], error) {
			rules, given, err := s.Rules(ctx)
			if err != nil {
				return httpapi.Page[RuleView]{}, err
			}
			out := make([]RuleView, 0, len(rules))
			for _, x := range rules {
				v, err := s.ruleView(ctx, x, given[x.ID])
				if err != nil {
					return httpapi.Page[RuleView]{}, err
				}
				out = append(out, v)
			}
			return httpapi.Cut(out, *in, func(v RuleView) int64 { return v.ID }), nil
		})
	httpapi.Register(r, op("consoleGiftRuleCreate", http.MethodPost, "/gift-rules", "Add a gift rule", perm.CampaignWrite),
		func(ctx context.Context, in *httpapi.Body[RuleInput]) (RuleView, error) {
			return s.saved(ctx, 0, in.Body)
		})
	httpapi.Register(r, op("consoleGiftRuleUpdate", http.MethodPut, "/gift-rules/{id}", "Change a gift rule; what it gave stays", perm.CampaignWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[RuleInput]) (RuleView, error) {
			return s.saved(ctx, in.ID, in.Body)
		})
	httpapi.Register(r, op("consoleGiftRuleDelete", http.MethodDelete, "/gift-rules/{id}", "End a gift rule; what it gave stays", perm.CampaignWrite),
		func(ctx context.Context, in *httpapi.ByID) (httpapi.None, error) {
			return httpapi.None{}, s.DeleteRule(ctx, in.ID)
		})

	httpapi.Register(r, op("consoleCodeBatchList", http.MethodGet, "/code-batches", "Batches of codes, newest first", perm.CampaignRead),
		func(ctx context.Context, in *httpapi.Paging) (out httpapi.Page[BatchView], err error) {
			list, err := readBatches(ctx, s.db, in.After, in.Limit+1)
			if err != nil {
				return out, err
			}
			if len(list) > in.Limit {
				list = list[:in.Limit]
				out.Next = strconv.FormatInt(list[in.Limit-1].ID, 10)
			}
			for _, b := range list {
				v, err := s.batchView(ctx, b, nil)
				if err != nil {
					return out, err
				}
				out.Items = append(out.Items, v)
			}
			return out, nil
		})
	httpapi.Register(r, op("consoleCodeBatchCreate", http.MethodPost, "/code-batches", "Make a batch of codes", perm.CampaignWrite),
		func(ctx context.Context, in *httpapi.Body[BatchInput]) (BatchView, error) {
			b, err := s.CreateBatch(ctx, in.Body)
			return s.batchView(ctx, b, err)
		})
	httpapi.Register(r, op("consoleCodeBatchCodes", http.MethodPost, "/code-batches/{id}/codes", "Draw the codes of a batch and show them, once", perm.CampaignWrite),
		func(ctx context.Context, in *httpapi.ByID) (Codes, error) {
			codes, err := s.Export(ctx, in.ID)
			return Codes{codes}, err
		})
	httpapi.Register(r, op("consoleCodeBatchStop", http.MethodPost, "/code-batches/{id}/stop", "Make the codes that are left worthless", perm.CampaignWrite),
		func(ctx context.Context, in *httpapi.ByID) (BatchView, error) {
			b, err := s.StopBatch(ctx, in.ID)
			return s.batchView(ctx, b, err)
		})

	guesses := httpapi.NewGuesses()
	httpapi.Register(r, httpapi.Op{ID: "ownerCodeRedeem", Method: http.MethodPost, Path: "/api/owner/codes", Summary: "Use a code from a card", Who: httpapi.Member, Idempotent: true},
		func(ctx context.Context, in *httpapi.Body[RedeemRequest]) (Redeemed, error) {
			if err := guesses.Allow(ctx, s.db.Now()); err != nil {
				return Redeemed{}, err
			}
			return s.Redeem(ctx, in.Body.Code)
		})
}

func (s *Service) saved(ctx context.Context, id int64, in RuleInput) (RuleView, error) {
	x, err := s.SaveRule(ctx, id, in)
	if err != nil {
		return RuleView{}, err
	}
	given, err := givenBy(ctx, s.db)
	if err != nil {
		return RuleView{}, err
	}
	return s.ruleView(ctx, x, given[x.ID])
}

func (s *Service) ruleView(ctx context.Context, x Rule, given int) (RuleView, error) {
	v := RuleView{ID: x.ID, Name: x.Name, Trigger: x.Trigger, Terms: x.Terms, Gift: x.Gift, Active: x.Active, StartsAt: x.StartsAt, EndsAt: clock.Pointer(x.EndsAt), Given: given}
	var err error
	v.GiftTitle, err = s.Title(ctx, s.db, x.Gift)
	return v, err
}

func (s *Service) batchView(ctx context.Context, b Batch, err error) (BatchView, error) {
	if err != nil {
		return BatchView{}, err
	}
	v := BatchView{ID: b.ID, Name: b.Name, Kind: b.Kind, Partner: b.Partner, Gift: b.Gift, Count: b.Count, Used: b.Used, PerMember: b.PerMember, StartsAt: b.StartsAt,
		EndsAt: clock.Pointer(b.EndsAt), State: b.State, CreatedBy: b.CreatedBy, CreatedAt: b.CreatedAt, ExportedBy: b.ExportedBy, ExportedAt: clock.Pointer(b.ExportedAt), StoppedAt: clock.Pointer(b.StoppedAt)}
	v.GiftTitle, err = s.Title(ctx, s.db, b.Gift)
	return v, err
}
