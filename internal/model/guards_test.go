package model

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestGuards runs TestInterleavings in a binary that has no guards: every meeting must then go wrong, or it would prove nothing. Where rows are locked one
// by one, that is: SQLite has one writer, who is guard enough.
func TestGuards(t *testing.T) {
	if unguarded || os.Getenv("LIANGCHE_TEST_DB") != "mysql" {
		t.Skip("needs a server: go run ./internal/db/dbtest/withmariadb go test ./internal/model -run TestGuards")
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-tags=unguarded", "-run=TestInterleavings$", ".").CombinedOutput()
	if err == nil {
		t.Fatalf("without any guard the test passes:\n%s", out)
	}
	for _, s := range scenes {
		if s.together {
			continue
		}
		if !strings.Contains(string(out), "--- FAIL: TestInterleavings/"+strings.ReplaceAll(s.name, " ", "_")+" ") {
			t.Errorf("without any guard this goes well: %s", s.name)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}
