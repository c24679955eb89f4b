package blob

import (
	"context"
	"net/http"
	"strings"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Saved is an image that was kept.
type Saved struct {
	Key string `json:"key" doc:"What other operations take"`
	URL string `json:"url" doc:"Where it is shown, below the server's address"`
}

// Routes registers the upload for the console and the address under which images are shown.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleImageUpload", Method: http.MethodPost, Path: "/api/console/images", Summary: "Keep an image: JPEG or PNG, at most 8 MB",
		Who: httpapi.Console, Permission: perm.CatalogWrite},
		func(ctx context.Context, in *httpapi.Upload[httpapi.None]) (Saved, error) {
			key, err := s.Put(ctx, in.File.Data)
			return Saved{key, s.URL(key)}, err
		})
	for _, m := range []string{http.MethodGet, http.MethodHead} {
		r.Raw(m, "/media/*", http.HandlerFunc(s.media))
	}
}

// media shows an image to who knows its key. It never changes, so browsers keep it; shared caches do not, because it may show
// somebody's car.
func (s *Service) media(w http.ResponseWriter, req *http.Request) {
	c, err := s.store.Open(req.Context(), strings.TrimPrefix(req.URL.Path, "/media/"))
	if err != nil {
		httpapi.WriteFault(w, req, err)
		return
	}
	defer c.Close()
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	http.ServeContent(w, req, "", c.At, c)
}
