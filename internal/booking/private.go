package booking

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// ErrNoContact reports a booking for which nobody wrote a phone number down.
var ErrNoContact = fault.Define(fault.NotFound, "booking.no_contact", "这个预约没有另留电话，会员的电话请在会员资料里查看")

// The columns that are sealed.
const (
	colName    = "booking_bookings.contact_name"
	colPhone   = "booking_bookings.contact_phone"
	colPrivate = "booking_bookings.extra"
)

// private is what a booking says of where somebody is and in whose words: it lies sealed as a whole, since none of it is searched for.
type private struct {
	Note    string `json:"note,omitempty"`
	Address string `json:"address,omitempty"`
	LatE6   int64  `json:"latE6,omitempty"`
	LngE6   int64  `json:"lngE6,omitempty"`
	Extra   Extra  `json:"extra"`
}

// seal puts what is personal into the form in which it is stored.
func (s *Service) seal(b *Booking) error {
	p := private{b.Note, b.Address, b.LatE6, b.LngE6, b.Extra}
	b.Sealed = ""
	if p == (private{}) {
		return nil
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	b.Sealed, err = s.box.Seal(colPrivate, string(text))
	return err
}

// unseal fills in what seal put away. A booking that was written before there were seals lies open, and stays as it was read.
func (s *Service) unseal(b *Booking) error {
	if b.Sealed == "" || strings.HasPrefix(b.Sealed, "{") {
		return nil
	}
	text, err := s.box.Open(colPrivate, b.Sealed)
	if err != nil {
		return err
	}
	var p private
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	b.Note, b.Address, b.LatE6, b.LngE6, b.Extra = p.Note, p.Address, p.LatE6, p.LngE6, p.Extra
	return nil
}

// ContactView is whom to call.
type ContactView struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// Contact shows in clear whom the desk wrote down for a booking; that somebody looked goes into the trail. Faults: ErrNoContact, fault.ErrNotFound.
func (s *Service) Contact(ctx context.Context, id int64) (v ContactView, err error) {
	var out ContactView
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		b, err := bookingByID(ctx, tx, id, "")
		if err == nil {
			err = visible(ctx, b, 0)
		}
		if err != nil {
			return err
		}
		if b.ContactPhone == "" {
			return ErrNoContact
		}
		if out.Phone, err = s.box.Open(colPhone, b.ContactPhone); err != nil {
			return err
		}
		if out.Name, err = s.box.Open(colName, b.ContactName); err != nil {
			return err
		}
		if err := s.unseal(&b); err != nil {
			return err
		}
		if out.Name == "" {
			out.Name = b.Extra.ContactName
		}
		return s.auditTx(ctx, tx, b, "booking.contact", nil)
	})
	if err != nil {
		return v, err
	}
	return out, nil
}

// EraseTx forgets where a member who leaves was, what they wrote (notes, reasons, words of ratings, their lines in the log) and whom to call. Stars, plate and
// services stay, as they do on orders: they are the shop's history, and so do the photos of the work, on which nobody is named.
func (s *Service) EraseTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	return erasePrivate(ctx, tx, memberID)
}
