package actor

import "net/netip"

// Network is what counts as one address where tries are counted: an IPv6 line has a whole /64 of them. What is no address is itself.
func Network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}
