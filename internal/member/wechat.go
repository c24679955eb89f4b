package member

import (
	"context"

	"github.com/liangche/liangche/internal/wechat"
)

// WeChat is what this package asks of the platform. Codes are single use; faults of the client pass through.
type WeChat interface {
	MiniProgramSession(ctx context.Context, code string) (wechat.Identity, error)
	OAuthIdentity(ctx context.Context, code string) (wechat.Identity, error)
	PhoneNumber(ctx context.Context, code string) (string, error)
}
