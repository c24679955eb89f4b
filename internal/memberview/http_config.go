package memberview

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/setting"
)

// PublicConfig is what the app needs before anybody is signed in.
type PublicConfig struct {
	ShopName       string    `json:"shopName"`
	AccentColor    string    `json:"accentColor"`
	ServicePhone   string    `json:"servicePhone"`
	CharterVersion int64     `json:"charterVersion"`
	CharterTitle   string    `json:"charterTitle"`
	Templates      Templates `json:"templates"`
	Demo           bool      `json:"demo"`
	PhoneCode      bool      `json:"phoneCode" doc:"A phone can be proved by a text message; a typed one alone is not taken then"`
}

// Templates are the mini-program's subscribe templates that the app may ask for; "" where the shop has none.
type Templates struct {
	Deduction string `json:"deduction"`
	Topup     string `json:"topup"`
	Refund    string `json:"refund"`
	Reversal  string `json:"reversal"`

	BookingConfirmed string `json:"bookingConfirmed"`
	BookingReminder  string `json:"bookingReminder"`
	BookingChanged   string `json:"bookingChanged"`
	BookingCancelled string `json:"bookingCancelled"`
	BookingOffer     string `json:"bookingOffer"`
	CarReady         string `json:"carReady"`

	PassSold         string `json:"passSold"`
	PassExpiring     string `json:"passExpiring"`
	PassRenewal      string `json:"passRenewal"`
	PointsExpiring   string `json:"pointsExpiring"`
	TierChanged      string `json:"tierChanged"`
	MembershipEnds   string `json:"membershipEnds"`
	CouponReceived   string `json:"couponReceived"`
	CouponExpiring   string `json:"couponExpiring"`
	MallReady        string `json:"mallReady"`
	MallShipped      string `json:"mallShipped"`
	ReferralRewarded string `json:"referralRewarded"`
	GroupApproval    string `json:"groupApproval"`
}

func templatesOf(ids map[string]string) Templates {
	return Templates{Deduction: ids["deduction"], Topup: ids["topup"], Refund: ids["refund"], Reversal: ids["reversal"],
		BookingConfirmed: ids["booking_confirmed"], BookingReminder: ids["booking_reminder"], BookingChanged: ids["booking_changed"],
		BookingCancelled: ids["booking_cancelled"], BookingOffer: ids["booking_offer"], CarReady: ids["car_ready"],
		PassSold: ids["pass_sold"], PassExpiring: ids["pass_expiring"], PassRenewal: ids["pass_renewal"], PointsExpiring: ids["points_expiring"],
		TierChanged: ids["tier_changed"], MembershipEnds: ids["membership_ends"], CouponReceived: ids["coupon_received"], CouponExpiring: ids["coupon_expiring"], MallReady: ids["mall_ready"],
		MallShipped: ids["mall_shipped"], ReferralRewarded: ids["referral_rewarded"], GroupApproval: ids["group_approval"]}
}

// Config serves ownerConfig.
type Config struct {
	Settings  *setting.Service
	Members   *member.Service
	Templates map[string]string // event → template id
	Demo      bool
}

// Routes declares ownerConfig.
func (c Config) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "ownerConfig", Method: http.MethodGet, Path: "/api/owner/config", Who: httpapi.Public, Summary: "What the app shows before login"},
		func(ctx context.Context, _ *httpapi.None) (PublicConfig, error) {
			out := PublicConfig{Demo: c.Demo, Templates: templatesOf(c.Templates)}
			for key, to := range map[string]*string{setting.ShopName: &out.ShopName, setting.ShopAccent: &out.AccentColor, setting.ShopPhone: &out.ServicePhone} {
				var err error
				if *to, err = c.Settings.Text(ctx, key); err != nil {
					return out, err
				}
			}
			var err error
			if out.PhoneCode, err = c.Members.PhoneCodes(ctx); err != nil {
				return out, err
			}
			ch, err := c.Members.Charter(ctx)
			out.CharterVersion, out.CharterTitle = ch.Version, ch.Title
			return out, err
		})
}
