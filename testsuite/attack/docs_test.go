package attack_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/security.md names every test here, and none that does not exist, nor does
// docs/ftp-field.md; its table has all the numbers.
func TestSecurityDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	field, err := os.ReadFile("../../docs/ftp-field.md")
	if err != nil {
		t.Fatal(err)
	}
	exist := map[string]bool{}
	for _, dir := range []string{
		".", "../../ftp", "../../ftp/auth", "../../ftp/server", "../../ftp/internal/wire", "../interop", "../../apps/ftpd",
	} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
					exist[fn.Name.Name] = true
					if dir == "." && strings.HasPrefix(fn.Name.Name, "TestAttack") && !strings.Contains(string(text), "`"+fn.Name.Name[len("TestAttack"):]+"`") {
						t.Errorf("%s is not in the document", fn.Name.Name)
					}
				}
			}
		}
	}
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w+|\\d\\d_\\w+)`").FindAllStringSubmatch(string(text)+string(field), -1) {
		name := m[1]
		if name[0] >= '0' && name[0] <= '9' {
			name = "TestAttack" + name
		}
		if !exist[name] {
			t.Errorf("the document names %s, which does not exist", name)
		}
	}
	next := 1
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+)(?:(?:–|, )(\d+))? \|`).FindAllStringSubmatch(string(text), -1) {
		if got := atoi(m[1]); got != next {
			t.Fatalf("row %d instead of %d", got, next)
		}
		next++
		if m[2] != "" {
			next = atoi(m[2]) + 1
		}
	}
	if next != 51 {
		t.Errorf("the table ends before %d", next)
	}
}

func atoi(s string) int {
	n := 0
	for _, r := range s {
		n = 10*n + int(r-'0')
	}
	return n
}
