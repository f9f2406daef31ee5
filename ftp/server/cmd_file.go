package server

import (
	"strconv"

	"github.com/weft-go/weft/ftp"
)

// cmdSIZE answers the number of bytes RETR would send (RFC 3659 section 4). Under
// TYPE A that would take reading the file.
func (s *session) cmdSIZE(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	e, err := s.store().stat(path)
	switch {
	case err != nil:
		return reply{}, err
	case !e.IsRegular():
		return reply{}, errNotAFile
	case s.typ != ftp.TypeImage && !s.cfg.RawDownloads:
		return reply{}, errASCIISize
	}
	return answer(ftp.CodeFileStatus, strconv.FormatInt(e.Size, 10)), nil
}

func (s *session) cmdDELE(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	if err := s.store().remove(path); err != nil {
		return reply{}, err
	}
	s.log.Info("deleted", pathAttr(path))
	return answer(ftp.CodeFileOK, "File deleted."), nil
}

func (s *session) cmdRNFR(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	if _, err := s.store().lstat(path); err != nil {
		return reply{}, err
	}
	s.rename = path
	return answer(ftp.CodePending, "Ready for RNTO."), nil
}

func (s *session) cmdRNTO(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	if err := s.store().rename(s.rename, path); err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeFileOK, "Renamed."), nil
}
