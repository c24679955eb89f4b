package wechat

import (
	"bytes"
	"context"
	"errors"
	"net/url"

	"github.com/silenceper/wechat/v2/miniprogram/qrcode"
	"github.com/silenceper/wechat/v2/util"
)

// MiniProgramCode draws the round code that opens a page of the mini-program with a scene of up to 32 characters; it is a picture in JPEG and
// lasts for ever. Errors: Rejected (41030: no such page, 40129: bad scene), Quota, Unavailable, NotConfigured.
func (c *Client) MiniProgramCode(ctx context.Context, scene, page string) (picture []byte, err error) {
	const op = "mini-program code"
	if c.mpAuth == nil {
		return nil, notConfigured(op)
	}
	published := false // the page need not be in the published version yet
	ask := qrcode.QRCoder{Scene: scene, Page: page, CheckPath: &published, Width: 430}
	err = c.withToken(ctx, c.mpToken, op, func(ctx context.Context) error {
		token, err := c.mpToken.get(ctx)
		if err != nil {
			return err
		}
		raw, err := util.PostJSONContext(ctx, "https://"+hostAPI+"/wxa/getwxacodeunlimit?access_token="+url.QueryEscape(token), ask)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(raw, []byte("{")) { // an error instead of a picture
			if err := util.DecodeWithCommonError(raw, op); err != nil {
				return err
			}
			return errors.New("an answer without a picture")
		}
		picture = raw
		return nil
	})
	return picture, err
}
