package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
)

// Contract renders the API contract. It needs no database of its own: the operations are declared on an App over an empty one.
func Contract(asJSON bool) ([]byte, error) {
	dir, err := os.MkdirTemp("", "liangche-contract")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	keyset, err := secret.Generate()
	if err != nil {
		return nil, err
	}
	c := config.Default()
	c.PublicURL, c.Secret.Keyset, c.Database.Path = "https://example.com", string(keyset), filepath.Join(dir, "x.db")
	a, err := Open(context.Background(), Options{Config: c, Clock: clock.System(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer a.closeLogged()
	api := a.Router.API.OpenAPI()
	if asJSON {
		return json.MarshalIndent(api, "", "  ")
	}
	return api.YAML()
}

// explain adds to a fault's code what it says to people, for the command line.
func explain(err error) error {
	f := fault.As(err)
	var b strings.Builder
	b.WriteString(f.Message)
	for _, x := range f.Fields {
		b.WriteString("\n  " + x.Field + ": " + x.Message)
	}
	return &spoken{b.String(), err}
}

type spoken struct {
	text  string
	cause error
}

func (s *spoken) Error() string { return s.text }
func (s *spoken) Unwrap() error { return s.cause }
