// Command liangche is the whole system in one binary; run it without arguments for its commands.
package main

import (
	"os"

	"github.com/liangche/liangche/internal/app"
)

func main() {
	os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
