// Package member knows the people: who they are, how WeChat and their cards identify them, and which cars they drive.
//
// Model: a Member has a status, one current Card, Vehicles and any number of WeChat Identities (one openid per app,
// N24); a charter version that was accepted; devices whose secret derives the rotating member code (X05); a Scan is a
// code that was shown at a desk and may pay once; an OldCard is a plastic card from before (A07); a Link joins a person's two
// apps where WeChat does not.
// Owns: member_members, member_identities, member_cards, member_vehicles, member_charters, member_tickets,
// member_code_devices, member_scans, member_attempts, member_phone_codes, member_links, member_old_cards.
// Invariants: a phone belongs to one living member; an identity belongs to at most one member; a member has at most
// one current card; a code of a device's step is taken once; a scan is consumed once; two members are never merged by themselves, only by
// staff (package merge), and then the one that is no longer used stays as history; name, phone and device secrets are stored sealed only.
package member

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/secret"
)

// The apps that an identity may come from.
const (
	AppMini     = "mini_program"
	AppOfficial = "official_account"
)

// The states of a member.
const (
	StatusReview    = "review"    // applied, waits for the shop
	StatusActive    = "active"    //
	StatusSuspended = "suspended" // by the shop, with a reason
	StatusClosing   = "closing"   // asked to leave, money is still to be settled
	StatusClosed    = "closed"    // left: personal data is gone
	StatusRejected  = "rejected"  // application refused; may apply again
	StatusMerged    = "merged"    // is another member now: what stands here is history
)

// The states of a card.
const (
	CardActive   = "active"
	CardFrozen   = "frozen"
	CardLost     = "lost"
	CardReplaced = "replaced"
	CardClosed   = "closed"
)

// Member is a member with personal data in clear: for use inside the server only, never as an answer.
type Member struct {
	ID             int64
	Name, Phone    string // "" once closed
	Gender         string // male, female, unknown
	Birthday       string // 2006-01-02 or ""
	Status         string
	StatusReason   string
	PhoneVerified  bool
	StoreID        int64 // home store, 0 when none
	CharterVersion int64 // 0 when none was accepted (registered at the desk)
	JoinedAt       time.Time
	MergedInto     int64 // who this member is now; 0 for themselves
}

// Gone says whether a member of the status has left, or is another member now.
func Gone(status string) bool { return status == StatusClosed || status == StatusMerged }

// Card is a membership card; rights hang on the member, so a reissued card keeps them all (A08).
type Card struct {
	ID       int64     `json:"id"`
	No       string    `json:"no" doc:"12 digits, the last one a Luhn check digit"`
	Status   string    `json:"status" enum:"active,frozen,lost,replaced,closed"`
	IssuedAt time.Time `json:"issuedAt"`
}

// Vehicle is a member's car.
type Vehicle struct {
	ID               int64  `json:"id"`
	Plate            string `json:"plate"`
	PlateKind        string `json:"plateKind" enum:"blue,green,yellow,other"`
	Brand            string `json:"brand"`
	Model            string `json:"model"`
	Color            string `json:"color"`
	VehicleClassID   int64  `json:"vehicleClassId"`
	VehicleClassName string `json:"vehicleClassName"`
	Marks            string `json:"marks"`
	PurchasedOn      string `json:"purchasedOn,omitempty" doc:"YYYY-MM-DD"`
	MileageKm        *int64 `json:"mileageKm,omitempty"`
}

// VehicleInput is what people may say about a car.
type VehicleInput struct {
	Plate          string `json:"plate" maxLength:"20"`
	Brand          string `json:"brand,omitempty" maxLength:"40"`
	Model          string `json:"model,omitempty" maxLength:"40"`
	Color          string `json:"color,omitempty" maxLength:"20"`
	VehicleClassID int64  `json:"vehicleClassId,omitempty" minimum:"0"`
	Marks          string `json:"marks,omitempty" maxLength:"200"`
	PurchasedOn    string `json:"purchasedOn,omitempty" maxLength:"10"`
	MileageKm      *int64 `json:"mileageKm,omitempty" minimum:"0" maximum:"5000000"`
}

// Identity is a person at one WeChat app.
type Identity struct {
	ID         int64
	App        string
	OpenID     string
	UnionID    string // "" when WeChat gave none
	MemberID   int64  // 0 before joining
	BoundAt    time.Time
	LastSeenAt time.Time
}

// Standing is what a money command must know of a member, read under lock.
type Standing struct {
	MemberID    int64
	Name        string // in clear
	PhoneMasked string
	Status      string
	CardID      int64 // 0 without a current card
	CardNo      string
	CardStatus  string
}

// Usable says whether the member may spend and be served as one. A member who is leaving may still spend what is left.
// Faults: ErrReview, ErrRejected, ErrSuspended, ErrClosed, ErrMerged, ErrNoCard, ErrCardFrozen, ErrCardLost.
func (st Standing) Usable() error {
	switch st.Status {
	case StatusReview:
		return ErrReview
	case StatusRejected:
		return ErrRejected
	case StatusSuspended:
		return ErrSuspended
	case StatusClosed:
		return ErrClosed
	case StatusMerged:
		return ErrMerged
	}
	switch {
	case st.CardID == 0 || st.CardStatus == CardClosed || st.CardStatus == CardReplaced:
		return ErrNoCard
	case st.CardStatus == CardFrozen:
		return ErrCardFrozen
	case st.CardStatus == CardLost:
		return ErrCardLost
	}
	return nil
}

// MayTopUp is Usable, and not about to leave. Faults: those of Usable, ErrClosing.
func (st Standing) MayTopUp() error {
	if st.Status == StatusClosing {
		return ErrClosing
	}
	return st.Usable()
}

// MaskName keeps the first character: 王小明 is 王**.
func MaskName(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	if n == 0 {
		return ""
	}
	return string(r) + strings.Repeat("*", min(max(utf8.RuneCountInString(name)-1, 1), 2))
}

// MaskPhone keeps the first three and the last four digits: 138****8000.
func MaskPhone(phone string) string {
	if len(phone) < 8 {
		return strings.Repeat("*", len(phone))
	}
	return phone[:3] + "****" + phone[len(phone)-4:]
}

// MaskCardNo keeps the last four digits: **** **** 1234.
func MaskCardNo(no string) string {
	if len(no) < 4 {
		return ""
	}
	return "**** **** " + no[len(no)-4:]
}

var mobileForm = regexp.MustCompile(`^1[3-9][0-9]{9}$`)

// NormalPhone strips spaces, dashes and the country code; ok tells whether a mainland mobile number is left.
func NormalPhone(s string) (phone string, ok bool) {
	phone = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '(' || r == ')' {
			return -1
		}
		return r
	}, s)
	phone = strings.TrimPrefix(phone, "+86")
	if len(phone) == 13 {
		phone = strings.TrimPrefix(phone, "86")
	}
	return phone, mobileForm.MatchString(phone)
}

// cleanName trims a person's name. complaint is "" when it is good.
func cleanName(s string) (name, complaint string) {
	name = strings.Join(strings.Fields(s), " ")
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", "请填写姓名"
	case n > 30:
		return "", "姓名最多 30 个字"
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && r != ' ' && r != '·' && r != '.' && r != '-' && r != '\'' && r != '’' {
			return "", "姓名只能包含文字"
		}
	}
	return name, ""
}

// cleanBirthday checks a birthday against today's date. complaint is "" when it is good or empty.
func cleanBirthday(s, today string) (complaint string) {
	switch {
	case s == "":
		return ""
	case !bizday.Valid(s) || s < "1900-01-01":
		return "请填写正确的生日，如 1990-05-01"
	case s > today:
		return "生日不能晚于今天"
	}
	return ""
}

func cleanGender(s string) (gender, complaint string) {
	switch s {
	case "":
		return "unknown", ""
	case "male", "female", "unknown":
		return s, ""
	}
	return "", "请选择性别"
}

// cleanText trims free text and refuses control characters and more than n characters.
func cleanText(s string, n int) (text, complaint string) {
	text = strings.TrimSpace(s)
	if utf8.RuneCountInString(text) > n {
		return "", "内容太长"
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
		return "", "不能含有控制字符"
	}
	return text, ""
}

// luhn is the check digit of a digit string.
func luhn(digits string) byte {
	sum, double := 0, true
	for i := len(digits) - 1; i >= 0; i-- {
		d := int(digits[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return byte('0' + (10-sum%10)%10)
}

func allDigits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// ValidCardNo says whether s is 12 digits with a right check digit.
func ValidCardNo(s string) bool {
	return len(s) == 12 && allDigits(s) && luhn(s[:11]) == s[11]
}

// newCardNo draws a card number: a random body, so that numbers tell nothing about how many members there are.
func newCardNo() string {
	body := "6" + secret.Digits(10)
	return body + string(luhn(body))
}
