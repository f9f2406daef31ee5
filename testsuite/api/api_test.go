package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

// TestNet, TestTLS and TestHTTP compare packages with the standard library's. What is left out on
// purpose they name, with the reason.
func TestNet(t *testing.T) { comparePackages(t, "net", ourNet, map[string]string{}) }

func TestTLS(t *testing.T) { comparePackages(t, "crypto/tls", ourNet+"/tls", map[string]string{}) }

const (
	http2     = "HTTP/2 is not spoken"
	byContext = "a context does that"
	byChannel = "it waits for a goroutine of its own by a Go channel"
)

// TestHTTP compares package http. That the types of requests and of handlers are the
// same is what matters most.
func TestHTTP(t *testing.T) {
	comparePackages(t, "net/http", ourNet+"/http", map[string]string{
		"ClientConn":                  http2,
		"HTTP2Config":                 http2,
		"Protocols":                   http2,
		"Server.HTTP2":                http2,
		"Server.Protocols":            http2,
		"Server.TLSNextProto":         http2,
		"Transport.HTTP2":             http2,
		"Transport.Protocols":         http2,
		"Transport.TLSNextProto":      http2,
		"Transport.ForceAttemptHTTP2": http2,
		"Transport.NewClientConn":     http2,
		"Transport.CancelRequest":     byContext,
		"Transport.Dial":              "deprecated for DialContext",
		"Transport.DialTLS":           "deprecated for DialTLSContext",
		"TimeoutHandler":              byChannel,
		"NewFileTransport":            byChannel,
		"NewFileTransportFS":          byChannel,
	})
}

func comparePackages(t *testing.T, std, our string, leftOut map[string]string) {
	t.Helper()
	pkgs, err := load(std, our)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, f := range compare(pkgs[0], pkgs[1]) {
		reason, excused := leftOut[f.name]
		switch {
		case f.problem == missing && excused:
			t.Logf("%s: left out: %s", f.name, reason)
			found[f.name] = true
		case f.problem != "":
			t.Errorf("%s: %s", f.name, f.problem)
		default:
			t.Logf("%s: %s", f.name, f.how)
		}
	}
	for name := range leftOut {
		if !found[name] {
			t.Errorf("%s is left out, but it is there, or std has not got it", name)
		}
	}
}

// TestCompare gives the comparison a package that lacks, or has, each kind of
// thing.
func TestCompare(t *testing.T) {
	std := check(t, "net", nil, `package net
		const Size, Other = 4, 5
		var Shared, Wrong int
		type Addr struct{ IP string }
		type Conn struct { Timeout int; hidden int; Control func(name string) error }
		func (c *Conn) Read(p []byte) (n int, err error) { return 0, nil }
		func (c *Conn) Write(p []byte) (n int, err error) { return 0, nil }
		func (c Conn) Copy() {}
		func (c *Conn) internal() {}
		type Buffers [][]byte
		func Dial(address string) (*Conn, error) { return nil, nil }
		func Join(all ...string) *Addr { return nil }
		func Lost() {}
		func Std() *Conn { return nil }
		func Kind() {}`)
	our := check(t, "example.com/net", std, `package net
		import "net"
		const Size, Other = 4, 6
		var Shared int
		var Wrong string
		type Addr = net.Addr
		type Conn struct { Control func(string) error }
		func (c *Conn) Read(buf []byte) (int, error) { return 0, nil }
		func (c *Conn) Write(p []byte) error { return nil }
		func (c *Conn) Copy() {}
		type Buffers []byte
		func Dial(address string) (*Conn, error) { return nil, nil }
		func Join(all ...string) *net.Addr { return nil }
		func Std() *net.Conn { return nil }
		var Kind int`)
	want := map[string]string{ // a part of the problem
		"Size": "", "Shared": "", "Addr": "", "Conn": "", "Buffers": "", "Dial": "", "Join": "",
		"Conn.Control": "", "Conn.Read": "",
		"Other":          "is 6, not 5",
		"Wrong":          "is string, not int",
		"Conn.Timeout":   missing,
		"Conn.Write":     "is func([]byte,)(error,), not func([]byte,)(int,error,)",
		"Conn.Copy":      missing, // from the value
		"Buffers itself": "is []byte, not [][]byte",
		"Lost":           missing,
		"Std":            "is func()(*std.Conn,), not func()(*its.Conn,)",
		"Kind":           "is a *types.Var",
	}
	problems := make(map[string]string)
	for _, f := range compare(std, our) {
		if problems[f.name] == "" {
			problems[f.name] = f.problem
		}
	}
	for name, part := range want {
		problem, ok := problems[name]
		if !ok || (problem == "") != (part == "") || !strings.Contains(problem, part) {
			t.Errorf("%s: %q, found %v, want %q", name, problem, ok, part)
		}
		delete(problems, name)
	}
	if len(problems) > 0 {
		t.Errorf("found as well: %v", problems)
	}
}

// check type-checks a package that may import std.
func check(t *testing.T, path string, std *types.Package, text string) *types.Package {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "a.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Importer: only{std}}
	pkg, err := config.Check(path, files, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

type only struct{ pkg *types.Package }

func (o only) Import(string) (*types.Package, error) { return o.pkg, nil }
