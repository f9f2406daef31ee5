// Package api holds the test that compares what package net exports with what the
// standard library's does: names, types, fields, methods, signatures. A program
// that changes its import must go on compiling.
//
// It reads the compiler's export data, so it sees the packages as the compiler
// does, on this system. Run it with -v for the list of all names.
package api
