package server

import (
	"errors"
	"io/fs"
	"strconv"

	"github.com/weft-go/weft/ftp"
)

// cmdMDTM tells a modification time, or sets it: some clients send a time in front
// of the path. A file that is really called so comes first.
func (s *session) cmdMDTM(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	e, err := s.store().stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, _, terr := ftp.ParseTimed(arg); terr == nil {
			if !s.rights().Has(ftp.PermWrite) {
				return reply{}, errNoPermission
			}
			return s.cmdMFMT(arg)
		}
	}
	if err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeFileStatus, string(ftp.AppendTime(nil, e.ModTime))), nil
}

// cmdMFMT: draft-somers-ftp-mfxx.
func (s *session) cmdMFMT(arg string) (reply, error) {
	mtime, name, err := ftp.ParseTimed(arg)
	if err != nil {
		return reply{}, err
	}
	return s.change(ftp.Changes{ModTime: mtime, Text: "Modify=" + string(ftp.AppendTime(nil, mtime)) + ";"}, name)
}

func (s *session) cmdMFF(arg string) (reply, error) {
	c, name, err := ftp.ParseChanges(arg)
	if err != nil {
		return reply{}, err
	}
	return s.change(c, name)
}

func (s *session) change(c ftp.Changes, name string) (reply, error) {
	path, err := s.resolve(name)
	if err != nil {
		return reply{}, err
	}
	if c.HasMode {
		if err := s.store().chmod(path, c.Mode); err != nil {
			return reply{}, err
		}
	}
	if !c.ModTime.IsZero() {
		if err := s.store().chtimes(path, c.ModTime); err != nil {
			return reply{}, err
		}
	}
	return answer(ftp.CodeFileStatus, c.Text+" "+name), nil
}

// cmdAVBL tells how much can be stored in a directory
// (draft-peterson-streamlined-ftp-command-extensions).
func (s *session) cmdAVBL(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	e, err := s.store().stat(path)
	if err != nil {
		return reply{}, err
	}
	if !e.IsDir() {
		return reply{}, errNotADir
	}
	free, err := s.store().free(path)
	if errors.Is(err, errors.ErrUnsupported) {
		return reply{}, errNoSpaceKnown
	}
	if err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeFileStatus, strconv.FormatInt(free, 10)), nil
}
