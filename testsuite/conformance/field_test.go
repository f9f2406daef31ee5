package conformance

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testPattern = regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w*`)
	rowPattern  = regexp.MustCompile(`\bC[0-9]{3}\b`)
)

// docs/ftp-field.md has a line for each of the forty complaints, and each test and
// row it names exists.
func TestFieldDocs(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "docs", "ftp-field.md"))
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder // all test files
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		tests.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	all, _, _ := load(t)
	for _, c := range all {
		known[c.id] = true
	}
	complaints := 0
	for _, line := range strings.Split(string(b), "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| #") {
			continue
		}
		complaints++
		for _, name := range testPattern.FindAllString(line, -1) {
			if !strings.Contains(tests.String(), "\nfunc "+name+"(") {
				t.Errorf("there is no %s: %s", name, line)
			}
		}
		for _, id := range rowPattern.FindAllString(line, -1) {
			if !known[id] {
				t.Errorf("there is no row %s: %s", id, line)
			}
		}
	}
	if complaints != 40 {
		t.Errorf("%d complaints", complaints)
	}
}
