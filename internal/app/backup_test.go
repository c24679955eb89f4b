package app_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

// place is where a command finds or puts everything: the variables of an environment.
func place(dir, keyset string) (env []string, database, photos string) {
	database, photos = filepath.Join(dir, "liangche.db"), filepath.Join(dir, "blobs")
	return []string{"LIANGCHE_DATABASE__PATH=" + database, "LIANGCHE_STORAGE__DIR=" + photos, "LIANGCHE_SECRET__KEYSET_FILE=" + keyset}, database, photos
}

// left lists the names in a folder.
func left(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// The shop is backed up while its tills settle; what comes back has every settlement that was acknowledged before.
func TestBackupUnderLoad(t *testing.T) {
	s := start(t).open()
	if s.DB.Dialect() != db.SQLite {
		var out bytes.Buffer
		err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "b"), &out)
		if err == nil || !strings.Contains(err.Error(), "mariadb-dump --socket=") || !strings.Contains(err.Error(), "--single-transaction") || !strings.Contains(err.Error(), "liangche audit") {
			t.Errorf("%v", err)
		}
		return
	}
	const tills = 3
	var owners [tills]owner
	for i := range owners {
		owners[i] = s.join("车主" + string([]rune("甲乙丙")[i]))
		s.fund(owners[i].id, 5_000_00)
	}
	var photo bytes.Buffer
	if err := png.Encode(&photo, image.NewGray(image.Rect(0, 0, 9, 9))); err != nil {
		t.Fatal(err)
	}
	kept := must(s.Photos.Put(t.Context(), photo.Bytes()))

	file, keyset := configured(t), filepath.Join(s.dir, "keyset.json")
	env := []string{"LIANGCHE_DATABASE__PATH=" + s.cfg.Path, "LIANGCHE_STORAGE__DIR=" + filepath.Join(s.dir, "blobs"), "LIANGCHE_SECRET__KEYSET_FILE=" + keyset}
	home := t.TempDir()
	backup := filepath.Join(home, "sub", "monday")

	var mu sync.Mutex
	var done []string // keys of settlements that were answered
	var ringing sync.WaitGroup
	var enough atomic.Bool
	for i := range owners {
		ringing.Go(func() {
			for n := 0; !enough.Load(); n++ {
				k := fmt.Sprintf("load-%d-%05d", i, n)
				if err := ringUp(s.URL, s.shop.desk.token, k, s.visit(owners[i].id, owners[i].plate)); err != nil {
					if strings.Contains(err.Error(), "insufficient") {
						return // they washed until nothing was left
					}
					t.Errorf("till %d, wash %d: %v", i, n, err)
					return
				}
				mu.Lock()
				done = append(done, k)
				mu.Unlock()
			}
		})
	}
	answered := func() int { mu.Lock(); defer mu.Unlock(); return len(done) }
	await := func(n int) {
		for answered() < n && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
	}
	await(12)
	mu.Lock()
	before := append([]string(nil), done...)
	mu.Unlock()
	code, out, errs := run("", env, "backup", "--config", file, backup)
	during := answered() - len(before)
	enough.Store(true)
	ringing.Wait()
	if code != 0 || !strings.Contains(out, "the backup is whole") || !strings.Contains(out, "keyset") || !strings.Contains(errs, "verified") {
		t.Fatalf("backup: %d %q %q", code, out, errs)
	}
	t.Logf("%d settlements before, %d while it ran", len(before), during)
	if got := left(t, filepath.Dir(backup)); len(got) != 1 || got[0] != "monday" {
		t.Errorf("beside the backup: %q", got)
	}
	if st := must(os.Stat(filepath.Join(backup, "liangche.db"))); st.Mode().Perm() != 0o600 {
		t.Errorf("%v: customers' data is for the owner alone", st.Mode())
	}

	to, database, photos := place(filepath.Join(t.TempDir(), "new"), keyset)
	if code, out, errs = run("", to, "restore", "--config", file, backup); code != 0 || !strings.Contains(out, "the books are exact") || !strings.Contains(errs, "is whole and in its place") {
		t.Fatalf("restore: %d %q %q", code, out, errs)
	}
	if got := left(t, filepath.Dir(database)); strings.Join(got, " ") != "blobs liangche.db" {
		t.Errorf("restored: %q", got)
	}
	if b := must(os.ReadFile(filepath.Join(photos, kept[:2], kept[2:4], kept))); len(b) == 0 {
		t.Error("the photo is empty")
	}
	d := must(db.Open(t.Context(), db.Config{Driver: db.SQLite, Path: database}, clock.System()))
	for _, k := range before {
		var n int
		if err := d.Get(t.Context(), &n, `SELECT COUNT(*) FROM idem_keys WHERE idem_key = ?`, k); err != nil || n != 1 {
			t.Errorf("settlement %s was answered before the backup began and is not in it: %d %v", k, n, err)
		}
	}
	var orders int
	if err := d.Get(t.Context(), &orders, `SELECT COUNT(*) FROM checkout_orders`); err != nil || orders < len(before) || orders > answered() {
		t.Errorf("%d orders, %v; %d were answered before the backup and %d in all", orders, err, len(before), answered())
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if code, out, _ := run("", to, "audit", "--config", file); code != 0 {
		t.Errorf("audit of what was restored: %d %s", code, out)
	}
	t.Run("nothing is overwritten", func(t *testing.T) {
		if code, _, errs := run("", to, "restore", "--config", file, backup); code != 1 || !strings.Contains(errs, database+" is there already") {
			t.Errorf("%d %q", code, errs)
		}
		only, _, _ := place(filepath.Join(t.TempDir(), "x"), keyset)
		only[1] = "LIANGCHE_STORAGE__DIR=" + photos
		if code, _, errs := run("", only, "restore", "--config", file, backup); code != 1 || !strings.Contains(errs, photos+" is not empty") {
			t.Errorf("%d %q", code, errs)
		}
		if code, _, errs := run("", env, "backup", "--config", file, backup); code != 1 || !strings.Contains(errs, "exists already") {
			t.Errorf("%d %q", code, errs)
		}
	})
	t.Run("a backup that is broken off leaves nothing", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		at := filepath.Join(t.TempDir(), "b")
		if err := s.Backup(ctx, at, onWrite(func(b []byte) {
			if bytes.Contains(b, []byte("of the database")) {
				stop()
			}
		})); err == nil {
			t.Error("a backup whose context ended is called whole")
		}
		if got := left(t, filepath.Dir(at)); len(got) > 0 {
			t.Errorf("left %q", got)
		}
		stop()
	})
	t.Run("what is not whole is not brought back", func(t *testing.T) { refusesDamage(t, file, keyset, backup) })
}

// onWrite is a writer that tells what is written.
type onWrite func([]byte)

func (f onWrite) Write(b []byte) (int, error) { f(b); return len(b), nil }

// refusesDamage damages copies of a backup, one way after the other; each is refused, and nothing is left where it would have gone.
func refusesDamage(t *testing.T, file, keyset, backup string) {
	sum := func(name string) string {
		h := sha256.New()
		f := must(os.Open(name))
		defer f.Close()
		if _, err := io.Copy(h, f); err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	replace := func(name, old, new string) {
		b := must(os.ReadFile(name))
		if !bytes.Contains(b, []byte(old)) {
			t.Fatalf("%s has no %s", name, old)
		}
		if err := os.WriteFile(name, bytes.ReplaceAll(b, []byte(old), []byte(new)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// forge changes a row and makes every sum of files fit again: only what was counted tells.
	forge := func(dir, change string) {
		name, list := filepath.Join(dir, "liangche.db"), filepath.Join(dir, "files.sha256")
		was, listed := sum(name), sum(list)
		d := must(db.Open(t.Context(), db.Config{Driver: db.SQLite, Path: name}, clock.System()))
		if err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { _, err := tx.Exec(ctx, change); return err }); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		replace(list, was, sum(name))
		replace(filepath.Join(dir, "manifest.json"), listed, sum(list))
	}
	for name, c := range map[string]struct {
		damage func(dir string)
		says   string
	}{
		"no manifest":     {func(dir string) { _ = os.Remove(filepath.Join(dir, "manifest.json")) }, "is no backup"},
		"half a manifest": {func(dir string) { _ = os.Truncate(filepath.Join(dir, "manifest.json"), 200) }, "is damaged"},
		"half a database": {func(dir string) { _ = os.Truncate(filepath.Join(dir, "liangche.db"), 8192) }, "is damaged"},
		"no database":     {func(dir string) { _ = os.Remove(filepath.Join(dir, "liangche.db")) }, "not whole"},
		"a photo is gone": {func(dir string) { _ = os.RemoveAll(filepath.Join(dir, "blobs")) }, "not whole"},
		"another list":    {func(dir string) { replace(filepath.Join(dir, "files.sha256"), "blobs/", "/blobs/") }, "is damaged"},
		"money was changed": {func(dir string) {
			forge(dir, `UPDATE ledger_accounts SET balance = balance + 1 WHERE unit = 'principal'`)
		}, "ledger_accounts differs in balance"},
		"an order is gone": {func(dir string) { forge(dir, `DELETE FROM idem_keys`) }, "idem_keys has 0 rows instead of"},
		"a later program": {func(dir string) {
			replace(filepath.Join(dir, "manifest.json"), `"migrations": [`, `"migrations": [99999, `)
		}, "later version"},
	} {
		dir := filepath.Join(t.TempDir(), "b")
		if err := os.CopyFS(dir, os.DirFS(backup)); err != nil {
			t.Fatal(err)
		}
		c.damage(dir)
		env, database, photos := place(t.TempDir(), keyset)
		if code, _, errs := run("", env, "restore", "--config", file, dir); code != 1 || !strings.Contains(errs, c.says) {
			t.Errorf("%s: %d %q", name, code, errs)
		}
		if got := append(left(t, photos), left(t, filepath.Dir(database))...); len(got) > 0 && strings.Join(got, "") != "blobs" {
			t.Errorf("%s: left %q", name, got)
		}
	}
	env, _, _ := place(t.TempDir(), filepath.Join(filepath.Dir(file), "keyset.json"))
	if code, _, errs := run("", env, "restore", "--config", file, backup); code != 1 || !strings.Contains(errs, "is not the keyset") {
		t.Errorf("another keyset: %d %q", code, errs)
	}
	if code, _, errs := run("", append(env, "LIANGCHE_DATABASE__DRIVER=mysql", "LIANGCHE_DATABASE__DSN=a:b@tcp(127.0.0.1:1)/x", "LIANGCHE_DATABASE__PATH="), "restore", "--config", file, backup); code != 1 || !strings.Contains(errs, "liangche copy") {
		t.Errorf("into MySQL: %d %q", code, errs)
	}
	for _, args := range [][]string{{"backup"}, {"restore"}, {"restore", "--config", file}, {"copy"}, {"copy", "--from", "sqlite:x"}, {"backup", "a", "b"}} {
		if code, _, _ := run("", nil, args...); code != 2 {
			t.Errorf("%q: %d", args, code)
		}
	}
}
