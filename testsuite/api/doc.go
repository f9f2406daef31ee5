// Package api holds the test that compares what packages net, net/tls and net/http export with
// what the standard library's net, crypto/tls and net/http do: names, types, fields, methods, signatures. A program
// that changes its import must go on compiling.
//
// It reads the compiler's export data, so it sees the packages as the compiler
// does, on this system. Run it with -v for the list of all names.
package api
