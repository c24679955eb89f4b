package booking

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// maxPhotos is how many photos a booking may have.
const maxPhotos = 12

// The stages of a photo.
const (
	StageBefore = "before"
	StageAfter  = "after"
)

// Faults of photos.
var (
	ErrPhotos     = fault.Define(fault.Conflict, "booking.photo_limit", "最多 12 张照片，已经够多了")
	ErrPhotoState = fault.Define(fault.Conflict, "booking.photo_state", "车到店后、结算前才能拍照")
)

// The events of photos and ratings.
const (
	EventPhoto = "photo"
	EventRated = "rated"
)

// Photos stores pictures; it checks what they are and makes them safe to show.
type Photos interface {
	// Put stores a picture and returns its unguessable key. Faults: those that tell what is wrong with the picture.
	Put(ctx context.Context, data []byte) (key string, err error)
	// URL is the address of a picture.
	URL(key string) string
}

// AddPhoto adds a picture of the car to its booking (H12). Faults: ErrPhotoState, ErrPhotos, fault.ErrNotFound, those of Photos.Put.
func (s *Service) AddPhoto(ctx context.Context, id int64, stage string, data []byte) (Booking, error) {
	b, err := s.Get(ctx, 0, id)
	if err == nil {
		err = photographable(b)
	}
	if err != nil {
		return b, err
	}
	key, err := s.photos.Put(ctx, data)
	if err != nil {
		return b, err
	}
	who := actor.From(ctx)
	return s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, b *Booking) error {
		if err := photographable(*b); err != nil {
			return err
		}
		if err := insertPhoto(ctx, tx, photoRow{ID: tx.NewID(), BookingID: id, StoreID: b.StoreID, Stage: stage, Key: key, ByID: who.ID, ByName: db.Clip(who.Name, 60), CreatedAt: tx.Millis()}); err != nil {
			return err
		}
		text := "施工前照片"
		if stage == StageAfter {
			text = "完工照片"
		}
		logTx(ctx, tx, *b, EventPhoto, text)
		return s.changedTx(ctx, tx, *b, b.State)
	})
}

// photographable says whether there is a car to take a picture of.
func photographable(b Booking) error {
	if b.State == Arrived || b.State == InService || b.State == Done {
		return nil
	}
	return ErrPhotoState
}

// decoratePhotos adds the photos and the rating.
func (s *Service) decoratePhotos(ctx context.Context, list []Booking, views []*View) error {
	var ids []int64
	for _, b := range list {
		if !b.ArrivedAt.IsZero() || !b.StartedAt.IsZero() {
			ids = append(ids, b.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	photos, err := photosOf(ctx, s.db, ids)
	if err != nil {
		return err
	}
	ratings, err := ratingsOf(ctx, s.db, ids)
	if err != nil {
		return err
	}
	for i, b := range list {
		for _, p := range photos[b.ID] {
			views[i].Photos = append(views[i].Photos, PhotoView{p.ID, p.Stage, s.photos.URL(p.Key)})
		}
		if r, ok := ratings[b.ID]; ok {
			views[i].Rating = r.view()
		}
	}
	return nil
}

// RatingAsk is what an owner thought of it.
type RatingAsk struct {
	Stars int      `json:"stars" minimum:"1" maximum:"5"`
	Tags  []string `json:"tags" maxItems:"8"`
	Text  string   `json:"text,omitempty" maxLength:"300"`
}

// Rate writes the owner's one rating of a visit that is done (J11). It is a money command: the same key rates once. Faults: ErrRating, fault.ErrInvalid,
// fault.ErrNotFound.
func (s *Service) Rate(ctx context.Context, id int64, in RatingAsk) (Booking, error) {
	memberID := actor.From(ctx).MemberID
	tags, err := cleanTags(in.Tags)
	if err != nil {
		return Booking{}, err
	}
	_, err = s.changeOnce(ctx, memberID, id, func(ctx context.Context, tx *db.Tx, b *Booking) error {
		if b.State != Done && b.State != Settled {
			return ErrRating
		}
		if err := insertRating(ctx, tx, ratingRow{BookingID: id, StoreID: b.StoreID, MemberID: memberID, TechnicianID: worker(*b), Stars: in.Stars, Tags: tags,
			Note: strings.TrimSpace(in.Text), CreatedAt: tx.Millis()}); err != nil {
			return err
		}
		logTx(ctx, tx, *b, EventRated, strings.Repeat("★", in.Stars)+strings.Repeat("☆", 5-in.Stars))
		return s.changedTx(ctx, tx, *b, b.State)
	})
	if err != nil {
		return Booking{}, err
	}
	return s.Get(ctx, memberID, id)
}

// worker is the technician whom a rating is about: who worked on the car longest, and not who drove it.
func worker(b Booking) (id int64) {
	var most int64
	atBay := false
	for _, x := range b.Segments {
		n, bay := x.ServiceTo-x.ServiceFrom, x.BayID != 0
		if x.TechnicianID == 0 || (atBay && !bay) || (atBay == bay && id != 0 && n <= most) {
			continue
		}
		id, most, atBay = x.TechnicianID, n, bay
	}
	return id
}

// cleanTags joins short words; a comma would split them. Fault: fault.ErrInvalid.
func cleanTags(in []string) (string, error) {
	var out []string
	for _, t := range in {
		t = strings.TrimSpace(t)
		if n := utf8.RuneCountInString(t); n < 1 || n > 12 || strings.ContainsFunc(t, func(r rune) bool { return r == ',' || unicode.IsControl(r) }) {
			return "", fault.ErrInvalid.On("tags", "每个标签 1 至 12 个字")
		}
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return strings.Join(out, ","), nil
}
