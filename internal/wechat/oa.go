package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

// Follower is what WeChat tells of somebody and the official account. It gives neither name nor picture since 2021.
type Follower struct {
	OpenID, UnionID string // UnionID "" unless the account is bound to an Open Platform account
	Following       bool
	Since           time.Time // zero where not following
	Scene           string    // how they came: ADD_SCENE_QR_CODE …
}

// FollowerInfo asks whether somebody follows the official account. Errors: Rejected (40003: not an openid of this account), Quota, Unavailable,
// NotConfigured.
func (c *Client) FollowerInfo(ctx context.Context, openID string) (f Follower, err error) {
	const op = "follower"
	if !codeForm.MatchString(openID) { // the address holds it as it is
		return f, &Error{Class: Rejected, Code: "40003", Op: op}
	}
	var r followerAnswer
	err = c.oaGet(ctx, op, "/cgi-bin/user/info?lang=zh_CN&openid="+url.QueryEscape(openID), &r)
	if err != nil {
		return f, err
	}
	f = r.follower()
	f.OpenID = openID
	return f, nil
}

type followerAnswer struct {
	Subscribe int    `json:"subscribe"`
	OpenID    string `json:"openid"`
	UnionID   string `json:"unionid"`
	Time      int64  `json:"subscribe_time"`
	Scene     string `json:"subscribe_scene"`
}

func (r followerAnswer) follower() Follower {
	f := Follower{OpenID: r.OpenID, UnionID: r.UnionID, Following: r.Subscribe == 1, Scene: r.Scene}
	if f.Following && r.Time > 0 {
		f.Since = time.Unix(r.Time, 0).UTC()
	}
	return f
}

// FollowerInfos asks for at most 100 people at once. One that WeChat does not know makes it refuse all of them. Errors: those of FollowerInfo.
func (c *Client) FollowerInfos(ctx context.Context, openIDs []string) (out []Follower, err error) {
	var ask []map[string]string
	for _, id := range openIDs {
		ask = append(ask, map[string]string{"openid": id, "lang": "zh_CN"})
	}
	var r struct {
		List []followerAnswer `json:"user_info_list"`
	}
	if err = c.oaPost(ctx, "followers", "/cgi-bin/user/info/batchget", map[string]any{"user_list": ask}, &r); err != nil {
		return nil, err
	}
	for _, x := range r.List {
		out = append(out, x.follower())
	}
	return out, nil
}

// MenuButton is a button of the official account's menu, in WeChat's own form: three at most, each with an action or up to five of its own.
type MenuButton struct {
	Type     string       `json:"type,omitempty"` // click, view, miniprogram; "" where it has buttons of its own
	Name     string       `json:"name"`
	Key      string       `json:"key,omitempty"`
	URL      string       `json:"url,omitempty"` // of a mini-program button: for clients too old for it
	AppID    string       `json:"appid,omitempty"`
	PagePath string       `json:"pagepath,omitempty"`
	Sub      []MenuButton `json:"sub_button,omitempty"`
}

// PublishMenu replaces the menu. Phones show it within a day, or when they follow anew. Errors: Rejected (40016–40027, 40033, 40054: a button is wrong),
// Quota, Unavailable, NotConfigured.
func (c *Client) PublishMenu(ctx context.Context, buttons []MenuButton) error {
	return c.oaPost(ctx, "menu", "/cgi-bin/menu/create", map[string]any{"button": buttons}, nil)
}

// Menu is the menu that is live; none is an empty list. Errors: Quota, Unavailable, Rejected, NotConfigured.
func (c *Client) Menu(ctx context.Context) ([]MenuButton, error) {
	var r struct {
		util.CommonError
		Menu struct {
			Button []MenuButton `json:"button"`
		} `json:"menu"`
	}
	err := c.oaGet(ctx, "menu", "/cgi-bin/menu/get", &r)
	if CodeOf(err) == "46003" { // there is none
		return nil, nil
	}
	return r.Menu.Button, err
}

// DeleteMenu takes the menu away. Errors: Quota, Unavailable, Rejected, NotConfigured.
func (c *Client) DeleteMenu(ctx context.Context) error {
	var r util.CommonError
	return c.oaGet(ctx, "menu", "/cgi-bin/menu/delete", &r)
}

// SceneCode makes a lasting code that leads to the official account and carries a scene of 1 to 64 characters; it returns what the code says.
// Errors: Rejected, Quota (45009 or the account's 100,000 lasting codes), Unavailable, NotConfigured.
func (c *Client) SceneCode(ctx context.Context, scene string) (text string, err error) {
	var r struct {
		util.CommonError
		Ticket string `json:"ticket"`
		URL    string `json:"url"`
	}
	ask := map[string]any{"action_name": "QR_LIMIT_STR_SCENE", "action_info": map[string]any{"scene": map[string]any{"scene_str": scene}}}
	if err = c.oaPost(ctx, "scene code", "/cgi-bin/qrcode/create", ask, &r); err == nil && r.URL == "" {
		err = &Error{Class: Rejected, Op: "scene code", cause: errors.New("an answer without address")}
	}
	return r.URL, err
}

// JSConfig is what a page needs to use WeChat's JS-SDK.
type JSConfig struct {
	AppID     string `json:"appId"`
	Timestamp int64  `json:"timestamp" doc:"Unix seconds"`
	Nonce     string `json:"nonceStr"`
	Signature string `json:"signature"`
}

// JSConfig signs the address of a page, without its fragment. The ticket is fetched once and shared; one that WeChat no longer takes is replaced when
// the token is. Errors: Unavailable, Quota, Rejected, NotConfigured.
func (c *Client) JSConfig(ctx context.Context, page string) (out JSConfig, err error) {
	const op = "JS-SDK"
	if c.oaJS == nil {
		return out, notConfigured(op)
	}
	err = c.withToken(ctx, c.oaToken, op, func(ctx context.Context) error {
		r, err := c.oaJS.GetConfigContext(ctx, page)
		if err != nil {
			return err
		}
		out = JSConfig{r.AppID, r.Timestamp, r.NonceStr, r.Signature}
		return nil
	})
	return out, err
}

// oaGet and oaPost call the official account's API with the SDK's own parts: its ready-made calls take no context, so nothing would bound them.
func (c *Client) oaGet(ctx context.Context, op, path string, into any) error {
	return c.oaCall(ctx, op, path, func(ctx context.Context, uri string) ([]byte, error) { return util.HTTPGetContext(ctx, uri) }, into)
}

func (c *Client) oaPost(ctx context.Context, op, path string, body, into any) error {
	return c.oaCall(ctx, op, path, func(ctx context.Context, uri string) ([]byte, error) { return util.PostJSONContext(ctx, uri, body) }, into)
}

func (c *Client) oaCall(ctx context.Context, op, path string, send func(ctx context.Context, uri string) ([]byte, error), into any) error {
	if c.oaOAuth == nil {
		return notConfigured(op)
	}
	return c.withToken(ctx, c.oaToken, op, func(ctx context.Context) error {
		token, err := c.oaToken.get(ctx)
		if err != nil {
			return err
		}
		u, err := url.Parse("https://" + hostAPI + path)
		if err != nil {
			return err
		}
		q := u.Query()
		q.Set("access_token", token)
		u.RawQuery = q.Encode()
		raw, err := send(ctx, u.String())
		if err != nil {
			return err
		}
		if err := util.DecodeWithCommonError(raw, op); err != nil || into == nil {
			return err
		}
		return json.Unmarshal(raw, into)
	})
}
