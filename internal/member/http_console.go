package member

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Summary is what a console command on a member answers: masked.
type Summary struct {
	ID            int64  `json:"id"`
	NameMasked    string `json:"nameMasked"`
	PhoneMasked   string `json:"phoneMasked"`
	Gender        string `json:"gender" enum:"male,female,unknown"`
	Birthday      string `json:"birthday,omitempty"`
	Status        string `json:"status" enum:"review,active,suspended,closing,closed,rejected,merged"`
	StatusReason  string `json:"statusReason"`
	PhoneVerified bool   `json:"phoneVerified"`
}

// Registered is a new member.
type Registered struct {
	Member Summary `json:"member"`
	CardNo string  `json:"cardNo"`
}

// ReasonRequest says why; it goes into the audit trail.
type ReasonRequest struct {
	Reason string `json:"reason" minLength:"2" maxLength:"200"`
}

// OptionalReason says why, perhaps.
type OptionalReason struct {
	Reason string `json:"reason,omitempty" maxLength:"200"`
}

// UpdateRequest changes particulars; absent fields stay.
type UpdateRequest struct {
	Name     *string `json:"name,omitempty" maxLength:"60"`
	Gender   *string `json:"gender,omitempty" enum:"male,female,unknown"`
	Birthday *string `json:"birthday,omitempty" maxLength:"10" doc:"YYYY-MM-DD, or empty to clear"`
	TierID   *int64  `json:"tierId,omitempty" minimum:"1"`
	Reason   string  `json:"reason" minLength:"2" maxLength:"200"`
}

// Clear is personal data, shown for a reason.
type Clear struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// CharterRequest publishes a version.
type CharterRequest struct {
	Title       string `json:"title" minLength:"2" maxLength:"50"`
	Body        string `json:"body" minLength:"20" maxLength:"20000"`
	PrivacyBody string `json:"privacyBody" minLength:"20" maxLength:"20000"`
}

// TagsRequest is all of a member's tags.
type TagsRequest struct {
	Tags []string `json:"tags" maxItems:"10" doc:"1 to 12 characters each; what is not named is taken away"`
}

// Tags are a member's, in order.
type Tags struct {
	Tags []string `json:"tags"`
}

// TagList is the tags in use, the most frequent first.
type TagList struct {
	Items []TagCount `json:"items"`
}

// CharterList is every version, newest first.
type CharterList struct {
	Items []Charter `json:"items"`
}

type identityInput struct {
	ID         int64 `path:"id" minimum:"1"`
	IdentityID int64 `path:"identityId" minimum:"1"`
	Body       ReasonRequest
}

type memberVehicleInput struct {
	ID        int64 `path:"id" minimum:"1"`
	VehicleID int64 `path:"vehicleId" minimum:"1"`
	Body      VehicleInput
}

type memberVehicleID struct {
	ID        int64 `path:"id" minimum:"1"`
	VehicleID int64 `path:"vehicleId" minimum:"1"`
}

func (s *Service) summary(ctx context.Context, id int64) (Summary, error) {
	m, err := s.Get(ctx, id)
	return Summary{ID: m.ID, NameMasked: MaskName(m.Name), PhoneMasked: MaskPhone(m.Phone), Gender: m.Gender, Birthday: m.Birthday,
		Status: m.Status, StatusReason: m.StatusReason, PhoneVerified: m.PhoneVerified}, err
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	create := op("consoleMemberCreate", http.MethodPost, "/members", "Register a member", perm.MemberWrite)
	create.Idempotent = true
	httpapi.Register(r, create, func(ctx context.Context, in *httpapi.Body[NewMember]) (Registered, error) {
		j, err := s.Register(ctx, in.Body)
		if err != nil {
			return Registered{}, err
		}
		m, err := s.summary(ctx, j.MemberID)
		return Registered{m, j.CardNo}, err
	})
	httpapi.Register(r, op("consoleMemberUpdate", http.MethodPut, "/members/{id}", "Change a member's particulars", perm.MemberWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[UpdateRequest]) (Summary, error) {
			if err := s.Update(ctx, in.ID, Edit(in.Body)); err != nil {
				return Summary{}, err
			}
			return s.summary(ctx, in.ID)
		})
	httpapi.Register(r, op("consoleMemberTagsSet", http.MethodPut, "/members/{id}/tags", "Give a member these tags and no others", perm.MemberWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[TagsRequest]) (Tags, error) {
			tags, err := s.SetTags(ctx, in.ID, in.Body.Tags)
			return Tags{tags}, err
		})
	httpapi.Register(r, op("consoleMemberTags", http.MethodGet, "/member-tags", "Tags in use", perm.MemberRead),
		func(ctx context.Context, _ *httpapi.None) (TagList, error) {
			all, err := s.AllTags(ctx)
			return TagList{all}, err
		})
	httpapi.Register(r, op("consoleMemberUnmask", http.MethodPost, "/members/{id}/unmask", "Show name and phone, for a reason", perm.MemberUnmask),
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonRequest]) (Clear, error) {
			name, phone, err := s.Unmask(ctx, in.ID, in.Body.Reason)
			return Clear{name, phone}, err
		})

	card := func(id, verb, summary string, do func(context.Context, int64, string) (Card, error)) {
		httpapi.Register(r, op(id, http.MethodPost, "/members/{id}/card/"+verb, summary, perm.MemberCard),
			func(ctx context.Context, in *httpapi.ByIDBody[ReasonRequest]) (Card, error) {
				return do(ctx, in.ID, in.Body.Reason)
			})
	}
	card("consoleCardFreeze", "freeze", "Freeze the card", s.FreezeCard)
	card("consoleCardUnfreeze", "unfreeze", "Unfreeze the card", s.UnfreezeCard)
	card("consoleCardLost", "lost", "Report the card lost", s.ReportLost)
	card("consoleCardReissue", "reissue", "Replace the card, keeping all rights", s.Reissue)

	because := func(id, verb, summary, permission string, do func(context.Context, int64, string) error) {
		httpapi.Register(r, op(id, http.MethodPost, "/members/{id}/"+verb, summary, permission),
			func(ctx context.Context, in *httpapi.ByIDBody[ReasonRequest]) (Summary, error) {
				if err := do(ctx, in.ID, in.Body.Reason); err != nil {
					return Summary{}, err
				}
				return s.summary(ctx, in.ID)
			})
	}
	because("consoleMemberSuspend", "suspend", "Suspend a member", perm.MemberSuspend, s.Suspend)
	because("consoleMemberReinstate", "reinstate", "End a suspension", perm.MemberSuspend, s.Reinstate)
	perhaps := func(id, verb, summary, permission string, do func(context.Context, int64, string) error) {
		httpapi.Register(r, op(id, http.MethodPost, "/members/{id}/"+verb, summary, permission),
			func(ctx context.Context, in *httpapi.ByIDBody[OptionalReason]) (Summary, error) {
				if err := do(ctx, in.ID, in.Body.Reason); err != nil {
					return Summary{}, err
				}
				return s.summary(ctx, in.ID)
			})
	}
	perhaps("consoleMemberApprove", "approve", "Accept an application", perm.MemberReview, s.Approve)
	perhaps("consoleMemberReject", "reject", "Refuse an application", perm.MemberReview, s.Reject)
	httpapi.Register(r, op("consoleMemberClose", http.MethodPost, "/members/{id}/close", "End a membership", perm.MemberSuspend),
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonRequest]) (Left, error) {
			return s.Close(ctx, in.ID, in.Body.Reason)
		})
	httpapi.Register(r, op("consoleIdentityUnbind", http.MethodPost, "/members/{id}/identities/{identityId}/unbind", "Take a WeChat identity from a member", perm.MemberWrite),
		func(ctx context.Context, in *identityInput) (httpapi.None, error) {
			return httpapi.None{}, s.Unbind(ctx, in.ID, in.IdentityID, in.Body.Reason)
		})

	httpapi.Register(r, op("consoleVehicleCreate", http.MethodPost, "/members/{id}/vehicles", "Add a member's car", perm.MemberWrite),
		func(ctx context.Context, in *vehicleInput) (Vehicle, error) { return s.AddVehicle(ctx, in.ID, in.Body) })
	httpapi.Register(r, op("consoleVehicleUpdate", http.MethodPut, "/members/{id}/vehicles/{vehicleId}", "Change a member's car", perm.MemberWrite),
		func(ctx context.Context, in *memberVehicleInput) (Vehicle, error) {
			return s.EditVehicle(ctx, in.ID, in.VehicleID, in.Body)
		})
	httpapi.Register(r, op("consoleVehicleDelete", http.MethodDelete, "/members/{id}/vehicles/{vehicleId}", "Remove a member's car", perm.MemberWrite),
		func(ctx context.Context, in *memberVehicleID) (httpapi.None, error) {
			return httpapi.None{}, s.RemoveVehicle(ctx, in.ID, in.VehicleID)
		})

	httpapi.Register(r, op("consoleCharterList", http.MethodGet, "/charters", "Every version of the charter", perm.SettingRead),
		func(ctx context.Context, _ *httpapi.Paging) (CharterList, error) { // a handful: never more than one page
			items, err := s.Charters(ctx)
			return CharterList{items}, err
		})
	publish := op("consoleCharterPublish", http.MethodPost, "/charters", "Publish a new version", perm.SettingWrite)
	publish.MaxBody = 256 << 10
	httpapi.Register(r, publish, func(ctx context.Context, in *httpapi.Body[CharterRequest]) (Charter, error) {
		return s.PublishCharter(ctx, in.Body.Title, in.Body.Body, in.Body.PrivacyBody)
	})
}
