package campaign

import (
	"strings"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
)

// The kinds of batches.
const (
	BatchDealer  = "dealer"
	BatchSwap    = "swap"
	BatchOpening = "opening"
	BatchPartner = "partner"
)

// The states of a batch.
const (
	BatchOpen    = "open"
	BatchStopped = "stopped"
)

// maxCodes bounds a batch: all of it leaves in one export.
const maxCodes = 5000

// Batch is a number of codes with one gift.
type Batch struct {
	ID         int64
	Name       string
	Kind       string
	Partner    string
	Gift       Gift
	Count      int
	PerMember  int
	StartsAt   time.Time
	EndsAt     time.Time // zero: never
	State      string
	CreatedBy  string
	CreatedAt  time.Time
	ExportedBy string
	ExportedAt time.Time
	StoppedAt  time.Time
	Used       int
}

// usable says whether the codes of the batch may be used at t. Faults: ErrStopped, ErrExpired, ErrEarly.
func (b Batch) usable(t time.Time) error {
	switch {
	case b.State != BatchOpen:
		return ErrStopped
	case t.Before(b.StartsAt):
		return ErrEarly
	case !b.EndsAt.IsZero() && !t.Before(b.EndsAt):
		return ErrExpired
	}
	return nil
}

// BatchInput is what a batch is made of.
type BatchInput struct {
	Name      string     `json:"name" maxLength:"60"`
	Kind      string     `json:"kind" enum:"dealer,swap,opening,partner"`
	Partner   string     `json:"partner,omitempty" maxLength:"60" doc:"Who hands them out"`
	Gift      Gift       `json:"gift" maxItems:"8"`
	Count     int        `json:"count" minimum:"1" maximum:"5000"`
	PerMember int        `json:"perMember" minimum:"1" maximum:"100" doc:"How many of them one member may use"`
	StartsAt  *time.Time `json:"startsAt,omitempty"`
	EndsAt    *time.Time `json:"endsAt,omitempty"`
}

func (in *BatchInput) check(c *fault.Complaints, now time.Time) {
	in.Name = shortText(c, "name", in.Name, 60)
	if in.Partner = strings.TrimSpace(in.Partner); in.Partner != "" {
		in.Partner = shortText(c, "partner", in.Partner, 60)
	}
	if in.Count < 1 || in.Count > maxCodes {
		c.Bad("count", "每批 1 至 5000 个")
	}
	if in.PerMember < 1 || in.PerMember > 100 {
		c.Bad("perMember", "每人 1 至 100 个")
	}
	if in.EndsAt != nil && (!in.EndsAt.After(now) || in.StartsAt != nil && !in.EndsAt.After(*in.StartsAt)) {
		c.Bad("endsAt", "失效时间应晚于现在和开始时间")
	}
}

// codeLen is how many letters a code has: 60 bits that nobody guesses.
const codeLen = 12

// shown is how people read a code: ABCD-EFGH-JKLM.
func shown(code string) string { return code[:4] + "-" + code[4:8] + "-" + code[8:] }

// plainCode undoes how people write a code; "" for what is none.
func plainCode(in string) string {
	in = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '－' || r == '—' {
			return -1
		}
		return r
	}, strings.ToUpper(strings.TrimSpace(in)))
	if len(in) != codeLen || strings.Trim(in, secret.Letters) != "" {
		return ""
	}
	return in
}
