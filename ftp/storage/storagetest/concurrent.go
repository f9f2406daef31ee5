package storagetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
)

var concurrentTests = []test{
	{"ConcurrentTree", testConcurrentTree},
	{"ConcurrentExclusive", testConcurrentExclusive},
	{"ConcurrentAppend", testConcurrentAppend},
	{"ConcurrentReplace", testConcurrentReplace},
	{"AbortWhileWriting", testAbortWhileWriting},
}

// together runs f n times at once and waits. f must not end the test, only report.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// testConcurrentTree has many users of one tree, each in a directory of its own and all in the root.
func testConcurrentTree(t *testing.T, fsys storage.FS) {
	together(8, func(i int) {
		dir := fmt.Sprintf("/d%d", i)
		err := fsys.Mkdir(dir)
		for j := 0; j < 50 && err == nil; j++ {
			err = churn(fsys, dir, j)
		}
		if err == nil {
			err = fsys.Rmdir(dir)
		}
		if err != nil {
			t.Error(err)
		}
	})
	if !t.Failed() && names(t, fsys, "/") != "" {
		t.Fatal("something is left")
	}
}

func churn(fsys storage.FS, dir string, j int) error {
	a, b := fmt.Sprintf("%s/a%d", dir, j), fmt.Sprintf("%s/b%d", dir, j)
	u, err := fsys.Create(a, storage.WriteReplace, 0)
	if err != nil {
		return err
	}
	_, err = io.WriteString(u, a)
	if err = errors.Join(err, u.Commit(), fsys.Rename(a, b)); err != nil {
		return err
	}
	f, err := fsys.Open(b)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if string(data) != a {
		return fmt.Errorf("%s holds %q", b, data)
	}
	d, err := fsys.OpenDir("/")
	if err != nil {
		return err
	}
	for err == nil {
		_, err = d.Next(3)
	}
	if err != io.EOF {
		return err
	}
	return errors.Join(d.Close(), fsys.Remove(b))
}

// testConcurrentExclusive checks FIELD B40: of many who want a name one gets it.
func testConcurrentExclusive(t *testing.T, fsys storage.FS) {
	for round := range 20 {
		var won atomic.Int32
		path := fmt.Sprintf("/f%d", round)
		together(8, func(int) {
			u, err := fsys.Create(path, storage.WriteExclusive, 0)
			switch {
			case err == nil:
				won.Add(1)
				if err := u.Commit(); err != nil {
					t.Error(err)
				}
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("%d uploads got the one name", won.Load())
		}
	}
}

func testConcurrentAppend(t *testing.T, fsys storage.FS) {
	const users, lines = 6, 50
	together(users, func(i int) {
		u, err := fsys.Create("/log", storage.WriteAppend, 0)
		for j := 0; j < lines && err == nil; j++ {
			_, err = io.WriteString(u, strings.Repeat(string(rune('a'+i)), 99)+"\n")
		}
		if err == nil {
			err = u.Commit()
		}
		if err != nil {
			t.Error(err)
		}
	})
	if t.Failed() {
		return
	}
	data := get(t, fsys, "/log")
	if len(data) != users*lines*100 {
		t.Fatalf("%d bytes, want %d", len(data), users*lines*100)
	}
	for line := range strings.Lines(data) {
		if len(line) != 100 || strings.Trim(line, line[:1]) != "\n" {
			t.Fatalf("a torn line: %q", line)
		}
	}
}

func testConcurrentReplace(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", strings.Repeat("x", 1000))
	together(6, func(i int) {
		for range 20 {
			u, err := fsys.Create("/f", storage.WriteReplace, 0)
			if err == nil {
				_, err = io.WriteString(u, strings.Repeat(string(rune('a'+i)), 1000))
				err = errors.Join(err, u.Commit())
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	if t.Failed() {
		return
	}
	if data := get(t, fsys, "/f"); len(data) != 1000 || strings.Trim(data, data[:1]) != "" {
		t.Fatal("the file is a mix of uploads")
	}
	if got := names(t, fsys, "/"); got != "f" {
		t.Fatalf("%q is left", got)
	}
}

// testAbortWhileWriting checks that an upload can be given up from elsewhere.
func testAbortWhileWriting(t *testing.T, fsys storage.FS) {
	for i := range 50 {
		u := create(t, fsys, fmt.Sprintf("/f%d", i), storage.WriteExclusive, 0)
		started := make(chan struct{})
		done := make(chan error)
		go func() {
			var err error
			close(started)
			for err == nil {
				_, err = io.WriteString(u, "data")
			}
			done <- err
		}()
		<-started
		ok(t, "Abort", u.Abort())
		want(t, "Write", <-done, fs.ErrClosed)
	}
	if got := names(t, fsys, "/"); got != "" {
		t.Fatalf("%q is left", got)
	}
}
