package notify

import (
	"regexp"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/wechat"
)

var numberForm = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,15})?$`)

// fill builds the data of a template. Every field that WeChat knows gets a value that WeChat accepts: one missing or
// over-long value would make the whole message fail (N25).
func fill(fields map[string]string, data map[string]string, zone string) map[string]string {
	out := make(map[string]string, len(fields))
	for key, from := range fields {
		v, fixed := strings.CutPrefix(from, "=")
		if !fixed {
			v = data[from]
		}
		switch strings.TrimRight(key, "0123456789") {
		case "time":
			v = instant(v, "2006-01-02 15:04", zone)
		case "date":
			v = instant(v, time.DateOnly, zone)
		case "number":
			if v = strings.ReplaceAll(v, ",", ""); !numberForm.MatchString(v) {
				v = "0"
			}
		}
		out[key] = wechat.TrimField(key, v)
	}
	return out
}

// instant writes an instant in the zone. WeChat refuses what is no time, so such a value becomes a date that is
// plainly wrong rather than the end of the message.
func instant(v, layout, zone string) string {
	for _, in := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(in, strings.TrimSpace(v), bizday.Location(zone)); err == nil {
			return t.In(bizday.Location(zone)).Format(layout)
		}
	}
	return time.Unix(0, 0).UTC().Format(layout)
}
