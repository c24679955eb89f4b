package remind

import (
	"fmt"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/notify"
)

// Car is what somebody told of a vehicle. Dates are "" where they are unknown.
type Car struct {
	VehicleID, MemberID int64
	Kind                string // of vehicle, in the Table
	RegisteredOn        string // first registration, as the vehicle licence says
	InspectedTo         string // inspections that were due up to that day are done
	InsuredTo           string // the last day of the insurance
	ServicedOn          string // the last maintenance
	ServicedKm          int64  // the odometer then; 0 unknown
	EveryKm             int64  // the owner's own intervals; 0: the shop's
	EveryMonths         int
	Km                  int64 // the odometer as it was read last; 0 unknown
	KmOn                string
	SeenOn              string // when the owner saw the dues last
}

// Maintenance is the next one of a car.
type Maintenance struct {
	On   string // "" when it cannot be known
	AtKm int64  // the odometer that makes it due; 0 when the months do
	ByKm bool   // the kilometres come first
}

// interval is the car's own interval, or the shop's.
func (c Car) interval(t Terms) (km int64, months int) {
	km, months = c.EveryKm, c.EveryMonths
	if km == 0 && months == 0 {
		return t.EveryKm, t.EveryMonths
	}
	return km, months
}

// leastSpan is over how many days the odometer must have been watched before it says how fast it runs.
const leastSpan = 14

// pace is how far the car runs: kilometres within days; 0 when that is not known. What was driven since the last maintenance counts, and for want of that
// what was driven since the first registration.
func (c Car) pace() (km int64, span int) {
	if c.Km == 0 || c.KmOn == "" {
		return 0, 0
	}
	if n := days(c.ServicedOn, c.KmOn); c.ServicedOn != "" && c.ServicedKm > 0 && n >= leastSpan && c.Km > c.ServicedKm {
		return c.Km - c.ServicedKm, n
	}
	if n := days(c.RegisteredOn, c.KmOn); c.RegisteredOn != "" && n >= leastSpan {
		return c.Km, n
	}
	return 0, 0
}

// farAhead bounds an estimate by kilometres: of a car that hardly moves nothing is known.
const farAhead = 5 * 366

// nextMaintenance is due by months or by kilometres, whichever comes first. A car that was never serviced counts from its first registration, for as long as its
// first maintenance may still be ahead. It is pure.
func nextMaintenance(c Car, t Terms, today string) (next Maintenance) {
	km, months := c.interval(t)
	from, fromKm := c.ServicedOn, c.ServicedKm
	if from == "" {
		if from = c.RegisteredOn; from == "" || days(from, today) > 366 {
			return next
		}
		fromKm = 0
	}
	if months > 0 {
		next.On = addMonths(from, months)
	}
	if km == 0 || c.KmOn == "" || (fromKm == 0 && c.ServicedOn != "") {
		return next
	}
	target := fromKm + km
	on := c.KmOn
	if c.Km < target {
		ran, span := c.pace()
		if ran == 0 {
			return next
		}
		ahead := (int64(span)*(target-c.Km) + ran - 1) / ran
		if ahead > farAhead {
			return next
		}
		on = bizday.Add(c.KmOn, int(ahead))
	}
	if next.On == "" || on < next.On {
		next = Maintenance{On: on, AtKm: target, ByKm: true}
	}
	return next
}

// Due is something that a car needs, in words.
type Due struct {
	Event string `json:"event" enum:"inspection_due,insurance_due,maintenance_due"`
	Title string `json:"title"`
	On    string `json:"on,omitempty" doc:"YYYY-MM-DD; absent when it is not known"`
	State string `json:"state" enum:"unknown,fine,soon,late"`
	Text  string `json:"text" doc:"When, as people say it"`
	Note  string `json:"note" doc:"What to do, or what to tell us so that we can remind"`
}

// soon is from how many days ahead something is shown as near.
const soon = 30

// dues are what a car needs, nearest first as far as it is known. It is pure.
func (b book) dues(c Car, today string) []Due {
	m := nextMaintenance(c, b.terms[notify.MaintenanceDue], today)
	i := nextInspection(b.table.of(c.Kind), c.RegisteredOn, c.InspectedTo, today)
	out := []Due{
		due(notify.MaintenanceDue, "保养", m.On, today, "告诉我们上次保养的日期和里程，到时提醒您"),
		due(notify.InspectionDue, "年检", i.On, today, "填写行驶证上的注册日期，按国家规定自动推算"),
		due(notify.InsuranceDue, "保险", c.InsuredTo, today, "填写保单的到期日，到期前提醒您续保"),
	}
	if m.On != "" {
		out[0].Note = "以先到的里程或月数为准"
		if m.ByKm {
			out[0].Note = fmt.Sprintf("预计那时跑到 %d 公里", m.AtKm)
			if c.Km >= m.AtKm {
				out[0].Note = fmt.Sprintf("里程已满 %d 公里", m.AtKm)
			}
		}
	}
	if i.On != "" {
		out[1].Text = monthText(i.On) + "底前"
		out[1].Note = "免上线，网上申领标志；可提前三个月办"
		if i.OnSite {
			out[1].Note = "要到检测站上线检测；可提前三个月办"
		}
	}
	if c.InsuredTo != "" {
		out[2].Note = "到期前续保，保障不断档"
	}
	for i := range out[1:] {
		if d := &out[1+i]; d.State == "late" {
			d.Note = "已过期，请尽快办理"
		}
	}
	return out
}

func due(event, title, on, today, ask string) Due {
	d := Due{Event: event, Title: title, On: on, State: "unknown", Text: "还不知道", Note: ask}
	if on == "" {
		return d
	}
	d.Text = dayText(on)
	switch n := days(today, on); {
	case n < 0:
		d.State = "late"
	case n <= soon:
		d.State = "soon"
	default:
		d.State = "fine"
	}
	return d
}

// book is what dues are computed with.
type book struct {
	table Table
	terms map[string]Terms
}

// fill computes the dates that the runs look for.
func (b book) fill(c Car, today string) (maintenance, inspection string) {
	return nextMaintenance(c, b.terms[notify.MaintenanceDue], today).On, nextInspection(b.table.of(c.Kind), c.RegisteredOn, c.InspectedTo, today).On
}
