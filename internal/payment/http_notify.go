package payment

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/liangche/liangche/internal/wechat"
)

// NotifyHandler receives WeChat Pay's notifications of payments. It stores, decides, then answers: 204 when done, 4xx
// for what was not signed or does not match, 503 while the database is away, so that WeChat Pay comes again.
func (s *Service) NotifyHandler() http.Handler { return http.HandlerFunc(s.hook) }

// RefundNotifyHandler receives WeChat Pay's notifications of refunds, as NotifyHandler does.
func (s *Service) RefundNotifyHandler() http.Handler { return http.HandlerFunc(s.hook) }

func (s *Service) hook(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed, "POST only")
		return
	}
	if s.wx == nil {
		answer(w, http.StatusServiceUnavailable, "not configured")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, wechat.MaxNotification+1)
	n, err := s.wx.ParseNotification(r)
	var refused *wechat.Error
	if errors.As(err, &refused) {
		status := http.StatusServiceUnavailable
		if refused.Class == wechat.Forged {
			status = http.StatusUnauthorized
			if refused.Code == "too_large" {
				status = http.StatusRequestEntityTooLarge
			}
			s.forged(r.Context(), refused.Code, status)
		}
		answer(w, status, refused.Code)
		return
	}
	outcome, err := s.receive(r.Context(), n)
	if err != nil {
		s.log.ErrorContext(r.Context(), "a notification was not stored or decided; WeChat Pay will repeat it", "event", n.EventType, "err", err)
		answer(w, http.StatusServiceUnavailable, "try again")
		return
	}
	switch outcome {
	case outcomeUnknown:
		answer(w, http.StatusNotFound, "unknown order")
	case outcomeMismatch:
		answer(w, http.StatusConflict, "mismatch")
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// answer refuses in the form that WeChat Pay expects.
func answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": "FAIL", "message": message}) // the peer may be gone
}
