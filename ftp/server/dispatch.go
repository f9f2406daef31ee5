package server

import (
	"github.com/weft-go/weft/ftp"
)

// A command is a line that was read: taken apart, with its row, or with the
// reason it is refused.
type command struct {
	line ftp.Line
	row  *ftp.Command // nil if err is not
	err  error
}

// parse takes a line apart and looks up its verb.
func parse(line []byte) command {
	l, err := ftp.ParseCommand(line)
	if err != nil {
		return command{line: l, err: err}
	}
	row, ok := ftp.Lookup(l.Verb)
	if !ok {
		err = errUnknown
		if _, known := ftp.Unserved(l.Verb); known {
			err = errUnserved
		}
		return command{line: l, err: err}
	}
	return command{line: l, row: row}
}

// A handler carries out a command whose row has been checked.
type handler func(s *session, arg string) (reply, error)

// handlers has one handler for each verb of the command table that is no
// alias. It is filled by init, since STAT is carried out within a transfer,
// and so handlers lead back here.
var handlers map[string]handler

func init() {
	handlers = map[string]handler{
		"USER": (*session).cmdUSER,
		"PASS": (*session).cmdPASS,
		"ACCT": (*session).cmdACCT,
		"REIN": (*session).cmdREIN,
		"QUIT": (*session).cmdQUIT,

		"AUTH": (*session).cmdAUTH,
		"PBSZ": (*session).cmdPBSZ,
		"PROT": (*session).cmdPROT,
		"CCC":  (*session).cmdCCC,

		"PWD":  (*session).cmdPWD,
		"CWD":  (*session).cmdCWD,
		"CDUP": (*session).cmdCDUP,
		"MKD":  (*session).cmdMKD,
		"RMD":  (*session).cmdRMD,

		"TYPE": (*session).cmdTYPE,
		"STRU": (*session).cmdSTRU,
		"MODE": (*session).cmdMODE,
		"PASV": (*session).cmdPASV,
		"EPSV": (*session).cmdEPSV,
		"PORT": (*session).cmdPORT,
		"EPRT": (*session).cmdEPRT,

		"RETR": (*session).cmdRETR,
		"STOR": (*session).cmdSTOR,
		"STOU": (*session).cmdSTOU,
		"APPE": (*session).cmdAPPE,
		"ALLO": (*session).cmdALLO,
		"REST": (*session).cmdREST,
		"RANG": (*session).cmdRANG,
		"ABOR": (*session).cmdABOR,

		"LIST": (*session).cmdLIST,
		"NLST": (*session).cmdNLST,
		"MLSD": (*session).cmdMLSD,
		"MLST": (*session).cmdMLST,
		"STAT": (*session).cmdSTAT,

		"SIZE": (*session).cmdSIZE,
		"MDTM": (*session).cmdMDTM,
		"MFMT": (*session).cmdMFMT,
		"MFF":  (*session).cmdMFF,
		"HASH": (*session).cmdHASH,
		"AVBL": (*session).cmdAVBL,
		"SITE": (*session).cmdSITE,

		"MD5":     (*session).cmdMD5,
		"MMD5":    (*session).cmdMMD5,
		"XCRC":    xhash("XCRC", ftp.HashCRC32),
		"XMD5":    xhash("XMD5", ftp.HashMD5),
		"XSHA1":   xhash("XSHA1", ftp.HashSHA1),
		"XSHA256": xhash("XSHA256", ftp.HashSHA256),
		"XSHA512": xhash("XSHA512", ftp.HashSHA512),

		"DELE": (*session).cmdDELE,
		"RNFR": (*session).cmdRNFR,
		"RNTO": (*session).cmdRNTO,

		"SYST": (*session).cmdSYST,
		"HELP": (*session).cmdHELP,
		"NOOP": (*session).cmdNOOP,
		"FEAT": (*session).cmdFEAT,
		"OPTS": (*session).cmdOPTS,
		"CLNT": (*session).cmdCLNT,
		"CSID": (*session).cmdCSID,
		"HOST": (*session).cmdHOST,
		"LANG": (*session).cmdLANG,
	}
}

// dispatch checks a command against its row, carries it out, and clears away
// what it leaves for no other command.
func (s *session) dispatch(c command) (reply, error) {
	r, err := s.carryOut(c)
	s.settle(c.row, err)
	return r, err
}

func (s *session) carryOut(c command) (reply, error) {
	if c.err != nil {
		return reply{}, c.err
	}
	row, arg := c.row, c.line.Arg
	if row.Login && s.login.identity == nil {
		return reply{}, errNotLoggedIn
	}
	if err := row.Check(arg); err != nil {
		return reply{}, err
	}
	if row.Seq&ftp.UsesRename != 0 && s.rename == "" {
		return reply{}, errNeedRNFR
	}
	if want := row.Wants(arg); want != ftp.PermNone && !s.rights().Has(want) {
		return reply{}, errNoPermission
	}
	if row.Data && s.cfg.TLS.RequireData && !s.tls.private {
		return reply{}, errNeedPROT
	}
	if row.Data && s.way == nil {
		return reply{}, errNoPort
	}
	return handlers[row.Name()](s, arg)
}

// settle drops what the command did not leave for the next one: see ftp.Seq. A
// data command also uses up the way to its data connection.
func (s *session) settle(row *ftp.Command, err error) {
	var seq ftp.Seq
	if row != nil {
		seq = row.Seq
		if row.Data {
			s.dropWay()
		}
	}
	if seq&ftp.SetsRename == 0 || err != nil {
		s.rename = ""
	}
	if row == nil || row.Verb != "SITE" || err != nil {
		s.copied = ""
	}
	if seq&ftp.KeepsRest == 0 && (seq&ftp.SetsRest == 0 || err != nil) {
		s.restart, s.length = 0, 0
	}
	if seq&(ftp.KeepsRest|ftp.SetsRest) == 0 {
		s.allo = 0
	}
}

// rights returns what the user may do.
func (s *session) rights() ftp.Perm { return ftp.Perm(s.login.identity.Perms) }
