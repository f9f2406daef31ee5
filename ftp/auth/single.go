package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
)

// Single is an [Authenticator] for one user, as for a server started without a users file. It keeps
// a keyed digest of the password and not the password. It is safe for concurrent use.
type Single struct {
	// immutable
	id             Identity
	key            [32]byte
	name, password [32]byte
}

var _ Authenticator = (*Single)(nil)

// NewSingle returns an authenticator that admits id with the password. An empty or unfit name, an
// empty password, or a bad home, is an error; the rules are those of the users file.
func NewSingle(id Identity, password string) (*Single, error) {
	if err := checkName(id.Name); err != nil {
		return nil, err
	}
	home, err := parseHome(id.Home)
	if err != nil {
		return nil, err
	}
	if password == "" {
		return nil, errors.New("empty password")
	}
	id.Home = home
	s := &Single{id: id}
	_, _ = rand.Read(s.key[:]) // never fails
	s.name, s.password = s.digest(id.Name), s.digest(password)
	return s, nil
}

// digest makes texts of any length comparable in constant time. It is quick, unlike the hashes of a
// users file: it lives in memory only, and whoever reads that reads the password when it is typed.
func (s *Single) digest(text string) (sum [32]byte) {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(text))
	mac.Sum(sum[:0])
	return sum
}

// Authenticate implements [Authenticator]. It compares name and password in constant time and does
// not block. It does not look at from.
func (s *Single) Authenticate(ctx context.Context, user, password string, from Peer) (*Identity, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	gotName, gotPassword := s.digest(user), s.digest(password)
	match := subtle.ConstantTimeCompare(gotName[:], s.name[:]) & subtle.ConstantTimeCompare(gotPassword[:], s.password[:])
	if match != 1 {
		return nil, ErrDenied
	}
	id := s.id
	return &id, nil
}
