package member

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// stepSeconds is how long one member code shows.
const stepSeconds = 60

// codePrefix starts the text of the QR code.
const codePrefix = "LC1:"

// codeStep is the number of the minute at t.
func codeStep(t time.Time) int64 { return t.Unix() / stepSeconds }

// otp is the device's 8 digits at a step: the first 8 bytes of HMAC-SHA256(secret, "LC1|deviceNo|step") as a
// big-endian number mod 10^8.
func otp(secret []byte, deviceNo string, step int64) string {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("LC1|" + deviceNo + "|" + strconv.FormatInt(step, 10)))
	return fmt.Sprintf("%08d", binary.BigEndian.Uint64(m.Sum(nil)[:8])%100_000_000)
}

// MemberCode derives the 18 digits that a device shows at a step: device number, 8 digits, Luhn check digit. The
// phone does the same offline; the vector that both sides test is device 123456789, secret bytes 0…31, step 29000000.
func MemberCode(secret []byte, deviceNo string, step int64) string {
	body := deviceNo + otp(secret, deviceNo, step)
	return body + string(luhn(body))
}

// parseCode reads what was scanned or typed: with or without prefix, spaces and dashes.
func parseCode(s string) (deviceNo, digits string, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) >= len(codePrefix) && strings.EqualFold(s[:len(codePrefix)], codePrefix) {
		s = s[len(codePrefix):]
	}
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, s)
	if len(s) != 18 || !allDigits(s) || luhn(s[:17]) != s[17] {
		return "", "", false
	}
	return s[:9], s[9:17], true
}

// expiredSteps is how far back a code is still recognised as expired instead of forged: two hours.
const expiredSteps = 120

// matchStep finds the step at which the device shows digits. fresh is true within one step of now; past or slightly
// future codes match stale; both false means forged.
func matchStep(secret []byte, deviceNo, digits string, now int64) (step int64, fresh, stale bool) {
	for d := int64(0); d <= expiredSteps; d++ {
		for _, s := range []int64{now - d, now + d} {
			if s > now+5 || !hmac.Equal([]byte(otp(secret, deviceNo, s)), []byte(digits)) {
				continue
			}
			return s, d <= 1, d > 1
		}
	}
	return 0, false, false
}
