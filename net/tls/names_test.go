package tls_test

import (
	stdtls "crypto/tls"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/weft-go/weft/net/tls"
)

// TestNames: a program that changes its import finds every name of crypto/tls.
func TestNames(t *testing.T) {
	own := exported(t, ".")
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "crypto/tls").Output()
	if err != nil {
		t.Skipf("SKIP: no source of crypto/tls here: %v", err)
	}
	std := exported(t, strings.TrimSpace(string(out)))
	if len(std) < 100 {
		t.Fatalf("%d names in crypto/tls", len(std))
	}
	for name := range std {
		if !own[name] {
			t.Errorf("no %s", name)
		}
	}
	stdConn, ownConn := reflect.TypeFor[*stdtls.Conn](), reflect.TypeFor[*tls.Conn]()
	for i := range stdConn.NumMethod() {
		want := stdConn.Method(i)
		got, ok := ownConn.MethodByName(want.Name)
		if !ok || got.Type.NumIn() != want.Type.NumIn() || got.Type.NumOut() != want.Type.NumOut() {
			t.Errorf("no %s %v", want.Name, want.Type)
		}
	}
}

// exported returns the exported names of a package's files that are not tests.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	add := func(id *ast.Ident) {
		if id.IsExported() {
			names[id.Name] = true
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name.Name != "tls" {
			continue // a program that makes certificates
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					add(d.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						add(spec.Name)
					case *ast.ValueSpec:
						for _, id := range spec.Names {
							add(id)
						}
					}
				}
			}
		}
	}
	return names
}
