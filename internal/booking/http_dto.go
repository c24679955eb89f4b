package booking

import (
	"time"

	"github.com/liangche/liangche/internal/money"
)

// View is a booking as its owner sees it.
type View struct {
	ID               int64       `json:"id"`
	No               string      `json:"no"`
	StoreID          int64       `json:"storeId"`
	StoreName        string      `json:"storeName"`
	StoreAddress     string      `json:"storeAddress"`
	StorePhone       string      `json:"storePhone"`
	Kind             Kind        `json:"kind" enum:"visit,at_home,pickup,repair,errand,rescue,other"`
	Channel          string      `json:"channel" enum:"mini_program,h5,official_account,link,desk,phone,walk_in"`
	State            State       `json:"state" enum:"queued,requested,held,confirmed,dispatched,arrived,in_service,done,settled,cancelled,expired,no_show"`
	StartsAt         time.Time   `json:"startsAt" doc:"At home and pick-up: when we are at the customer's"`
	EndsAt           time.Time   `json:"endsAt" doc:"When the car is ready, as planned"`
	StartedAt        *time.Time  `json:"startedAt,omitempty" doc:"When the work really began"`
	FinishedAt       *time.Time  `json:"finishedAt,omitempty" doc:"When the work really ended"`
	Plate            string      `json:"plate"`
	VehicleClassID   int64       `json:"vehicleClassId"`
	VehicleClassName string      `json:"vehicleClassName"`
	Title            string      `json:"title"`
	Items            []Item      `json:"items"`
	Minutes          int         `json:"minutes"`
	PriceFen         money.Fen   `json:"priceFen" doc:"Estimate with the member's tier; the till decides"`
	DepositFen       money.Fen   `json:"depositFen"`
	DepositState     string      `json:"depositState" enum:"none,due,paid,refunding,refunded,forfeited,used"`
	HoldExpiresAt    *time.Time  `json:"holdExpiresAt,omitempty"`
	FreeCancelUntil  *time.Time  `json:"freeCancelUntil,omitempty"`
	TechnicianName   string      `json:"technicianName,omitempty"`
	BayName          string      `json:"bayName,omitempty"`
	Note             string      `json:"note,omitempty"`
	Address          string      `json:"address,omitempty"`
	LatE6            int64       `json:"latE6,omitempty" doc:"Degrees times a million"`
	LngE6            int64       `json:"lngE6,omitempty"`
	TravelMinutes    int         `json:"travelMinutes,omitempty"`
	Extra            *Extra      `json:"extra,omitempty"`
	Queue            *QueueView  `json:"queue,omitempty" doc:"While the car waits for a bay"`
	Cancel           CancelTerms `json:"cancel"`
	Photos           []PhotoView `json:"photos"`
	Rating           *RatingView `json:"rating,omitempty"`
	OrderID          int64       `json:"orderId,omitempty"`
	CreatedAt        time.Time   `json:"createdAt"`
}

// QueueView says how long a walk-in still waits.
type QueueView struct {
	Ahead   int `json:"ahead"`
	Minutes int `json:"minutes"`
}

// PhotoView is a photo of the car before or after the work.
type PhotoView struct {
	ID    int64  `json:"id"`
	Stage string `json:"stage" enum:"before,after"`
	URL   string `json:"url"`
}

// RatingView is what the owner thought of it.
type RatingView struct {
	Stars int      `json:"stars"`
	Tags  []string `json:"tags"`
	Text  string   `json:"text"`
}

// SegmentView is a part of a booking on one bay with one technician.
type SegmentView struct {
	No             int       `json:"no"`
	BayKind        string    `json:"bayKind,omitempty"`
	Skill          string    `json:"skill,omitempty"`
	BayID          int64     `json:"bayId,omitempty"`
	BayName        string    `json:"bayName,omitempty"`
	TechnicianID   int64     `json:"technicianId,omitempty"`
	TechnicianName string    `json:"technicianName,omitempty"`
	From           time.Time `json:"from" doc:"Reserved from, travel included"`
	To             time.Time `json:"to" doc:"Reserved until, changeover or travel included"`
	ServiceFrom    time.Time `json:"serviceFrom"`
	ServiceTo      time.Time `json:"serviceTo"`
}

// DeskView is a booking as staff see it.
type DeskView struct {
	View
	Version    int64         `json:"version" doc:"Changes with every change; a move names the one it has seen"`
	MemberID   int64         `json:"memberId,omitempty"`
	MemberName string        `json:"memberName" doc:"Masked"`
	Phone      string        `json:"phone" doc:"Masked"`
	HasContact bool          `json:"hasContact" doc:"The phone was written down for this booking; the contact operation shows it"`
	MemberTier string        `json:"memberTier,omitempty"`
	Priority   bool          `json:"priority"`
	Explain    string        `json:"explain" doc:"Why this bay and technician, in one line"`
	Segments   []SegmentView `json:"segments"`
	CreatedBy  string        `json:"createdBy"`
	Warnings   []string      `json:"warnings"`
}

// EventView is an entry of the booking's log.
type EventView struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Text   string    `json:"text"`
	ByName string    `json:"byName"`
}

// Detail is a booking with its log.
type Detail struct {
	DeskView
	Events []EventView `json:"events"`
}

// Slot is a start that is free.
type Slot struct {
	StartsAt time.Time `json:"startsAt"`
	EndsAt   time.Time `json:"endsAt"`
}

// Alternatives is the detail of booking.slot_gone.
type Alternatives struct {
	Alternatives []Slot `json:"alternatives"`
}

// SlotDay is a day of the search.
type SlotDay struct {
	Day    string `json:"day" doc:"YYYY-MM-DD in the store's zone"`
	Closed string `json:"closed,omitempty" doc:"Why nothing can be booked, in Chinese; absent when everything is taken"`
	Off    string `json:"off,omitempty" enum:"closed,unstaffed,shut,late" doc:"The same for a program: no hours that day, nobody works, the store has closed for today, too late for what is left of the day"`
	Slots  []Slot `json:"slots"`
}

// SlotList is what can be booked.
type SlotList struct {
	Days            []SlotDay `json:"days"`
	Minutes         int       `json:"minutes"`
	PriceFen        money.Fen `json:"priceFen" doc:"Estimate with the member's tier"`
	DepositFen      money.Fen `json:"depositFen" doc:"What this booking would ask for, also after repeated no-shows"`
	FreeCancelHours int       `json:"freeCancelHours"`

	json []byte // what daysJSON makes of Days, when it is known
}

// StoreChoice is a store that takes bookings.
type StoreChoice struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Address   string `json:"address"`
	Phone     string `json:"phone"`
	HoursText string `json:"hoursText"`
	OpenToday string `json:"openToday" doc:"Today's hours in words"`
}

// ServicePrice is what a service costs and takes for a class of cars.
type ServicePrice struct {
	VehicleClassID int64     `json:"vehicleClassId"`
	PriceFen       money.Fen `json:"priceFen"`
	Minutes        int       `json:"minutes"`
}

// ServiceChoice is a service that can be booked.
type ServiceChoice struct {
	ID              int64          `json:"id"`
	Name            string         `json:"name"`
	Description     string         `json:"description"`
	Kind            string         `json:"kind" enum:"wash,detail,film,repair,other"`
	BookingKinds    []string       `json:"bookingKinds"`
	Image           string         `json:"image,omitempty"`
	DepositFen      money.Fen      `json:"depositFen"`
	FreeCancelHours int            `json:"freeCancelHours"`
	Prices          []ServicePrice `json:"prices"`
}

// SkillView is what a technician can do, and how well.
type SkillView struct {
	Skill string `json:"skill" enum:"wash,detail,film,repair,inspect,rescue,driver"`
	Level int    `json:"level"`
}

// TechnicianChoice is a technician who can be asked for.
type TechnicianChoice struct {
	ID      int64       `json:"id"`
	Name    string      `json:"name"`
	Skills  []SkillView `json:"skills"`
	Stars10 int         `json:"stars10,omitempty" doc:"Average rating in tenths: 48 is 4.8; absent before the first"`
	Ratings int         `json:"ratings"`
}

// OwnerOptions is what an owner may choose from.
type OwnerOptions struct {
	Stores       []StoreChoice      `json:"stores"`
	Services     []ServiceChoice    `json:"services"`
	Technicians  []TechnicianChoice `json:"technicians"`
	WindowDays   int                `json:"windowDays"`
	StepMinutes  int                `json:"stepMinutes"`
	MaxOpen      int                `json:"maxOpen"`
	OpenCount    int                `json:"openCount"`
	NeedsDeposit string             `json:"needsDeposit,omitempty" doc:"Why every booking of this member asks for a deposit, in Chinese"`
}

// ClassChoice is a vehicle class.
type ClassChoice struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// BayChoice is a bay.
type BayChoice struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Kind     string `json:"kind" enum:"wash,detail,film,lift,van"`
	Priority bool   `json:"priority"`
	Active   bool   `json:"active"`
}

// DeskOptions is what staff may choose from.
type DeskOptions struct {
	OwnerOptions
	VehicleClasses []ClassChoice `json:"vehicleClasses"`
	Bays           []BayChoice   `json:"bays"`
}

// OwnerAsk is an owner's wish for a time.
type OwnerAsk struct {
	StoreID        int64      `json:"storeId" minimum:"1"`
	Kind           Kind       `json:"kind" enum:"visit,at_home,pickup,repair,errand,rescue,other"`
	VehicleID      int64      `json:"vehicleId" minimum:"1"`
	ServiceIDs     []int64    `json:"serviceIds" maxItems:"10"`
	StartsAt       *time.Time `json:"startsAt,omitempty" doc:"Absent for a rescue: now"`
	TechnicianID   int64      `json:"technicianId,omitempty" minimum:"0" doc:"0: anybody"`
	SameTechnician bool       `json:"sameTechnician,omitempty" doc:"Whoever did it last time, when free"`
	Note           string     `json:"note,omitempty" maxLength:"200"`
	Address        string     `json:"address,omitempty" maxLength:"200"`
	LatE6          int64      `json:"latE6,omitempty" minimum:"-90000000" maximum:"90000000"`
	LngE6          int64      `json:"lngE6,omitempty" minimum:"-180000000" maximum:"180000000"`
	Extra          *Extra     `json:"extra,omitempty"`
	Channel        string     `json:"channel" enum:"mini_program,h5,official_account,link"`
}

// DeskAsk is a booking that the desk writes.
type DeskAsk struct {
	StoreID        int64      `json:"storeId" minimum:"1"`
	Kind           Kind       `json:"kind" enum:"visit,at_home,pickup,repair,errand,rescue,other"`
	Channel        string     `json:"channel" enum:"desk,phone"`
	MemberID       int64      `json:"memberId,omitempty" minimum:"0"`
	ContactName    string     `json:"contactName,omitempty" maxLength:"30"`
	ContactPhone   string     `json:"contactPhone,omitempty" maxLength:"20"`
	Plate          string     `json:"plate" minLength:"1" maxLength:"16"`
	VehicleClassID int64      `json:"vehicleClassId" minimum:"1"`
	ServiceIDs     []int64    `json:"serviceIds" maxItems:"10"`
	StartsAt       *time.Time `json:"startsAt,omitempty" doc:"Absent for a rescue: now"`
	TechnicianID   int64      `json:"technicianId,omitempty" minimum:"0"`
	BayID          int64      `json:"bayId,omitempty" minimum:"0"`
	SameTechnician bool       `json:"sameTechnician,omitempty"`
	Note           string     `json:"note,omitempty" maxLength:"200"`
	Address        string     `json:"address,omitempty" maxLength:"200"`
	LatE6          int64      `json:"latE6,omitempty" minimum:"-90000000" maximum:"90000000"`
	LngE6          int64      `json:"lngE6,omitempty" minimum:"-180000000" maximum:"180000000"`
	Extra          *Extra     `json:"extra,omitempty"`
}

// CancelAsk is an owner who cancels. RefundFen is what the owner was shown; when it is no longer true, nothing happens.
type CancelAsk struct {
	Reason    string     `json:"reason,omitempty" maxLength:"200"`
	RefundFen *money.Fen `json:"refundFen,omitempty" minimum:"0" doc:"What was shown as the refund"`
}

// ReasonAsk carries a reason.
type ReasonAsk struct {
	Reason string `json:"reason,omitempty" maxLength:"200"`
}

// RescheduleAsk is another time for the same booking.
type RescheduleAsk struct {
	StartsAt     time.Time `json:"startsAt"`
	TechnicianID int64     `json:"technicianId,omitempty" minimum:"0"`
}

// AcceptAsk takes a rescue or errand. TechnicianID 0 lets the system choose.
type AcceptAsk struct {
	TechnicianID int64 `json:"technicianId,omitempty" minimum:"0"`
}

// FinishAsk ends the work. Closing is the record of a rescue or errand.
type FinishAsk struct {
	Closing string `json:"closing,omitempty" maxLength:"500"`
}

// MoveAsk is a drag, a resize or an undo on the board. What is absent stays.
type MoveAsk struct {
	Version      int64      `json:"version" minimum:"0"`
	SegmentNo    int        `json:"segmentNo" minimum:"1" maximum:"20"`
	BayID        int64      `json:"bayId,omitempty" minimum:"0"`
	TechnicianID int64      `json:"technicianId,omitempty" minimum:"0"`
	StartsAt     *time.Time `json:"startsAt,omitempty" doc:"New start of this segment's work; the others move with it"`
	EndsAt       *time.Time `json:"endsAt,omitempty" doc:"New end of this segment's work; later ones move with it"`
	Force        bool       `json:"force,omitempty" doc:"Relaxes skill, level, shift and hours, never an occupied time"`
	Reason       string     `json:"reason,omitempty" maxLength:"200" doc:"Needed with force"`
}

// Refusals is the detail of booking.move_refused.
type Refusals struct {
	Reasons  []Refusal `json:"reasons"`
	CanForce bool      `json:"canForce" doc:"Nothing is occupied: force would do"`
}

// Refusal is a reason against an arrangement.
type Refusal struct {
	Text string `json:"text"`
	Hard bool   `json:"hard" doc:"Cannot be forced"`
}
