// Package conformance holds the checks of what the standards, and clients in use, want
// of an FTP server (testdata/checks.tsv), finds the test that makes each, and writes
// docs/rfc.md.
//
// A test makes a check if its source names the check's id, C050 say, or a range that
// has it, "C050 to C053". Where a check allows several answers, choices.tsv says which
// one the server gives.
package conformance
