package blob

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
)

const (
	maxSide   = 1600       // of what is kept, in pixels
	maxPixels = 25_000_000 // of what is taken: a small file can unfold to any size
	quality   = 82
)

// normalise proves that data is an image and returns it upright, at most maxSide wide and high, as JPEG without metadata. Faults:
// blob.not_image, blob.too_many_pixels.
func normalise(data []byte) ([]byte, error) {
	var (
		config = jpeg.DecodeConfig
		decode = jpeg.Decode
		turn   = 1
	)
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		turn = orientation(data)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		config, decode = png.DecodeConfig, png.Decode
	default:
		return nil, ErrNotImage.On("file", "只支持 JPG 和 PNG")
	}
	c, err := config(bytes.NewReader(data))
	if err != nil || c.Width < 1 || c.Height < 1 {
		return nil, ErrNotImage.On("file", "图片已损坏")
	}
	if c.Width > maxPixels/c.Height {
		return nil, ErrPixels.On("file", "图片尺寸太大")
	}
	src, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, ErrNotImage.On("file", "图片已损坏")
	}
	var out bytes.Buffer
	err = jpeg.Encode(&out, upright(shrink(src), turn), &jpeg.Options{Quality: quality})
	return out.Bytes(), err
}

// shrink scales src so that it fits, each new pixel the mean of those that it stands for, on white where src is transparent. It
// unfolds one strip of src at a time.
func shrink(src image.Image) *image.RGBA {
	b := src.Bounds()
	sw, sh := b.Dx(), b.Dy()
	w, h := sw, sh
	if most := max(sw, sh); most > maxSide {
		w, h = max(1, sw*maxSide/most), max(1, sh*maxSide/most)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	strip := image.NewRGBA(image.Rect(0, 0, sw, (sh+h-1)/h+1))
	for y := range h {
		top, bottom := y*sh/h, (y+1)*sh/h
		at := image.Rect(0, 0, sw, bottom-top)
		draw.Draw(strip, at, image.White, image.Point{}, draw.Src)
		draw.Draw(strip, at, src, b.Min.Add(image.Pt(0, top)), draw.Over)
		for x := range w {
			out.SetRGBA(x, y, mean(strip, x*sw/w, (x+1)*sw/w, bottom-top))
		}
	}
	return out
}

func mean(strip *image.RGBA, left, right, rows int) color.RGBA {
	var r, g, b, n int
	for y := range rows {
		for i := y*strip.Stride + left*4; i < y*strip.Stride+right*4; i += 4 {
			r, g, b, n = r+int(strip.Pix[i]), g+int(strip.Pix[i+1]), b+int(strip.Pix[i+2]), n+1
		}
	}
	return color.RGBA{uint8((r + n/2) / n), uint8((g + n/2) / n), uint8((b + n/2) / n), 0xff}
}

// upright turns and mirrors an image the way that its camera asked for (EXIF orientation 1 to 8), because that wish is lost with
// the metadata.
func upright(src *image.RGBA, turn int) *image.RGBA {
	if turn < 2 || turn > 8 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	ow, oh := w, h
	if turn >= 5 {
		ow, oh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, ow, oh))
	for y := range oh {
		for x := range ow {
			sx, sy := x, y
			switch turn {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, h-1-x
			case 7:
				sx, sy = w-1-y, h-1-x
			case 8:
				sx, sy = w-1-y, x
			}
			out.SetRGBA(x, y, src.RGBAAt(sx, sy))
		}
	}
	return out
}

// orientation finds the EXIF orientation of a JPEG; 1 when there is none or it cannot be read.
func orientation(data []byte) int {
	for data = data[2:]; len(data) >= 4 && data[0] == 0xff; {
		kind, size := data[1], int(binary.BigEndian.Uint16(data[2:]))
		if kind == 0xda || size < 2 || size+2 > len(data) { // the image itself begins
			return 1
		}
		if body := data[4 : size+2]; kind == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return orientationOf(body[6:])
		}
		data = data[size+2:]
	}
	return 1
}

// orientationOf reads tag 0x0112 of the first directory of a TIFF header.
func orientationOf(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(tiff, []byte("II")) {
		order = binary.LittleEndian
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 {
			return int(order.Uint16(entries[8:]))
		}
		entries = entries[12:]
	}
	return 1
}
