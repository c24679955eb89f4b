// Package migrations embeds the one SQL migration set that serves every database.
package migrations

import "embed"

// FS holds the goose migrations: forward-only, one DDL statement each.
//
//go:embed *.sql
var FS embed.FS
