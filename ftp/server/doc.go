// Package server is an FTP server: RFC 959 with the extensions of RFC 2389, 2428,
// 2640, 3659, 4217 (TLS) and 7151, and of the drafts and customs that clients know,
// over any store and any source of users. docs/rfc.md lists them.
//
//	users, err := auth.LoadUsers("users")
//	root, err := storage.OpenOSRoot("/srv/ftp", storage.Options{})
//	srv, err := server.New(server.Config{Auth: users, Root: root})
//	err = srv.ListenAndServe("127.0.0.1:2121") // until srv.Shutdown
//
// # Model
//
// A session is sequential code. One task reads commands in a loop and carries
// each out. A transfer is a second task; while it runs the first goes on
// reading the control connection: ABOR and STAT act at once, everything else
// waits its turn, so that replies leave in the order of the commands. What is
// known of each verb (its argument, the right it wants, what it may answer)
// stands in the table of package ftp; a handler here does the rest and returns
// a reply or an error. Nothing but dispatch writes replies.
//
// The same code runs on two engines: tasks, with the connections of package
// net of this module, and goroutines, with those of the standard library. See
// [Tasks] and [Goroutines].
//
// # Stores and users
//
// Files come from a storage.FS and users from an auth.Authenticator. Both may
// block a thread, so every call of theirs is offloaded; offload.go is the one
// place that does it. The store is asked for files by virtual path alone, and
// nothing it answers with but names and attributes reaches a client.
//
// # Choices where the standards leave one
//
//   - A data command uses up the PASV, EPSV, PORT or EPRT before it, also when it
//     is refused.
//
//   - Data connections go to and come from the address of the control connection
//     only, or networks that Config.FXP names. PORT and EPRT with another address
//     or a port below 1024 get 504 (RFC 2577 section 3).
//
//   - QUIT during a transfer waits for its end (RFC 959 section 4.1.1). A control
//     connection that is lost without QUIT aborts it, and nothing is kept of an
//     atomic upload.
//
//   - ABOR ends a transfer with 426, then answers 226. The data connection is reset,
//     so that the peer cannot take what it has for the whole.
//
//   - USER by a user who is logged in changes nothing until PASS succeeds.
//
//   - REST counts under TYPE I only; under TYPE A any offset but 0 gets 504, and
//     SIZE gets 550.
//
//   - REST and RANG in MODE Z count bytes of the file, not of the compressed stream,
//     whose end is checked: 426 if it is cut off, 451 if it is damaged.
//
//   - HASH and SITE CPTO take as long as they take: STAT and ABOR act meanwhile, as
//     in a transfer.
//
//   - ALLO is compared with what comes: an upload that is shorter is kept, and the
//     reply and the log say so. The log has an outcome for every transfer.
//
//   - SITE UMASK takes permissions away and never gives any.
//
//   - Listings show every name, with option -a or without; -R gets 504, other
//     options are ignored. A path is first taken literally; if nothing is there, its last
//     element may be a pattern.
//
//   - MLSD lists neither the directory itself nor its parent.
//
//   - AUTH begins the session anew, and drops what was sent in clear behind it. A
//     stream over TLS that ends without a close_notify is cut off: 426.
//
//   - STOU names files "stou." and twelve random characters.
//
//   - HASH tells of the range 0 to the last byte, and 0-0 for an empty file.
//
//   - MDTM with a time in front of the path sets it, unless that is the path of a file.
//
// # Limits
//
// The verbs that ftp.Unserved knows are answered with 502, CCC with 534. Config.Quota
// bounds what a home holds, Config.MaxFileSize one file.
package server
