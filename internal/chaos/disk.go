package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/liangche/liangche/internal/db"
)

// disk is a small file system of its own: an ext4 in a file, mounted through a loop device.
type disk struct{ image, at string }

// newDisk makes and mounts it. What this machine does not permit is skipped.
func newDisk(ctx context.Context, dir string) (*disk, error) {
	d := &disk{image: filepath.Join(dir, "disk.img"), at: filepath.Join(dir, "disk")}
	if err := os.MkdirAll(d.at, 0o750); err != nil {
		return nil, err
	}
	f, err := os.Create(d.image)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(64<<20), f.Close()); err != nil {
		return nil, err
	}
	if err := sh(ctx, "mkfs.ext4", "-q", "-F", "-m", "0", d.image); err != nil {
		return nil, skipped("a file system of its own cannot be made: " + err.Error())
	}
	if err := d.mount(ctx); err != nil {
		return nil, skipped("mounting is not permitted here (it needs root and a loop device): " + err.Error())
	}
	return d, nil
}

func (d *disk) mount(ctx context.Context) error {
	return sh(ctx, "mount", "-o", "loop,errors=remount-ro", d.image, d.at)
}

func (d *disk) unmount() { _ = sh(context.Background(), "umount", d.at) }

// sh runs a tool of the system.
func sh(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// fill takes the last free byte; the returned function gives all of them back.
func (d *disk) fill() (free func() error, err error) {
	name := filepath.Join(d.at, "filler")
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	for _, size := range []int{1 << 20, 4096, 1} {
		block := make([]byte, size)
		for err == nil {
			_, err = f.Write(block)
		}
		err = nil // it is full
	}
	_ = f.Close()
	return func() error { return os.Remove(name) }, nil
}

// disks fills the disk of a site on SQLite, and makes it read-only as a failing disk does.
func (c *chaos) disks(ctx context.Context, r *result) error {
	dir := filepath.Join(c.dir, r.name)
	k, err := newDisk(ctx, dir)
	if err != nil {
		return err
	}
	defer k.unmount()
	s, err := newSite(ctx, r, dir, db.Config{Driver: db.SQLite, Path: filepath.Join(k.at, "liangche.db")}, []string{""})
	if err != nil {
		return err
	}
	defer s.close()
	l := s.startLoad(ctx, crowd, daily())
	for n := range c.times(6, 2) {
		l.resume()
		sleep(ctx, 100+r.rnd.IntN(200))
		var free func() error
		if free, err = k.fill(); err != nil {
			break
		}
		r.harms++
		err = s.starves(ctx, "the disk is full")
		if err = errors.Join(err, free()); err != nil {
			break
		}
		// Nobody touches the server: it goes on by itself.
		if err = s.heals(ctx); err == nil {
			err = s.calm(ctx, l, fmt.Sprintf("after the disk was full, %d", n+1))
		}
		if err != nil || ctx.Err() != nil {
			break
		}
	}
	for n := range c.times(4, 1) {
		if err != nil || ctx.Err() != nil {
			break
		}
		l.resume()
		sleep(ctx, 100+r.rnd.IntN(200))
		failed := sh(ctx, "mount", "-o", "remount,abort", k.at) // it says no and does it all the same
		if !readOnly(k.at) {
			r.note("read-only: skipped, this file system cannot be made to fail: %v", failed)
			l.pause()
			break
		}
		r.harms++
		if err = s.starves(ctx, "the disk is read-only"); err != nil {
			break
		}
		// The kernel lets nobody write to it again before it is unmounted and checked.
		s.servers[0].stop()
		if err = sh(ctx, "umount", k.at); err != nil {
			break
		}
		_ = sh(ctx, "e2fsck", "-f", "-y", k.image) // its exit code says that it mended something
		if err = k.mount(ctx); err == nil {
			err = s.revive(ctx, s.servers[0])
		}
		if err == nil {
			err = s.calm(ctx, l, fmt.Sprintf("after the disk was read-only, %d", n+1))
		}
	}
	err = s.finish(ctx, l, err)
	s.close()
	return err
}

func readOnly(at string) bool {
	f, err := os.Create(filepath.Join(at, "probe"))
	if err == nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
	return err != nil
}

// starves waits until commands are refused because nothing can be written, and looks at what is still answered: reading goes on, and what is refused is
// refused in words.
func (s *site) starves(ctx context.Context, why string) error {
	tries := 0
	for ; tries < 2000 && ctx.Err() == nil; tries++ {
		o := s.owners[tries%len(s.owners)]
		// Its own command, which is not repeated: a top-up at the desk with a new key that fails leaves nothing behind.
		a := s.boss.once(ctx, http.MethodPost, "/api/staff/topups", fmt.Sprintf("starve-%06d-%06d", s.r.harms, tries), obj{"storeId": s.store, "memberId": o.member, "amountFen": topupFen, "tender": "cash"})
		if a.ok() {
			s.books.locked(func() { s.books.holds[o.member] += topupFen; s.books.count["topup"]++ })
			continue
		}
		if a.status == http.StatusServiceUnavailable {
			if a.s("code") != "storage.full" && a.s("code") != "unavailable" {
				s.r.find("%s: refused by %s", why, a)
			}
			break
		}
		s.r.find("%s: answered with %s", why, a)
	}
	if tries == 2000 {
		s.r.find("%s, and 2000 commands were done", why)
	}
	for range 20 {
		if a := s.owners[0].once(ctx, http.MethodGet, "/api/owner/home", "", nil); !a.ok() {
			s.r.find("%s: reading is answered with %s", why, a)
		}
	}
	return ctx.Err()
}
