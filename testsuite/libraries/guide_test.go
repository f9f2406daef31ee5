package libraries

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestGuide runs the program of docs/guide.md that uses both libraries, and compares what it prints with what
// the guide says.
func TestGuide(t *testing.T) {
	need(t, postgresLocal, "PostgreSQL's server")
	need(t, redisSocket, "redis-server")
	guide, err := os.ReadFile("../../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	const fence = "```"
	var program, output string
	for block := range strings.SplitSeq(string(guide), fence+"go\n") {
		source, after, _ := strings.Cut(block, fence)
		if m := regexp.MustCompile("It prints `(.*)`").FindStringSubmatch(after); m != nil && strings.Contains(source, "pgdial.Configure") {
			program, output = source, m[1]
		}
	}
	if program == "" {
		t.Fatal("the guide has no such program")
	}
	path := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(path, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // it is compiled first
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "run", path, postgresLocal, redisSocket)
	cmd.WaitDelay = time.Second
	got, err := cmd.CombinedOutput()
	if err != nil || string(got) != output+"\n" {
		t.Errorf("%v, it printed %q, the guide has %q", err, got, output)
	}
}
