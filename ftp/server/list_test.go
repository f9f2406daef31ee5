package server_test

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// tree fills the served directory:
//
//	a.txt  b.txt  .hidden  -la  old  empty/  sub/x  link -> sub  out -> /etc
func (f *fixture) tree() {
	f.t.Helper()
	for _, name := range []string{"a.txt", "b.txt", ".hidden", "-la", "old"} {
		f.write(name, name)
	}
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, err := range []error{
		os.Mkdir(filepath.Join(f.root, "empty"), 0o755),
		os.Mkdir(filepath.Join(f.root, "sub"), 0o755),
		os.Symlink("sub", filepath.Join(f.root, "link")),
		os.Symlink("/etc", filepath.Join(f.root, "out")),
		os.Chtimes(filepath.Join(f.root, "old"), old, old),
	} {
		if err != nil {
			f.t.Fatal(err)
		}
	}
	f.write("sub/x", "x")
}

// sorted returns the lines of a listing in order; each ends with CRLF.
func sorted(t *testing.T, listing string) []string {
	t.Helper()
	if listing == "" {
		return nil
	}
	lines := strings.SplitAfter(listing, "\r\n")
	if lines[len(lines)-1] != "" {
		t.Errorf("last line without end: %q", listing)
	}
	lines = lines[:len(lines)-1]
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r\n")
		if strings.ContainsAny(lines[i], "\r\n") {
			t.Errorf("line with another end: %q", line)
		}
	}
	slices.Sort(lines)
	return lines
}

func TestNLST(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.tree()
		c := f.login()
		all := []string{"-la", ".hidden", "a.txt", "b.txt", "empty", "link", "old", "out", "sub"}
		for _, tc := range []struct {
			line string
			want []string
			from string
		}{
			{"NLST", all, "C111"},
			{"NLST -a", all, "C109"},
			{"NLST -l -a", all, "C109"},
			{"NLST sub", []string{"sub/x"}, "C113"},
			{"NLST sub/", []string{"sub/x"}, "C113"},
			{"NLST /sub", []string{"/sub/x"}, "C113"},
			{"NLST link", []string{"link/x"}, ""},
			{"NLST -a sub", []string{"sub/x"}, ""},
			{"NLST empty", nil, "C112"},
			{"NLST a.txt", []string{"a.txt"}, ""},
			{"NLST sub/x", []string{"sub/x"}, ""},
			{"NLST ./-la", []string{"./-la"}, "C109"},
			{"NLST *.txt", []string{"a.txt", "b.txt"}, "C114"},
			{"NLST sub/*", []string{"sub/x"}, "C114"},
			{"NLST ?.txt", []string{"a.txt", "b.txt"}, "C114"},
			{"NLST *.none", nil, "C114"},
		} {
			got := sorted(t, c.get(tc.line))
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s: %q, not %q (%s)", tc.line, got, tc.want, tc.from)
			}
			for _, name := range got {
				if strings.HasSuffix(name, "txt") || strings.HasSuffix(name, "x") {
					c.get("RETR " + name) // C111, C113
				}
			}
		}
		for _, line := range []string{
			"NLST missing", "NLST */*/*/*/*", "NLST [", "NLST out", "LIST missing", // C286, C108
		} {
			c.data()
			c.cmd(550, line)
		}
	})
}

func TestLIST(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.tree()
		c := f.login()
		byName := map[string]string{}
		for _, line := range sorted(t, c.get("LIST")) {
			name, _, _ := strings.Cut(line[strings.LastIndexByte(strings.Split(line, " -> ")[0], ' ')+1:], " -> ")
			byName[name] = line
		}
		for name, want := range map[string]string{
			"a.txt": "-rw-", "sub": "drwx", "link": "lrwx", "out": "lrwx", ".hidden": "-rw-",
		} {
			if !strings.HasPrefix(byName[name], want) {
				t.Errorf("%s is listed as %q", name, byName[name])
			}
		}
		if line := byName["old"]; !strings.Contains(line, " Feb 03  2001 old") { // C116
			t.Errorf("an old file: %q", line)
		}
		if line := byName["link"]; !strings.HasSuffix(line, "link -> sub") {
			t.Errorf("a link: %q", line)
		}
		if line := byName["out"]; strings.Contains(line, "etc") {
			t.Errorf("a link tells of the server: %q", line)
		}
		if got := c.get("LIST empty"); got != "" { // C110
			t.Errorf("an empty directory: %q", got)
		}
		if got := sorted(t, c.get("LIST sub/x")); len(got) != 1 || !strings.HasSuffix(got[0], " x") { // C107
			t.Errorf("LIST of a file: %q", got)
		}
		if got, want := c.get("LIST -la"), c.get("LIST"); got != want { // C109
			t.Errorf("LIST -la: %q, not %q", got, want)
		}
		c.cmd(200, "TYPE A")
		if got := sorted(t, c.get("LIST sub")); len(got) != 1 { // C105, C106
			t.Errorf("under TYPE A: %q", got)
		}
		// STAT tells the same over the control connection.
		stat := c.cmd(212, "STAT sub").Lines
		if want := sorted(t, c.get("LIST sub")); len(stat) != 3 || stat[1] != want[0] {
			t.Errorf("STAT: %q, LIST: %q", stat, want)
		}
		if stat := c.cmd(213, "STAT a.txt").Lines; len(stat) != 3 || !strings.HasSuffix(stat[1], " a.txt") {
			t.Errorf("STAT of a file: %q", stat)
		}
	})
}

func TestMLSx(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.tree()
		c := f.login()
		c.data()
		c.cmd(501, "MLSD a.txt") // C195
		c.data()
		c.cmd(550, "MLSD missing") // C196
		entries := map[string]ftp.Entry{}
		for _, line := range sorted(t, c.get("MLSD")) {
			e, facts, err := ftp.ParseMLSD(line)
			if err != nil || facts&ftp.FactType == 0 || facts&ftp.FactUnique == 0 {
				t.Errorf("%q: %v", line, err)
			}
			entries[e.Name] = e
		}
		if len(entries) != 9 {
			t.Errorf("%d entries", len(entries))
		}
		unique := make(map[string]string)
		for _, line := range sorted(t, c.get("MLSD")) {
			e, _, err := ftp.ParseMLSD(line)
			if err != nil || strings.Contains(e.Name, "/") || !strings.Contains(line, "; ") { // C194
				t.Errorf("%q: %v", line, err)
			}
			if e.Kind != ftp.KindPlain { // C197: neither cdir nor pdir
				t.Errorf("%q", line)
			}
			if e.Unique != entries[e.Name].Unique { // C200
				t.Errorf("unique facts of %s: %s, %s", e.Name, e.Unique, entries[e.Name].Unique)
			}
			if other, twice := unique[e.Unique]; twice {
				t.Errorf("%s and %s have the unique fact %s", e.Name, other, e.Unique)
			}
			unique[e.Unique] = e.Name
		}
		if e := entries["a.txt"]; !e.Mode.IsRegular() || e.Size != 5 || !e.Perm.Has(ftp.PermRead|ftp.PermDelete) {
			t.Errorf("%+v", e)
		}
		if e := entries["sub"]; !e.Mode.IsDir() || !e.Perm.Has(ftp.PermList) {
			t.Errorf("%+v", e)
		}
		if e := entries["link"]; e.Mode&fs.ModeSymlink == 0 {
			t.Errorf("%+v", e)
		}
		mlst := c.cmd(250, "MLST sub/x").Lines // C191
		if len(mlst) != 3 || !strings.HasPrefix(mlst[1], " type=file;") || !strings.HasSuffix(mlst[1], " /sub/x") {
			t.Errorf("MLST: %q", mlst)
		}
		c.cmd(200, "OPTS MLST size;")
		if got := sorted(t, c.get("MLSD sub")); !slices.Equal(got, []string{"size=1; x"}) { // C202
			t.Errorf("with one fact: %q", got)
		}
		c.cmd(200, "OPTS MLST")
		if got := sorted(t, c.get("MLSD sub")); !slices.Equal(got, []string{" x"}) { // C203
			t.Errorf("without facts: %q", got)
		}
	})
}

// C199: the perm fact tells what the user may do.
func TestPermFact(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, twoUsers)
		for _, tc := range []struct{ user, want string }{
			{"writer", "perm=adfrw; file"}, {"reader", "perm=r; file"},
		} {
			c := f.dial()
			c.cmd(331, "USER "+tc.user)
			c.cmd(230, "PASS "+tc.user)
			c.cmd(200, "OPTS MLST perm;")
			if tc.user == "writer" {
				c.put("STOR file", "x")
			}
			if got := c.get("MLSD"); got != tc.want+"\r\n" {
				t.Errorf("%s: %q, not %q", tc.user, got, tc.want)
			}
		}
	})
}

// C115: a listing is streamed. The directory has no end, so nothing else could
// bring its first line.
func TestListingStreams(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		var given atomic.Int64
		f := start(t, e, func(c *server.Config) { c.Root = endless{storage.NewMem(), &given} })
		c := f.login()
		for _, verb := range []string{"LIST", "NLST", "MLSD"} {
			d := c.data()
			c.cmd(150, verb)
			r := bufio.NewReader(d)
			for range 1000 {
				if _, err := r.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			d.Close()
			c.expect(426)
		}
		c.cmd(200, "NOOP")
	})
}

// endless has a root directory without end.
type endless struct {
	storage.FS
	given *atomic.Int64
}

func (f endless) OpenDir(string) (storage.Dir, error) { return endlessDir(f), nil }

type endlessDir endless

func (d endlessDir) Next(n int) ([]storage.Entry, error) {
	entries := make([]storage.Entry, n)
	for i := range entries {
		entries[i].Name = fmt.Sprintf("file%d", d.given.Add(1))
	}
	return entries, nil
}

func (endlessDir) Close() error { return nil }

// A directory that fails in the middle of a listing.
func TestListingFails(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.Root = failing{storage.NewMem()} })
		c := f.login()
		d := c.data()
		c.cmd(150, "LIST")
		if _, err := io.ReadAll(d); err == nil {
			t.Error("what was cut off ends like a whole listing")
		}
		c.expect(451)
		if r := c.cmd(212, "STAT /"); r.Lines[len(r.Lines)-1] != "Incomplete." {
			t.Errorf("STAT: %q", r.Lines)
		}
		c.cmd(200, "NOOP")
	})
}

// failing has directories that fail after their first batch.
type failing struct{ storage.FS }

func (failing) OpenDir(string) (storage.Dir, error) { return new(failingDir), nil }

type failingDir struct{ calls int }

func (d *failingDir) Next(int) ([]storage.Entry, error) {
	if d.calls++; d.calls > 1 {
		return nil, fmt.Errorf("disk on fire")
	}
	return []storage.Entry{{Name: "x"}}, nil
}

func (*failingDir) Close() error { return nil }
