package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestSingle(t *testing.T) {
	s, err := NewSingle(Identity{Name: "me", Home: "pub", Perms: ReadOnly}, "pass word")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		id, err := s.Authenticate(t.Context(), "me", "pass word", Peer{})
		if err != nil || *id != (Identity{Name: "me", Home: "/pub", Perms: ReadOnly}) {
			t.Fatalf("%+v, %v", id, err)
		}
		id.Perms = ReadWrite // a copy
	}
	for _, tt := range [][2]string{
		{"me", ""}, {"me", "pass"}, {"me", "pass word "}, {"Me", "pass word"}, {"", "pass word"}, {"", ""},
		{"mepass", " word"}, {"pass word", "me"}, {"me", strings.Repeat("x", 1<<16)},
	} {
		if id, err := s.Authenticate(t.Context(), tt[0], tt[1], Peer{}); err != ErrDenied || id != nil {
			t.Errorf("%q, %q: %v, %v", tt[0], tt[1], id, err)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if strings.Contains(fmt.Sprintf(verb, s), "pass word") {
			t.Errorf("%s prints the password", verb)
		}
	}
}

func TestNewSingleRefused(t *testing.T) {
	for _, tt := range []struct {
		id       Identity
		password string
	}{
		{Identity{Name: "", Home: "/"}, "secret"},
		{Identity{Name: "a/b", Home: "/"}, "secret"},
		{Identity{Name: "me", Home: ""}, "secret"},
		{Identity{Name: "me", Home: "/../x"}, "secret"},
		{Identity{Name: "me", Home: "/"}, ""},
	} {
		s, err := NewSingle(tt.id, tt.password)
		if err == nil || s != nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v, %v", tt.id, s, err)
		}
	}
}

func TestAnonymous(t *testing.T) {
	s, err := NewSingle(Identity{Name: "me", Home: "/", Perms: ReadWrite}, "pw")
	if err != nil {
		t.Fatal(err)
	}
	a := &Anonymous{Home: "/pub", Perms: ReadOnly, Next: s}
	for _, name := range []string{"anonymous", "ftp", "Anonymous", "FTP"} {
		id, err := a.Authenticate(t.Context(), name, "guest@example.org", Peer{})
		if err != nil || *id != (Identity{Name: "anonymous", Home: "/pub", Perms: ReadOnly}) {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
	if id, err := a.Authenticate(t.Context(), "me", "pw", Peer{}); err != nil || id.Perms != ReadWrite {
		t.Errorf("me: %+v, %v", id, err)
	}
	if _, err := a.Authenticate(t.Context(), "me", "no", Peer{}); err != ErrDenied {
		t.Errorf("got %v", err)
	}
	alone := &Anonymous{}
	if _, err := alone.Authenticate(t.Context(), "me", "pw", Peer{}); err != ErrDenied {
		t.Errorf("got %v", err)
	}
	if id, err := alone.Authenticate(t.Context(), "ftp", "", Peer{}); err != nil || *id != (Identity{Name: "anonymous", Home: "/"}) {
		t.Errorf("%+v, %v", id, err)
	}
}

// TestCanceled checks that no authenticator admits anybody after its context has ended.
func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := NewSingle(Identity{Name: "ftp", Home: "/", Perms: ReadWrite}, "pw")
	if err != nil {
		t.Fatal(err)
	}
	users, _ := counting("ftp")
	for _, a := range []Authenticator{s, users, &Anonymous{}} {
		if id, err := a.Authenticate(ctx, "ftp", "pw", Peer{}); !errors.Is(err, context.Canceled) || id != nil {
			t.Errorf("%T: %v, %v", a, id, err)
		}
	}
}
