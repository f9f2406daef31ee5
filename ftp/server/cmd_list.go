package server

import (
	"errors"
	"io"
	"io/fs"
	stdnet "net"
	"path"
	"strings"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/storage"
)

// A form appends the line of an entry.
type form func(dst []byte, e *ftp.Entry) []byte

func listForm() form {
	now := time.Now()
	return func(dst []byte, e *ftp.Entry) []byte { return ftp.AppendList(dst, e, now) }
}

func (s *session) cmdLIST(arg string) (reply, error) {
	l, _, err := s.openListing(arg)
	if err != nil {
		return reply{}, err
	}
	return s.sendListing("LIST", l, listForm())
}

// cmdNLST keeps the path it was given in front of the names, so that they can be
// used with RETR as they are (RFC 1123 section 4.1.2.7).
func (s *session) cmdNLST(arg string) (reply, error) {
	l, prefix, err := s.openListing(arg)
	if err != nil {
		return reply{}, err
	}
	return s.sendListing("NLST", l, func(dst []byte, e *ftp.Entry) []byte {
		return ftp.AppendName(dst, prefix, e.Name)
	})
}

func (s *session) cmdMLSD(arg string) (reply, error) {
	p, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	l, err := s.store().listDir(p)
	if errors.Is(err, storage.ErrNotDir) {
		return reply{}, errMLSDFile
	}
	if err != nil {
		return reply{}, err
	}
	facts := s.facts
	return s.sendListing("MLSD", l, func(dst []byte, e *ftp.Entry) []byte {
		return ftp.AppendMLSD(dst, e, facts)
	})
}

// cmdMLST tells of the path itself, over the control connection. A link is
// described, not followed, as MLSD does.
func (s *session) cmdMLST(arg string) (reply, error) {
	p, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	e, err := s.store().lstat(p)
	if err != nil {
		return reply{}, err
	}
	shown := s.shown(&e)
	return answer(ftp.CodeFileOK, "Listing "+p, ftp.MLSTLine(&shown, p, s.facts), "End."), nil
}

// cmdSTAT tells of the session, or with a path what LIST would tell, over the
// control connection (RFC 959 section 4.1.3).
func (s *session) cmdSTAT(arg string) (reply, error) {
	if arg == "" {
		return answer(ftp.CodeSystemStatus, s.status()...), nil
	}
	l, _, err := s.openListing(arg)
	if err != nil {
		return reply{}, err
	}
	code := ftp.CodeFileStatus
	if l.dir != nil {
		code = ftp.CodeDirStatus
	}
	r := answer(code, "Status follows:", "End of status.")
	r.body = func(line func(string) error) error {
		defer l.close()
		form, buf := listForm(), []byte(nil)
		return s.eachEntry(l, func(e *ftp.Entry) error {
			buf = form(buf[:0], e)
			return line(strings.TrimSuffix(string(buf), "\r\n"))
		}, func() error { return nil })
	}
	return r, nil
}

// sendListing sends a listing over the data connection, batch by batch, as text
// whatever the type is (RFC 1123 section 4.1.2.7).
func (s *session) sendListing(verb string, l *listing, f form) (reply, error) {
	defer l.close()
	err := s.transfer(verb, "Here comes the listing.", func(t *transfer, c stdnet.Conn) error {
		p := t.pace()
		b := takeSmall()
		defer b.put()
		lines := b.bytes[:0]
		flush := func() error {
			if len(lines) == 0 {
				return nil
			}
			err := t.send(c, p, lines)
			lines = b.bytes[:0]
			return err
		}
		return s.eachEntry(l, func(e *ftp.Entry) error {
			if lines = f(lines, e); len(lines) < smallBuffer/2 {
				return nil
			}
			return flush()
		}, flush)
	})
	if err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeTransferDone, "Listing complete."), nil
}

// eachEntry calls f for each entry of a listing, and flush after each batch: the
// next one may take the store its time.
func (s *session) eachEntry(l *listing, f func(*ftp.Entry) error, flush func() error) error {
	if l.dir == nil {
		e := s.shown(&l.single)
		if err := f(&e); err != nil {
			return err
		}
		return flush()
	}
	for {
		entries, err := l.next()
		for i := range entries {
			e := s.shown(&entries[i])
			if err := f(&e); err != nil {
				return err
			}
		}
		if err := flush(); err != nil {
			return err
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// shown returns an entry of the store as listings show it to the user.
func (s *session) shown(e *storage.Entry) ftp.Entry {
	return ftp.Entry{
		Name:       e.Name,
		Mode:       e.Mode,
		Size:       e.Size,
		ModTime:    e.ModTime,
		Owner:      e.Owner,
		Group:      e.Group,
		UID:        e.UID,
		GID:        e.GID,
		Links:      e.Nlink,
		LinkTarget: e.LinkTarget,
		Dev:        e.Dev,
		Ino:        e.Ino,
		Perm:       s.rights() &^ s.store().refused,
	}
}

// openListing opens the listing of a directory or file, named by an argument with
// or without options, and returns what NLST writes in front of its names. If there
// is nothing at the path, its last element may be a pattern; the elements before it
// never are, so that a pattern costs no more than one directory.
func (s *session) openListing(arg string) (l *listing, prefix string, err error) {
	if arg, err = stripOptions(arg); err != nil {
		return nil, "", err
	}
	p, err := s.resolve(arg)
	if err != nil {
		return nil, "", err
	}
	l, err = s.store().list(p)
	switch {
	case err == nil && l.dir != nil:
		return l, arg, nil
	case err == nil:
		prefix, _ = splitLast(strings.TrimRight(arg, "/"))
		return l, prefix, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, "", err
	}
	prefix, pattern := splitLast(arg)
	if !strings.ContainsAny(pattern, `*?[`) {
		return nil, "", err
	}
	if _, bad := path.Match(pattern, ""); bad != nil {
		return nil, "", err
	}
	dir, rerr := s.resolve(prefix)
	if rerr != nil {
		return nil, "", rerr
	}
	l, err = s.store().listDir(dir)
	if err != nil {
		return nil, "", err
	}
	l.match = pattern
	return l, prefix, nil
}

// splitLast takes the last element off a path: "a/b" is "a/" and "b".
func splitLast(p string) (prefix, last string) {
	i := strings.LastIndexByte(p, '/') + 1
	return p[:i], p[i:]
}

// matching returns the entries whose names match a good pattern.
func matching(entries []storage.Entry, pattern string) []storage.Entry {
	kept := entries[:0]
	for _, e := range entries {
		if ok, _ := path.Match(pattern, e.Name); ok {
			kept = append(kept, e)
		}
	}
	return kept
}

// stripOptions takes the options of ls, which many clients send, off an
// argument. A name that begins with '-' can be had as "./-name". Options ask for a
// form, and get the only one there is; but -R asks for another list, which a client
// must not think it got.
func stripOptions(arg string) (string, error) {
	for strings.HasPrefix(arg, "-") {
		option, rest, _ := strings.Cut(arg, " ")
		if strings.Contains(option, "R") {
			return "", errNoRecursion
		}
		arg = strings.TrimLeft(rest, " ")
	}
	return arg, nil
}
