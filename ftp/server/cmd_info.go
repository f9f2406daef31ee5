package server

import (
	"log/slog"
	"strings"

	"github.com/weft-go/weft/ftp"
)

func (s *session) cmdSYST(string) (reply, error) {
	return answer(ftp.CodeSystemType, "UNIX Type: L8"), nil
}

func (s *session) cmdNOOP(string) (reply, error) {
	return answer(ftp.CodeOK, "OK."), nil
}

func (s *session) cmdHELP(arg string) (reply, error) {
	if arg == "" {
		return answer(ftp.CodeHelp, ftp.HelpLines(nil)...), nil
	}
	row, ok := ftp.Lookup(arg)
	if !ok {
		return reply{}, errNoHelp
	}
	return answer(ftp.CodeHelp, row.Help()), nil
}

func (s *session) cmdFEAT(string) (reply, error) {
	return answer(ftp.CodeSystemStatus, ftp.FeatLines(ftp.Selected{Facts: s.facts, Hash: s.hash}, nil)...), nil
}

// options are the verbs of OPTS (RFC 2389 section 4).
var options = map[string]handler{
	"MLST": (*session).optsMLST,
	"UTF8": (*session).optsUTF8,
	"HASH": (*session).optsHASH,
	"MODE": (*session).optsMODE,
}

func (s *session) cmdOPTS(arg string) (reply, error) {
	verb, value := ftp.SplitOpts(arg)
	set, ok := options[verb]
	if !ok {
		return reply{}, errBadOption
	}
	return set(s, value)
}

// optsMLST selects the facts of MLST and MLSD (RFC 3659 section 7.9).
func (s *session) optsMLST(value string) (reply, error) {
	s.facts = ftp.ParseFacts(value)
	return answer(ftp.CodeOK, s.facts.OptsMLST()), nil
}

// optsUTF8 is sent by many clients (draft-ietf-ftpext-utf-8-option). Names are
// bytes, so there is nothing to switch.
func (s *session) optsUTF8(value string) (reply, error) {
	if value != "" && !strings.EqualFold(value, "ON") {
		return reply{}, errOptionValue
	}
	return answer(ftp.CodeOK, "UTF8 is always on."), nil
}

// cmdLANG: the server speaks English (RFC 2640 section 4).
func (s *session) cmdLANG(arg string) (reply, error) {
	tag, _, _ := strings.Cut(arg, "-")
	if arg != "" && !strings.EqualFold(tag, "EN") {
		return reply{}, errNoLanguage
	}
	return answer(ftp.CodeOK, "The language is English."), nil
}

// cmdCSID tells who the server is (draft-peterson-streamlined-ftp-command-extensions).
func (s *session) cmdCSID(arg string) (reply, error) {
	s.log.Debug("client", slog.String("name", escaped(arg)))
	return answer(ftp.CodeOK, "Name=Weft; CaseSensitive=1; DirSep=/;"), nil
}

func (s *session) cmdCLNT(arg string) (reply, error) {
	s.log.Debug("client", slog.String("name", escaped(arg)))
	return answer(ftp.CodeOK, "Noted."), nil
}
