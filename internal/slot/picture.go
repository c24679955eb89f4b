package slot

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/liangche/liangche/internal/db"
)

// pictures are copies of map rows. Each is used only after the database has said that its rows are still the same, by their number and by the sum
// of their versions: that is one row over the wire instead of hundreds. So a copy is never older than the question.
type pictures struct {
	mu  sync.Mutex
	all map[string]picture
}

type picture struct {
	mark mapsMark
	rows []mapRow
}

// maxPictures bounds the memory: a picture of fifty resources over two weeks is about 50 kB.
const maxPictures = 64

func (p *pictures) get(key string) (picture, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.all[key]
	return v, ok
}

func (p *pictures) put(key string, v picture) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[string]picture{}
	}
	if _, known := p.all[key]; !known && len(p.all) >= maxPictures {
		for old := range p.all { // any of them: whoever still needs it reads it again
			delete(p.all, old)
			break
		}
	}
	p.all[key] = v
}

// maps reads the map rows of the floor's resources. Inside a transaction it reads them anew: what a transaction sees of its own work must not
// outlive it.
func (s *Service) maps(ctx context.Context, r db.Reader, f *Floor) ([]mapRow, error) {
	ids := make([]byte, 0, 18*len(f.resources))
	for i, res := range f.resources {
		if i > 0 {
			ids = append(ids, ',')
		}
		ids = strconv.AppendInt(ids, res.ID, 10)
	}
	list, from, to := string(ids), chunkOf(f.window.From), chunkOf(f.window.To-1)
	if _, outside := r.(*db.DB); !outside {
		return readMaps(ctx, r, list, from, to)
	}
	key := strings.Join([]string{strconv.FormatInt(from, 10), strconv.FormatInt(to, 10), list}, " ")
	if old, ok := s.pictures.get(key); ok {
		now, err := readMark(ctx, r, list, from, to)
		if err != nil {
			return nil, err
		}
		if now == old.mark {
			return old.rows, nil
		}
	}
	rows, err := readMaps(ctx, r, list, from, to)
	if err != nil {
		return nil, err
	}
	mark := mapsMark{Rows: int64(len(rows))}
	for _, row := range rows {
		mark.Sum += row.Version
	}
	s.pictures.put(key, picture{mark, rows})
	return rows, nil
}
