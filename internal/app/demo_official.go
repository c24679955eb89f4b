package app

import (
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// demoPushes makes the sandbox push messages and events to the demo.
func demoPushes(o *wxsandbox.Options, publicURL string) {
	o.OfficialAccount.CallbackURL, o.MiniProgram.CallbackURL = publicURL+"/hooks/oa", publicURL+"/hooks/mp"
}

func demoApp(a wxsandbox.AppOptions) config.App {
	return config.App{AppID: a.AppID, Secret: a.Secret, Token: a.Token, AESKey: a.AESKey}
}
