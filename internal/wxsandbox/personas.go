package wxsandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Persona is one WeChat user. OpenIDs holds one openid per app; UnionID may be empty, as WeChat leaves it out for
// accounts that are not joined on an Open Platform account.
type Persona struct {
	ID       string            `json:"id"`
	Nickname string            `json:"nickname"`
	Role     string            `json:"role"` // shown under the name: 车主, 店长 …
	Phone    string            `json:"phone"`
	UnionID  string            `json:"unionId,omitempty"`
	Snapshot bool              `json:"snapshot,omitempty"` // a virtual account of the "snapshot page" mode
	Follows  bool              `json:"follows"`            // follows the official account
	Color    string            `json:"color"`
	OpenIDs  map[string]string `json:"openIds"`
}

var palette = []string{"#3a7bd5", "#e0893a", "#4f9d69", "#b0578d", "#7a6fd0", "#c9514c", "#2f8f9d", "#8a7350", "#5b708b"}

// seeds are the personas of a fresh sandbox. Their phone numbers are made up and nothing is ever sent to them.
var seeds = []struct {
	nick, role, phone      string
	noUnion, snap, follows bool
}{
	{"林晓雨", "车主", "13800010001", false, false, true},
	{"陈建国", "车主", "13800010002", false, false, true},
	{"王思敏", "车主 · 未关注公众号", "13800010003", false, false, false},
	{"赵大海", "车主 · 无 UnionID", "13800010004", true, false, true},
	{"周予安", "车主 · 快照页用户", "13800010005", false, true, false},
	{"刘洋", "车主", "13800010006", false, false, true},
	{"孙店长", "店长", "13800020001", false, false, true},
	{"李前台", "前台", "13800020002", false, false, true},
	{"吴技师", "技师", "13800020003", false, false, true},
	{"郑会计", "会计", "13800020004", false, false, false},
}

func (s *Sandbox) seed() {
	for i, d := range seeds {
		p := &Persona{ID: fmt.Sprintf("p%d", i+1), Nickname: d.nick, Role: d.role, Phone: d.phone, Snapshot: d.snap, Follows: d.follows, Color: palette[i%len(palette)]}
		s.complete(p, d.noUnion)
		s.st.Personas = append(s.st.Personas, p)
	}
}

// complete derives what belongs to the persona's identity from its id, so that a reset gives the same openids again.
func (s *Sandbox) complete(p *Persona, noUnion bool) {
	p.OpenIDs = map[string]string{
		AppMP: derive("o", s.o.MiniProgram.AppID, p.ID),
		AppOA: derive("o", s.o.OfficialAccount.AppID, p.ID),
	}
	if !noUnion && p.UnionID == "" {
		p.UnionID = derive("oU", "union:"+s.o.MiniProgram.AppID, p.ID)
	}
	if p.Color == "" {
		h := sha256.Sum256([]byte(p.ID))
		p.Color = palette[int(h[0])%len(palette)]
	}
}

// derive gives 28 characters of the alphabet of real openids.
func derive(prefix, salt, id string) string {
	h := sha256.Sum256([]byte(salt + "/" + id))
	return prefix + base64.RawURLEncoding.EncodeToString(h[:])[:28-len(prefix)]
}

// Personas lists the personas in the order they were made.
func (s *Sandbox) Personas() []Persona {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Persona, 0, len(s.st.Personas))
	for _, p := range s.st.Personas {
		out = append(out, p.copy())
	}
	return out
}

func (p *Persona) copy() Persona {
	c := *p
	c.OpenIDs = map[string]string{AppMP: p.OpenIDs[AppMP], AppOA: p.OpenIDs[AppOA]}
	return c
}

var (
	phoneForm     = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
	personaIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
	colorForm     = regexp.MustCompile(`^#[0-9a-f]{6}$`)
)

// ErrNoPersona means that no persona has the given id.
var ErrNoPersona = errors.New("wxsandbox: no such persona")

// AddPersona adds a persona; empty ID, Color, UnionID and OpenIDs are made up. UnionID "-" means none. It refuses an
// id in use, an empty nickname and a phone number of wrong form.
func (s *Sandbox) AddPersona(p Persona) (Persona, error) {
	p.Nickname = strings.TrimSpace(p.Nickname)
	if n := len([]rune(p.Nickname)); n == 0 || n > 32 {
		return Persona{}, errors.New("wxsandbox: nickname needs 1 to 32 characters")
	}
	if !phoneForm.MatchString(p.Phone) {
		return Persona{}, errors.New("wxsandbox: phone is not a mainland mobile number")
	}
	if p.Color != "" && !colorForm.MatchString(p.Color) {
		return Persona{}, errors.New("wxsandbox: colour must look like #3a7bd5")
	}
	made := p.ID == ""
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := len(s.st.Personas) + 1; made && (p.ID == "" || s.persona(p.ID) != nil); n++ {
		p.ID = fmt.Sprintf("p%d", n)
	}
	if !personaIDForm.MatchString(p.ID) || s.persona(p.ID) != nil {
		return Persona{}, fmt.Errorf("wxsandbox: persona id %q is taken or malformed", p.ID)
	}
	none := p.UnionID == "-"
	if none {
		p.UnionID = ""
	}
	s.complete(&p, none)
	s.st.Personas = append(s.st.Personas, &p)
	s.touch()
	return p.copy(), nil
}

// SetFollows makes a persona follow or leave the official account.
func (s *Sandbox) SetFollows(personaID string, follows bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.persona(personaID)
	if p == nil {
		return ErrNoPersona
	}
	s.followLocked(p, follows, "")
	return nil
}

func (s *Sandbox) persona(id string) *Persona {
	for _, p := range s.st.Personas {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func (s *Sandbox) personaByOpenID(app, openID string) *Persona {
	for _, p := range s.st.Personas {
		if openID != "" && p.OpenIDs[app] == openID {
			return p
		}
	}
	return nil
}

// avatar draws the persona's initial on its colour.
func (p Persona) avatar() string {
	initial := "微"
	for _, r := range p.Nickname {
		initial = string(r)
		break
	}
	initial = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(initial)
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><rect width="96" height="96" fill="` + p.Color +
		`"/><text x="48" y="64" font-size="46" text-anchor="middle" fill="#fff" font-family="PingFang SC,Noto Sans CJK SC,sans-serif">` +
		initial + `</text></svg>`
}
