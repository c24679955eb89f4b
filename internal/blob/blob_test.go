package blob

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
)

// halves is an image whose left half is red and whose right half is blue.
func halves(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{255, 0, 0, 255}
			if x >= w/2 {
				c = color.RGBA{0, 0, 255, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func encode(t *testing.T, m image.Image, as string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch as {
	case "png":
		err = png.Encode(&b, m)
	case "gif":
		err = gif.Encode(&b, m, nil)
	default:
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// exif puts an APP1 segment with an orientation, and a place that must not be kept, behind the start of a JPEG.
func exif(data []byte, turn uint16, order binary.AppendByteOrder) []byte {
	tiff := []byte("MM\x00*")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		tiff = []byte("II*\x00")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, e := range [][4]uint32{{0x010f, 2, 4, 0}, {0x0112, 3, 1, uint32(turn)}} {
		tiff = order.AppendUint16(tiff, uint16(e[0]))
		tiff = order.AppendUint16(tiff, uint16(e[1]))
		tiff = order.AppendUint32(tiff, e[2])
		if e[0] == 0x0112 {
			tiff = order.AppendUint16(tiff, uint16(e[3]))
			tiff = order.AppendUint16(tiff, 0)
		} else {
			tiff = append(tiff, "GPS!"...)
		}
	}
	body := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(body)+2))...)
	return append(append(out, body...), data[2:]...)
}

func reddish(c color.Color) bool { r, _, b, _ := c.RGBA(); return r > 2*b }

func TestImagesAreUprightSmallAndWithoutMetadata(t *testing.T) {
	photo := encode(t, halves(2000, 1000), "jpeg")
	for _, c := range []struct {
		turn uint16
		w, h int
		red  [2]int // a point that must be red, in sixteenths
	}{
		{1, 1600, 800, [2]int{2, 8}}, {2, 1600, 800, [2]int{14, 8}}, {3, 1600, 800, [2]int{14, 8}}, {4, 1600, 800, [2]int{2, 8}},
		{5, 800, 1600, [2]int{8, 2}}, {6, 800, 1600, [2]int{8, 2}}, {7, 800, 1600, [2]int{8, 14}}, {8, 800, 1600, [2]int{8, 14}},
		{0, 1600, 800, [2]int{2, 8}}, {9, 1600, 800, [2]int{2, 8}},
	} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			out, err := normalise(exif(photo, c.turn, order))
			if err != nil {
				t.Fatalf("orientation %d: %v", c.turn, err)
			}
			m, err := jpeg.Decode(bytes.NewReader(out))
			if err != nil || m.Bounds().Dx() != c.w || m.Bounds().Dy() != c.h {
				t.Fatalf("orientation %d: %v %v", c.turn, m.Bounds(), err)
			}
			if !reddish(m.At(c.red[0]*c.w/16, c.red[1]*c.h/16)) || reddish(m.At(c.w-1-c.red[0]*c.w/16, c.h-1-c.red[1]*c.h/16)) {
				t.Errorf("orientation %d: turned wrongly", c.turn)
			}
			if bytes.Contains(out, []byte("Exif")) || bytes.Contains(out, []byte("GPS!")) {
				t.Errorf("orientation %d: metadata stayed", c.turn)
			}
		}
	}
	for _, m := range []image.Image{image.NewNRGBA(image.Rect(0, 0, 3, 5000)), image.NewRGBA64(image.Rect(-7, -7, 40, 40)), image.NewGray(image.Rect(0, 0, 1, 1))} {
		out, err := normalise(encode(t, m, "png"))
		if err != nil {
			t.Fatalf("%T: %v", m, err)
		}
		got, err := jpeg.Decode(bytes.NewReader(out))
		if err != nil || got.Bounds().Dx() > maxSide || got.Bounds().Dy() > maxSide {
			t.Errorf("%T: %v %v", m, got.Bounds(), err)
		}
		if r, _, _, _ := got.At(0, 0).RGBA(); r < 0xf000 && m.ColorModel() != color.GrayModel {
			t.Errorf("%T: what is transparent became %x, want white", m, r)
		}
	}
}

// bomb is a PNG of a few bytes that claims to be huge.
func bomb(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	head = append(head, 8, 6, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, 13)
	b = append(b, head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

func TestWhatIsNoImageIsRefused(t *testing.T) {
	photo := encode(t, halves(100, 100), "jpeg")
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":      {nil, ErrNotImage},
		"text":         {[]byte("<svg onload=alert(1)>"), ErrNotImage},
		"page":         {[]byte("<!doctype html><script>alert(1)</script>"), ErrNotImage},
		"gif":          {encode(t, halves(9, 9), "gif"), ErrNotImage},
		"half a photo": {photo[:len(photo)/2], ErrNotImage},
		"its first 3":  {photo[:3], ErrNotImage},
		"bomb":         {bomb(60000, 60000), ErrPixels},
		"wide bomb":    {bomb(1<<31-1, 1), ErrPixels},
		"just over":    {bomb(5001, 5000), ErrPixels},
		"no data":      {bomb(100, 100), ErrNotImage},
		"broken exif":  {append([]byte("\xff\xd8\xff\xe1\xff\xffExif\x00\x00II*\x00\xff\xff\xff\xff"), photo...), ErrNotImage},
	} {
		if _, err := normalise(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x20Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 2 {
			orientation(b)
		}
		orientationOf(b)
	})
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "blobs")
	f := NewFolder(dir)
	if err := f.Probe(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range 50 {
		key, err := f.Put(t.Context(), fmt.Append(nil, i))
		if err != nil || !keyForm.MatchString(key) || seen[key] {
			t.Fatal(key, err)
		}
		seen[key] = true
		c, err := f.Open(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(c); string(b) != fmt.Sprint(i) {
			t.Errorf("%s holds %q", key, b)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, key[:2], key[2:4], key)); err != nil {
			t.Error(err)
		}
	}
	files := 0
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files++
		}
		return err
	})
	if err != nil || files != 50 {
		t.Errorf("%d files, %v: something temporary stayed", files, err)
	}
	for key := range seen {
		for _, bad := range []string{"", "x", "..", "../../etc/passwd", key + "/", "/" + key, key[:31] + ".jpg", strings.ToUpper(key), key[:32] + ".png", key + "\x00", "./" + key, key[:2] + "/" + key} {
			if _, err := f.Open(t.Context(), bad); !errors.Is(err, fault.ErrNotFound) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		break
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if NewFolder(blocked).Probe() == nil {
		t.Error("a file is no folder")
	}
	if _, err := NewFolder(blocked).Put(t.Context(), []byte("x")); err == nil {
		t.Error("written into a file")
	}
}

func TestUploadAndShow(t *testing.T) {
	dir := t.TempDir()
	s := New(NewFolder(dir))
	var r *httpapi.Router
	c := apitest.New(t, s.Routes, func(x *httpapi.Router) { r = x })
	boss := c.As(apitest.Staff(perm.CatalogWrite))
	const at = "/api/console/images"
	body, kind := apitest.Form(t, nil, encode(t, halves(300, 200), "png"))
	var got Saved
	boss.OK(http.MethodPost, at, body, &got, "Content-Type", kind)
	if got.URL != "/media/"+got.Key || s.URL(got.Key) != got.URL || s.URL("") != "" {
		t.Fatalf("%+v", got)
	}
	show := func(path string) (*http.Response, []byte) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://shop"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		r.Echo.ServeHTTP(w, req)
		res := w.Result()
		b, _ := io.ReadAll(res.Body)
		return res, b
	}
	res, b := show(got.URL)
	h := res.Header
	if res.StatusCode != 200 || h.Get("Content-Type") != "image/jpeg" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Cache-Control"), "immutable") ||
		!bytes.HasPrefix(b, []byte("\xff\xd8\xff")) {
		t.Errorf("%d %v", res.StatusCode, h)
	}
	for _, bad := range []string{"/media/", "/media/..", "/media/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/media/../" + got.Key, "/media/" + strings.Repeat("0", 32) + ".jpg", "/media/" + got.Key[:2]} {
		if res, _ := show(bad); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", bad, res.StatusCode)
		}
	}
	bad := func(want *fault.Error, data []byte) {
		t.Helper()
		body, kind := apitest.Form(t, nil, data)
		if f := boss.Fault(want, http.MethodPost, at, body, "Content-Type", kind); want != fault.ErrTooLarge && (len(f) != 1 || f[0].Field != "file") {
			t.Errorf("%v", f)
		}
	}
	bad(ErrNotImage, []byte("<html>"))
	bad(ErrPixels, bomb(60000, 60000))
	bad(fault.ErrInvalid, nil)
	bad(fault.ErrTooLarge, make([]byte, httpapi.MaxUpload+1))
	c.As(apitest.Staff(perm.CatalogRead)).Fault(fault.ErrForbidden, http.MethodPost, at, body, "Content-Type", kind)
	c.Fault(fault.ErrCSRF, http.MethodPost, at, body, "Content-Type", kind)
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*"))
	if len(files) != 1 {
		t.Errorf("kept %v", files)
	}
}
