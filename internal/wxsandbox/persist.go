package wxsandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// saveDelay gathers the changes of one user action into one write.
const saveDelay = 300 * time.Millisecond

func (s *Sandbox) load() error {
	if s.o.StateFile == "" {
		return nil
	}
	b, err := os.ReadFile(s.o.StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wxsandbox: state file: %w", err)
	}
	st := newState()
	if err := json.Unmarshal(b, st); err != nil {
		return fmt.Errorf("wxsandbox: state file %s: %w", s.o.StateFile, err)
	}
	s.st = st
	return nil
}

// touch marks the state as changed. The caller holds mu.
func (s *Sandbox) touch() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

func (s *Sandbox) saver() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.dirty:
		}
		if !s.pause(saveDelay) {
			return // Close writes the final state
		}
		if err := s.save(); err != nil {
			s.o.Logger.Error("wxsandbox: state not saved", "error", err)
		}
	}
}

// save writes a temporary file and renames it, so that a crash leaves the old or the new state, never half of one.
func (s *Sandbox) save() error {
	if s.o.StateFile == "" {
		return nil
	}
	s.saveMu.Lock()
	defer s.saveMu.Unlock()
	s.mu.Lock()
	s.prune()
	b, err := json.Marshal(s.st)
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("wxsandbox: state: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(s.o.StateFile), ".wxsandbox-*")
	if err != nil {
		return fmt.Errorf("wxsandbox: state file: %w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.o.StateFile)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("wxsandbox: state file: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// prune drops what can no longer matter: long-expired codes and tokens, and the oldest of very long lists. Used codes
// stay for a day, so that a reuse is still told apart from nonsense.
func (s *Sandbox) prune() {
	old := s.o.Now().Add(-24 * time.Hour)
	for k, c := range s.st.Codes {
		if c.ExpiresAt.Before(old) {
			delete(s.st.Codes, k)
		}
	}
	for k, t := range s.st.Tokens {
		if t.ExpiresAt.Before(old) {
			delete(s.st.Tokens, k)
		}
	}
	for k, t := range s.st.UserTokens {
		if t.ExpiresAt.Before(old) {
			delete(s.st.UserTokens, k)
		}
	}
	if n := len(s.st.Chat); n > 5000 {
		s.st.Chat = s.st.Chat[n-5000:]
	}
	if n := len(s.st.Pushes); n > 200 {
		s.st.Pushes = s.st.Pushes[n-200:]
	}
	if n := len(s.st.Messages); n > 5000 {
		s.st.Messages = s.st.Messages[n-5000:]
	}
	if n := len(s.st.Texts); n > 5000 {
		s.st.Texts = s.st.Texts[n-5000:]
	}
	for len(s.st.Notifications) > 5000 && s.st.Notifications[0].State != notifyPending {
		s.st.Notifications = s.st.Notifications[1:]
	}
}
