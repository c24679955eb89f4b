package wechat

import (
	"bytes"
	"image/jpeg"
	"testing"
)

func TestMiniProgramCode(t *testing.T) {
	r := newRig(t)
	pic, err := r.MiniProgramCode(t.Context(), "i=ABCD2345", "pages/join/index")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := jpeg.Decode(bytes.NewReader(pic)); err != nil || m.Bounds().Dx() != 430 {
		t.Fatal(m, err)
	}
	_, err = r.MiniProgramCode(t.Context(), "中文", "pages/join/index")
	wantClass(t, err, Rejected, "40129")
	_, err = r.MiniProgramCode(t.Context(), "i=1", "pages/join/index?x=1")
	wantClass(t, err, Rejected, "41030")
	before := r.hits("/wxa/getwxacodeunlimit")
	r.fault("api", "errcode", "/wxa/getwxacodeunlimit", "40001", 1)
	if _, err = r.MiniProgramCode(t.Context(), "i=1", ""); err != nil {
		t.Fatal("a worn token is renewed once: ", err)
	}
	r.fault("api", "errcode", "/wxa/getwxacodeunlimit", "45009", 1)
	_, err = r.MiniProgramCode(t.Context(), "i=1", "")
	wantClass(t, err, Quota, "45009")
	if n := r.hits("/wxa/getwxacodeunlimit") - before; n != 3 {
		t.Fatal(n)
	}
	c, err := New(t.Context(), Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.MiniProgramCode(t.Context(), "i=1", "")
	wantClass(t, err, NotConfigured, "")
}
