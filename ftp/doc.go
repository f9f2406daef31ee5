// Package ftp is the File Transfer Protocol as data: its commands, replies,
// addresses, paths, listings and text conversion, and nothing that touches a
// connection or a disk.
//
// The package has one table at its heart, the command table (see [Commands]):
// a row for each verb says what its argument is, whether it needs a login, a
// permission or a data connection, whether it may run during a transfer, what
// it does to a pending RNFR or REST, and what it may answer. A server checks a
// command against its row and then calls the verb's handler; FEAT and HELP are
// printed from the same rows.
//
// Around the table stand pairs of parsers and printers: [ParseCommand] and
// [AppendCommand], [ParseReply] and [AppendReply], [ParsePORT] and
// [AppendPORT], [ParseMLSD] and [AppendMLSD], and so on. Parsers of what a
// client sends are strict and answer with a [*SyntaxError] that carries the
// reply code; parsers of what servers send are tolerant where the field needs
// it. Printers append to a slice and never emit bytes that could be read as a
// second line.
//
// # Limits
//
// Names are bytes: nothing here decodes or normalises UTF-8. A name that holds
// CR, LF or NUL cannot be spoken of on a control connection: commands with
// such bytes are refused, NLST and MLSD leave the entry out, LIST shows '?'.
// Times are UTC, everywhere.
//
// All functions are pure and safe for use from any task or goroutine. The
// stateful types ([ASCIIEncoder], [ASCIIDecoder], [ReplyParser]) belong to one
// user at a time.
package ftp
