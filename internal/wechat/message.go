package wechat

import (
	"context"
	"net/url"
	"strings"

	"github.com/silenceper/wechat/v2/miniprogram/subscribe"
	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"
)

// SubscribeMessage is a one-time subscribe message of the mini-program. Data is by field key ("thing1"); values are
// trimmed to what their field type allows.
type SubscribeMessage struct {
	OpenID     string
	TemplateID string
	Page       string // "pages/home/index?x=1"
	Data       map[string]string
}

// TemplateMessage is a template message of the official account.
type TemplateMessage struct {
	OpenID      string
	TemplateID  string
	URL         string // opened by a tap
	Page        string // mini-program page opened instead of URL
	ClientMsgID string // the same id is sent once
	Data        map[string]string
}

// SendSubscribe sends a subscribe message and spends one grant of the user. Errors: Refused (43101: no grant left, a
// normal outcome, N23), Rejected (40003, 40037, 41030, 47003), Quota, Unavailable, NotConfigured.
func (c *Client) SendSubscribe(ctx context.Context, m SubscribeMessage) error {
	const op = "subscribe message"
	if c.mpAuth == nil {
		return notConfigured(op)
	}
	msg := subscribe.Message{ToUser: m.OpenID, TemplateID: m.TemplateID, Page: strings.TrimPrefix(m.Page, "/"), Lang: "zh_CN",
		Data: map[string]*subscribe.DataItem{}}
	for k, v := range m.Data {
		msg.Data[k] = &subscribe.DataItem{Value: TrimField(k, v)}
	}
	_, err := c.post(ctx, c.mpToken, op, "/cgi-bin/message/subscribe/send", &msg)
	return err
}

// SendTemplate sends a template message and returns WeChat's message id. Errors: Refused (43004: does not follow),
// Rejected, Quota, Unavailable, NotConfigured.
func (c *Client) SendTemplate(ctx context.Context, m TemplateMessage) (msgID int64, err error) {
	const op = "template message"
	if c.oaOAuth == nil {
		return 0, notConfigured(op)
	}
	msg := message.TemplateMessage{ToUser: m.OpenID, TemplateID: m.TemplateID, URL: m.URL, ClientMsgID: m.ClientMsgID,
		Data: map[string]*message.TemplateDataItem{}}
	if m.Page != "" {
		msg.MiniProgram.AppID, msg.MiniProgram.PagePath = c.cfg.MiniProgram.AppID, strings.TrimPrefix(m.Page, "/")
	}
	for k, v := range m.Data {
		msg.Data[k] = &message.TemplateDataItem{Value: TrimField(k, v)}
	}
	return c.post(ctx, c.oaToken, op, "/cgi-bin/message/template/send", &msg)
}

type sent struct {
	util.CommonError
	MsgID int64 `json:"msgid"`
}

// post sends a message with the SDK's own parts: its ready-made senders take no context, so nothing would bound them.
func (c *Client) post(ctx context.Context, src tokenSource, op, path string, body any) (msgID int64, err error) {
	err = c.withToken(ctx, src, op, func(ctx context.Context) error {
		token, err := src.get(ctx)
		if err != nil {
			return err
		}
		raw, err := util.PostJSONContext(ctx, "https://"+hostAPI+path+"?access_token="+url.QueryEscape(token), body)
		if err != nil {
			return err
		}
		var r sent
		if err := util.DecodeWithError(raw, &r, op); err != nil {
			return err
		}
		msgID = r.MsgID
		return nil
	})
	return msgID, err
}
