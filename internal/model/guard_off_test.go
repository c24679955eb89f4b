//go:build unguarded

package model

import _ "unsafe" // for linkname

const unguarded = true

// lookedAt is db's own variable. Only this file, which no program is built from, can reach it.
//
//go:linkname lookedAt github.com/liangche/liangche/internal/db.guarded
var lookedAt bool

var _ = func() bool { lookedAt = false; return lookedAt }()
