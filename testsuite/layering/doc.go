// Package layering holds the test that keeps the module's dependencies pointing down:
//
//	apps, testsuite -> ftp/server, ftp/client -> net -> runtime -> standard library
//
// The rules are the tables in rules.go. The checker is a pure function over a list of packages, so it
// is itself tested against small made-up trees; the test of the real tree feeds it what `go list` and
// the parser find, test files and files behind build tags included.
//
// The limits: it sees import declarations only. A linkname or a plugin goes past it.
package layering
