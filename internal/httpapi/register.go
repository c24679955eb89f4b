package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
)

// ConsoleCookie is the name of the console's session cookie.
const ConsoleCookie = "lc_session"

// ErrNotJoined reports an owner's session without a member.
var ErrNotJoined = fault.Define(fault.NotFound, "member.not_joined", "您还不是会员，请先入会")

type output[B any] struct{ Body B }

// Rendered is a body that writes its JSON itself, for answers so long and so often asked for that they are kept as they leave. What it writes is what
// encoding/json would write of it, with [] for a slice that is nil.
type Rendered interface{ WriteJSON(w io.Writer) error }

// jsonFormat is huma's format that lets such bodies write themselves.
func jsonFormat() huma.Format {
	f := huma.DefaultJSONFormat
	usual := f.Marshal
	f.Marshal = func(w io.Writer, v any) error {
		if own, ok := v.(Rendered); ok {
			return own.WriteJSON(w)
		}
		return usual(w, v)
	}
	return f
}

// Register declares an operation and its handler. I is the typed input (path, query, Body); B is the response body.
func Register[I, B any](r *Router, op Op, h func(ctx context.Context, in *I) (B, error)) {
	r.ops = append(r.ops, op)
	var texts *huma.Schema // of an upload's form
	huma.Register(r.API, r.operation(op), func(ctx context.Context, in *I) (*output[B], error) {
		if u, ok := any(in).(uploader); ok {
			if err := u.decode(r.API.OpenAPI().Components.Schemas, texts); err != nil {
				return nil, r.problem(ctx, err)
			}
		}
		if op.Idempotent {
			k, _ := idem.From(ctx)
			hash, err := requestHash(op.ID, in)
			if err != nil {
				return nil, r.problem(ctx, err)
			}
			k.Hash = hash
			ctx = idem.With(ctx, k)
		}
		b, err := h(ctx, in)
		if err != nil {
			return nil, r.problem(ctx, err)
		}
		if _, own := any(b).(Rendered); !own {
			r.fillSlices(reflect.ValueOf(&b).Elem())
		}
		return &output[B]{Body: b}, nil
	})
	if u, ok := any(new(I)).(uploader); ok {
		texts = r.describeUpload(op, u.form())
	}
}

// requestHash covers the operation and everything that the client chose.
func requestHash(op string, in any) (string, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write([]byte(op + "\n"))
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)), nil
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// guard runs before the input is read: who is it, may they, and is a money command keyed.
func (r *Router) guard(op Op) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		leave := r.enter(c, op)
		if leave == nil {
			return
		}
		defer leave()
		ctx := c.Context()
		who, err := r.identify(c, op)
		if err == nil && op.Permission != "" && !who.Can(op.Permission) {
			err = fault.ErrForbidden
		}
		if err == nil && op.Idempotent {
			key := c.Header("Idempotency-Key")
			if !keyForm.MatchString(key) {
				err = idem.ErrMissing
			}
			ctx = idem.With(ctx, idem.Key{Actor: string(who.Kind) + ":" + strconv.FormatInt(who.ID, 10), Key: key})
		}
		if err != nil {
			writeProblem(c, r.problem(actor.With(ctx, who), err))
			return
		}
		next(huma.WithContext(c, actor.With(ctx, who)))
	}
}

func (r *Router) identify(c huma.Context, op Op) (actor.Actor, error) {
	anon := actor.Actor{Kind: actor.None, IP: ClientIP(c.Context())}
	kind, token := actor.Owner, ""
	switch op.Who {
	case Public:
		return anon, nil
	case Staff:
		kind = actor.Staff
	case Console:
		kind = actor.Staff
		// A cookie travels by itself, so another site could send it: a custom header cannot be sent across sites.
		if op.Method != http.MethodGet && c.Header("X-Liangche") != "console" {
			return anon, fault.ErrCSRF
		}
		for _, ck := range huma.ReadCookies(c) {
			if ck.Name == ConsoleCookie {
				token = ck.Value
			}
		}
	}
	if token == "" {
		token = bearer(c.Header("Authorization"))
	}
	if token == "" {
		return anon, fault.ErrNoSession
	}
	who, err := r.opt.Auth.Authenticate(c.Context(), kind, token)
	if err != nil {
		return anon, err
	}
	who.IP = anon.IP
	if op.Who == Member && who.MemberID == 0 {
		return anon, ErrNotJoined
	}
	return who, nil
}

func bearer(h string) string {
	if t, ok := strings.CutPrefix(h, "Bearer "); ok {
		return strings.TrimSpace(t)
	}
	return ""
}

// problem maps any error to the fault that may leave, logging the hidden cause once.
func (r *Router) problem(ctx context.Context, err error) *Problem {
	if errors.Is(err, db.ErrNoRows) {
		err = fault.ErrNotFound.With(err)
	}
	f := fault.As(err)
	if cause := errors.Unwrap(error(f)); cause != nil || f.Kind == fault.Internal {
		r.opt.Log.ErrorContext(ctx, "request failed", "code", f.Code, "request", RequestID(ctx), "cause", cause)
	} else if f.Kind == fault.Forbidden {
		who := actor.From(ctx)
		r.opt.Log.InfoContext(ctx, "request refused", "code", f.Code, "request", RequestID(ctx), "actor", string(who.Kind), "id", who.ID, "ip", ClientIP(ctx))
	}
	return &Problem{status: int(f.Kind), Code: FaultCode(f.Code), Message: f.Message, Fields: f.Fields, Detail: f.Detail, RequestID: RequestID(ctx)}
}

// fillSlices turns nil slices into empty ones: a client never meets null where the contract says array.
func (r *Router) fillSlices(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			r.fillSlices(v.Elem())
		}
	case reflect.Struct:
		for _, i := range r.slicesIn(v.Type()) {
			r.fillSlices(v.Field(i))
		}
	case reflect.Slice:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
			return
		}
		if k := v.Type().Elem().Kind(); k == reflect.Struct || k == reflect.Pointer {
			for i := range v.Len() {
				r.fillSlices(v.Index(i))
			}
		}
	}
}

// slicesIn are the exported fields of a struct in which fillSlices may find something.
func (r *Router) slicesIn(t reflect.Type) []int {
	if c, ok := r.fields.Load(t); ok {
		return c.([]int)
	}
	var out []int
	for i := range t.NumField() {
		f := t.Field(i)
		if k := f.Type.Kind(); f.IsExported() && t.PkgPath() != "time" && (k == reflect.Pointer || k == reflect.Struct || k == reflect.Slice) {
			out = append(out, i)
		}
	}
	r.fields.Store(t, out)
	return out
}
