package conformance

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/rfc.md")

const root = "../.."

func load(t *testing.T) (all []check, tests map[string][]string, chosen map[string]string) {
	t.Helper()
	all, err := checks()
	if err != nil {
		t.Fatal(err)
	}
	if chosen, err = choices(); err != nil {
		t.Fatal(err)
	}
	if tests, err = findTests(root, "ftp", "testsuite/attack", "testsuite/interop", "apps/ftpd"); err != nil {
		t.Fatal(err)
	}
	for id := range trials {
		tests[id] = append(tests[id], "testsuite/conformance: TestWire/"+id)
	}
	return all, tests, chosen
}

// TestEveryCheckHasATest: or says why it has none yet; and what the tests and choices
// name is there.
func TestEveryCheckHasATest(t *testing.T) {
	all, tests, chosen := load(t)
	known := make(map[string]bool)
	for _, c := range all {
		if known[c.id] {
			t.Errorf("%s is there twice", c.id)
		}
		known[c.id] = true
		waits := strings.HasPrefix(chosen[c.id], later)
		switch {
		case len(tests[c.id]) == 0 && !waits:
			t.Errorf("%s (%s, %s) has no test", c.id, c.before, c.command)
		case len(tests[c.id]) > 0 && waits:
			t.Errorf("%s has a test, %s, and need not wait", c.id, tests[c.id])
		}
	}
	if len(all) < 290 {
		t.Errorf("%d checks", len(all))
	}
	for id, names := range tests {
		if !known[id] {
			t.Errorf("%v name %s, which is no check", names, id)
		}
	}
	for id := range chosen {
		if !known[id] {
			t.Errorf("a choice for %s, which is no check", id)
		}
	}
}

// TestDocument: docs/rfc.md is what the tables say.
func TestDocument(t *testing.T) {
	path := filepath.Join(root, "docs", "rfc.md")
	want := document(load(t))
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/rfc.md is stale: go test ./testsuite/conformance -update")
	}
}

// TestFindTests: ids in comments and bodies count, with ranges, and others do not.
func TestFindTests(t *testing.T) {
	dir := t.TempDir()
	source := `package p
// C001: not of a test.
var x = "C002"
// TestA is about C003 to C005.
func TestA() { _ = "C007" }
func helper() { _ = "C008" }
`
	if err := os.WriteFile(filepath.Join(dir, "a_test.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	tests, err := findTests(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"C003", "C004", "C005", "C007"} {
		if got := tests[id]; len(got) != 1 || got[0] != ".: TestA" {
			t.Errorf("%s: %q", id, got)
		}
		delete(tests, id)
	}
	if len(tests) > 0 {
		t.Errorf("found %v", tests)
	}
}
