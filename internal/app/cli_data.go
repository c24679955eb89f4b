package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/secret"
)

// folder takes the one argument that is no flag off the end of args.
func folder(args []string) (rest []string, name string, err error) {
	if n := len(args); n > 0 && !strings.HasPrefix(args[n-1], "-") && (n == 1 || !strings.HasPrefix(args[n-2], "-") || strings.Contains(args[n-2], "=")) {
		return args[:n-1], args[n-1], nil
	}
	return nil, "", errUsage
}

func (c cli) backup(ctx context.Context, args []string) error {
	args, out, err := folder(args)
	if err != nil {
		return err
	}
	a, err := c.open(ctx, "backup", args, nil)
	if err != nil {
		return err
	}
	defer a.closeLogged()
	if err := a.Backup(ctx, out, c.err); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "✓ the backup is whole: %s\nThe keyset and the configuration are not in it: keep copies of both in another place.\n", out)
	return nil
}

func (c cli) restore(ctx context.Context, args []string) error {
	args, in, err := folder(args)
	if err != nil {
		return err
	}
	var file string
	if err := c.flags("restore", args, func(f *flag.FlagSet) {
		f.StringVar(&file, "config", "config.yaml", "configuration file: where the backup goes")
	}); err != nil {
		return err
	}
	cfg, err := config.Load(file, c.env)
	if err != nil {
		return err
	}
	n, err := Restore(ctx, Options{Config: cfg, Clock: clock.System(), Log: logger(c.err, cfg.LogLevel, cfg.LogFormat)}, in, c.out, c.err)
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("the backup is in its place, exactly as it was made, but the audit found %d differences: the books had them when the backup was made. Look for an earlier one, or mend them before you serve", n)
	}
	fmt.Fprintln(c.out, "✓ restored: the files are those of the backup, and the books are exact")
	return nil
}

func (c cli) copy(ctx context.Context, args []string) error {
	var from, to string
	if err := c.flags("copy", args, func(f *flag.FlagSet) {
		f.StringVar(&from, "from", "", "configuration file, sqlite:FILE or mysql:DSN")
		f.StringVar(&to, "to", "", "the same, for the empty database")
	}); err != nil {
		return err
	}
	if from == "" || to == "" {
		return errUsage
	}
	source, haveSource, err := c.place(from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	target, haveTarget, err := c.place(to)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	fmt.Fprintln(c.err, "note: stop the service first. What is written to the source from now on is not copied.")
	got, err := Copy(ctx, database(source), database(target), clock.System(), c.err)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "✓ copied %d rows of %d tables; every count and sum is the same\n", got.Rows, got.Tables)
	if !haveTarget { // its database with all the rest of the source's configuration
		d := target.Database
		if target = source; !haveSource {
			target, err = plainConfig()
			if err != nil {
				return err
			}
		}
		target.Database = d
	}
	a, err := Open(ctx, Options{Config: target, Clock: clock.System(), Log: logger(c.err, "warn", "text")})
	if err != nil {
		return err
	}
	defer a.closeLogged()
	n, err := a.Audit(ctx, c.out, c.err)
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("the audit found %d differences in the target; as every row is the same, the source has them too", n)
	}
	fmt.Fprintln(c.out, "✓ the books are exact. Photos are not in the database: the new configuration needs the same storage.dir and the same keyset.")
	return nil
}

// place reads what --from or --to names: a configuration file or a database.
func (c cli) place(arg string) (cfg config.Config, whole bool, err error) {
	if path, ok := strings.CutPrefix(arg, "sqlite:"); ok {
		cfg.Database = config.Database{Driver: string(db.SQLite), Path: path}
		return cfg, false, nil
	}
	if dsn, ok := strings.CutPrefix(arg, "mysql:"); ok {
		cfg.Database = config.Database{Driver: string(db.MySQL), DSN: dsn}
		return cfg, false, nil
	}
	ext := filepath.Ext(arg)
	if _, err := os.Stat(arg); err != nil && ext != ".yaml" && ext != ".yml" {
		return cfg, false, errors.New("write a configuration file, sqlite:FILE, or mysql:user:password@tcp(host:3306)/name")
	}
	cfg, err = config.Load(arg, c.env)
	return cfg, true, err
}

func database(c config.Config) db.Config {
	return db.Config{Driver: db.Dialect(c.Database.Driver), Path: c.Database.Path, DSN: c.Database.DSN, MaxConns: c.Database.MaxConns}
}

// plainConfig is enough for an audit, which opens nothing that is sealed.
func plainConfig() (config.Config, error) {
	c := config.Default()
	key, err := secret.Generate()
	c.PublicURL, c.Secret.Keyset = "http://127.0.0.1", string(key)
	return c, err
}
