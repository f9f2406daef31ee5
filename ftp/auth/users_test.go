package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"golang.org/x/crypto/bcrypt"
)

// quick returns a hash that costs next to nothing.
func quick(t testing.TB, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

func parse(t testing.TB, text string) *Users {
	t.Helper()
	u, err := ParseUsers(strings.NewReader(text), "users")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUsers(t *testing.T) {
	argon, err := HashPassword("alice's password: with a colon")
	if err != nil {
		t.Fatal(err)
	}
	u := parse(t, strings.Join([]string{
		"\ufeff# users of the server",
		"",
		"   \t",
		"  # indented comment",
		"alice:" + argon + ":/alice:rw",
		"bob:" + quick(t, "bob's") + ":home//bob/./:list, read\r",
		"ürsula o'neil:" + quick(t, "pässword") + ":/:append",
		"carol:*:/carol:rw",
		"dave:" + quick(t, "dave's") + ":/x y\xff:none",
	}, "\n"))
	if u.Len() != 5 {
		t.Errorf("%d users", u.Len())
	}
	for _, tt := range []struct {
		user, password string
		want           Identity
	}{
		{"alice", "alice's password: with a colon", Identity{Name: "alice", Home: "/alice", Perms: ReadWrite}},
		{"bob", "bob's", Identity{Name: "bob", Home: "/home/bob", Perms: ReadOnly}},
		{"ürsula o'neil", "pässword", Identity{Name: "ürsula o'neil", Home: "/", Perms: Append}},
		{"dave", "dave's", Identity{Name: "dave", Home: "/x y\xff"}},
	} {
		id, err := u.Authenticate(t.Context(), tt.user, tt.password, Peer{})
		if err != nil || *id != tt.want {
			t.Errorf("%s: %+v, %v, want %+v", tt.user, id, err, tt.want)
		}
		if id, err := u.Authenticate(t.Context(), tt.user, tt.password+"x", Peer{}); err != ErrDenied || id != nil {
			t.Errorf("%s with a wrong password: %v, %v", tt.user, id, err)
		}
	}
	for _, tt := range [][2]string{
		{"carol", "*"}, {"carol", ""}, {"", ""}, {"nobody", "x"}, {"Alice", "alice's password: with a colon"},
		{"bob", ""}, {"bob\x00", "bob's"}, {"# users of the server", ""}, {"bob ", "bob's"},
	} {
		if id, err := u.Authenticate(t.Context(), tt[0], tt[1], Peer{}); err != ErrDenied || id != nil {
			t.Errorf("%q, %q: %v, %v, want ErrDenied", tt[0], tt[1], id, err)
		}
	}
}

// TestIdentityIsACopy checks that a session cannot change the rights of the next.
func TestIdentityIsACopy(t *testing.T) {
	u := parse(t, "bob:"+quick(t, "pw")+":/bob:ro")
	for range 2 {
		id, err := u.Authenticate(t.Context(), "bob", "pw", Peer{})
		if err != nil || id.Perms != ReadOnly || id.Home != "/bob" {
			t.Fatalf("%+v, %v", id, err)
		}
		id.Perms, id.Home = ReadWrite, "/"
	}
}

func TestLineErrors(t *testing.T) {
	h := quick(t, "pw")
	for _, tt := range []struct{ line, want string }{
		{"alice", "1 fields, want 4"},
		{"alice:" + h + ":/", "3 fields"},
		{"alice:" + h + ":/:rw:1G:x", "6 fields"},
		{"alice:" + h + ":/:rw:x", "quota"},
		{":" + h + ":/:rw", "the name is empty"},
		{strings.Repeat("n", 65) + ":" + h + ":/:rw", "longer than 64"},
		{"../x:" + h + ":/:rw", "like a path"},
		{"..:" + h + ":/:rw", "like a path"},
		{`a\b:` + h + ":/:rw", "like a path"},
		{" bob:" + h + ":/:rw", "space"},
		{"bob\x00:" + h + ":/:rw", "cannot be printed"},
		{"bob\x1b[2J:" + h + ":/:rw", "cannot be printed"},
		{"bob\xff:" + h + ":/:rw", "not UTF-8"},
		{"alice::/:rw", "unknown password hash"},
		{"alice:hunter2:/:rw", "unknown password hash"},
		{"alice:$2b$99$x:/:rw", "bcrypt hash"},
		{"alice:" + h + "::rw", "home is empty"},
		{"alice:" + h + ":../x:rw", `".."`},
		{"alice:" + h + ":/a/../b:rw", `".."`},
		{"alice:" + h + ":/..:rw", `".."`},
		{"alice:" + h + ":/a\x00b:rw", "control character"},
		{"alice:" + h + ":" + strings.Repeat("/h", 2049) + ":rw", "longer than 4096"},
		{"alice:" + h + ":/:", "unknown permission"},
		{"alice:" + h + ":/:rwx", "unknown permission"},
		{"bob:" + h + ":/:ro", `user "bob" is on line 2 already`},
		{strings.Repeat("x", 9000), "longer than 8192"},
	} {
		text := "# comment\nbob:" + h + ":/:rw\n\n" + tt.line
		u, err := ParseUsers(strings.NewReader(text), "the/file")
		var le *LineError
		if u != nil || !errors.As(err, &le) {
			t.Errorf("%q: %v", tt.line, err)
			continue
		}
		if le.File != "the/file" || le.Line != 4 || !strings.HasPrefix(err.Error(), "the/file:4: ") ||
			!strings.Contains(err.Error(), tt.want) || errors.Unwrap(le) == nil {
			t.Errorf("%q: %v, want %s", tt.line, err, tt.want)
		}
		for _, secret := range []string{"hunter2", h, "\x1b", "\x00"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%q: the error repeats the line: %q", tt.line, err)
			}
		}
	}
}

// TestManyLineErrors checks that all mistakes are told at once, within reason.
func TestManyLineErrors(t *testing.T) {
	_, err := ParseUsers(strings.NewReader("one\n#\ntwo\n"), "f")
	if err == nil || !strings.Contains(err.Error(), "f:1: ") || !strings.Contains(err.Error(), "f:3: ") {
		t.Errorf("got %v", err)
	}
	_, err = ParseUsers(strings.NewReader(strings.Repeat("bad\n", 1000)), "f")
	if err == nil || strings.Count(err.Error(), "\n") > maxLineErrors {
		t.Errorf("got %v", err)
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	_, err := ParseUsers(io.MultiReader(strings.NewReader("# x\n"), iotest.ErrReader(broken)), "f")
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "f: ") {
		t.Errorf("got %v", err)
	}
	if _, err := LoadUsers(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	store := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	may := func(u *Users, name string, want error) {
		t.Helper()
		if _, err := u.Authenticate(t.Context(), name, "pw", Peer{}); err != want {
			t.Fatalf("%s: %v, want %v", name, err, want)
		}
	}
	h := quick(t, "pw")
	store("alice:" + h + ":/:rw\n")
	u, err := LoadUsers(file)
	if err != nil {
		t.Fatal(err)
	}
	may(u, "alice", nil)
	may(u, "bob", ErrDenied)

	store("bob:" + h + ":/:rw\n")
	may(u, "alice", nil) // not before Reload
	if err := u.Reload(); err != nil {
		t.Fatal(err)
	}
	may(u, "alice", ErrDenied)
	may(u, "bob", nil)

	store("carol:" + h + ":/:rw\nbroken\n")
	var le *LineError
	if err := u.Reload(); !errors.As(err, &le) || le.File != file || le.Line != 2 {
		t.Fatalf("got %v", err)
	}
	may(u, "bob", nil)
	may(u, "carol", ErrDenied)

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := u.Reload(); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("got %v", err)
	}
	may(u, "bob", nil)

	if err := parse(t, "").Reload(); err == nil {
		t.Fatal("users without a file were reloaded")
	}
}

// TestReloadIsAtomic checks that a login sees one file or the other, never a mix.
func TestReloadIsAtomic(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	h := quick(t, "pw")
	texts := []string{"u:" + h + ":/one:ro\n", "u:" + h + ":/two:rw\n"}
	swap := func(i int) error {
		if err := os.WriteFile(file+".new", []byte(texts[i%2]), 0o600); err != nil {
			return err
		}
		return os.Rename(file+".new", file)
	}
	if err := swap(0); err != nil {
		t.Fatal(err)
	}
	u, err := LoadUsers(file)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				id, err := u.Authenticate(t.Context(), "u", "pw", Peer{})
				if err != nil || (id.Home == "/one") != (id.Perms == ReadOnly) {
					t.Errorf("%+v, %v", id, err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 50 {
			if err := errors.Join(swap(i), u.Reload()); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
}

// FuzzParseUsers checks that whatever is taken is safe to use as it is, and that errors are clean.
func FuzzParseUsers(f *testing.F) {
	h := verifyTests[0].hash
	f.Add([]byte("alice:" + h + ":/alice:rw\n# x\n\nbob:*:bob:list,read\r\n"))
	f.Add([]byte("\ufeffalice:" + verifyTests[4].hash + ":/a/./b//c/:none"))
	f.Add([]byte("a:" + h + ":/../x:rw\na:*:/:ro\na:*:/:ro"))
	f.Add([]byte(":::\n::::\n\x00:*:/:rw"))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := parseUsers(bytes.NewReader(text), "f")
		if err != nil {
			for _, r := range err.Error() {
				if r < ' ' && r != '\n' || r == 0x7f {
					t.Fatalf("a control character in %q", err)
				}
			}
			if set != nil {
				t.Fatal("users with the error")
			}
			return
		}
		for name, acc := range set.accounts {
			if name != acc.id.Name || checkName(name) != nil {
				t.Fatalf("name %q", name)
			}
			if home, err := parseHome(acc.id.Home); err != nil || home != acc.id.Home || home[0] != '/' {
				t.Fatalf("home %q: %v", acc.id.Home, err)
			}
			if acc.id.Perms&^ReadWrite != 0 || acc.locked == (acc.hash != Hash{}) {
				t.Fatalf("account %+v", acc)
			}
			line := fmt.Sprintf("%s:%s:%s:%s", name, acc.hash.Encoded(), acc.id.Home, acc.id.Perms)
			if acc.locked {
				line = fmt.Sprintf("%s:*:%s:%s", name, acc.id.Home, acc.id.Perms)
			}
			again, err := parseLine(line)
			if err != nil || again.id != acc.id || again.locked != acc.locked {
				t.Fatalf("%q is read as %+v, %v", line, again, err)
			}
		}
	})
}
