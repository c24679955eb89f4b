package app

import (
	"os"
	"runtime/debug"
)

// TuneMemory lets the heap grow to four times what is live before it is tidied up. That is a few tens of megabytes, and what a till's request
// allocates is tidied a third as often. Who sets GOGC decides otherwise. It counts for the whole process and is called by its main.
func TuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
}
