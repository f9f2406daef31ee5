package server

import (
	"github.com/weft-go/weft/ftp"
)

func (s *session) cmdPWD(string) (reply, error) {
	return answer(ftp.CodePath, ftp.Quote(s.cwd)+" is the current directory."), nil
}

func (s *session) cmdCWD(arg string) (reply, error) {
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
	s.cwd = path
	return answer(ftp.CodeFileOK, "Directory changed."), nil
}

// cmdCDUP is CWD to the parent; the root is its own.
func (s *session) cmdCDUP(string) (reply, error) { return s.cmdCWD("..") }

func (s *session) cmdMKD(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	if err := s.store().mkdir(path, s.umask); err != nil {
		return reply{}, err
	}
	return answer(ftp.CodePath, ftp.Quote(path)+" created."), nil
}

func (s *session) cmdRMD(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	if err := s.store().rmdir(path); err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeFileOK, "Directory removed."), nil
}
