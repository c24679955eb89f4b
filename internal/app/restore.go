package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/migrations"
)

// Restore brings a backup back to where the configuration says, which must be empty, proves that it is whole, brings it up to date and
// audits it. Nothing gets its final name before it is proven. It returns how many differences the audit found. Faults: plain errors that say
// what to do.
func Restore(ctx context.Context, opt Options, in string, out, progress io.Writer) (problems int, err error) {
	c := opt.Config
	if c.Database.Driver != string(db.SQLite) {
		return 0, fmt.Errorf("a backup is brought back to SQLite. To go on with %s: restore with a configuration that says `driver: sqlite`, then run\n"+
			"  liangche copy --from <that configuration> --to <this one>", c.Database.Driver)
	}
	m, files, err := readBackup(in)
	if err != nil {
		return 0, err
	}
	if err := m.fits(c); err != nil {
		return 0, err
	}
	path := c.Database.Path
	for _, f := range []string{path, path + "-wal", path + "-shm"} {
		if _, err := os.Lstat(f); err == nil {
			return 0, fmt.Errorf("%s is there already: a backup is only brought back to an empty place. Stop the service and move the file away, or write another database.path", f)
		}
	}
	if err := emptyFolder(c.Storage.Dir); err != nil {
		return 0, err
	}
	fresh, photos := path+unfinished, filepath.Join(c.Storage.Dir, unfinished)
	clean := func() error {
		return errors.Join(removeIfThere(fresh), removeIfThere(fresh+"-wal"), removeIfThere(fresh+"-shm"), os.RemoveAll(photos))
	}
	if err := clean(); err != nil { // of one that was broken off
		return 0, err
	}
	show := &progressLine{w: progress}
	err = m.bring(ctx, files, in, fresh, photos, show)
	if err == nil {
		err = proveDatabase(ctx, fresh, m, show)
	}
	if err == nil {
		err = settleIn(fresh, path, photos, c.Storage.Dir)
	}
	show.end()
	if err = errors.Join(err, clean()); err != nil {
		return 0, roomFor(err, filepath.Dir(path))
	}
	fmt.Fprintf(progress, "the backup of %s is whole and in its place: %d photos, %d tables\n", m.MadeAt.Format("2006-01-02 15:04:05 MST"), m.Photos, len(m.Tables))
	a, err := Open(ctx, opt)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.Migrate(ctx, func(name string) { fmt.Fprintf(progress, "migrated %s\n", filepath.Base(name)) }); err != nil {
		return 0, err
	}
	return a.Audit(ctx, out, progress)
}

// readBackup reads what a backup says of itself.
func readBackup(in string) (m manifest, files sums, err error) {
	b, err := os.ReadFile(filepath.Join(in, backupManifest))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil, fmt.Errorf("%s is no backup: it has no %s. Name the folder that `liangche backup` made", in, backupManifest)
	}
	if err != nil {
		return m, nil, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, nil, fmt.Errorf("%s is damaged: %w. Take another backup", filepath.Join(in, backupManifest), err)
	}
	if m.Format != backupFormat {
		return m, nil, fmt.Errorf("the backup has format %d, this program knows %d: use the version that made it, %s", m.Format, backupFormat, m.Program)
	}
	text, err := os.ReadFile(filepath.Join(in, backupSums))
	if err != nil {
		return m, nil, fmt.Errorf("the backup is not whole: %w. Take another one", err)
	}
	if sumOf(text) != m.SumsSHA256 {
		return m, nil, fmt.Errorf("%s is damaged: take another backup", filepath.Join(in, backupSums))
	}
	files, err = parseSums(text)
	return m, files, err
}

// fits says why a backup does not go with this program or keyset.
func (m manifest) fits(c config.Config) error {
	known := map[int64]bool{}
	entries, err := migrations.FS.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return err
		}
		known[n] = true
	}
	for _, n := range m.Migrations {
		if !known[n] {
			return fmt.Errorf("the backup was made by a later version of this program (%s; this is %s): use that version or a later one", m.Program, Version)
		}
	}
	box, err := secret.New([]byte(c.Secret.Keyset))
	if err != nil {
		return fmt.Errorf("secret.keyset: %w", err)
	}
	if _, err := box.Open(manifestColumn, m.Keyset); err != nil {
		return errors.New("secret.keyset is not the keyset that the backup needs, so that names and phone numbers would be lost: put the keyset that was in use when it was made (or a later one) where secret.keyset_file says")
	}
	return nil
}

// bring copies the files of a backup and proves each by its sum.
func (m manifest) bring(ctx context.Context, files sums, in, database, photos string, show *progressLine) error {
	if _, ok := files[backupDatabase]; !ok {
		return errors.New("the backup has no database: take another one")
	}
	if err := os.MkdirAll(photos, 0o750); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(database), 0o750); err != nil {
		return err
	}
	var done int64
	for i, name := range slices.Sorted(maps.Keys(files)) {
		to := database
		if name != backupDatabase {
			to = filepath.Join(photos, filepath.FromSlash(strings.TrimPrefix(name, backupPhotos+"/")))
		}
		got, err := copyFile(ctx, filepath.Join(in, filepath.FromSlash(name)), to)
		if err != nil {
			return fmt.Errorf("the backup is not whole, or there is no room: %w", err)
		}
		if got.sha != files[name].sha {
			return fmt.Errorf("%s is damaged: take another backup", filepath.Join(in, name))
		}
		done += got.bytes
		show.say("brought back %d of %d files, %d of %d MB", i+1, len(files), done>>20, m.Bytes>>20)
	}
	show.end()
	return nil
}

// settleIn gives what was proven its final names, the database last: without it nothing is served.
func settleIn(fresh, path, photos, dir string) error {
	entries, err := os.ReadDir(photos)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(photos, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// emptyFolder says that a folder holds something.
func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != unfinished {
			return fmt.Errorf("%s is not empty: a backup is only brought back to an empty place. Stop the service and move the folder away, or write another storage.dir", dir)
		}
	}
	return nil
}

func removeIfThere(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// text is the list as sha256sum writes it.
func (s sums) text() []byte {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s  %s\n", s[name].sha, name)
	}
	return b.Bytes()
}

// parseSums undoes text. A path that leads out of the backup is refused.
func parseSums(text []byte) (sums, error) {
	out := sums{}
	for line := range strings.Lines(string(text)) {
		sha, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || !filepath.IsLocal(name) || name != backupDatabase && !strings.HasPrefix(name, backupPhotos+"/") {
			return nil, fmt.Errorf("%s is damaged at %q: take another backup", backupSums, cmp.Or(name, line))
		}
		out[name] = fileSum{sha: sha}
	}
	return out, nil
}
