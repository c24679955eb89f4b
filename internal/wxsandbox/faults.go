package wxsandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one injected misbehaviour. Count 0 means until it is cleared.
type Fault struct {
	ID      int        `json:"id"`
	Target  string     `json:"target"`
	Path    string     `json:"path,omitempty"` // prefix of the request path; for pay.notify and pay.refund, of out_trade_no
	Kind    string     `json:"kind"`
	Count   int        `json:"count"`
	DelayMs int        `json:"delayMs,omitempty"`
	Value   FaultValue `json:"value,omitempty"`
	Hits    int        `json:"hits"`
}

// FaultValue is a status, an error code or an amount; JSON may give it as a string or as a number.
type FaultValue string

// UnmarshalJSON accepts "40001" and 40001.
func (v *FaultValue) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '"' {
		var n json.Number
		if err := json.Unmarshal(b, &n); err != nil {
			return err
		}
		*v = FaultValue(n.String())
		return nil
	}
	var s string
	err := json.Unmarshal(b, &s)
	*v = FaultValue(s)
	return err
}

// faultKinds is the closed list of what can be injected where.
var faultKinds = map[string][]string{
	"api":        {"delay", "drop", "drop_after", "timeout", "status", "errcode"},
	"oauth":      {"delay", "drop", "drop_after", "timeout", "status", "errcode"},
	"pay.api":    {"delay", "drop", "drop_after", "timeout", "status", "errcode", "forge", "unsigned"},
	"pay.notify": {"delay", "drop", "duplicate", "reorder", "forge", "wrong_amount", "wrong_mchid", "wrong_appid"},
	"pay.refund": {"abnormal", "closed"},
	"push":       {"delay", "drop", "duplicate", "reorder", "forge", "wrong_appid"},
	"sms":        {"delay", "drop", "drop_after", "timeout", "status", "limit", "reject", "lose"},
}

// SetFault adds a fault and returns it with its id. It refuses unknown targets, kinds and malformed values.
func (s *Sandbox) SetFault(f Fault) (Fault, error) {
	kinds, ok := faultKinds[f.Target]
	if !ok {
		return f, fmt.Errorf("wxsandbox: unknown fault target %q", f.Target)
	}
	if !slices.Contains(kinds, f.Kind) {
		return f, fmt.Errorf("wxsandbox: target %s knows no fault %q, only %s", f.Target, f.Kind, strings.Join(kinds, ", "))
	}
	if f.Count < 0 || f.DelayMs < 0 || f.DelayMs > 3_600_000 {
		return f, errors.New("wxsandbox: count and delayMs must not be negative, delayMs at most an hour")
	}
	if f.Kind == "status" && f.Value != "" {
		if n, err := strconv.Atoi(string(f.Value)); err != nil || n < 400 || n > 599 {
			return f, errors.New("wxsandbox: a status fault needs a value from 400 to 599")
		}
	}
	if f.Kind == "errcode" {
		if _, err := strconv.Atoi(string(f.Value)); f.Value == "" || (f.Target != "pay.api" && err != nil) {
			return f, errors.New("wxsandbox: an errcode fault needs a value such as 40001 or SYSTEM_ERROR")
		}
	}
	if f.Kind == "wrong_amount" && f.Value != "" {
		if _, err := strconv.ParseInt(string(f.Value), 10, 64); err != nil {
			return f, errors.New("wxsandbox: wrong_amount needs fen")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) >= 100 {
		return f, errors.New("wxsandbox: too many faults")
	}
	s.faultSeq++
	f.ID, f.Hits = s.faultSeq, 0
	c := f
	s.faults = append(s.faults, &c)
	return f, nil
}

// Faults lists the active faults.
func (s *Sandbox) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Fault, 0, len(s.faults))
	for _, f := range s.faults {
		out = append(out, *f)
	}
	return out
}

// ClearFaults removes the faults with these ids, or all of them without ids.
func (s *Sandbox) ClearFaults(ids ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(f *Fault) bool { return len(ids) == 0 || slices.Contains(ids, f.ID) })
}

// takeFault spends one hit of the oldest matching fault.
func (s *Sandbox) takeFault(target, path string, seen map[int]bool, kinds ...string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeFaultLocked(target, path, seen, kinds...)
}

// takeFaultLocked is takeFault for callers that hold mu; seen keeps endless faults from being taken twice for one event.
func (s *Sandbox) takeFaultLocked(target, path string, seen map[int]bool, kinds ...string) *Fault {
	for i, f := range s.faults {
		if f.Target != target || !strings.HasPrefix(path, f.Path) || !slices.Contains(kinds, f.Kind) || seen[f.ID] {
			continue
		}
		f.Hits++
		c := *f
		if f.Count > 0 {
			if f.Count--; f.Count == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		return &c
	}
	return nil
}

func (f *Fault) status() int {
	if n, err := strconv.Atoi(string(f.Value)); err == nil {
		return n
	}
	return 500
}

func (f *Fault) code() int {
	n, _ := strconv.Atoi(string(f.Value)) // SetFault has checked it
	return n
}
