package conformance

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// everything is in the served directory, in order.
var everything = []string{".hidden", "a.txt", "b.txt", "dir", "empty", "file", "link", "old", "out"}

// same fails unless two lists are the same.
func (f *fixture) same(what string, got, want []string) {
	f.Helper()
	if !slices.Equal(got, want) {
		f.Errorf("%s: %q, not %q", what, got, want)
	}
}

// LIST and NLST.
func init() {
	// last returns the last words of the lines of LIST.
	last := func(f *fixture, listing string) []string {
		var names []string
		for _, line := range f.lines(listing) {
			line, _, _ = strings.Cut(line, " -> ")
			names = append(names, line[strings.LastIndexByte(line, ' ')+1:])
		}
		slices.Sort(names)
		return names
	}
	runs("C105", func(f *fixture) {
		f.same("LIST", last(f, f.login().get("LIST")), everything)
		f.decide(226)
	})
	runs("C106", func(f *fixture) {
		c := f.login()
		image := c.get("LIST")
		c.cmd(200, "TYPE A")
		if text := c.get("LIST"); text != image {
			f.Errorf("%q, %q", image, text)
		}
	})
	runs("C107", func(f *fixture) {
		if got := f.lines(f.login().get("LIST dir/x")); len(got) != 1 || !strings.HasPrefix(got[0], "-rw") || !strings.HasSuffix(got[0], " x") {
			f.Errorf("%q", got)
		}
	})
	runs("C108", func(f *fixture) { f.login().refused(550, "LIST missing"); f.decide(550) })
	runs("C109", func(f *fixture) {
		c := f.login()
		f.write("-la", "")
		f.same("LIST -la", f.lines(c.get("LIST -la")), f.lines(c.get("LIST")))
		f.same("LIST -l -a dir", last(f, c.get("LIST -l -a dir")), []string{"x"})
		f.same("LIST ./-la", last(f, c.get("LIST ./-la")), []string{"-la"})
		c.refused(504, "LIST -R")
		c.refused(504, "NLST -lRa dir")
		c.cmd(504, "STAT -R")
	})
	runs("C110", func(f *fixture) {
		if got := f.login().get("LIST empty"); got != "" {
			f.Errorf("%q", got)
		}
		f.decide(226)
	})
	runs("C111", func(f *fixture) {
		c := f.login()
		f.write("a [b] *?", "odd")
		names := f.lines(c.get("NLST"))
		f.same("NLST", names, slices.Sorted(slices.Values(append([]string{"a [b] *?"}, everything...))))
		for _, name := range names {
			if info, err := os.Stat(f.path(name)); err == nil && info.Mode().IsRegular() && name != "out" {
				if got := c.get("RETR " + name); got != f.content(name) {
					f.Errorf("RETR %s: %q", name, got)
				}
			}
		}
		// FIELD A34: what looks like a pattern is taken literally first.
		f.same("NLST of an odd name", f.lines(c.get("NLST a [b] *?")), []string{"a [b] *?"})
	})
	runs("C112", func(f *fixture) {
		if got := f.login().get("NLST empty"); got != "" {
			f.Errorf("%q", got)
		}
		f.decide(226)
	})
	runs("C113", func(f *fixture) {
		c := f.login()
		for arg, want := range map[string]string{"dir": "dir/x", "dir/": "dir/x", "/dir": "/dir/x", "link": "link/x", "dir/x": "dir/x", "dir/*": "dir/x"} {
			f.same("NLST "+arg, f.lines(c.get("NLST "+arg)), []string{want})
			if got := c.get("RETR " + want); got != "x" {
				f.Errorf("%q", got)
			}
		}
	})
	runs("C114", func(f *fixture) {
		c := f.login()
		for pattern, want := range map[string][]string{
			"*.txt": {"a.txt", "b.txt"}, "?.txt": {"a.txt", "b.txt"}, "[ab].txt": {"a.txt", "b.txt"},
			"*.none": nil, "[^a].txt": {"b.txt"},
		} {
			f.same("NLST "+pattern, f.lines(c.get("NLST "+pattern)), want)
		}
		c.refused(550, "NLST {a,b}.txt") // not expanded: a name like any other
		c.refused(550, "NLST [a")
	})
	runs("C286", func(f *fixture) {
		c := f.login()
		c.refused(550, "NLST */*/*/*/*")
		c.refused(550, "LIST */x")
		c.refused(550, "NLST "+strings.Repeat("{a,b}", 20))
		f.decide(550)
	})
	runs("C115", func(f *fixture) {
		c := f.login()
		for _, verb := range []string{"LIST", "NLST", "MLSD"} {
			d := c.transfer(verb)
			r := bufio.NewReader(d)
			// The directory gives its second batch once the first line is here.
			n := 0
			for {
				line, err := r.ReadString('\n')
				if err == io.EOF {
					break
				}
				if err != nil || !strings.HasSuffix(line, fmt.Sprintf("file%d\r\n", n)) {
					f.Fatalf("line %d: %q, %v", n, line, err)
				}
				if n == 0 {
					many.step <- struct{}{}
				}
				n++
			}
			if n != manyEntries {
				f.Errorf("%s: %d lines", verb, n)
			}
			d.Close()
			c.expect(226)
		}
	}, func(c *server.Config) {
		many = &manyFS{storage.NewMem(), make(chan struct{})}
		c.Root = many
	})
	runs("C116", func(f *fixture) {
		c := f.login()
		if got := f.lines(c.get("LIST old"))[0]; !strings.HasSuffix(got, " Feb 03  2001 old") {
			f.Errorf("%q", got)
		}
		at := time.Now().Add(-time.Hour)
		if err := os.Chtimes(f.path("file"), at, at); err != nil {
			f.Fatal(err)
		}
		if got := f.lines(c.get("LIST file"))[0]; !strings.HasSuffix(got, at.UTC().Format(" Jan 02 15:04")+" file") {
			f.Errorf("%q", got)
		}
	})
}

// manyFS has a directory of a hundred thousand entries, and gives all batches in
// the same memory: who keeps one sees it change.
type manyFS struct {
	storage.FS
	step chan struct{} // one for each listing, before its second batch
}

const manyEntries = 100000

var many *manyFS // of the fixture that runs

func (m *manyFS) OpenDir(string) (storage.Dir, error) { return &manyDir{fs: m}, nil }

type manyDir struct {
	fs    *manyFS
	given int
	batch []storage.Entry
}

func (d *manyDir) Next(n int) ([]storage.Entry, error) {
	if n > 1000 {
		return nil, fmt.Errorf("a batch of %d", n)
	}
	if d.batch == nil {
		d.batch = make([]storage.Entry, n)
	} else if d.given == n {
		<-d.fs.step
	}
	n = min(n, manyEntries-d.given)
	if n == 0 {
		return nil, io.EOF
	}
	for i := range n {
		d.batch[i] = storage.Entry{Name: fmt.Sprintf("file%d", d.given), Mode: 0o644}
		d.given++
	}
	return d.batch[:n], nil
}

func (*manyDir) Close() error { return nil }

// entries parses what MLSD sends.
func (f *fixture) entries(listing string) map[string]ftp.Entry {
	f.Helper()
	all := map[string]ftp.Entry{}
	for _, line := range f.lines(listing) {
		e, _, err := ftp.ParseMLSD(line)
		if err != nil {
			f.Fatalf("%q: %v", line, err)
		}
		all[e.Name] = e
	}
	return all
}

// MLST and MLSD.
func init() {
	runs("C191", func(f *fixture) {
		c := f.login()
		c.cmd(200, "OPTS MLST type;size;UNIX.mode;")
		for _, tc := range []struct{ arg, line string }{
			{"file", " type=file;size=50;UNIX.mode=0644; /file"},
			{"dir/x", " type=file;size=1;UNIX.mode=0644; /dir/x"},
			{"dir", " type=dir;UNIX.mode=0755; /dir"},
		} {
			r := c.cmd(250, "MLST "+tc.arg)
			if len(r.Lines) != 3 || r.Lines[1] != tc.line {
				f.Errorf("%q, not %q", r.Lines, tc.line)
			}
			f.decide(r.Code)
		}
	})
	runs("C192", func(f *fixture) {
		c := f.login()
		c.cmd(250, "CWD dir")
		if r := c.cmd(250, "MLST"); !strings.HasPrefix(r.Lines[1], " type=dir;") || !strings.HasSuffix(r.Lines[1], "; /dir") {
			f.Errorf("%q", r.Lines)
		}
	})
	is("C193", 550)
	runs("C194", func(f *fixture) {
		c := f.login()
		if err := os.WriteFile(f.path("empty/a; b\xff"), nil, 0o644); err != nil {
			f.Fatal(err)
		}
		c.cmd(200, "OPTS MLST type;size;")
		if got := c.get("MLSD empty"); got != "type=file;size=0; a; b\xff\r\n" {
			f.Errorf("%q", got)
		}
		f.decide(226)
	})
	runs("C195", func(f *fixture) { f.login().refused(501, "MLSD file"); f.decide(501) })
	runs("C196", func(f *fixture) { f.login().refused(550, "MLSD missing"); f.decide(550) })
	runs("C197", func(f *fixture) {
		for name, e := range f.entries(f.login().get("MLSD")) {
			if e.Kind != ftp.KindPlain || name == "." || name == ".." {
				f.Errorf("%+v", e)
			}
		}
	})
	runs("C198", func(f *fixture) {
		if err := syscall.Mkfifo(f.path("pipe"), 0o644); err != nil {
			f.Fatal(err)
		}
		c := f.login()
		c.cmd(200, "OPTS MLST type;")
		got := f.lines(c.get("MLSD"))
		for _, want := range []string{"type=dir; dir", "type=file; file", "type=OS.unix=slink:dir; link", "type=OS.unix=slink; out", "type=OS.unix=pipe; pipe"} {
			if !slices.Contains(got, want) {
				f.Errorf("lacks %q: %q", want, got)
			}
		}
	})
	runs("C199", func(f *fixture) {
		if err := syscall.Mkfifo(f.path("pipe"), 0o644); err != nil {
			f.Fatal(err)
		}
		for _, tc := range []struct {
			as, file, dir, pipe string
			change              func(*server.Config)
		}{
			{user, "adfrw", "ecpdflm", "df", func(*server.Config) {}},
			{reader, "r", "el", "", func(*server.Config) {}},
			{user, "r", "el", "", func(c *server.Config) { c.Root = storage.ReadOnly(c.Root) }},
		} {
			here := start(f.T, f.engine, f.check, tc.change)
			if err := syscall.Mkfifo(here.path("pipe"), 0o644); err != nil {
				f.Fatal(err)
			}
			c := here.loginAs(tc.as)
			c.cmd(200, "OPTS MLST perm;")
			got := here.lines(c.get("MLSD"))
			for _, want := range []string{"perm=" + tc.file + "; file", "perm=" + tc.dir + "; dir", "perm=" + tc.pipe + "; pipe"} {
				if !slices.Contains(got, want) {
					f.Errorf("%s lacks %q: %q", tc.as, want, got)
				}
			}
			// The letters are true.
			c.get("RETR file")
			if tc.file == "r" {
				c.refused(550, "STOR file")
				c.steps("550 DELE file", "550 MKD dir/d")
				continue
			}
			c.put("APPE file", "x")
			c.steps("257 MKD dir/d", "250 RMD dir/d", "350 RNFR file", "250 RNTO g", "250 DELE g")
		}
	})
	runs("C200", func(f *fixture) {
		if err := os.Link(f.path("file"), f.path("dir/same")); err != nil {
			f.Fatal(err)
		}
		c := f.login()
		all := f.entries(c.get("MLSD"))
		seen := map[string]string{}
		for name, e := range all {
			if e.Unique == "" || seen[e.Unique] != "" {
				f.Errorf("%s has %q, as %s", name, e.Unique, seen[e.Unique])
			}
			seen[e.Unique] = name
		}
		if got := f.entries(c.get("MLSD dir"))["same"].Unique; got != all["file"].Unique {
			f.Errorf("the same file: %q, %q", got, all["file"].Unique)
		}
		c.steps("350 RNFR file", "250 RNTO renamed")
		if got := f.entries(c.get("MLSD"))["renamed"].Unique; got != all["file"].Unique {
			f.Errorf("renamed: %q, %q", got, all["file"].Unique)
		}
	})
	runs("C201", func(f *fixture) {
		c := f.login()
		if got := f.feature(c, "MLST"); got != "MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;UNIX.owner*;UNIX.group*;" {
			f.Errorf("%q", got)
		}
		c.cmd(200, "OPTS MLST size;")
		if got := f.feature(c, "MLST"); got != "MLST type;size*;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;" {
			f.Errorf("%q", got)
		}
	})
	runs("C202", func(f *fixture) {
		c := f.login()
		c.text(200, "OPTS MLST size;type;", "MLST OPTS type;size;")
		f.same("MLSD", f.lines(c.get("MLSD dir")), []string{"type=file;size=1; x"})
	})
	runs("C203", func(f *fixture) {
		c := f.login()
		c.text(200, "OPTS MLST", "MLST OPTS")
		f.same("MLSD", f.lines(c.get("MLSD dir")), []string{" x"})
	})
	runs("C204", func(f *fixture) { f.login().text(200, "OPTS MLST bogus;", "MLST OPTS") })
	runs("C205", func(f *fixture) {
		c := f.login()
		f.feature(c, "TVFS")
		c.steps("250 CWD dir/../dir", "250 CWD ..")
		c.text(257, "PWD", `"/" is the current directory.`)
	})
}
