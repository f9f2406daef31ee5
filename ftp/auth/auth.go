package auth

import (
	"context"
	"errors"
	"net/netip"
)

// ErrDenied is the one answer to a login that is not good: unknown name, wrong password, locked
// account. Which of them it was is not told.
var ErrDenied = errors.New("login incorrect")

// Identity is a user who has logged in. Treat it as immutable: an Authenticator may hand out the
// same one again.
type Identity struct {
	// Name is the name the user is known by.
	Name string
	// Home is the user's root inside the served root, as a clean absolute virtual path.
	Home string
	// Perms is what the user may do.
	Perms Permissions
	// MaxBytes and MaxFiles are what the user's home may hold; 0 means no limit of the user's own.
	MaxBytes, MaxFiles int64
}

// Peer says where a login comes from, for authenticators that care. The zero value means unknown.
type Peer struct {
	Addr netip.AddrPort
	// TLS reports whether the control connection is encrypted.
	TLS bool
}

// Authenticator checks logins. Authenticate blocks, may be called from many goroutines at once, and
// returns an Identity, or [ErrDenied] for a login that is not good, or another error when it could
// not find out: the context's when ctx ends first. Implementations must take the same time for names
// that exist and names that do not.
type Authenticator interface {
	Authenticate(ctx context.Context, user, password string, from Peer) (*Identity, error)
}
