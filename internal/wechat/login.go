package wechat

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// Identity is who somebody is in one app. The same person has another OpenID in the other app; UnionID joins the two
// only when both apps belong to one Open Platform account, so it may be "".
type Identity struct {
	App     string // MiniProgram or OfficialAccount
	AppID   string
	OpenID  string
	UnionID string
}

func checkCode(op, code string) error {
	// The SDK puts the code into the address as it is.
	if !codeForm.MatchString(code) {
		return &Error{Class: BadCode, Op: op, cause: errors.New("malformed code")}
	}
	return nil
}

func notConfigured(op string) error { return &Error{Class: NotConfigured, Op: op} }

// MiniProgramSession exchanges the code of wx.login. Errors: BadCode, Quota, Unavailable, Rejected, NotConfigured.
func (c *Client) MiniProgramSession(ctx context.Context, code string) (Identity, error) {
	const op = "mini-program login"
	if c.mpAuth == nil {
		return Identity{}, notConfigured(op)
	}
	if err := checkCode(op, code); err != nil {
		return Identity{}, err
	}
	ctx, cancel := c.call(ctx)
	defer cancel()
	r, err := c.mpAuth.Code2SessionContext(ctx, code)
	if err == nil && r.OpenID == "" {
		err = errors.New("answer without openid")
	}
	if err != nil {
		return Identity{}, classify(op, err)
	}
	return Identity{MiniProgram, c.cfg.MiniProgram.AppID, r.OpenID, r.UnionID}, nil
}

// PhoneNumber exchanges the code of the getPhoneNumber button for a mainland number without prefix. Errors: BadCode,
// Quota (code 1400001: the paid quota is used up, ask for the number), Rejected (foreign number), Unavailable.
func (c *Client) PhoneNumber(ctx context.Context, code string) (string, error) {
	const op = "phone number"
	if c.mpAuth == nil {
		return "", notConfigured(op)
	}
	if err := checkCode(op, code); err != nil {
		return "", err
	}
	var phone string
	err := c.withToken(ctx, c.mpToken, op, func(ctx context.Context) error {
		r, err := c.mpAuth.GetPhoneNumberContext(ctx, code)
		if err != nil {
			return err
		}
		if r.PhoneInfo.CountryCode != "86" || r.PhoneInfo.PurePhoneNumber == "" {
			return &Error{Class: Rejected, Code: "foreign", Op: op}
		}
		phone = r.PhoneInfo.PurePhoneNumber
		return nil
	})
	return phone, err
}

// The scopes of OAuth.
const (
	ScopeBase     = "snsapi_base"     // silent: openid only
	ScopeUserInfo = "snsapi_userinfo" // asks the visitor
)

// AuthorizeURL is where the browser goes to log in with the official account; "" when there is none. The host of
// redirectURI must be registered with WeChat exactly.
func (c *Client) AuthorizeURL(redirectURI, state, scope string) string {
	if c.oaOAuth == nil {
		return ""
	}
	// The SDK escapes the address, but not the state.
	u, err := c.oaOAuth.GetRedirectURL(redirectURI, url.QueryEscape(scope), url.QueryEscape(state))
	if err != nil {
		return ""
	}
	return c.route.open + strings.TrimPrefix(u, "https://"+hostOpen)
}

// OAuthIdentity exchanges the code that the authorize page sent back. A snapshot user, who exists only on a preview
// page, is refused. Errors: BadCode, Snapshot, Quota, Unavailable, Rejected, NotConfigured.
func (c *Client) OAuthIdentity(ctx context.Context, code string) (Identity, error) {
	const op = "official account login"
	if c.oaOAuth == nil {
		return Identity{}, notConfigured(op)
	}
	if err := checkCode(op, code); err != nil {
		return Identity{}, err
	}
	ctx, cancel := c.call(ctx)
	defer cancel()
	r, err := c.oaOAuth.GetUserAccessTokenContext(ctx, code)
	if err == nil && r.OpenID == "" {
		err = errors.New("answer without openid")
	}
	if err != nil {
		return Identity{}, classify(op, err)
	}
	if r.IsSnapShotUser == 1 {
		return Identity{}, &Error{Class: Snapshot, Op: op}
	}
	return Identity{OfficialAccount, c.cfg.OfficialAccount.AppID, r.OpenID, r.UnionID}, nil
}
