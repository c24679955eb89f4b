package booking

import (
	"context"
	"errors"
	"strings"

	"github.com/liangche/liangche/internal/db"
)

type photoRow struct {
	ID        int64  `db:"id"`
	BookingID int64  `db:"booking_id"`
	StoreID   int64  `db:"store_id"`
	Stage     string `db:"stage"`
	Key       string `db:"blob_key"`
	SlotNo    int    `db:"slot_no"`
	ByID      int64  `db:"by_id"`
	ByName    string `db:"by_name"`
	CreatedAt int64  `db:"created_at"`
}

const photoColumns = `id, booking_id, store_id, stage, blob_key, slot_no, by_id, by_name, created_at`

// insertPhoto adds a photo in the first place that is left; the place is unique, so that two phones at once do not pass the limit. Fault: ErrPhotos.
func insertPhoto(ctx context.Context, tx *db.Tx, p photoRow) error {
	var taken []int
	if err := tx.Select(ctx, &taken, `SELECT slot_no FROM booking_photos WHERE booking_id = ? ORDER BY slot_no`+tx.ForUpdate(), p.BookingID); err != nil {
		return err
	}
	if len(taken) >= maxPhotos {
		return ErrPhotos
	}
	p.SlotNo = len(taken) + 1
	err := tx.Insert(ctx, "booking_photos", p)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrPhotos
	}
	return err
}

// photosOf reads the photos of bookings, by booking, in the order in which they were taken.
func photosOf(ctx context.Context, r db.Reader, ids []int64) (map[int64][]photoRow, error) {
	out := map[int64][]photoRow{}
	for len(ids) > 0 {
		n := min(len(ids), 500)
		query, args, err := db.In(`SELECT `+photoColumns+` FROM booking_photos WHERE booking_id IN (?) ORDER BY booking_id, slot_no`, ids[:n])
		if err != nil {
			return nil, err
		}
		var rows []photoRow
		if err := r.Select(ctx, &rows, query, args...); err != nil {
			return nil, err
		}
		for _, x := range rows {
			out[x.BookingID] = append(out[x.BookingID], x)
		}
		ids = ids[n:]
	}
	return out, nil
}

type ratingRow struct {
	BookingID    int64  `db:"booking_id"`
	StoreID      int64  `db:"store_id"`
	MemberID     int64  `db:"member_id"`
	TechnicianID int64  `db:"technician_id"`
	Stars        int    `db:"stars"`
	Tags         string `db:"tags"`
	Note         string `db:"note"`
	CreatedAt    int64  `db:"created_at"`
}

func (r ratingRow) view() *RatingView {
	v := &RatingView{Stars: r.Stars, Text: r.Note, Tags: []string{}}
	if r.Tags != "" {
		v.Tags = strings.Split(r.Tags, ",")
	}
	return v
}

// insertRating writes the one rating of a booking. Fault: ErrRating when there is one.
func insertRating(ctx context.Context, tx *db.Tx, r ratingRow) error {
	err := tx.Insert(ctx, "booking_ratings", r)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrRating
	}
	return err
}

// ratingsOf reads the ratings of bookings, by booking.
func ratingsOf(ctx context.Context, r db.Reader, ids []int64) (map[int64]ratingRow, error) {
	out := map[int64]ratingRow{}
	for len(ids) > 0 {
		n := min(len(ids), 500)
		query, args, err := db.In(`SELECT booking_id, store_id, member_id, technician_id, stars, tags, note, created_at FROM booking_ratings WHERE booking_id IN (?) ORDER BY booking_id`, ids[:n])
		if err != nil {
			return nil, err
		}
		var rows []ratingRow
		if err := r.Select(ctx, &rows, query, args...); err != nil {
			return nil, err
		}
		for _, x := range rows {
			out[x.BookingID] = x
		}
		ids = ids[n:]
	}
	return out, nil
}
