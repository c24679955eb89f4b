package app

import (
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// What the demo's SMS provider has approved.
const (
	demoSign         = "亮车洗护"
	demoCodeTemplate = "1000001"

	demoOfferTemplate = "1000017"
	demoOfferText     = "${name}，本周六日精洗八折，到店报手机号即可。${store}。拒收请回复R"
)

// demoTexts are the approved text messages of the demo's shop.
var demoTexts = []wxsandbox.SMSTemplate{
	{ID: demoCodeTemplate, Text: "您的验证码是${code}，${minutes}分钟内有效。请勿告诉他人。", Code: true},
	{ID: "1000011", Text: "${title}：您的爱车${plate}已完工，请到${store}取车。"},
	{ID: "1000012", Text: "您${time}在${store}的预约（${title}）有变化：${hint}。"},
	{ID: "1000013", Text: "${title}：${plate}将于${time}到期。${hint}"},
	{ID: "1000014", Text: "${name}，祝您生日快乐！${gift}。拒收请回复R"},
	{ID: "1000015", Text: "${name}，好久不见！${store}等您回来，${hint}。拒收请回复R"},
	{ID: "1000016", Text: "${name}，${title}到了，${hint}！拒收请回复R"},
	{ID: demoOfferTemplate, Text: demoOfferText},
}

// demoMessages are the messages that the demo's shop also sends by SMS: with which template, filled with what.
var demoMessages = map[string]struct {
	id     string
	values []string
}{
	notify.CarReady:         {"1000011", []string{"title", "plate", "store"}},
	notify.BookingChanged:   {"1000012", []string{"time", "store", "title", "hint"}},
	notify.BookingCancelled: {"1000012", []string{"time", "store", "title", "reason"}},
	notify.MaintenanceDue:   {"1000013", []string{"title", "plate", "time", "hint"}},
	notify.InspectionDue:    {"1000013", []string{"title", "plate", "time", "hint"}},
	notify.InsuranceDue:     {"1000013", []string{"title", "plate", "time", "hint"}},
	notify.Birthday:         {"1000014", []string{"name", "gift"}},
	notify.MissedYou:        {"1000015", []string{"name", "store", "hint"}},
	notify.Holiday:          {"1000016", []string{"name", "title", "hint"}},
}

// demoSMS makes the demo talk to the sandbox's SMS gateway.
func demoSMS(o *wxsandbox.Options) {
	o.SMS.Signs, o.SMS.Templates = []string{demoSign}, demoTexts
}

func demoSMSConfig(cred wxsandbox.Credentials, sandbox string) config.SMS {
	x := cred.SMS()
	return config.SMS{Provider: "tencent", AppID: x.AppID, SecretID: x.SecretID, SecretKey: x.SecretKey, Sign: demoSign, Endpoint: sandbox + "/sms/tencent"}
}
