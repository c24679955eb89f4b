package app

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
)

// texts is the way to send text messages; nil without a provider.
func (a *App) texts() member.Texts {
	if a.opt.Config.SMS.Provider == "" {
		return nil
	}
	return a.SMS
}

// linkedTx tells a member that another WeChat account opens the door now: whoever did not do it must hear of it.
func (a *App) linkedTx(ctx context.Context, tx *db.Tx, memberID int64, app string) error {
	where := "公众号"
	if app == member.AppMini {
		where = "小程序"
	}
	return a.Messages.EnqueueTx(ctx, tx, notify.Message{MemberID: memberID, Event: notify.AccountLinked, Dedupe: fmt.Sprintf("linked:%d:%s:%d", memberID, app, tx.Millis()),
		Data: map[string]string{"title": "新的微信已绑定" + where, "time": tx.Now.Format(time.RFC3339), "hint": "不是本人？请在个人资料里解除"}, Page: "pages/identities/index"})
}
