package server_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

func TestLogin(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c := f.dialRaw()
		c.expect(220)                         // C001
		c.cmd(501, "USER")                    // C004
		c.cmd(503, "PASS x")                  // C007
		known := c.cmd(331, "USER "+testUser) // C002
		unknown := c.cmd(331, "USER nobody")  // C003
		if known.Text() != unknown.Text() {
			t.Errorf("USER tells who exists: %q, %q", known.Text(), unknown.Text())
		}
		bad := c.cmd(530, "PASS "+testPassword)
		c.cmd(503, "PASS "+testPassword)
		c.cmd(331, "USER "+testUser)
		if wrong := c.cmd(530, "PASS wrong"); wrong.Text() != bad.Text() { // C006
			t.Errorf("PASS tells who exists: %q, %q", wrong.Text(), bad.Text())
		}
		c.cmd(331, "USER "+testUser)
		c.cmd(230, "PASS "+testPassword) // C005
		c.cmd(202, "ACCT x")             // C009
		c.cmd(221, "QUIT")               // C019
		c.expectClosed()
	})
}

// C010: a short literal list of what is open before login.
func TestBeforeLogin(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		c := start(t, e).dial()
		for _, line := range []string{
			"ACCT x", "REIN", "PWD", "XPWD", "CWD /", "CDUP", "MKD a", "RMD a", "TYPE I", "STRU F",
			"MODE S", "PASV", "EPSV", "PORT 127,0,0,1,9,9", "EPRT |1|127.0.0.1|9999|", "RETR a",
			"STOR a", "APPE a", "ALLO 1", "REST 1", "ABOR", "LIST", "NLST", "MLSD", "MLST", "SIZE a",
			"MDTM a", "DELE a", "RNFR a", "RNTO b", "STAT", "STAT /",
		} {
			c.cmd(530, line)
		}
		c.cmd(200, "NOOP")
		c.cmd(215, "SYST")
		c.cmd(211, "FEAT")
		c.cmd(214, "HELP")
		c.cmd(200, "OPTS UTF8 ON")
		c.cmd(200, "CLNT test")
	})
}

// C173: the limit of attempts, each answered late.
func TestLoginAttempts(t *testing.T) {
	const delay = 20 * time.Millisecond
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.LoginDelay, c.MaxLoginAttempts = delay, 4 })
		c := f.dial()
		for i := range 4 {
			c.cmd(331, "USER "+testUser)
			began := time.Now()
			if i < 3 {
				c.cmd(530, "PASS wrong")
			} else {
				c.cmd(421, "PASS wrong")
			}
			if took := time.Since(began); took < delay {
				t.Errorf("answered after %v", took)
			}
		}
		c.expectClosed()
		if log := f.log.String(); strings.Contains(log, "wrong") {
			t.Errorf("a wrong password is in the log:\n%s", log)
		}
	})
}

// A login in between does not give more attempts: it may be the guesser's own.
func TestLoginAttemptsCountOn(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		c := start(t, e).dial()
		for range 2 {
			c.cmd(331, "USER "+testUser)
			c.cmd(530, "PASS wrong")
		}
		c.cmd(331, "USER "+testUser)
		c.cmd(230, "PASS "+testPassword)
		c.cmd(331, "USER root")
		c.cmd(421, "PASS wrong")
		c.expectClosed()
	})
}

// C008: a second login takes effect when it succeeds, all at once.
func TestRelogin(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, twoUsers)
		c := f.dial()
		c.cmd(331, "USER reader")
		c.cmd(230, "PASS reader")
		c.cmd(550, "MKD d")
		c.cmd(331, "USER writer")
		c.cmd(550, "MKD d")
		c.cmd(530, "PASS wrong")
		c.cmd(550, "MKD d")
		c.cmd(331, "USER writer")
		c.cmd(230, "PASS writer")
		c.cmd(257, "MKD d")
		c.cmd(250, "CWD d")
		c.cmd(331, "USER reader")
		c.cmd(230, "PASS reader")
		if got := c.cmd(257, "PWD").Text(); !strings.HasPrefix(got, `"/" `) {
			t.Errorf("the new user is in %s", got)
		}
		c.cmd(550, "MKD e")
	})
}

// C018: REIN leaves nothing of the old user.
func TestREIN(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("a", "x\n")
		c := f.login()
		c.cmd(257, "MKD d")
		c.cmd(250, "CWD d")
		c.cmd(200, "OPTS MLST size;")
		c.cmd(200, "EPSV ALL")
		c.cmd(229, "EPSV")
		c.cmd(220, "REIN")
		c.cmd(530, "PWD")
		c.cmd(503, "PASS "+testPassword)
		c.cmd(331, "USER "+testUser)
		c.cmd(230, "PASS "+testPassword)
		if got := c.cmd(257, "PWD").Text(); !strings.HasPrefix(got, `"/" `) {
			t.Errorf("after REIN in %s", got)
		}
		c.cmd(425, "RETR a")
		c.cmd(227, "PASV")
		c.cmd(550, "SIZE a") // TYPE A again
		if got := c.cmd(211, "FEAT").Text(); !strings.Contains(got, "type*;") {
			t.Errorf("facts after REIN: %s", got)
		}
	})
}

// twoUsers serves a reader and a writer, whose passwords are their names, from
// memory.
func twoUsers(c *server.Config) {
	c.Root = storage.NewMem()
	c.Auth = users{
		"reader": {Name: "reader", Home: "/", Perms: auth.ReadOnly},
		"writer": {Name: "writer", Home: "/", Perms: auth.ReadWrite},
	}
}

// users is an Authenticator whose passwords are the names.
type users map[string]auth.Identity

func (u users) Authenticate(_ context.Context, user, password string, _ auth.Peer) (*auth.Identity, error) {
	id, ok := u[user]
	if !ok || password != user {
		return nil, auth.ErrDenied
	}
	return &id, nil
}

func TestHome(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) {
			c.Auth = users{
				"anna": {Name: "anna", Home: "/anna", Perms: auth.ReadWrite},
				"bert": {Name: "bert", Home: "/none", Perms: auth.ReadWrite},
			}
		})
		if err := os.Mkdir(filepath.Join(f.root, "anna"), 0o755); err != nil {
			t.Fatal(err)
		}
		f.write("outside", "secret")
		c := f.dial()
		c.cmd(331, "USER anna")
		c.cmd(230, "PASS anna")
		c.put("STOR x", "hers")
		if got := f.content("anna/x"); got != "hers" {
			t.Errorf("stored %q", got)
		}
		c.cmd(550, "MLST ../outside")
		c.cmd(550, "MLST /outside")
		c.cmd(331, "USER bert")
		refused := c.cmd(530, "PASS bert")
		if strings.Contains(refused.Text(), f.root) {
			t.Errorf("the reply tells where the root is: %s", refused.Text())
		}
	})
}

// The tree of RootFor is closed with the session.
func TestRootFor(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		closed := make(chan string, 1)
		f := start(t, e, func(c *server.Config) {
			c.RootFor = func(id *auth.Identity) (storage.FS, error) {
				return closing{storage.NewMem(), func() { closed <- id.Name }}, nil
			}
		})
		c := f.login()
		c.put("STOR x", "1")
		c.cmd(221, "QUIT")
		if got := <-closed; got != testUser {
			t.Errorf("closed the tree of %s", got)
		}
	})
}

type closing struct {
	storage.FS
	closed func()
}

func (c closing) Close() error {
	c.closed()
	return c.FS.Close()
}

// A login that can't be checked is no denied one.
func TestLoginNotChecked(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.Auth = broken{} })
		c := f.dial()
		for range 5 {
			c.cmd(331, "USER x")
			c.cmd(451, "PASS "+testPassword)
		}
		if !strings.Contains(f.log.String(), "database is down") {
			t.Error("the operator is not told")
		}
	})
}

type broken struct{}

func (broken) Authenticate(context.Context, string, string, auth.Peer) (*auth.Identity, error) {
	return nil, errors.New("database is down")
}

// C287: what a client sends can't forge or colour the log.
func TestLogIsEscaped(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c := f.dial()
		c.cmd(331, "USER x\x1b[31m level=ERROR")
		c.cmd(530, "PASS hidden1")
		c.cmd(500, "PAS hidden2")
		c.cmd(200, "CLNT \x1b[0mevil")
		c.cmd(221, "QUIT")
		log := f.log.String()
		if strings.ContainsAny(log, "\x1b") {
			t.Errorf("the log holds an escape:\n%q", log)
		}
		if strings.Contains(log, "hidden") {
			t.Errorf("a password is in the log:\n%s", log)
		}
	})
}
