// Package blob keeps photos outside the database.
//
// Model: a Store keeps bytes under a key that it makes; Folder is one over a directory. Service takes images from people: it
// decodes them, which proves that they are images, turns them upright, scales them down and writes them anew as JPEG.
// Owns: the folder of storage.dir. Invariants: a key holds 128 random bits, so that who has not been told it cannot guess it, and
// nothing of a file's name, type or place comes from a client; what was kept never changes; what is kept holds no metadata (no
// place, no time, no camera); a file is whole or not there. What is sealed (documents) is unreadable under its public address and can
// be removed.
package blob

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/liangche/liangche/internal/fault"
)

// Faults of this package.
var (
	ErrNotImage = fault.Define(fault.Invalid, "blob.not_image", "请上传 JPG 或 PNG 格式的图片")
	ErrPixels   = fault.Define(fault.Invalid, "blob.too_many_pixels", "图片尺寸太大，请压缩到 2500 万像素以内再上传")
)

// Content is what a key stands for. Close it.
type Content struct {
	io.ReadSeekCloser
	At time.Time // when it was kept
}

// Store keeps bytes.
type Store interface {
	// Put keeps data for good and returns its key.
	Put(ctx context.Context, data []byte) (key string, err error)
	// Open reads what a key stands for. Fault: not_found, also for what is no key.
	Open(ctx context.Context, key string) (Content, error)
	// Remove forgets what a key stands for; a key that stands for nothing is no error.
	Remove(ctx context.Context, key string) error
}

var keyForm = regexp.MustCompile(`^[0-9a-f]{32}\.jpg$`)

// Folder is a Store in a directory, two levels deep.
type Folder struct{ dir string }

// NewFolder returns the store of a directory, which is made when the first file comes.
func NewFolder(dir string) *Folder { return &Folder{dir} }

// Probe makes the directory and says whether it can be written.
func (f *Folder) Probe() error {
	if err := os.MkdirAll(f.dir, 0o750); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(f.dir, ".probe-*")
	if err != nil {
		return err
	}
	return errors.Join(tmp.Close(), os.Remove(tmp.Name()))
}

func (f *Folder) path(key string) string { return filepath.Join(f.dir, key[:2], key[2:4], key) }

// Put implements Store. Fault: storage.full.
func (f *Folder) Put(_ context.Context, data []byte) (string, error) {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", err
	}
	key := hex.EncodeToString(id[:]) + ".jpg"
	if err := write(f.path(key), data); err != nil {
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EDQUOT) {
			err = fault.ErrReadOnly.With(err)
		}
		return "", err
	}
	return key, nil
}

// write makes a file that is whole and durable, or none.
func write(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDirs(dir, filepath.Dir(dir), filepath.Dir(filepath.Dir(dir)))
}

// syncDirs makes the names in directories durable: the file's, and those of folders that may be new.
func syncDirs(dirs ...string) error {
	for _, name := range dirs {
		d, err := os.Open(name)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Open implements Store.
func (f *Folder) Open(_ context.Context, key string) (Content, error) {
	if !keyForm.MatchString(key) {
		return Content{}, fault.ErrNotFound
	}
	file, err := os.Open(f.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return Content{}, fault.ErrNotFound
	}
	if err != nil {
		return Content{}, err
	}
	st, err := file.Stat()
	if err != nil {
		return Content{}, errors.Join(err, file.Close())
	}
	return Content{file, st.ModTime()}, nil
}

// Remove implements Store.
func (f *Folder) Remove(_ context.Context, key string) error {
	if !keyForm.MatchString(key) {
		return nil
	}
	err := os.Remove(f.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Service keeps images that people upload.
type Service struct {
	store Store
	work  chan struct{} // bounds how many images are decoded at once: one may need some 400 MB
}

// New returns the service over a store.
func New(store Store) *Service { return &Service{store, make(chan struct{}, 2)} }

// Put checks an image, brings it into its final form and keeps it. Faults: blob.not_image, blob.too_many_pixels, storage.full,
// unavailable.
func (s *Service) Put(ctx context.Context, data []byte) (key string, err error) {
	if data, err = s.final(ctx, data); err != nil {
		return "", err
	}
	return s.store.Put(ctx, data)
}

// final checks an image and brings it into its final form.
func (s *Service) final(ctx context.Context, data []byte) ([]byte, error) {
	select {
	case s.work <- struct{}{}:
		defer func() { <-s.work }()
	case <-ctx.Done():
		return nil, fault.ErrUnavailable.With(ctx.Err())
	}
	return normalise(data)
}

// PutSealed is Put for an image that nobody may see by its key alone: what is kept is what seal makes of it. Faults: those of Put.
func (s *Service) PutSealed(ctx context.Context, data []byte, seal func(plain string) (string, error)) (key string, err error) {
	if data, err = s.final(ctx, data); err != nil {
		return "", err
	}
	sealed, err := seal(string(data))
	if err != nil {
		return "", err
	}
	return s.store.Put(ctx, []byte(sealed))
}

// Sealed reads what PutSealed kept, as JPEG. Fault: not_found.
func (s *Service) Sealed(ctx context.Context, key string, open func(sealed string) (string, error)) ([]byte, error) {
	c, err := s.store.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	data, err := io.ReadAll(c)
	if err != nil {
		return nil, err
	}
	plain, err := open(string(data))
	return []byte(plain), err
}

// Remove forgets an image.
func (s *Service) Remove(ctx context.Context, key string) error { return s.store.Remove(ctx, key) }

// URL is the address of a key below the server's; "" for no key.
func (s *Service) URL(key string) string {
	if key == "" {
		return ""
	}
	return "/media/" + key
}
