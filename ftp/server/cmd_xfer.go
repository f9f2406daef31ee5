package server

import (
	"fmt"
	stdnet "net"

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
	if _, err := ftp.ParseMode(arg); err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeOK, "Mode is stream."), nil
}

// cmdALLO checks the size only: no store allocates ahead.
func (s *session) cmdALLO(arg string) (reply, error) {
	if _, err := ftp.ParseAllo(arg); err != nil {
		return reply{}, err
	}
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
	s.restart = offset
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
	f, err := s.store().open(path, s.restart)
	if err != nil {
		return reply{}, err
	}
	defer f.close()
	text := fmt.Sprintf("Opening %s mode data connection (%d bytes).", s.typ, f.size-s.restart)
	send := (*transfer).sendFile
	if s.typ == ftp.TypeASCII {
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
	if s.restart > 0 {
		return s.take("STOR", arg, storage.WriteAt, s.restart)
	}
	return s.take("STOR", arg, storage.WriteReplace, 0)
}

func (s *session) cmdAPPE(arg string) (reply, error) {
	return s.take("APPE", arg, storage.WriteAppend, 0)
}

// take receives a file. Everything the store can refuse it refuses before the
// preliminary reply; the final one comes when the file is.
func (s *session) take(verb, arg string, mode storage.WriteMode, offset int64) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	f, err := s.store().create(path, mode, offset)
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
	if s.typ == ftp.TypeASCII {
		decoder = new(ftp.ASCIIDecoder)
	}
	text := fmt.Sprintf("Opening %s mode data connection.", s.typ)
	err = s.transfer(verb+" "+path, text, func(t *transfer, c stdnet.Conn) error {
		if err := t.receive(c, f, decoder); err != nil {
			return err
		}
		if t.orphaned() {
			return errControlLost
		}
		return f.commit()
	})
	if err != nil {
		return reply{}, err
	}
	complete = true
	return answer(ftp.CodeTransferDone, "Transfer complete."), nil
}
