// Package attack attacks the FTP server from the outside, over the wire. Each
// TestAttackNN is one entry of the list in docs/security.md: the server must
// hold, a well-behaved session beside the attack must go on, and nothing may be
// left behind when all is over: no task, goroutine, descriptor, and no password
// or control character in the log.
//
// The numbers that are missing are attacks on clients, or on what is not served
// yet.
package attack
