package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

// What a backup's folder holds. The sums have the form of sha256sum, so that a backup can be checked without this program.
const (
	backupManifest = "manifest.json"
	backupSums     = "files.sha256"
	backupDatabase = "liangche.db"
	backupPhotos   = "blobs"
	backupFormat   = 1
	unfinished     = ".unfinished"
	manifestColumn = "backup.manifest" // what the keyset seals in the manifest is bound to this name
)

// manifest says what a backup holds, so that a restore can prove that it is whole.
type manifest struct {
	Format     int         `json:"format"`
	MadeAt     time.Time   `json:"madeAt"`
	Program    string      `json:"program"`
	Keyset     string      `json:"keyset"` // opens with the keyset that the data needs; the keyset itself is not in the backup
	Migrations []int64     `json:"migrations"`
	Photos     int         `json:"photos"`
	Bytes      int64       `json:"bytes"`
	SumsSHA256 string      `json:"sumsSha256"` // of files.sha256
	Tables     []db.Digest `json:"tables"`
}

// Backup copies the database and the photos into a new folder while the service runs. The database is as it was at one moment; every photo that
// it names had been kept before. The keyset and the configuration are not in it: they are secrets and kept apart. The folder gets its name once
// it is whole. Faults: plain errors that say what to do.
func (a *App) Backup(ctx context.Context, out string, progress io.Writer) (err error) {
	out = filepath.Clean(out)
	if a.DB.Dialect() != db.SQLite {
		return a.serverTools()
	}
	if _, err := os.Lstat(out); err == nil {
		return fmt.Errorf("%s exists already: name a folder that does not", out)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o750); err != nil {
		return err
	}
	tmp := out + unfinished
	if err := os.Mkdir(tmp, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s is there: another backup is running, or one was broken off; in that case delete it and begin anew", tmp)
		}
		return err
	}
	defer func() {
		if err != nil {
			err = roomFor(errors.Join(err, os.RemoveAll(tmp)), filepath.Dir(out))
		}
	}()
	show := &progressLine{w: progress}
	m, err := a.backupDatabase(ctx, filepath.Join(tmp, backupDatabase), show)
	if err != nil {
		return err
	}
	// The photos come after the database: whatever it names has been kept by then.
	files := sums{}
	if err := files.copyTree(ctx, a.opt.Config.Storage.Dir, tmp, backupPhotos, show); err != nil {
		return err
	}
	m.Photos = len(files)
	if err := files.add(ctx, tmp, backupDatabase); err != nil {
		return err
	}
	for _, f := range files {
		m.Bytes += f.bytes
	}
	text := files.text()
	m.SumsSHA256 = sumOf(text)
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := errors.Join(writeDurably(filepath.Join(tmp, backupSums), text), writeDurably(filepath.Join(tmp, backupManifest), b), syncDir(tmp)); err != nil {
		return err
	}
	if err := os.Rename(tmp, out); err != nil {
		return err
	}
	return syncDir(filepath.Dir(out))
}

// backupDatabase copies the database, counts what the original has and proves that the copy has the same.
func (a *App) backupDatabase(ctx context.Context, file string, show *progressLine) (m manifest, err error) {
	m = manifest{Format: backupFormat, MadeAt: a.opt.Clock.Now(), Program: Version}
	if m.Keyset, err = a.Box.Seal(manifestColumn, m.MadeAt.Format(time.RFC3339)); err != nil {
		return m, err
	}
	if err := writeDurably(file, nil); err != nil { // so that nobody else may read it from its first page on
		return m, err
	}
	s, err := a.DB.Snapshot(ctx)
	if err != nil {
		return m, err
	}
	if m.Migrations, err = s.Applied(ctx); err == nil {
		if m.Tables, err = s.Digests(ctx, show.step("counted")); err == nil {
			show.end()
			err = s.BackupTo(ctx, file, func(done, of int) { show.say("copied %d of %d MB of the database", done>>8, of>>8) })
		}
	}
	show.end()
	if err = errors.Join(err, s.Close()); err != nil {
		return m, err
	}
	return m, proveDatabase(ctx, file, m, show)
}

// proveDatabase says what of a database file is not as a manifest says.
func proveDatabase(ctx context.Context, file string, m manifest, show *progressLine) (err error) {
	d, err := db.Open(ctx, db.Config{Driver: db.SQLite, Path: file, MaxConns: 1}, clock.System())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	s, err := d.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	show.say("checking every page")
	problems, err := s.Check(ctx)
	show.end()
	if err != nil {
		return err
	}
	have, err := s.Digests(ctx, show.step("verified"))
	if err != nil {
		return err
	}
	show.end()
	applied, err := s.Applied(ctx)
	if err != nil {
		return err
	}
	if fmt.Sprint(applied) != fmt.Sprint(m.Migrations) {
		problems = append(problems, fmt.Sprintf("it has %d migrations instead of %d", len(applied), len(m.Migrations)))
	}
	if problems = append(problems, db.Compare(m.Tables, have)...); len(problems) > 0 {
		return fmt.Errorf("the copy of the database is not what it was copied from:\n  %s", strings.Join(problems, "\n  "))
	}
	return nil
}

// serverTools says how a database that is a server is backed up.
func (a *App) serverTools() error {
	c := a.opt.Config
	dump, restore, err := db.DumpLines(c.Database.DSN)
	if err != nil {
		return err
	}
	return fmt.Errorf(`nothing was backed up: a MySQL, MariaDB or TiDB server is backed up by its own tools. Run, in this order:
  %s
  cp -a %s <where the backup goes>
To bring it back: create the empty database again (see the README), then
  %s
  cp -a <where the backup is> %s
  liangche audit`, dump, c.Storage.Dir, restore, c.Storage.Dir)
}

// sums are the files of a backup by their path in it.
type sums map[string]fileSum

type fileSum struct {
	sha   string
	bytes int64
}

// copyTree copies the finished files below from to a folder of the backup.
func (s sums) copyTree(ctx context.Context, from, backup, folder string, show *progressLine) error {
	if err := os.MkdirAll(filepath.Join(backup, folder), 0o700); err != nil {
		return err
	}
	var bytes int64
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // no photo yet, or one that was deleted meanwhile
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case path != from && strings.HasPrefix(e.Name(), "."): // not finished
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !e.Type().IsRegular():
			return nil
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(filepath.Join(folder, rel))
		got, err := copyFile(ctx, path, filepath.Join(backup, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		s[name] = got
		bytes += got.bytes
		show.say("copied %d photos, %d MB", len(s), bytes>>20)
		return nil
	})
	show.end()
	return err
}

// add takes up a file that is in the backup already.
func (s sums) add(ctx context.Context, backup, name string) error {
	f, err := os.Open(filepath.Join(backup, name))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, reading{ctx, f})
	s[name] = fileSum{hex.EncodeToString(h.Sum(nil)), n}
	return err
}

// reading ends with its context.
type reading struct {
	ctx context.Context
	r   io.Reader
}

func (r reading) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

// copyFile makes a durable copy that only the owner may read.
func copyFile(ctx context.Context, from, to string) (got fileSum, err error) {
	in, err := os.Open(from)
	if err != nil {
		return got, err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return got, err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return got, err
	}
	h := sha256.New()
	got.bytes, err = io.Copy(io.MultiWriter(out, h), reading{ctx, in})
	if err == nil {
		err = out.Sync()
	}
	got.sha = hex.EncodeToString(h.Sum(nil))
	return got, errors.Join(err, out.Close())
}

func sumOf(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func writeDurably(file string, b []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// roomFor adds to an error of a full disk what to do about it.
func roomFor(err error, dir string) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || strings.Contains(err.Error(), "disk is full") {
		return fmt.Errorf("%w\nthere is no room left in %s: make room, or name a folder on another disk", err, dir)
	}
	return err
}

// progressLine is one line that changes while something goes on.
type progressLine struct {
	w     io.Writer
	shown string
}

func (p *progressLine) say(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); text != p.shown {
		fmt.Fprintf(p.w, "\r  %-70s", text)
		p.shown = text
	}
}

// step shows how far something has come that goes through all tables.
func (p *progressLine) step(what string) func(db.Progress) {
	return func(at db.Progress) { p.say("%s: table %d of %d, %s, %d rows", what, at.At, at.Of, at.Table, at.Rows) }
}

// end keeps the line that is shown.
func (p *progressLine) end() {
	if p.shown != "" {
		fmt.Fprintln(p.w)
	}
	p.shown = ""
}
