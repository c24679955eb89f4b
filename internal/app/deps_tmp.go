package app

import (
	_ "github.com/danielgtaylor/huma/v2/adapters/humaecho"
	_ "github.com/knadh/koanf/parsers/yaml"
	_ "github.com/knadh/koanf/providers/env/v2"
	_ "github.com/knadh/koanf/providers/file"
	_ "github.com/knadh/koanf/providers/rawbytes"
	_ "github.com/knadh/koanf/v2"
	_ "github.com/labstack/echo/v4/middleware"
	_ "github.com/prometheus/client_golang/prometheus"
	_ "github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/silenceper/wechat/v2/cache"
	_ "github.com/silenceper/wechat/v2/miniprogram"
	_ "github.com/silenceper/wechat/v2/officialaccount"
	_ "github.com/wechatpay-apiv3/wechatpay-go/core"
	_ "github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	_ "golang.org/x/crypto/argon2"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/time/rate"
	_ "pgregory.net/rapid"
)
