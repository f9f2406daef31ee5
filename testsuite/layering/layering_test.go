package layering

import (
	"slices"
	"strings"
	"testing"
)

// TestTree checks the module as it is.
func TestTree(t *testing.T) {
	pkgs, err := readTree(".")
	if err != nil {
		t.Fatal(err)
	}
	// A listing that found nothing would pass every rule.
	if !slices.ContainsFunc(pkgs, func(p pkg) bool { return p.folder == "testsuite/layering" }) {
		t.Fatalf("go list did not find this package among %d", len(pkgs))
	}
	for _, problem := range check(pkgs) {
		t.Error(problem)
	}
}

// src makes a one-file package. Each import is a path, or "alias path".
func src(folder, name string, imports ...string) pkg {
	f := file{name: name}
	for n, s := range imports {
		i := imp{path: s, line: n + 3}
		if alias, importPath, ok := strings.Cut(s, " "); ok {
			i.alias, i.path = alias, importPath
		}
		f.imports = append(f.imports, i)
	}
	return pkg{folder: folder, files: []file{f}}
}

// TestCheck gives the checker trees that obey and break each rule.
func TestCheck(t *testing.T) {
	const netpoll = "github.com/cloudwego/netpoll"
	tests := []struct {
		name string
		pkg  pkg
		want []string // one part of each expected line, in order
	}{
		// Direction, allowed.
		{"runtime on std", src("runtime", "a.go", "sync", "time"), nil},
		{"runtime on itself", src("runtime/poll", "a.go", module+"/runtime", module+"/runtime/internal/reactor"), nil},
		{"subprocess on poll", src("runtime/subprocess", "a.go", module+"/runtime", module+"/runtime/poll", module+"/runtime/event"), nil},
		{"selectors on poll", src("net/selectors", "a.go", module+"/runtime/poll"), nil},
		{"selectors' test on processes", src("net/selectors", "a_test.go", module+"/net", module+"/runtime/subprocess"), nil},
		{"net on runtime", src("net", "a.go", module+"/runtime/poll"), nil},
		{"below net on net", src("net/server", "a.go", module+"/net", module+"/runtime/lock"), nil},
		{"server on all below", src("ftp/server", "a.go", module+"/net", module+"/runtime", module+"/ftp", module+"/ftp/storage", module+"/ftp/auth"), nil},
		{"client on net", src("ftp/client", "a.go", module+"/net", module+"/ftp"), nil},
		{"client's test on server", src("ftp/client", "a_test.go", module+"/ftp/server"), nil},
		{"wire on ftp", src("ftp/internal/wire", "a.go", module+"/ftp"), nil},
		{"app on all", src("apps/ftpd", "main.go", module+"/runtime", module+"/ftp/server", module+"/apps/internal/x"), nil},
		{"testsuite on itself", src("testsuite/bench", "main.go", module+"/testsuite/bench/load"), nil},
		{"names alike are not below", src("netx", "a.go"), []string{"netx: no layer covers"}},

		// Direction, broken.
		{"runtime on net", src("runtime", "a.go", module+"/net"), []string{"runtime/a.go:3: runtime may not import net"}},
		{"runtime's test on net", src("runtime", "a_test.go", module+"/net"), []string{"runtime may not import net"}},
		{"below runtime on ftp", src("runtime/process", "a.go", module+"/ftp"), []string{"runtime/process/a.go:3: runtime may not import ftp"}},
		{"runtime on apps", src("runtime", "a.go", module+"/apps/echo"), []string{"runtime may not import apps/echo"}},
		{"subprocess on selectors", src("runtime/subprocess", "a_test.go", module+"/net/selectors"), []string{"runtime may not import net/selectors"}},
		{"net on ftp", src("net/http", "a.go", module+"/ftp/client"), []string{"net may not import ftp/client"}},
		{"ftp on net", src("ftp", "a.go", module+"/net"), []string{"ftp may not import net"}},
		{"ftp on runtime", src("ftp", "a.go", module+"/runtime"), []string{"ftp may not import runtime"}},
		{"ftp on its server", src("ftp", "a.go", module+"/ftp/server"), []string{"ftp may not import ftp/server"}},
		{"wire on net", src("ftp/internal/wire", "a.go", module+"/net"), []string{"ftp/internal may not import net"}},
		{"storage on runtime", src("ftp/storage/osroot", "a.go", module+"/runtime"), []string{"ftp/storage may not import runtime"}},
		{"auth on net", src("ftp/auth", "a.go", module+"/net"), []string{"ftp/auth may not import net"}},
		{"client on server", src("ftp/client", "a.go", module+"/ftp/server"), []string{"ftp/client may not import ftp/server"}},
		{"server on client", src("ftp/server", "a.go", module+"/ftp/client"), []string{"ftp/server may not import ftp/client"}},
		{"server on app", src("ftp/server", "a.go", module+"/apps/ftpd"), []string{"ftp/server may not import apps/ftpd"}},
		{"app on testsuite", src("apps/ftpd", "main.go", module+"/testsuite/bench/load"), []string{"apps may not import testsuite/bench/load"}},
		{"testsuite on app", src("testsuite/interop", "a_test.go", module+"/apps/ftpd"), []string{"testsuite may not import apps/ftpd"}},
		{"root on app", src(".", "doc_test.go", module+"/apps/ftpd"), []string{"doc_test.go:3: . may not import apps/ftpd"}},
		{"an unplaced folder", src("internal/x", "a.go"), []string{"internal/x: no layer covers"}},
		{"on an unplaced folder", src("net", "a.go", module+"/internal/x"), []string{"net may not import internal/x"}},
		{"on the root", src("net", "a.go", module), []string{"net may not import ."}},
		{"two at once", src("ftp", "a.go", module+"/net", module+"/runtime"), []string{"ftp/a.go:3", "ftp/a.go:4"}},

		// Exclusive.
		{"reactor on netpoll", src("runtime/internal/reactor", "a.go", netpoll), nil},
		{"peers on netpoll", src("testsuite/bench/peers", "a.go", netpoll), nil},
		{"runtime on netpoll", src("runtime", "a.go", netpoll), []string{"runtime/a.go:3: only runtime/internal/reactor may import " + netpoll}},
		{"process on NATS", src("runtime/process", "a.go", "github.com/nats-io/nats.go"), []string{"only runtime/process/cluster"}},
		{"cluster on NATS", src("runtime/process/cluster", "a.go", "github.com/nats-io/nats.go"), nil},
		{"netpoll's subpackage", src("net", "a_test.go", netpoll+"/mux"), []string{"only runtime/internal/reactor"}},
		{"a longer name", src("net", "a.go", netpoll+"x"), nil},
		{"a longer folder", src("runtime/internal/reactors", "a.go", netpoll), []string{"only runtime/internal/reactor"}},

		// Shadows.
		{"std net far from ours", src("ftp/storage", "a.go", "net", "runtime"), nil},
		{"std net in net", src("net", "a.go", "net"), []string{`net/a.go:3: import standard "net" as stdnet`}},
		{"std runtime in net's test", src("net", "a_test.go", "runtime"), []string{`import standard "runtime" as goruntime`}},
		{"another alias", src("runtime/poll", "a.go", "gonet net"), []string{"as stdnet"}},
		{"the right aliases", src("runtime/poll", "a.go", "stdnet net", "goruntime runtime"), nil},
		{"beside ours", src("apps/echo", "main.go", "net", module+"/runtime"), []string{"as stdnet"}},
		{"subpackages have names of their own", src("net", "a.go", "net/netip", "runtime/debug"), nil},
		{"our subpackages shadow nothing", src("ftp/server", "a.go", "net", module+"/runtime/event"), nil},
		{"another file of the package", pkg{folder: "apps/echo", files: []file{
			{name: "a.go", imports: []imp{{path: module + "/net", line: 3}}},
			{name: "b_test.go", imports: []imp{{path: "runtime", line: 5}}},
		}}, []string{"apps/echo/b_test.go:5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := check([]pkg{tt.pkg})
			if len(got) != len(tt.want) {
				t.Fatalf("got %d problems, want %d:\n%s", len(got), len(tt.want), strings.Join(got, "\n"))
			}
			for n, part := range tt.want {
				if !strings.Contains(got[n], part) {
					t.Errorf("problem %d is %q, want it to have %q", n, got[n], part)
				}
			}
		})
	}
}

// TestLayersTable finds rows that name layers which do not exist, and rows that occur twice.
func TestLayersTable(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range layers {
		if seen[l.folder] {
			t.Errorf("%s has two rows", l.folder)
		}
		seen[l.folder] = true
	}
	for _, l := range layers {
		for _, name := range append(slices.Clone(l.imports), l.tests...) {
			if !seen[name] {
				t.Errorf("%s may import %s, which has no row", l.folder, name)
			}
		}
	}
}

// TestParseImports checks aliases, lines and files that a build tag leaves out.
func TestParseImports(t *testing.T) {
	f, err := parseImports("some/where/x_test.go", `//go:build never

package x

import (
	"io"
	stdnet "net"
	_ "embed"
)

import goruntime "runtime"

func broken( {
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []imp{{"io", "", 6}, {"net", "stdnet", 7}, {"embed", "_", 8}, {"runtime", "goruntime", 11}}
	if f.name != "x_test.go" || !f.isTest() || !slices.Equal(f.imports, want) {
		t.Errorf("got %+v, want imports %+v", f, want)
	}
}
