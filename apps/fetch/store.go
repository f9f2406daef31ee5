package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"

	"github.com/weft-go/weft/runtime"
)

// A Store is a directory for pages. What is there is never overwritten.
type Store struct {
	root *os.Root
	dir  string
}

// OpenStore opens a directory, which it makes if need be.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Store{root, dir}, nil
}

// Close closes the directory.
func (s *Store) Close() { _ = s.root.Close() }

// Save saves a page under a name that is made of its URL, and returns the file's.
// A page that does not come whole leaves nothing behind.
func (s *Store) Save(u *url.URL, body io.Reader) (file string, err error) {
	var name string
	var f *os.File
	if err := runtime.OffloadShielded(func() { name, f, err = s.create(fileName(u)) }); err != nil {
		return "", err
	}
	if err != nil {
		return "", err
	}
	whole := false
	defer func() { // a killed task comes here, too
		_ = runtime.OffloadShielded(func() {
			closed := f.Close()
			if err == nil {
				err = closed
			}
			if !whole || err != nil {
				_ = s.root.Remove(name)
			}
		})
	}()
	buf := make([]byte, 64<<10)
	for {
		n, readErr := body.Read(buf)
		if n > 0 {
			var err error
			if off := runtime.OffloadShielded(func() { _, err = f.Write(buf[:n]) }); off != nil || err != nil {
				return "", errors.Join(off, err)
			}
		}
		if readErr == io.EOF {
			whole = true
			return path.Join(s.dir, name), nil
		}
		if readErr != nil {
			return "", readErr
		}
	}
}

// maxNames bounds the search for a free name.
const maxNames = 10_000

// create makes a new file called name, or name with a number.
func (s *Store) create(name string) (string, *os.File, error) {
	ext := path.Ext(name)
	for i := range maxNames {
		candidate := name
		if i > 0 {
			candidate = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), i, ext)
		}
		f, err := s.root.OpenFile(candidate, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return candidate, f, err
		}
	}
	return "", nil, fmt.Errorf("%s: %w", name, fs.ErrExist)
}

// maxName is the length to which names are cut, so that a number and an extension find room.
const maxName = 200

// fileName returns a name for the page of a URL: the last part of its path, without
// what a file system or a shell may take for more than a name.
func fileName(u *url.URL) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(path.Base(path.Clean("/"+u.Path)), "_"))
	name = strings.TrimLeft(name, ".-")
	if name == "" || name == "_" {
		name = u.Hostname() + ".html"
		name = strings.Map(func(r rune) rune {
			if r == ':' || r == '%' {
				return '_' // of an IPv6 address
			}
			return r
		}, name)
	}
	for i := range name {
		if i > maxName {
			return name[:i]
		}
	}
	return name
}

// isFileError reports whether err comes from the file system.
func isFileError(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p)
}
