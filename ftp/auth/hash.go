package auth

import (
	"errors"
	"strings"
)

// Hash is a stored password hash: bcrypt or argon2id. The zero value matches no password.
type Hash struct {
	text   string
	scheme scheme
}

// scheme is one way to hash. match takes the time of one hash whatever the password.
type scheme interface {
	match(password string) bool
}

// ParseHash reads a bcrypt hash ($2a$, $2b$, $2y$; cost 4 to 15) or an argon2id PHC string (v=19, m up
// to 256 MiB, t up to 16, p up to 16, m times t up to 1 GiB, salt 8 to 64 bytes, key 16 to 64 bytes).
// The bounds keep a hostile or mistaken line from taking all memory or hours of time. Errors do not
// repeat s.
func ParseHash(s string) (Hash, error) {
	var (
		sch scheme
		err error
	)
	switch {
	case strings.HasPrefix(s, "$2"):
		sch, err = parseBcrypt(s)
	case strings.HasPrefix(s, argon2Prefix):
		sch, err = parseArgon2(s)
	default:
		err = errors.New("unknown password hash: want bcrypt ($2a$, $2b$, $2y$) or $argon2id$")
	}
	if err != nil {
		return Hash{}, err
	}
	return Hash{text: s, scheme: sch}, nil
}

// String returns "auth.Hash", not the hash, so that none ends up in a log. Encoded gives the text.
func (h Hash) String() string { return "auth.Hash" }

// GoString returns what String does.
func (h Hash) GoString() string { return h.String() }

// Encoded returns the hash in the form ParseHash read.
func (h Hash) Encoded() string { return h.text }

// Verify reports whether password is the one hashed. It takes the time of one hash whatever the
// password, blocking a processor for it, and compares in constant time. A password longer than
// the hash can tell apart (72 bytes for bcrypt, 1024 for argon2id) never matches: matching a
// truncated one would accept passwords that were never set.
func (h Hash) Verify(password string) bool {
	return h.scheme != nil && h.scheme.match(password)
}
