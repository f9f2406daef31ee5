package auth

import (
	"context"
	"strings"
)

// Anonymous is an [Authenticator] that admits the names "anonymous" and "ftp" (in any case) with any
// password (RFC 1635), and passes every other name on to Next. A nil Next denies them. Guests are
// all called "anonymous". The fields must not change once it is in use.
type Anonymous struct {
	// Home and Perms are what guests get. Home is a clean absolute virtual path; "" is "/".
	Home  string
	Perms Permissions
	Next  Authenticator
}

var _ Authenticator = (*Anonymous)(nil)

// Authenticate implements [Authenticator].
func (a *Anonymous) Authenticate(ctx context.Context, user, password string, from Peer) (*Identity, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !strings.EqualFold(user, "anonymous") && !strings.EqualFold(user, "ftp") {
		if a.Next == nil {
			return nil, ErrDenied
		}
		return a.Next.Authenticate(ctx, user, password, from)
	}
	home := a.Home
	if home == "" {
		home = "/"
	}
	return &Identity{Name: "anonymous", Home: home, Perms: a.Perms}, nil
}
