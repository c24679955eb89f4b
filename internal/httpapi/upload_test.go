package httpapi_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
)

type photoForm struct {
	Stage string `json:"stage" enum:"before,after"`
	Note  string `json:"note,omitempty" maxLength:"5"`
}

type photoInput struct {
	ID int64 `path:"id" minimum:"1"`
	httpapi.Upload[photoForm]
}

type photoAnswer struct {
	ID          int64
	Stage, Name string
	Size        int
}

func TestUpload(t *testing.T) {
	c := apitest.New(t, func(r *httpapi.Router) {
		httpapi.Register(r, httpapi.Op{ID: "photo", Method: http.MethodPost, Path: "/api/photos/{id}", Who: httpapi.Staff},
			func(_ context.Context, in *photoInput) (photoAnswer, error) {
				return photoAnswer{in.ID, in.Form.Stage, in.File.Name, len(in.File.Data)}, nil
			})
		body := r.API.OpenAPI().Paths["/api/photos/{id}"].Post.RequestBody.Content["multipart/form-data"].Schema
		if body.Properties["file"].Format != "binary" || body.Properties["stage"] == nil || strings.Join(body.Required, " ") != "stage file" {
			t.Errorf("contract %+v", body)
		}
	})
	staff := c.As(apitest.Staff())
	send := func(texts map[string]string, file []byte) ([]byte, string) { return apitest.Form(t, texts, file) }
	good := map[string]string{"stage": "before"}
	b, ct := send(good, []byte("abc"))
	var got photoAnswer
	staff.OK(http.MethodPost, "/api/photos/7", b, &got, "Content-Type", ct)
	if got != (photoAnswer{7, "before", "photo.jpg", 3}) {
		t.Errorf("%+v", got)
	}
	c.Fault(fault.ErrNoSession, http.MethodPost, "/api/photos/7", b, "Content-Type", ct)
	staff.Fault(fault.ErrInvalid, http.MethodPost, "/api/photos/0", b, "Content-Type", ct)
	for _, x := range []struct {
		texts map[string]string
		file  []byte
		want  *fault.Error
		field string
	}{
		{good, nil, fault.ErrInvalid, "file"},
		{good, []byte{}, fault.ErrInvalid, "file"},
		{nil, []byte("abc"), fault.ErrInvalid, "stage"},
		{map[string]string{"stage": "../x"}, []byte("abc"), fault.ErrInvalid, "stage"},
		{map[string]string{"stage": "after", "note": "123456"}, []byte("abc"), fault.ErrInvalid, "note"},
		{map[string]string{"stage": "after", "path": "/etc"}, []byte("abc"), fault.ErrInvalid, "path"},
		{map[string]string{"stage": strings.Repeat("x", 5000)}, []byte("abc"), fault.ErrTooLarge, ""},
		{good, bytes.Repeat([]byte("x"), httpapi.MaxUpload+1), fault.ErrTooLarge, ""},
	} {
		b, ct := send(x.texts, x.file)
		f := staff.Fault(x.want, http.MethodPost, "/api/photos/7", b, "Content-Type", ct)
		if x.field != "" && (len(f) != 1 || f[0].Field != x.field) {
			t.Errorf("%v: %v", x.texts, f)
		}
	}
	for ct, body := range map[string]string{"application/json": `{}`, "multipart/form-data": "x", "multipart/form-data; boundary=b": "--b\r\nbroken"} {
		staff.Fault(fault.ErrMalformed, http.MethodPost, "/api/photos/7", []byte(body), "Content-Type", ct)
	}
}
