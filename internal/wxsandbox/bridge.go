package wxsandbox

import "net/http"

type payTicket struct{}

func (s *Sandbox) bridgeRoutes(m *http.ServeMux) {}
