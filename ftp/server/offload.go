package server

import (
	"context"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime"
)

// Calls of stores and authenticators may block a thread, so they leave the
// worker: through await, and only here. What one command needs is one call
// where that is possible, since each costs two switches of threads.

// await calls fn where it may block and returns its results. It returns when fn
// has, whatever happens; a panic of fn goes on in the caller.
func await[T any](e Engine, fn func() (T, error)) (v T, err error) {
	if oerr := e.Offload(func() { v, err = fn() }); oerr != nil {
		if p, ok := errors.AsType[*runtime.PanicError](oerr); ok {
			panic(&crash{p.Value, p.Stack})
		}
		return v, oerr
	}
	return v, err
}

// awaitErr is await for a function without a value.
func awaitErr(e Engine, fn func() error) error {
	_, err := await(e, func() (struct{}, error) { return struct{}{}, fn() })
	return err
}

// authenticate checks a login.
func authenticate(ctx context.Context, e Engine, a auth.Authenticator, user, password string, from auth.Peer) (*auth.Identity, error) {
	return await(e, func() (*auth.Identity, error) {
		return a.Authenticate(ctx, user, password, from)
	})
}

// A store is a user's tree. Its methods are those of storage.FS.
type store struct {
	engine Engine
	fs     storage.FS
	shared bool // fs is the server's, and not closed
	srv    *Server
	tree   *tree // that has a quota, nil for none

	refused ftp.Perm // rights that are of no use in this tree
}

// A callLimit is an engine on which a bounded number of blocking calls run at a
// time: a tree whose disk hangs must not take all threads from the others.
type callLimit struct {
	Engine
	places *gate
}

// Offload waits for a place first, also if the caller is killed: what it has
// opened must be closed.
func (l callLimit) Offload(fn func()) error {
	l.places.enterShielded()
	defer l.places.leave()
	return l.Engine.Offload(fn)
}

// openStore returns the tree of a user.
func openStore(srv *Server, host *Host, cfg *Config, id *auth.Identity, place *userPlace) (*store, error) {
	s := &store{engine: callLimit{cfg.Engine, &srv.calls}, fs: cfg.Root, shared: true, srv: srv}
	if cfg.RootFor != nil {
		s.engine = callLimit{cfg.Engine, &place.calls}
	}
	if cfg.RootFor == nil && id.Home == "/" {
		return s.limit(host, cfg, id), nil
	}
	fsys, err := await(s.engine, func() (storage.FS, error) {
		if cfg.RootFor != nil {
			return cfg.RootFor(id)
		}
		return storage.Sub(cfg.Root, id.Home)
	})
	if err != nil {
		return nil, err
	}
	s.fs, s.shared = fsys, false
	return s.limit(host, cfg, id), nil
}

// limit finds out what the tree refuses everyone, and gives it the user's quota.
func (s *store) limit(host *Host, cfg *Config, id *auth.Identity) *store {
	max := quota(cfg, id)
	switch {
	case storage.IsReadOnly(s.fs):
		s.refused = ^(ftp.PermList | ftp.PermRead)
	case max != storage.Limits{}:
		s.tree = s.srv.trees.enter(host, cfg, id)
		s.fs = s.tree.usage.Limit(s.fs, max)
	}
	return s
}

// usage returns what the tree holds and may hold, errors.ErrUnsupported if it has no quota.
func (s *store) usage() (used, max storage.Limits, err error) {
	err = awaitErr(s.engine, func() (err error) {
		used, max, err = storage.UsageOf(s.fs)
		return err
	})
	return used, max, err
}

func (s *store) close() error {
	if s.tree != nil {
		defer s.srv.trees.leave(s.tree)
	}
	if s.shared {
		return nil
	}
	return awaitErr(s.engine, s.fs.Close)
}

func (s *store) stat(path string) (storage.Entry, error) {
	return await(s.engine, func() (storage.Entry, error) { return s.fs.Stat(path) })
}

func (s *store) lstat(path string) (storage.Entry, error) {
	return await(s.engine, func() (storage.Entry, error) { return s.fs.Lstat(path) })
}

// mkdir makes a directory without the permission bits of mask.
func (s *store) mkdir(path string, mask fs.FileMode) error {
	return awaitErr(s.engine, func() error {
		err := s.fs.Mkdir(path)
		if err != nil || mask == 0 {
			return err
		}
		e, err := s.fs.Lstat(path)
		if err != nil {
			return err
		}
		return s.fs.Chmod(path, e.Mode.Perm()&^mask)
	})
}

func (s *store) remove(path string) error {
	return awaitErr(s.engine, func() error { return s.fs.Remove(path) })
}

func (s *store) rmdir(path string) error {
	return awaitErr(s.engine, func() error { return s.fs.Rmdir(path) })
}

func (s *store) rename(from, to string) error {
	return awaitErr(s.engine, func() error { return s.fs.Rename(from, to) })
}

func (s *store) chmod(path string, perm fs.FileMode) error {
	return awaitErr(s.engine, func() error { return s.fs.Chmod(path, perm) })
}

func (s *store) chtimes(path string, mtime time.Time) error {
	return awaitErr(s.engine, func() error { return s.fs.Chtimes(path, mtime) })
}

func (s *store) symlink(target, path string) error {
	return awaitErr(s.engine, func() error { return storage.Symlink(s.fs, target, path) })
}

func (s *store) free(path string) (int64, error) {
	return await(s.engine, func() (int64, error) { return storage.Free(s.fs, path) })
}

// A source is a file being read, or a part of it.
type source struct {
	engine Engine
	file   storage.File
	os     *os.File // for sendfile, or nil
	path   string
	start  int64         // the offset it was opened at
	entry  storage.Entry // when it was opened
	limit  int64         // how much is wanted, 0 for all
	taken  int64         // how much was read
}

// open opens a file at an offset, to read as much as length, or to the end if that
// is 0. An offset beyond the end gives storage.ErrOffset.
func (s *store) open(path string, offset, length int64) (*source, error) {
	return await(s.engine, func() (*source, error) {
		file, err := s.fs.Open(path)
		if err != nil {
			return nil, err
		}
		f := &source{engine: s.engine, file: file, path: path, start: offset, limit: length}
		if err := f.begin(offset); err != nil {
			_ = file.Close()
			return nil, err
		}
		return f, nil
	})
}

func (f *source) begin(offset int64) error {
	e, err := f.file.Stat()
	if err != nil {
		return err
	}
	f.entry = e
	if o, ok := f.file.(storage.OSFiler); ok {
		f.os = o.OSFile()
	}
	if offset > e.Size {
		return storage.ErrOffset
	}
	if offset == 0 {
		return nil
	}
	_, err = f.file.Seek(offset, io.SeekStart)
	return err
}

// length is how much there is to read.
func (f *source) length() int64 {
	n := f.entry.Size - f.start
	if f.limit > 0 {
		n = min(n, f.limit)
	}
	return n
}

// is reports whether an entry is of the very file.
func (f *source) is(e storage.Entry) bool {
	return f.entry.Ino != 0 && f.entry.Ino == e.Ino && f.entry.Dev == e.Dev
}

// left is how much may be read yet, many bytes if there is no limit.
func (f *source) left() int64 {
	if f.limit == 0 {
		return 1<<63 - 1
	}
	return f.limit - f.taken
}

func (f *source) read(p []byte) (int, error) {
	return await(f.engine, func() (int, error) { return f.readNow(p) })
}

// readNow is read where it may block.
func (f *source) readNow(p []byte) (int, error) {
	if left := f.left(); left < int64(len(p)) {
		p = p[:left]
	}
	if len(p) == 0 {
		return 0, io.EOF
	}
	n, err := f.file.Read(p)
	f.taken += int64(n)
	return n, err
}

// digest reads into p and adds that to h.
func (f *source) digest(h hash.Hash, p []byte) (int, error) {
	return await(f.engine, func() (int, error) {
		n, err := f.readNow(p)
		h.Write(p[:n]) // never fails
		return n, err
	})
}

// moveChunk is how much one call moves from file to file.
const moveChunk = 8 << 20

// moveTo moves some of the source to a sink, and returns io.EOF at its end: by the
// kernel if both are files of it, else by way of p.
func (f *source) moveTo(to *sink, p []byte) (int64, error) {
	return await(f.engine, func() (int64, error) {
		if o, ok := to.upload.(storage.OSFiler); ok && f.os != nil {
			if file := o.OSFile(); file != nil {
				return f.spliceTo(to, file)
			}
		}
		n, err := f.readNow(p)
		if n > 0 {
			if err := to.writeNow(p[:n]); err != nil {
				return 0, err
			}
		}
		return int64(n), err
	})
}

// spliceTo is moveTo where it may block, for files. It takes one byte too many of a
// source that is too large, to find out.
func (f *source) spliceTo(to *sink, file *os.File) (int64, error) {
	want := min(moveChunk, f.left())
	if to.left < want {
		want = to.left + 1
	}
	n, err := io.Copy(file, &io.LimitedReader{R: f.os, N: want})
	f.taken += n
	to.taken += n
	to.left -= n
	switch {
	case err != nil:
		return n, storage.Translate("copy", f.path, err)
	case to.left < 0:
		return n, errFileTooLarge
	case n < want:
		return n, io.EOF
	}
	return n, nil
}

// seek moves to a number of bytes behind the start.
func (f *source) seek(n int64) error {
	f.taken = n
	return awaitErr(f.engine, func() error {
		_, err := f.file.Seek(f.start+n, io.SeekStart)
		return err
	})
}

func (f *source) close() error { return awaitErr(f.engine, f.file.Close) }

// A sink is a file being written.
type sink struct {
	engine Engine
	upload storage.Upload
	left   int64 // how much it may take yet
	taken  int64 // how much it has taken
}

// limits are what an upload may make: a file without the permission bits of mask,
// of at most size bytes.
type limits struct {
	mask fs.FileMode
	size int64
}

// create begins an upload.
func (s *store) create(path string, mode storage.WriteMode, offset int64, l limits) (*sink, error) {
	return await(s.engine, func() (*sink, error) {
		f := &sink{engine: s.engine, left: l.size - offset}
		if mode == storage.WriteAppend && l.size < noLength {
			if e, err := s.fs.Stat(path); err == nil {
				f.left -= e.Size
			}
		}
		if f.left < 0 {
			return nil, errFileTooLarge
		}
		var err error
		if f.upload, err = s.fs.Create(path, mode, offset); err != nil {
			return nil, err
		}
		if m, ok := f.upload.(storage.Masker); ok && l.mask != 0 {
			if err := m.Mask(l.mask); err != nil {
				_ = f.upload.Abort() // nothing was written
				return nil, err
			}
		}
		return f, nil
	})
}

// write writes all of p.
func (f *sink) write(p []byte) error {
	return awaitErr(f.engine, func() error { return f.writeNow(p) })
}

// noLength is the limit of a sink that has none.
const noLength = 1<<63 - 1

// writeNow is write where it may block.
func (f *sink) writeNow(p []byte) error {
	if int64(len(p)) > f.left {
		return errFileTooLarge
	}
	f.left -= int64(len(p))
	f.taken += int64(len(p))
	_, err := f.upload.Write(p)
	return err
}

// commit makes the upload final. With an error it has been given up.
func (f *sink) commit() error { return awaitErr(f.engine, f.upload.Commit) }

func (f *sink) abort() error { return awaitErr(f.engine, f.upload.Abort) }

// A listing is a directory being listed, or a single entry.
type listing struct {
	engine Engine
	dir    storage.Dir   // nil for a single entry
	single storage.Entry // what is listed if it is no directory
	match  string        // the pattern names must match, "" for none
}

// list opens a listing of a directory, or of what else is at path.
func (s *store) list(path string) (*listing, error) {
	return await(s.engine, func() (*listing, error) {
		l := &listing{engine: s.engine}
		dir, err := s.fs.OpenDir(path)
		if err == nil {
			l.dir = dir
			return l, nil
		}
		if !errors.Is(err, storage.ErrNotDir) {
			return nil, err
		}
		l.single, err = s.fs.Lstat(path)
		return l, err
	})
}

// listDir is list for a directory only; anything else gives
// storage.ErrNotDir.
func (s *store) listDir(path string) (*listing, error) {
	return await(s.engine, func() (*listing, error) {
		dir, err := s.fs.OpenDir(path)
		return &listing{engine: s.engine, dir: dir}, err
	})
}

// batch is how many entries of a directory one call reads.
const batch = 256

// next returns the next entries that match, possibly none, and io.EOF at the
// end.
func (l *listing) next() ([]storage.Entry, error) {
	if l.dir == nil {
		return nil, io.EOF
	}
	return await(l.engine, func() ([]storage.Entry, error) {
		entries, err := l.dir.Next(batch)
		if l.match != "" {
			entries = matching(entries, l.match)
		}
		return entries, err
	})
}

func (l *listing) close() error {
	if l.dir == nil {
		return nil
	}
	return awaitErr(l.engine, l.dir.Close)
}
