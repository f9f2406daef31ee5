// Package conformance holds the checks of what the standards, and clients in use, want
// of an FTP server (testdata/checks.tsv), makes them over the wire, finds the other tests
// that make them, and writes docs/rfc.md.
//
// TestWire has a trial for each check but those of TLS: a client talks to a server over
// TCP, on both engines, and the reply that decides must be one the table lists and the
// one that choices.tsv names. To add trials, write a file like those here: its init calls
// is for a check of one command and one reply, and runs for a conversation.
//
// A test makes a check if its source names the check's id, C050 say, or a range that
// has it, "C050 to C053". Where a check allows several answers, choices.tsv says which
// one the server gives.
package conformance
