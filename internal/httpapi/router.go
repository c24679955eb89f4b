// Package httpapi is the HTTP edge: one way to declare an operation, one way to answer, one way to fail.
//
// Model: a Router holds the huma contract on echo; Register declares an operation with who may call it, which
// permission it needs and whether it is a money command; handlers take a typed input and return the body.
// Owns: nothing. Invariants: only registered faults leave the server (N36); every operation names its actor and
// permission, so the route table reads as the permission matrix; a money command without Idempotency-Key is refused;
// echo appears only here and in the composition root.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/liangche/liangche/internal/actor"
)

// Who says which actor an operation is for.
type Who string

// The audiences of an operation.
const (
	Public  Who = "public"  // no session needed
	Owner   Who = "owner"   // a car owner's session, joined or not
	Member  Who = "member"  // a car owner who has joined
	Staff   Who = "staff"   // a staff session in the app, by bearer token
	Console Who = "console" // a staff session in the web console, by cookie
)

// Op declares an operation.
type Op struct {
	ID         string // operationId, like "ownerHome"
	Method     string
	Path       string
	Summary    string
	Who        Who
	Permission string // staff and console: "" means any signed-in staff
	Idempotent bool   // a money command: needs an Idempotency-Key
	Status     int    // success status, 200 unless told
	MaxBody    int64  // bytes, 64 KiB unless told

	live bool // a stream
}

// Authenticator resolves a session token of the owner's or the staff's kind. Faults: session.required, session.expired.
type Authenticator interface {
	Authenticate(ctx context.Context, kind actor.Kind, token string) (actor.Actor, error)
}

// Options configure a Router.
type Options struct {
	Title, Version string
	Log            *slog.Logger
	Auth           Authenticator
	SecureCookies  bool
	TrustProxy     bool // take the client address from X-Forwarded-For
	HSTS           bool
	FrameAncestors string // CSP frame-ancestors, 'none' unless told
	Observe        func(op string, status int, seconds float64)
	Heartbeat      time.Duration // of streams, 10 s unless told
	MaxBusy        int64         // operations under way, 2048 unless told
}

// Router collects operations and raw routes.
type Router struct {
	API  huma.API
	Echo *echo.Echo
	opt  Options
	ops  []Op

	fields sync.Map // reflect.Type → []int: what slicesIn has found

	busy     atomic.Int64
	maxBusy  int64
	streams  atomic.Int64
	stopped  chan struct{} // closed by EndStreams
	stopOnce sync.Once
	beat     time.Duration
}

// New returns a Router with the edge's middleware in place.
func New(opt Options) *Router {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	r := &Router{Echo: e, opt: opt, stopped: make(chan struct{}), beat: beat, maxBusy: maxBusy}
	if opt.Heartbeat > 0 {
		r.beat = opt.Heartbeat
	}
	if opt.MaxBusy > 0 {
		r.maxBusy = opt.MaxBusy
	}
	r.middleware()
	e.HTTPErrorHandler = r.echoError

	cfg := huma.DefaultConfig(opt.Title, opt.Version)
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.Formats = map[string]huma.Format{"application/json": jsonFormat(), "json": jsonFormat()}
	cfg.CreateHooks, cfg.Transformers = nil, nil // no $schema links: they are noise in a typed client
	cfg.RejectUnknownQueryParameters = true
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer"},
		"cookie": {Type: "apiKey", In: "cookie", Name: ConsoleCookie},
	}
	// huma keeps these two as package variables; they are set alike by every Router, before any request.
	huma.DefaultArrayNullable = false
	huma.NewErrorWithContext = newProblem
	r.API = humaecho.NewV4(e, cfg)
	return r
}

// Ops lists what was registered, for the permission matrix and its test.
func (r *Router) Ops() []Op { return slices.Clone(r.ops) }

// Raw adds a route outside the contract: WeChat's callbacks, redirects, files.
func (r *Router) Raw(method, path string, h http.Handler) {
	r.Echo.Add(method, path, echo.WrapHandler(h))
}

// Page is one page of a list. Next is "" on the last page; otherwise it goes into ?after=.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Pass as after= for the next page; absent on the last one"`
}

// Paging is embedded in the input of a list.
type Paging struct {
	After string `query:"after" maxLength:"200"`
	Limit int    `query:"limit" default:"20" minimum:"1" maximum:"200"`
}

// None is the input or body of an operation that has none.
type None struct{}

// Body is an input that is a body and nothing else.
type Body[T any] struct{ Body T }

// ByID is an input that is an id in the path and nothing else.
type ByID struct {
	ID int64 `path:"id" minimum:"1"`
}

// ByIDBody is an id in the path with a body.
type ByIDBody[T any] struct {
	ID   int64 `path:"id" minimum:"1"`
	Body T
}

// schemaName prefixes a Go type's name with its package, so that two slices may both have a Line, and unwraps
// generics: Page[order.Row] is OrderRowPage.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := t.Name()
	if name == "" {
		return upper(hint)
	}
	if open := strings.IndexByte(name, '['); open > 0 {
		arg := strings.TrimSuffix(name[open+1:], "]")
		arg = arg[strings.LastIndexByte(arg, '/')+1:]
		pkg, inner, _ := strings.Cut(arg, ".")
		return qualify(pkg, inner) + upper(name[:open])
	}
	pkg := t.PkgPath()
	return qualify(pkg[strings.LastIndexByte(pkg, '/')+1:], name)
}

func qualify(pkg, name string) string {
	if name == "" {
		return upper(pkg)
	}
	name = upper(name)
	if pkg == "" || pkg == "httpapi" || strings.HasPrefix(strings.ToLower(name), strings.ToLower(pkg)) {
		return name
	}
	return upper(pkg) + name
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// operation turns an Op into huma's description of it.
func (r *Router) operation(op Op) huma.Operation {
	tag := strings.SplitN(strings.TrimPrefix(op.Path, "/api/"), "/", 2)[0]
	h := huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: op.Path, Summary: op.Summary, Tags: []string{tag},
		DefaultStatus: op.Status, MaxBodyBytes: op.MaxBody, RejectUnknownQueryParameters: true,
		Extensions:  map[string]any{"x-actor": string(op.Who)},
		Middlewares: huma.Middlewares{r.guard(op)},
	}
	if h.MaxBodyBytes == 0 {
		h.MaxBodyBytes = 64 << 10
	}
	switch op.Who {
	case Owner, Member, Staff:
		h.Security = []map[string][]string{{"bearer": {}}}
	case Console:
		h.Security = []map[string][]string{{"cookie": {}}}
	}
	if op.Permission != "" {
		h.Extensions["x-permission"] = op.Permission
	}
	if op.Idempotent {
		h.Extensions["x-idempotent"] = true
		h.Parameters = append(h.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Required: true,
			Description: "Made by the client, 8 to 64 of A-Z a-z 0-9 _ -; the same key replays the same answer",
			Schema:      &huma.Schema{Type: "string", MinLength: ptr(8), MaxLength: ptr(64), Pattern: `^[A-Za-z0-9_-]+$`}})
	}
	h.Responses = map[string]*huma.Response{"default": {Description: "Fault", Content: map[string]*huma.MediaType{
		"application/json": {Schema: r.API.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")}}}}
	return h
}

func ptr[T any](v T) *T { return &v }
