package member

import (
	"strings"
	"testing"
	"time"
)

// The vector that the phone's implementation tests too.
func TestMemberCodeVector(t *testing.T) {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	const want = "123456789199119113"
	if got := MemberCode(key, "123456789", 29000000); got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	no, digits, ok := parseCode(" lc1:" + want[:6] + " " + want[6:12] + "-" + want[12:])
	if !ok || no != "123456789" || digits != want[9:17] {
		t.Fatalf("parsed %s %s %v", no, digits, ok)
	}
}

func TestMatchStep(t *testing.T) {
	key := []byte(strings.Repeat("k", 32))
	now := codeStep(time.Date(2026, 11, 18, 2, 0, 30, 0, time.UTC))
	for _, c := range []struct {
		off          int64
		fresh, stale bool
	}{{0, true, false}, {-1, true, false}, {1, true, false}, {-2, false, true}, {2, false, true}, {-120, false, true}, {-121, false, false}, {6, false, false}} {
		step, fresh, stale := matchStep(key, "000000001", otp(key, "000000001", now+c.off), now)
		if fresh != c.fresh || stale != c.stale || (fresh || stale) && step != now+c.off {
			t.Errorf("offset %d: step %d fresh %v stale %v", c.off, step-now, fresh, stale)
		}
	}
	if _, fresh, stale := matchStep([]byte(strings.Repeat("x", 32)), "000000001", otp(key, "000000001", now), now); fresh || stale {
		t.Error("another secret's code was accepted")
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add("LC1:123456789000000000")
	f.Add("123456 789000 000000")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		no, digits, ok := parseCode(s)
		if ok && (len(no) != 9 || len(digits) != 8 || !allDigits(no+digits)) {
			t.Fatalf("%q: %q %q", s, no, digits)
		}
	})
}

func TestCardNumbers(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		no := newCardNo()
		if !ValidCardNo(no) || seen[no] {
			t.Fatalf("bad number %s", no)
		}
		seen[no] = true
		wrong := []byte(no)
		wrong[5] = '0' + (wrong[5]-'0'+1)%10
		if ValidCardNo(string(wrong)) {
			t.Fatalf("a mistyped digit passes: %s", wrong)
		}
	}
	if ValidCardNo("") || ValidCardNo("12345678901a") {
		t.Fatal("nonsense passes")
	}
}

func TestMasksAndPhones(t *testing.T) {
	for in, want := range map[string]string{"王小明": "王**", "王明": "王*", "王": "王*", "": "", "欧阳娜娜": "欧**", "Ann": "A**"} {
		if got := MaskName(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	if got := MaskPhone("13800138000"); got != "138****8000" {
		t.Error(got)
	}
	if got := MaskCardNo("612345678901"); got != "**** **** 8901" {
		t.Error(got)
	}
	for in, ok := range map[string]bool{"13800138000": true, "+86 138-0013-8000": true, "8613800138000": true, "23800138000": false, "1380013800": false, "": false, "138001380001": false, "１３８００１３８０００": false} {
		if _, got := NormalPhone(in); got != ok {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestCleanInputs(t *testing.T) {
	for in, ok := range map[string]bool{"王小明": true, "阿卜杜勒·买买提": true, "O'Neil": true, "": false, "   ": false, "<script>": false, "a;b": false, "王\x00": false, strings.Repeat("王", 31): false} {
		if _, c := cleanName(in); (c == "") != ok {
			t.Errorf("name %q: %q", in, c)
		}
	}
	for in, ok := range map[string]bool{"": true, "1990-05-01": true, "1990-02-30": false, "2030-01-01": false, "1899-12-31": false, "90-1-1": false} {
		if c := cleanBirthday(in, "2026-11-18"); (c == "") != ok {
			t.Errorf("birthday %q: %q", in, c)
		}
	}
}

func TestUsable(t *testing.T) {
	good := Standing{Status: StatusActive, CardID: 1, CardStatus: CardActive}
	must(t, good.Usable())
	must(t, good.MayTopUp())
	for _, c := range []struct {
		edit func(*Standing)
		want error
	}{
		{func(s *Standing) { s.Status = StatusReview }, ErrReview}, {func(s *Standing) { s.Status = StatusRejected }, ErrRejected},
		{func(s *Standing) { s.Status = StatusSuspended }, ErrSuspended}, {func(s *Standing) { s.Status = StatusClosed }, ErrClosed},
		{func(s *Standing) { s.CardStatus = CardFrozen }, ErrCardFrozen}, {func(s *Standing) { s.CardStatus = CardLost }, ErrCardLost},
		{func(s *Standing) { s.CardStatus = CardClosed }, ErrNoCard}, {func(s *Standing) { s.CardID = 0 }, ErrNoCard},
		{func(s *Standing) { s.Status = StatusClosing }, nil},
	} {
		s := good
		c.edit(&s)
		if err := s.Usable(); err != c.want {
			t.Errorf("%+v: %v", s, err)
		}
	}
	leaving := good
	leaving.Status = StatusClosing
	wants(t, leaving.MayTopUp(), ErrClosing)
}
