package wxsandbox

import "net/http"

func (s *Sandbox) phoneRoutes(m *http.ServeMux) {}
