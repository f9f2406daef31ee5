// Package guide holds the tests that the programs of docs/guide.md, docs/processes.md
// and README.md, and the commands of docs/tutorial.md, do what is said there. It builds
// every one of them, runs those that are followed by their output, and compares. A
// program that takes an address is a server: the test is its client.
package guide
