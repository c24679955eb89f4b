package actor_test

import (
	"testing"

	"github.com/liangche/liangche/internal/actor"
)

func TestNetwork(t *testing.T) {
	for ip, want := range map[string]string{
		"203.0.113.9": "203.0.113.9", "::ffff:203.0.113.9": "203.0.113.9",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::1": "2001:db8:1:2::/64", "2001:db8:1:3::1": "2001:db8:1:3::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "nowhere": "nowhere", "member:7": "member:7",
	} {
		if got := actor.Network(ip); got != want {
			t.Errorf("%q is %q, want %q", ip, got, want)
		}
	}
}
