package auth

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

// Users is an [Authenticator] over a users file; see the package documentation for the format. It is
// safe for concurrent use.
type Users struct {
	// immutable
	path  string // "" if there is no file to reload
	seed  maphash.Seed
	turns chan struct{} // one token for each hash under way

	set    atomic.Pointer[userSet]
	reload sync.Mutex // one at a time, so that an older file cannot win
}

var _ Authenticator = (*Users)(nil)

// userSet is the content of one users file. It is immutable.
type userSet struct {
	accounts map[string]*account
	// open holds the accounts that can log in, for standIn.
	open []*account
}

type account struct {
	id     Identity
	hash   Hash
	locked bool
}

// LoadUsers reads the users file at path. It blocks on the disk. Errors that concern the content
// are *[LineError] (several are joined) and name file and line.
func LoadUsers(path string) (*Users, error) {
	set, err := readUsers(path)
	if err != nil {
		return nil, err
	}
	return newUsers(path, set), nil
}

// ParseUsers reads users from r; name stands for the file in errors. Such Users cannot be reloaded.
func ParseUsers(r io.Reader, name string) (*Users, error) {
	set, err := parseUsers(r, name)
	if err != nil {
		return nil, err
	}
	return newUsers("", set), nil
}

func newUsers(path string, set *userSet) *Users {
	u := &Users{
		path:  path,
		seed:  maphash.MakeSeed(),
		turns: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	u.set.Store(set)
	return u
}

func readUsers(path string) (*userSet, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	return parseUsers(f, path)
}

// Reload reads the file again and swaps the set of users in one step: a login sees the old set or
// the new, never a mix. When the file cannot be read or has an error, the old set stays in force and
// the error is returned. Sessions already logged in are not touched. It blocks on the disk.
func (u *Users) Reload() error {
	if u.path == "" {
		return errors.New("users: there is no file to reload")
	}
	u.reload.Lock()
	defer u.reload.Unlock()
	set, err := readUsers(u.path)
	if err != nil {
		return err
	}
	u.set.Store(set)
	return nil
}

// HasQuota reports whether any of the users has a quota of his own. It does not park.
func (u *Users) HasQuota() bool {
	for _, acc := range u.set.Load().accounts {
		if acc.id.MaxBytes != 0 || acc.id.MaxFiles != 0 {
			return true
		}
	}
	return false
}

// Len returns the number of users, those who cannot log in included.
func (u *Users) Len() int { return len(u.set.Load().accounts) }

// Authenticate implements [Authenticator]. It costs one password hash for every name, known or not.
// At most one hash a processor is computed at a time; when ctx ends while waiting for a turn, its
// error is returned. It does not look at from.
func (u *Users) Authenticate(ctx context.Context, user, password string, from Peer) (*Identity, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case u.turns <- struct{}{}:
		defer func() { <-u.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	set := u.set.Load()
	hash := set.standIn(maphash.String(u.seed, user))
	acc := set.accounts[user]
	opens := acc != nil && !acc.locked
	if opens {
		hash = acc.hash
	}
	if match := hash.Verify(password); !match || !opens {
		return nil, ErrDenied
	}
	id := acc.id
	return &id, nil
}

// standIn returns the hash that a login with an unknown or locked name is checked against, the result
// being ignored. It is that of some real user, the same each time for one name: with hashes of
// different cost in one file, any fixed choice would tell the names that cost something else from
// those that do not exist. So the costs of unknown names are spread as those of the known are.
func (s *userSet) standIn(sum uint64) Hash {
	if len(s.open) == 0 {
		return nobody
	}
	return s.open[sum%uint64(len(s.open))].hash
}

// nobody costs what HashPassword's hashes cost.
var nobody = func() Hash {
	h := standard
	h.salt, h.key = make([]byte, standardSalt), make([]byte, standardKey)
	return Hash{text: h.encode(), scheme: &h}
}()
