package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/liangche/liangche/internal/fault"
)

// MaxUpload bounds the file of an upload, in bytes.
const MaxUpload = 8 << 20

const (
	uploadRest   = 64 << 10 // what a form may hold beside its file
	uploadParts  = 20
	uploadText   = 4 << 10
	uploadFileAt = "file"
)

// Upload is embedded in the input of an operation that takes one file as multipart/form-data, in the part "file". The other
// parts are texts; they are validated and decoded into F, a struct with json tags. Path and query fields stand beside it:
//
//	type photoInput struct {
//		ID int64 `path:"id" minimum:"1"`
//		httpapi.Upload[photoForm]
//	}
//
// The file is read into memory, never to a path that a client could name, and only after the caller may call the operation.
type Upload[F any] struct {
	Form F
	File File
	text map[string]any
}

// File is what was uploaded. Neither name nor type is to be believed.
type File struct {
	Name, ContentType string
	Data              []byte
}

// uploader is what Register sees of an Upload.
type uploader interface {
	form() reflect.Type
	decode(reg huma.Registry, s *huma.Schema) error
}

func (u *Upload[F]) form() reflect.Type { return reflect.TypeFor[F]() }

// Resolve reads the request's body. huma calls it before the handler, more than once for an embedded Upload.
func (u *Upload[F]) Resolve(c huma.Context) []error {
	if u.text != nil {
		return nil
	}
	u.text = map[string]any{}
	if err := u.read(c.Header("Content-Type"), c.BodyReader()); err != nil {
		f := fault.As(err)
		return []error{&Problem{status: int(f.Kind), Code: FaultCode(f.Code), Message: f.Message, Fields: f.Fields, RequestID: RequestID(c.Context())}}
	}
	return nil
}

func (u *Upload[F]) read(contentType string, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" || body == nil {
		return fault.ErrMalformed
	}
	limit := http.MaxBytesReader(nil, io.NopCloser(body), MaxUpload+uploadRest)
	r := multipart.NewReader(limit, params["boundary"])
	for n := 0; ; n++ {
		part, err := r.NextPart()
		switch {
		case errors.Is(err, io.EOF) && u.File.Data == nil:
			return fault.ErrInvalid.On(uploadFileAt, "请选择文件")
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return unreadable(err)
		case n == uploadParts:
			return fault.ErrMalformed
		}
		if err := u.take(part); err != nil {
			return err
		}
	}
}

func (u *Upload[F]) take(part *multipart.Part) error {
	most := int64(uploadText)
	isFile := part.FormName() == uploadFileAt
	if isFile {
		most = MaxUpload
	}
	data, err := io.ReadAll(io.LimitReader(part, most+1))
	switch {
	case err != nil:
		return unreadable(err)
	case int64(len(data)) > most:
		return fault.ErrTooLarge
	case isFile && (u.File.Data != nil || len(data) == 0):
		return fault.ErrInvalid.On(uploadFileAt, "请选择一个文件")
	case isFile:
		u.File = File{part.FileName(), part.Header.Get("Content-Type"), data}
	default:
		u.text[part.FormName()] = string(data)
	}
	return nil
}

func unreadable(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fault.ErrTooLarge
	}
	return fault.ErrMalformed
}

func (u *Upload[F]) decode(reg huma.Registry, s *huma.Schema) error {
	f := fault.ErrInvalid
	for _, name := range s.Required {
		if _, ok := u.text[name]; !ok {
			f = f.On(name, "必填")
		}
	}
	if len(f.Fields) > 0 {
		return f
	}
	res := &huma.ValidateResult{}
	huma.Validate(reg, s, huma.NewPathBuffer([]byte{}, 0), huma.ModeWriteToServer, u.text, res)
	for _, err := range res.Errors {
		var d huma.ErrorDetailer
		if errors.As(err, &d) {
			e := d.ErrorDetail()
			f = f.On(e.Location, complaint(e.Message))
		}
	}
	if len(f.Fields) > 0 {
		return f
	}
	b, err := json.Marshal(u.text)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &u.Form)
}

// describeUpload writes the form into the contract and returns the schema of its texts. huma itself never sees a body: it would
// hold it to the contract as JSON.
func (r *Router) describeUpload(op Op, form reflect.Type) *huma.Schema {
	reg := r.API.OpenAPI().Components.Schemas
	texts := huma.SchemaFromType(reg, form)
	texts.PrecomputeMessages()
	all := *texts
	all.Properties = maps.Clone(texts.Properties)
	if all.Properties == nil {
		all.Properties = map[string]*huma.Schema{}
	}
	all.Properties[uploadFileAt] = &huma.Schema{Type: huma.TypeString, Format: "binary"}
	all.Required = append(append([]string{}, texts.Required...), uploadFileAt)
	o := operationOf(r.API.OpenAPI().Paths[op.Path], op.Method)
	o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &all}}}
	return texts
}

func operationOf(item *huma.PathItem, method string) *huma.Operation {
	if method == http.MethodPut {
		return item.Put
	}
	return item.Post
}
