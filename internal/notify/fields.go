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
func fill(fields []Field, data map[string]string, zone string) map[string]string {
	out := make(map[string]string, len(fields))
	for _, f := range fields {
		out[f.Key] = wechat.TrimField(f.Key, value(f, data, zone))
	}
	return out
}

// value is what a field of WeChat's is filled with, before it is cut to its length.
func value(f Field, data map[string]string, zone string) string {
	v, fixed := strings.CutPrefix(f.From, "=")
	if !fixed {
		v = data[f.From]
	}
	switch strings.TrimRight(f.Key, "0123456789") {
	case "time":
		v = instant(v, "2006-01-02 15:04", zone)
	case "date":
		v = instant(v, time.DateOnly, zone)
	case "number":
		if v = strings.ReplaceAll(v, ",", ""); !numberForm.MatchString(v) {
			v = "0"
		}
	default:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil { // an instant in a text field
			v = t.In(bizday.Location(zone)).Format("1月2日 15:04")
		}
	}
	return v
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
