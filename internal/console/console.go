// Package console serves the manager's web console and the lists that span slices.
//
// Model: web/ holds the console's source, web/dist its production build, embedded and empty in a plain checkout. Owns:
// nothing; it may read any table and writes none. Invariants: a binary without the build still starts and says how to build it.
package console

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/liangche/liangche/internal/h5"
)

//go:embed all:web/dist
var dist embed.FS

// Handler serves the console below prefix.
func Handler(prefix string) http.Handler {
	files, err := fs.Sub(dist, "web/dist")
	if err != nil {
		panic(err) // the directory is embedded by the line above
	}
	return h5.Serve(files, prefix, "", h5.Missing)
}
