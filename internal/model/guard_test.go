//go:build !unguarded

package model

// unguarded is true in the binary of TestGuards.
const unguarded = false
