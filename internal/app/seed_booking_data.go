package app

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"time"

	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/slot"
)

// The services of demoServices by what they are.
const (
	wash = iota
	deluxe
	interior
	waxing
	coating
	aircon
	inspection
)

// The people of demoPeople whose bookings are told one by one; firstDrawn is the first of the others.
const (
	regular    = 0
	priority   = 1
	coated     = 2
	waits      = 4
	firstDrawn = 12
)

// washers wash at the first store while the demo begins. 吴技师 does not: who signs in as a technician has hands free.
var washers = []string{"王海", "何小满", "赵春生"}

// demoStays are the usual times of a day; how many of them are booked depends on the day.
var demoStays = []struct{ store, hour, minute, service int }{
	{0, 8, 45, wash}, {0, 9, 0, wash}, {0, 9, 15, deluxe}, {0, 9, 30, waxing}, {0, 10, 0, wash}, {0, 10, 15, deluxe}, {0, 10, 30, aircon}, {0, 11, 15, wash}, {0, 11, 30, deluxe},
	{0, 13, 0, wash}, {0, 13, 45, wash}, {0, 14, 0, waxing}, {0, 14, 30, deluxe}, {0, 15, 15, wash}, {0, 15, 30, aircon}, {0, 16, 0, interior}, {0, 16, 15, deluxe}, {0, 17, 0, wash},
	{0, 17, 45, deluxe}, {0, 18, 30, wash}, {0, 19, 0, wash},
	{1, 8, 30, wash}, {1, 9, 30, deluxe}, {1, 11, 0, wash}, {1, 13, 15, wash}, {1, 13, 30, waxing}, {1, 15, 0, deluxe}, {1, 16, 15, wash}, {1, 18, 45, wash}, {1, 19, 30, deluxe}, {1, 20, 45, wash},
	{1, 23, 0, wash},
}

// wishedStays are the bookings that are worth telling.
func wishedStays(clock func(day, hour, minute int) time.Time) []stay {
	before := func(day int) time.Time { return clock(min(day, 0)-1, 9, 10) } // before anybody else does
	at := func(day, hour, minute int, v stay) stay {
		v.made, v.starts = before(day), clock(day, hour, minute)
		return v
	}
	return []stay{
		at(-17, 10, 0, stay{who: regular, service: deluxe, with: []string{"吴技师"}, photos: true, stars: 5}),
		at(-6, 14, 30, stay{who: regular, service: wash, stars: 4}),
		at(1, 10, 30, stay{who: regular, service: deluxe, note: "后备箱不用打开"}),
		at(-12, 11, 0, stay{who: priority, service: waxing, photos: true, stars: 5}),
		at(2, 11, 0, stay{who: priority, service: waxing}),
		at(-10, 15, 15, stay{who: coated, service: deluxe, photos: true, stars: 5}),
		at(-3, 13, 0, stay{who: 3, service: deluxe, ending: cancels}),
		at(2, 15, 0, stay{who: 3, service: wash}),
		at(-9, 16, 30, stay{who: waits, service: wash, stars: 5}),
		at(2, 14, 0, stay{who: 5, service: deluxe, kind: booking.KindAtHome, address: "静安区新闸路 1508 号 地下车库 B2-117", note: "到了请打电话"}),
		at(-8, 10, 45, stay{who: 6, service: wash, ending: staysAway}),
		at(-15, 13, 30, stay{who: 10, service: deluxe, ending: staysAway}),
		at(1, 11, 0, stay{who: 9, service: aircon, kind: booking.KindRepair, extra: &booking.Extra{Fault: "空调有异味，出风小"}}),
		at(4, 9, 30, stay{who: 11, service: inspection, kind: booking.KindErrand, address: "静安区江宁路 700 号", extra: &booking.Extra{Destination: "静安机动车检测站"}}),
		at(1, 15, 30, stay{who: nobody, service: wash, with: []string{"何小满", "王海", "赵春生"}, leave: true}),
	}
}

// happeningStays are the cars that are in the first store when the demo begins: at work, and just arrived. When it is closed, they are not.
func happeningStays(until time.Time) []stay {
	now := slot.CellOf(until).Time()
	before := func(minutes int) time.Time { return until.Add(-time.Duration(minutes) * time.Minute) }
	return []stay{
		{made: before(50), starts: now.Add(-25 * time.Minute), who: 7, service: deluxe, with: washers, until: booking.InService, photos: true},
		{made: before(45), starts: now.Add(5 * time.Minute), who: 8, service: wash, with: washers, until: booking.Arrived},
		{made: before(35), starts: now.Add(-20 * time.Minute), who: nobody, service: aircon, with: []string{"刘铁军"}, until: booking.InService},
		{made: before(16), starts: now.Add(-10 * time.Minute), who: nobody, service: wash, with: washers, until: booking.InService},
	}
}

type guest struct {
	plate, name, phone string
	class              int
}

// guest is somebody who is no member.
func (s *seeder) guest() guest {
	s.guests++
	const letters = "ABCDEFGHJKLMNPQR"
	n := s.guests
	return guest{plate: fmt.Sprintf("沪%c%d%c%03d", letters[(n*5)%16], n%9+1, letters[(n*11+3)%16], (n*137+211)%1000), phone: fmt.Sprintf("1390003%04d", n), class: 1 + n%2,
		name: []string{"王", "李", "张", "刘", "陈", "杨", "黄", "吴"}[n%8] + []string{"先生", "女士"}[n/8%2]}
}

// carPhoto draws a car as a phone's photo would show it, before the wash or after.
func carPhoto(seed uint64, dirty bool) ([]byte, error) {
	r := rand.New(rand.NewPCG(seed, 7))
	const w, h = 480, 315
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	fill := func(x0, y0, x1, y1 int, c color.RGBA) {
		draw.Draw(m, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Src)
	}
	disc := func(cx, cy, radius int, c color.RGBA) {
		for y := -radius; y <= radius; y++ {
			for x := -radius; x <= radius; x++ {
				if x*x+y*y <= radius*radius {
					m.SetRGBA(cx+x, cy+y, c)
				}
			}
		}
	}
	floor := h * 5 / 7
	for y := range h { // the wall of the bay and its floor
		shade := uint8(214 - y/5)
		if y > floor {
			shade = uint8(146 - (y-floor)/3)
		}
		fill(0, y, w, y+1, color.RGBA{shade, shade, shade + 4, 255})
	}
	for x := 30; x < w; x += 90 {
		fill(x, 0, x+2, floor, color.RGBA{186, 190, 196, 255})
	}
	paint := []color.RGBA{{236, 238, 240, 255}, {38, 42, 50, 255}, {40, 88, 160, 255}, {150, 28, 36, 255}, {128, 134, 140, 255}, {34, 110, 90, 255}}[r.IntN(6)]
	for y := 82; y < 150; y++ { // the cabin, and its windows
		lean := (150 - y) * 6 / 10
		fill(128+lean, y, 352-lean, y+1, paint)
		if y > 91 && y < 144 {
			fill(140+lean, y, 234, y+1, color.RGBA{70, 92, 110, 255})
			fill(243, y, 340-lean, y+1, color.RGBA{70, 92, 110, 255})
		}
	}
	for y := 150; y < 225; y++ { // the body, and its lamps
		in := max(0, 165-y) / 2
		fill(57+in, y, 424-in, y+1, paint)
	}
	fill(412, 165, 424, 180, color.RGBA{250, 240, 190, 255})
	fill(57, 167, 68, 183, color.RGBA{170, 30, 30, 255})
	for _, x := range []int{135, 346} {
		disc(x, 225, 36, color.RGBA{24, 24, 26, 255})
		disc(x, 225, 21, color.RGBA{176, 180, 186, 255})
		disc(x, 225, 6, color.RGBA{60, 62, 66, 255})
	}
	if dirty {
		for range 700 { // mud, most of it low
			if x, y := 55+r.IntN(372), 225-int(r.ExpFloat64()*34); y > 152 {
				disc(x, y, 1+r.IntN(3), color.RGBA{uint8(112 + r.IntN(30)), uint8(92 + r.IntN(20)), 66, 255})
			}
		}
	} else {
		for i := range 3 { // light on clean paint, and a wet floor
			for k := range 45 {
				fill(90+i*112+k, 156+k/3, 93+i*112+k, 158+k/3, color.RGBA{255, 255, 255, 255})
			}
		}
		fill(72, 264, 405, 267, color.RGBA{190, 202, 214, 255})
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 80})
	return out.Bytes(), err
}
