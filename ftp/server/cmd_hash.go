package server

import (
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/weft-go/weft/ftp"
)

// maxHashes bounds the reads for hashes at a time, for all sessions: each reads as
// fast as the disk can. Files take turns, buffer by buffer, so that some huge ones
// keep nobody waiting.
const maxHashes = 4

// maxHashFiles bounds the files of one MMD5.
const maxHashFiles = 64

// cmdMD5: draft-twine-ftpmd5 section 3.1.
func (s *session) cmdMD5(arg string) (reply, error) {
	sum, _, err := s.hashFile("MD5", arg, ftp.HashMD5, 0, 0)
	if err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeMD5, arg+" "+sum), nil
}

// cmdMMD5 is MD5 of several files, separated by commas. A name with a comma in it
// can be had by MD5.
func (s *session) cmdMMD5(arg string) (reply, error) {
	names := strings.Split(arg, ",")
	if len(names) > maxHashFiles {
		return reply{}, errManyFiles
	}
	var sums []string
	for _, name := range names {
		name = strings.TrimSpace(name)
		sum, _, err := s.hashFile("MMD5", name, ftp.HashMD5, 0, 0)
		if err != nil {
			return reply{}, err
		}
		sums = append(sums, name+" "+sum)
	}
	return answer(ftp.CodeMD5List, strings.Join(sums, ", ")), nil
}

// cmdRANG: draft-bryan-ftp-range. What it says holds for the next command, as with
// REST.
func (s *session) cmdRANG(arg string) (reply, error) {
	start, length, err := ftp.ParseRange(arg)
	if err != nil {
		return reply{}, err
	}
	if length > 0 && s.typ != ftp.TypeImage {
		return reply{}, errASCIIOffset
	}
	s.restart, s.length = start, length
	if length == 0 {
		return answer(ftp.CodePending, "No range."), nil
	}
	return answer(ftp.CodePending, fmt.Sprintf("Restricted to %d bytes from %d.", length, start)), nil
}

// optsHASH tells or selects the algorithm of HASH.
func (s *session) optsHASH(value string) (reply, error) {
	if value != "" {
		h, err := ftp.ParseHash(value)
		if err != nil {
			return reply{}, err
		}
		s.hash = h
	}
	return answer(ftp.CodeOK, s.hash.String()), nil
}

// cmdHASH: draft-bryan-ftpext-hash.
func (s *session) cmdHASH(arg string) (reply, error) {
	start := s.restart // another command that is carried out meanwhile drops it
	sum, n, err := s.hashFile("HASH", arg, s.hash, start, s.length)
	if err != nil {
		return reply{}, err
	}
	last := start + max(n, 1) - 1
	return answer(ftp.CodeFileStatus, fmt.Sprintf("%s %d-%d %s %s", s.hash, start, last, sum, arg)), nil
}

// xhash carries out XMD5 and its like. A path in quotes may be followed by the first
// byte, and the one after the last.
func xhash(verb string, h ftp.Hash) handler {
	return func(s *session, arg string) (reply, error) {
		path, start, length := arg, int64(0), int64(0)
		if inner, ok := strings.CutPrefix(arg, `"`); ok {
			quoted, rest, ok := strings.Cut(inner, `"`)
			if !ok {
				return reply{}, ftp.ErrParamSyntax
			}
			path = quoted
			var err error
			if start, length, err = span64(strings.Fields(rest)); err != nil {
				return reply{}, err
			}
		}
		sum, _, err := s.hashFile(verb, path, h, start, length)
		if err != nil {
			return reply{}, err
		}
		return answer(ftp.CodeFileOK, sum), nil
	}
}

// span64 parses the first byte, and the one after the last.
func span64(fields []string) (start, length int64, err error) {
	if len(fields) > 2 {
		return 0, 0, ftp.ErrParamSyntax
	}
	var at [2]int64
	for i, f := range fields {
		if at[i], err = ftp.ParseOffset(f); err != nil {
			return 0, 0, err
		}
	}
	if len(fields) == 2 {
		if at[1] <= at[0] {
			return 0, 0, ftp.ErrParamSyntax
		}
		length = at[1] - at[0]
	}
	return at[0], length, nil
}

// hashFile returns the hash of a part of a file in hexadecimal digits, and the
// length of the part. A length of 0 means up to the end. Other commands can
// be carried out meanwhile, and ABOR ends it.
func (s *session) hashFile(verb, arg string, algorithm ftp.Hash, start, length int64) (sum string, n int64, err error) {
	path, err := s.resolve(arg)
	if err != nil {
		return "", 0, err
	}
	f, err := s.store().open(path, start, length)
	if err != nil {
		return "", 0, err
	}
	defer f.close()
	h := algorithm.New()
	err = s.work(verb+" "+path, func(t *transfer) error {
		b := takeLarge()
		defer b.put()
		for {
			got, err := s.srv.digest(f, h, b.bytes)
			n += int64(got)
			t.moved.Add(int64(got))
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if cause := t.aborted(); cause != nil {
				return cause
			}
		}
	})
	if err != nil {
		return "", 0, err
	}
	if crc, ok := h.(hash.Hash32); ok {
		return strings.ToUpper(fmt.Sprintf("%08x", crc.Sum32())), n, nil
	}
	return fmt.Sprintf("%x", h.Sum(nil)), n, nil
}

// digest reads into p and adds that to h, few at a time.
func (srv *Server) digest(f *source, h hash.Hash, p []byte) (int, error) {
	srv.hashes.enter()
	defer srv.hashes.leave()
	return f.digest(h, p)
}
