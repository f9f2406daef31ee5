// Package guide holds the test that the programs of docs/guide.md, docs/processes.md and README.md
// do what is said there. It builds every one of them, runs those that are
// followed by their output, and compares. One that takes an address is a
// server: the test is its client.
package guide
