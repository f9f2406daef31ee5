package wire

import "errors"

var (
	// ErrLineTooLong reports that a line exceeded LineReader.MaxLine. It is
	// returned once, when the line's end has been read; the next line is
	// whole. Reply 500.
	ErrLineTooLong = errors.New("ftp: line too long")

	// ErrLineFlood reports that LineReader.MaxFlood bytes came without an end
	// of line. The reader is of no use any more: drop the session.
	ErrLineFlood = errors.New("ftp: endless line")
)
