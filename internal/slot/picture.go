package slot

import (
	"context"
	"strconv"
	"sync"

	"github.com/liangche/liangche/internal/db"
)

// pictures are copies of map rows. Each is used only after the database has said that its rows are still the same, by their number and by the sum
// of their versions: that is one row over the wire instead of hundreds. So a copy is never older than the question.
type pictures struct {
	mu  sync.Mutex
	all map[Ground]picture
}

type picture struct {
	mark Mark
	rows []mapRow
}

// maxPictures bounds the memory: a picture of fifty resources over two weeks is about 50 kB.
const maxPictures = 64

func (p *pictures) get(key Ground) (picture, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.all[key]
	return v, ok
}

func (p *pictures) put(key Ground, v picture) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[Ground]picture{}
	}
	if _, known := p.all[key]; !known && len(p.all) >= maxPictures {
		for old := range p.all { // any of them: whoever still needs it reads it again
			delete(p.all, old)
			break
		}
	}
	p.all[key] = v
}

// Ground is which resources one looks at, and over which weeks.
type Ground struct {
	list     string
	from, to int64
}

// GroundOf is the ground under the resources for a window.
func GroundOf(resources []Resource, window Span) Ground {
	ids := make([]byte, 0, 18*len(resources))
	for i, r := range resources {
		if i > 0 {
			ids = append(ids, ',')
		}
		ids = strconv.AppendInt(ids, r.ID, 10)
	}
	return Ground{string(ids), chunkOf(window.From), chunkOf(window.To - 1)}
}

// maps reads the map rows of a ground. Inside a transaction it reads them anew: what a transaction sees of its own work must not outlive it.
func (s *Service) maps(ctx context.Context, r db.Reader, g Ground) ([]mapRow, error) {
	if _, outside := r.(*db.DB); !outside {
		return readMaps(ctx, r, g)
	}
	if old, ok := s.pictures.get(g); ok {
		now, err := readMark(ctx, r, g)
		if err != nil {
			return nil, err
		}
		if now == old.mark {
			return old.rows, nil
		}
	}
	return s.renew(ctx, r, g)
}

// renew reads the map rows and keeps them.
func (s *Service) renew(ctx context.Context, r db.Reader, g Ground) ([]mapRow, error) {
	rows, err := readMaps(ctx, r, g)
	if err != nil {
		return nil, err
	}
	mark := Mark{Rows: int64(len(rows))}
	for _, row := range rows {
		mark.Sum += row.Version
	}
	s.pictures.put(g, picture{mark, rows})
	return rows, nil
}

// LoadMarked is Load, outside transactions, for a floor whose ground was found in the state of the mark: it asks the database only when it has no copy
// of that state, and marks that state or a later one.
func (s *Service) LoadMarked(ctx context.Context, f *Floor, g Ground, m Mark, ignore ...int64) error {
	old, ok := s.pictures.get(g)
	rows := old.rows
	if !ok || old.mark != m {
		var err error
		if rows, err = s.renew(ctx, s.db, g); err != nil {
			return err
		}
	}
	return s.load(ctx, s.db, f, rows, ignore)
}
