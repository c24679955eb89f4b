package main

import (
	"context"
	"path/filepath"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/mariadb"
)

// two and three servers share one MariaDB; any of them is killed at any time, and the others go on.
func (c *chaos) two(ctx context.Context, r *result) error   { return c.sharing(ctx, r, 2) }
func (c *chaos) three(ctx context.Context, r *result) error { return c.sharing(ctx, r, 3) }

func (c *chaos) sharing(ctx context.Context, r *result, instances int) error {
	return c.withMariaDB(ctx, func(_ *mariadb.Server, d db.Config) error {
		return c.killing(ctx, r, filepath.Join(c.dir, r.name), d, instances, c.times(20, 3))
	})
}
