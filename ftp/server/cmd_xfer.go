package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	stdnet "net"
	"strings"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/storage"
)

func (s *session) cmdTYPE(arg string) (reply, error) {
	typ, err := ftp.ParseType(arg)
	if err != nil {
		return reply{}, err
	}
	s.typ = typ
	return answer(ftp.CodeOK, "Type is "+typ.String()+"."), nil
}

func (s *session) cmdSTRU(arg string) (reply, error) {
	if _, err := ftp.ParseStructure(arg); err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeOK, "Structure is file."), nil
}

func (s *session) cmdMODE(arg string) (reply, error) {
	mode, err := ftp.ParseMode(arg)
	if err != nil {
		return reply{}, err
	}
	s.mode = mode
	return answer(ftp.CodeOK, "Mode is "+mode.String()+"."), nil
}

// cmdALLO refuses what would be refused after its last byte. No store allocates
// ahead, but the size is compared with what comes.
func (s *session) cmdALLO(arg string) (reply, error) {
	size, err := ftp.ParseAllo(arg)
	switch {
	case err != nil:
		return reply{}, err
	case size > s.cfg.MaxFileSize:
		return reply{}, errFileTooLarge
	}
	if _, max, err := s.store().usage(); err == nil {
		// What is left says nothing: an upload may replace what is there.
		if max.Bytes > 0 && size > max.Bytes {
			return reply{}, storage.ErrQuota
		}
	} else if n, err := s.store().free(s.cwd); err == nil && size > n {
		return reply{}, storage.ErrNoSpace
	}
	s.allo = size
	return answer(ftp.CodeSuperfluous, "No allocation needed."), nil
}

// cmdREST: RFC 3659 section 5. An offset in converted text would mean reading
// all that comes before it, so there is none.
func (s *session) cmdREST(arg string) (reply, error) {
	offset, err := ftp.ParseOffset(arg)
	if err != nil {
		return reply{}, err
	}
	if offset > 0 && s.typ != ftp.TypeImage {
		return reply{}, errASCIIOffset
	}
	s.restart, s.length = offset, 0
	return answer(ftp.CodePending, fmt.Sprintf("Restarting at %d.", offset)), nil
}

// cmdABOR answers for what attend has done already, if there was a transfer. A
// way to a data connection that was not used is given up.
func (s *session) cmdABOR(string) (reply, error) {
	s.dropWay()
	return answer(ftp.CodeTransferDone, "Abort done."), nil
}

func (s *session) cmdRETR(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	f, err := s.store().open(path, s.restart, s.length)
	if err != nil {
		return reply{}, err
	}
	defer f.close()
	text := fmt.Sprintf("Opening %s mode data connection (%d bytes).", s.typ, f.length())
	send := (*transfer).sendFile
	if s.typ == ftp.TypeASCII && !s.cfg.RawDownloads {
		text = "Opening ASCII mode data connection."
		send = func(t *transfer, c stdnet.Conn, f *source) error {
			return t.sendFiltered(c, f, new(ftp.ASCIIEncoder).Append)
		}
	}
	err = s.transfer("RETR "+path, text, func(t *transfer, c stdnet.Conn) error { return send(t, c, f) })
	if err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeTransferDone, "Transfer complete."), nil
}

func (s *session) cmdSTOR(arg string) (reply, error) {
	path, err := s.resolve(arg)
	switch {
	case err != nil:
		return reply{}, err
	case s.length > 0:
		return reply{}, errRangeStore
	case s.restart > 0:
		return s.take("STOR", path, storage.WriteAt, s.restart, "")
	}
	return s.take("STOR", path, storage.WriteReplace, 0, "")
}

func (s *session) cmdAPPE(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	return s.take("APPE", path, storage.WriteAppend, 0, "")
}

// stouTries is how often a name may be taken already; they have 60 random bits.
const stouTries = 5

// cmdSTOU stores under a new name in the current directory, which the preliminary
// reply tells in the form of RFC 1123 section 4.1.2.9.
func (s *session) cmdSTOU(string) (reply, error) {
	for try := 1; ; try++ {
		name := "stou." + strings.ToLower(rand.Text()[:12])
		path, err := s.resolve(name)
		if err != nil {
			return reply{}, err
		}
		r, err := s.take("STOU", path, storage.WriteExclusive, 0, "FILE: "+name)
		if try == stouTries || !errors.Is(err, fs.ErrExist) {
			return r, err
		}
	}
}

// take receives a file. Everything the store can refuse it refuses before the
// preliminary reply; the final one comes when the file is. text is that of the
// preliminary reply, "" for the usual one.
func (s *session) take(verb, path string, mode storage.WriteMode, offset int64, text string) (reply, error) {
	f, err := s.store().create(path, mode, offset, s.limits())
	if err != nil {
		return reply{}, err
	}
	complete := false
	defer func() {
		if !complete {
			_ = f.abort() // what remains is for the store to say
		}
	}()
	var decoder *ftp.ASCIIDecoder
	if s.typ == ftp.TypeASCII && !s.cfg.RawUploads {
		decoder = new(ftp.ASCIIDecoder)
	}
	allo := s.allo
	if text == "" {
		text = fmt.Sprintf("Opening %s mode data connection.", s.typ)
	}
	err = s.transfer(verb+" "+path, text, func(t *transfer, c stdnet.Conn) error {
		if err := t.receive(c, f, decoder); err != nil {
			return err
		}
		if t.orphaned() {
			return errControlLost
		}
		// The file may well be whole: ALLO is only to be large enough. But who gave
		// the size wants to hear of the difference.
		t.short = f.taken < allo
		return f.commit()
	})
	if err != nil {
		return reply{}, err
	}
	complete = true
	done := "Transfer complete."
	if f.taken < allo {
		done = fmt.Sprintf("Transfer complete, %d bytes fewer than ALLO said.", allo-f.taken)
	}
	return answer(ftp.CodeTransferDone, done), nil
}
