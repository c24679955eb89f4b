package wxsandbox

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// menuIn is a button of the menu as menu/create takes it.
type menuIn struct {
	Type     string   `json:"type,omitempty"`
	Name     string   `json:"name"`
	Key      string   `json:"key,omitempty"`
	URL      string   `json:"url,omitempty"`
	AppID    string   `json:"appid,omitempty"`
	PagePath string   `json:"pagepath,omitempty"`
	Sub      []menuIn `json:"sub_button"`
}

func (s *Sandbox) menuCreate(r *http.Request, _ string, body []byte) any {
	var in struct {
		Button []menuIn `json:"button"`
	}
	if r.Method != http.MethodPost {
		return apiErr(43002, "")
	}
	if json.Unmarshal(body, &in) != nil {
		return apiErr(47001, "")
	}
	if len(in.Button) == 0 || len(in.Button) > 3 {
		return apiErr(40016, "")
	}
	for i := range in.Button {
		b := &in.Button[i]
		if len(b.Name) == 0 || len(b.Name) > 16 {
			return apiErr(40018, "")
		}
		if len(b.Sub) == 0 {
			if e := s.checkButton(b, 40017, 40019, 40020); e != nil {
				return e
			}
			continue
		}
		if len(b.Sub) > 5 {
			return apiErr(40023, "")
		}
		b.Type, b.Key, b.URL = "", "", ""
		for j := range b.Sub {
			x := &b.Sub[j]
			if len(x.Name) == 0 || len(x.Name) > 60 {
				return apiErr(40025, "")
			}
			if len(x.Sub) > 0 {
				return apiErr(40024, "")
			}
			if e := s.checkButton(x, 40024, 40019, 40020); e != nil {
				return e
			}
		}
	}
	text, err := json.Marshal(in.Button)
	if err != nil {
		return apiErr(-1, "")
	}
	s.st.Menu = text
	s.touch()
	return apiOK()
}

func (s *Sandbox) checkButton(b *menuIn, badType, badKey, badURL int) map[string]any {
	link := func() map[string]any {
		u, err := url.Parse(b.URL)
		if b.URL == "" || len(b.URL) > 1024 || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return apiErr(badURL, "")
		}
		return nil
	}
	switch b.Type {
	case "click":
		if b.Key == "" || len(b.Key) > 128 {
			return apiErr(badKey, "")
		}
		return nil
	case "view":
		return link()
	case "miniprogram":
		if b.AppID != s.o.MiniProgram.AppID {
			return apiErr(45064, "")
		}
		if b.PagePath == "" || !s.knownPage(b.PagePath) {
			return apiErr(41030, "")
		}
		return link()
	}
	return apiErr(badType, "")
}

func (s *Sandbox) menuGet(_ *http.Request, _ string, _ []byte) any {
	if len(s.st.Menu) == 0 {
		return apiErr(46003, "")
	}
	return map[string]any{"menu": map[string]any{"button": s.st.Menu, "menuid": 4260000}}
}

func (s *Sandbox) menuDelete(_ *http.Request, _ string, _ []byte) any {
	s.st.Menu = nil
	s.touch()
	return apiOK()
}

// qrCode makes a code that leads to the official account.
func (s *Sandbox) qrCode(r *http.Request, _ string, body []byte) any {
	var in struct {
		Action  string `json:"action_name"`
		Expires int    `json:"expire_seconds"`
		Info    struct {
			Scene struct {
				ID  int64  `json:"scene_id"`
				Str string `json:"scene_str"`
			} `json:"scene"`
		} `json:"action_info"`
	}
	if r.Method != http.MethodPost {
		return apiErr(43002, "")
	}
	if json.Unmarshal(body, &in) != nil {
		return apiErr(47001, "")
	}
	scene := in.Info.Scene.Str
	switch in.Action {
	case "QR_LIMIT_STR_SCENE", "QR_STR_SCENE":
		if len(scene) == 0 || len(scene) > 64 {
			return apiErr(40053, "")
		}
	case "QR_LIMIT_SCENE", "QR_SCENE":
		if in.Info.Scene.ID < 1 || in.Action == "QR_LIMIT_SCENE" && in.Info.Scene.ID > 100000 {
			return apiErr(40053, "")
		}
		scene = strconv.FormatInt(in.Info.Scene.ID, 10)
	default:
		return apiErr(40052, "")
	}
	text := "http://weixin.qq.com/q/sandbox-" + markerSum(s.o.OfficialAccount.AppID + "/" + scene)[:24]
	s.st.Scenes[text] = scene
	s.touch()
	out := map[string]any{"ticket": markerSum(scene), "url": text}
	if in.Action == "QR_STR_SCENE" || in.Action == "QR_SCENE" {
		out["expire_seconds"] = min(max(in.Expires, 60), 2592000)
	}
	return out
}

func (s *Sandbox) userInfos(r *http.Request, app string, body []byte) any {
	var in struct {
		List []struct {
			OpenID string `json:"openid"`
			Lang   string `json:"lang"`
		} `json:"user_list"`
	}
	if r.Method != http.MethodPost {
		return apiErr(43002, "")
	}
	if json.Unmarshal(body, &in) != nil || len(in.List) == 0 || len(in.List) > 100 {
		return apiErr(47001, "")
	}
	list := []any{}
	for _, x := range in.List {
		p := s.personaByOpenID(app, x.OpenID)
		if p == nil {
			return apiErr(40003, "")
		}
		list = append(list, s.infoOf(p, app))
	}
	return map[string]any{"user_info_list": list}
}

// jsTicket is a function of the two-hour window: the same for everybody who asks within it.
func (s *Sandbox) jsTicket(at time.Time) string {
	window := at.Unix() / 7200
	return "sandbox-ticket-" + markerSum(s.cred.APIv3Key+s.appID(AppOA)+time.Unix(window*7200, 0).UTC().Format(time.RFC3339))
}

func sha1Hex(text string) string {
	h := sha1.Sum([]byte(text))
	return hex.EncodeToString(h[:])
}

func randomUint32() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:])
}
