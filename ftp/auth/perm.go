package auth

import (
	"fmt"
	"strings"
)

// Permissions is a set of rights. The zero value allows nothing.
type Permissions uint16

// The rights, each with the commands it opens.
const (
	List   Permissions = 1 << iota // LIST, NLST, MLSD, MLST, STAT of a path
	Read                           // RETR, HASH
	Write                          // STOR, STOU, REST with STOR, MFMT, SITE CHMOD
	Append                         // APPE
	Delete                         // DELE
	Rename                         // RNFR, RNTO
	Mkdir                          // MKD
	Rmdir                          // RMD
)

// Common sets.
const (
	ReadOnly  = List | Read                                                 // "ro"
	ReadWrite = ReadOnly | Write | Append | Delete | Rename | Mkdir | Rmdir // "rw"
)

// words holds the name of each right, in order of its bit.
var words = [...]string{"list", "read", "write", "append", "delete", "rename", "mkdir", "rmdir"}

// Has reports whether p contains every right in want.
func (p Permissions) Has(want Permissions) bool { return p&want == want }

// String returns "none", "ro", "rw", or the words of the set joined by commas. [ParsePermissions]
// reads it back.
func (p Permissions) String() string {
	switch p {
	case 0:
		return "none"
	case ReadOnly:
		return "ro"
	case ReadWrite:
		return "rw"
	}
	var have []string
	for i, w := range words {
		if p&(1<<i) != 0 {
			have = append(have, w)
		}
	}
	if unknown := p &^ ReadWrite; unknown != 0 {
		have = append(have, fmt.Sprintf("%#x", uint16(unknown)))
	}
	return strings.Join(have, ",")
}

// ParsePermissions reads words joined by commas, with or without spaces: list, read, write, append,
// delete, rename, mkdir, rmdir, and the sets ro (list, read), rw (all) and none. Words add up. Case
// does not count. An empty string or an unknown word is an error.
func ParsePermissions(s string) (Permissions, error) {
	var p Permissions
	for field := range strings.SplitSeq(s, ",") {
		bits, ok := permissionWord(strings.ToLower(strings.TrimSpace(field)))
		if !ok {
			// The text is not quoted: in a malformed line it could be anything.
			return 0, errUnknownPermission
		}
		p |= bits
	}
	return p, nil
}

var errUnknownPermission = fmt.Errorf("unknown permission: want ro, rw, none, or some of %s",
	strings.Join(words[:], ", "))

func permissionWord(w string) (Permissions, bool) {
	switch w {
	case "none":
		return 0, true
	case "ro":
		return ReadOnly, true
	case "rw":
		return ReadWrite, true
	}
	for i, name := range words {
		if w == name {
			return 1 << i, true
		}
	}
	return 0, false
}
