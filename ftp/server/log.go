package server

import (
	"log/slog"
	"strconv"
)

// escaped makes a string of the peer's harmless in a log whatever its handler
// does: no line can be forged and no terminal coloured.
func escaped(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// userAttr names a user, or who claims to be one.
func userAttr(name string) slog.Attr { return slog.String("user", escaped(name)) }

// pathAttr names a file by its virtual path.
func pathAttr(path string) slog.Attr { return slog.String("path", escaped(path)) }
