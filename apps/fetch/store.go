package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/weft-go/weft/runtime"
)

// Store saves pages in a directory, which it never leaves. Its methods block, and do so on the
// offload pool.
type Store struct {
	root      *os.Root
	overwrite bool
}

// A saveError is one of the disk: to get the page again would not help.
type saveError struct{ err error }

func (e *saveError) Error() string { return "not saved: " + e.err.Error() }
func (e *saveError) Unwrap() error { return e.err }

// OpenStore opens a directory, and makes it if need be. With overwrite a page replaces a file of
// its name, else it gets another name.
func OpenStore(dir string, overwrite bool) (*Store, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Store{root, overwrite}, nil
}

// Close closes the directory.
func (s *Store) Close() { _ = s.root.Close() }

// chunk is how much is written at once.
const chunk = 256 << 10

// Save saves what body has as the page of a URL, and returns the name under which it is then: all
// of it, or nothing. An error is body's, or a *saveError. It parks.
func (s *Store) Save(rawURL string, body io.Reader) (name string, err error) {
	names := namesOf(rawURL)
	temp := ".fetch-" + rand.Text()
	f, err := await(func() (*os.File, error) {
		return s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	})
	if err != nil {
		return "", err
	}
	defer func() { // also when the task is killed
		_, removeErr := await(func() (string, error) {
			_ = f.Close() // a good one was closed before
			return "", s.root.Remove(temp)
		})
		if err == nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = removeErr
		}
	}()
	w := bufio.NewWriterSize(offloaded{f}, chunk)
	if _, err := io.Copy(w, body); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return await(func() (string, error) {
		if err := f.Close(); err != nil {
			return "", err
		}
		return s.publish(temp, names)
	})
}

// offloaded writes to a file on the offload pool.
type offloaded struct{ f *os.File }

func (o offloaded) Write(p []byte) (int, error) {
	return await(func() (int, error) { return o.f.Write(p) })
}

// await calls fn, which may block, on the offload pool, and makes its error a *saveError.
func await[T any](fn func() (T, error)) (v T, err error) {
	if offloadErr := runtime.OffloadShielded(func() { v, err = fn() }); offloadErr != nil {
		return v, offloadErr
	}
	if err != nil {
		err = &saveError{err}
	}
	return v, err
}

// mostNames is how many pages may have the same name, but for a number.
const mostNames = 10_000

// publish gives the file temp the first of the names that can be had.
func (s *Store) publish(temp string, names [2]string) (name string, err error) {
	for _, name := range names {
		if err = s.root.MkdirAll(path.Dir(name), 0o777); err == nil {
			name, err = s.rename(temp, name)
		}
		if err == nil {
			return name, nil
		}
		// A file is where a directory ought to be, or the other way round: the second name is
		// none of a directory's content.
		if !errors.Is(err, syscall.ENOTDIR) && !errors.Is(err, syscall.EISDIR) && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
	return "", err
}

func (s *Store) rename(temp, name string) (string, error) {
	if s.overwrite {
		return name, s.root.Rename(temp, name)
	}
	for n := range mostNames {
		numbered := name
		if n > 0 {
			numbered = fmt.Sprintf("%s.%d", name, n)
		}
		// Link, unlike Rename, does not replace.
		if err := s.root.Link(temp, numbered); !errors.Is(err, fs.ErrExist) {
			return numbered, err
		}
	}
	return "", fs.ErrExist
}

// namesOf returns the names for the page of a URL: one by host and path, and one without
// directories of the path, for when there is a file where one would have to be.
func namesOf(rawURL string) (names [2]string) {
	u, err := url.Parse(rawURL)
	if err != nil {
		u = &url.URL{Host: "unknown", Path: rawURL}
	}
	dir := clean(u.Host)
	var parts []string
	for part := range strings.SplitSeq(u.Path, "/") {
		if part != "" {
			parts = append(parts, clean(part))
		}
	}
	if strings.HasSuffix(u.Path, "/") || len(parts) == 0 {
		parts = append(parts, "index.html")
	}
	if u.RawQuery != "" {
		last := len(parts) - 1
		parts[last] = clean(parts[last] + "@" + u.RawQuery)
	}
	names[0] = dir + "/" + strings.Join(parts, "/")
	names[1] = dir + "/" + clean(strings.Join(parts, "_"))
	return names
}

// longestName leaves room for a number.
const longestName = 200

// clean makes a name of one element, and a decent one.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == utf8.RuneError || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, name)
	for len(name) > longestName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if strings.Trim(name, ".") == "" || strings.HasPrefix(name, ".fetch-") {
		return "_" + name
	}
	return name
}
