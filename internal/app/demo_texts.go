package app

import (
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// What the demo's SMS provider has approved.
const (
	demoSign         = "亮车洗护"
	demoCodeTemplate = "1000001"
)

// demoTexts are the approved text messages of the demo's shop.
var demoTexts = []wxsandbox.SMSTemplate{
	{ID: demoCodeTemplate, Text: "您的验证码是${code}，${minutes}分钟内有效。请勿告诉他人。", Code: true},
}

// demoSMS makes the demo talk to the sandbox's SMS gateway.
func demoSMS(o *wxsandbox.Options) {
	o.SMS.Signs, o.SMS.Templates = []string{demoSign}, demoTexts
}

func demoSMSConfig(cred wxsandbox.Credentials, sandbox string) config.SMS {
	x := cred.SMS()
	return config.SMS{Provider: "tencent", AppID: x.AppID, SecretID: x.SecretID, SecretKey: x.SecretKey, Sign: demoSign, Endpoint: sandbox + "/sms/tencent"}
}
