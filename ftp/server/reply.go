package server

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/storage"
)

// A reply is what a handler has to say when it succeeded. One line is a plain
// reply, more are a multi-line one.
type reply struct {
	code  ftp.Code
	lines []string
	// body, unless nil, gives more lines, to stand before the last of lines. It
	// is for replies of any length.
	body func(line func(string) error) error
}

func answer(code ftp.Code, lines ...string) reply { return reply{code: code, lines: lines} }

// Refusals that are no syntax errors and come from no store.
var (
	errUnknown         = &ftp.Error{Code: ftp.CodeSyntax, Msg: "Command not understood."}
	errUnserved        = &ftp.Error{Code: ftp.CodeNotImplemented, Msg: "Command not implemented."}
	errLineTooLong     = &ftp.Error{Code: ftp.CodeSyntax, Msg: "Line too long."}
	errNotLoggedIn     = &ftp.Error{Code: ftp.CodeNotLoggedIn, Msg: "Please log in with USER and PASS."}
	errNoPermission    = &ftp.Error{Code: ftp.CodeUnavailable, Msg: "Permission denied."}
	errNeedUser        = &ftp.Error{Code: ftp.CodeBadSequence, Msg: "Send USER first."}
	errNeedRNFR        = &ftp.Error{Code: ftp.CodeBadSequence, Msg: "Send RNFR first."}
	errLoginWrong      = &ftp.Error{Code: ftp.CodeNotLoggedIn, Msg: "Login incorrect."}
	errNoHome          = &ftp.Error{Code: ftp.CodeNotLoggedIn, Msg: "Home directory not available."}
	errManyAttempts    = &ftp.Error{Code: ftp.CodeServiceClosing, Msg: "Too many failed logins."}
	errNoLogin         = &ftp.Error{Code: ftp.CodeServiceClosing, Msg: "No login in time."}
	errIdle            = &ftp.Error{Code: ftp.CodeServiceClosing, Msg: "No command for too long."}
	errStopping        = &ftp.Error{Code: ftp.CodeServiceClosing, Msg: "Server shutting down."}
	errFull            = &ftp.Error{Code: ftp.CodeServiceClosing, Msg: "Too many connections."}
	errFullForYou      = &ftp.Error{Code: ftp.CodeServiceClosing, Msg: "Too many connections from your address."}
	errBanned          = &ftp.Error{Code: ftp.CodeServiceClosing, Msg: "Too many failed logins from your address."}
	errUnanswered      = &ftp.Error{Code: ftp.CodeServiceClosing, Msg: "Can't tell whether there is room, try again later."}
	errUserFull        = &ftp.Error{Code: ftp.CodeNotLoggedIn, Msg: "Too many sessions of that user."}
	errBroken          = &ftp.Error{Code: ftp.CodeServiceClosing, Msg: "Internal error."}
	errNoPort          = &ftp.Error{Code: ftp.CodeNoData, Msg: "Send PASV, EPSV, PORT or EPRT first."}
	errNoPassive       = &ftp.Error{Code: ftp.CodeNoData, Msg: "Can't open a passive port."}
	errNoPublicAddr    = &ftp.Error{Code: ftp.CodeNoData, Msg: "The server's public address is not known at the moment, use EPSV."}
	errNoData          = &ftp.Error{Code: ftp.CodeNoData, Msg: "Can't open the data connection."}
	errEPSVOnly        = &ftp.Error{Code: ftp.CodeBadSequence, Msg: "Only EPSV is allowed after EPSV ALL."}
	errForeignHost     = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "Data connections go to your own address only."}
	errReservedPort    = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "Data connections go to ports from 1024 only."}
	errPASVForIPv4     = &ftp.Error{Code: ftp.CodeBadProtocol, Msg: "PASV is for IPv4, use EPSV."}
	errASCIIOffset     = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "REST counts under TYPE I only."}
	errASCIISize       = &ftp.Error{Code: ftp.CodeUnavailable, Msg: "SIZE is not known under TYPE A."}
	errNotAFile        = &ftp.Error{Code: ftp.CodeUnavailable, Msg: "Not a regular file."}
	errNotADir         = &ftp.Error{Code: ftp.CodeUnavailable, Msg: "Not a directory."}
	errMLSDFile        = &ftp.Error{Code: ftp.CodeBadArgument, Msg: "Not a directory, use MLST."}
	errNoMechanism     = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "Only TLS is known."}
	errSecured         = &ftp.Error{Code: ftp.CodeBadSequence, Msg: "The connection is secured already."}
	errNeedAUTH        = &ftp.Error{Code: ftp.CodeBadSequence, Msg: "Send AUTH TLS first."}
	errNeedPBSZ        = &ftp.Error{Code: ftp.CodeBadSequence, Msg: "Send PBSZ 0 first."}
	errNeedTLS         = &ftp.Error{Code: ftp.CodePolicy, Msg: "Send AUTH TLS first, logins are over TLS only."}
	errNeedPROT        = &ftp.Error{Code: ftp.CodeNoSuchProt, Msg: "Send PROT P first, data connections are over TLS only."}
	errProtDenied      = &ftp.Error{Code: ftp.CodePolicy, Msg: "Data connections are over TLS only."}
	errProtUnsupported = &ftp.Error{Code: ftp.CodeProtUnsupported, Msg: "TLS has no such protection."}
	errProtUnknown     = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "Protection level not known."}
	errCCC             = &ftp.Error{Code: ftp.CodePolicy, Msg: "The control connection stays secured."}
	errNoDataTLS       = &ftp.Error{Code: ftp.CodeNoData, Msg: "No TLS on the data connection."}
	errNoReuse         = &ftp.Error{Code: ftp.CodeBadProtocol, Msg: "The data connection must resume the TLS session of the control connection."}
	errOtherHost       = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "Another host was named in the TLS handshake."}
	errNoSite          = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "SITE command not implemented."}
	errNeedCPFR        = &ftp.Error{Code: ftp.CodeBadSequence, Msg: "Send SITE CPFR first."}
	errSameFile        = &ftp.Error{Code: ftp.CodeUnavailable, Msg: "Source and target are the same."}
	errRangeStore      = &ftp.Error{Code: ftp.CodeBadSequence, Msg: "RANG is for RETR and HASH only."}
	errManyDeflates    = &ftp.Error{Code: ftp.CodeBusy, Msg: "Too many compressed transfers, try again later."}
	errManyFiles       = &ftp.Error{Code: ftp.CodeBadArgument, Msg: "Too many files."}
	errDeflateCut      = &ftp.Error{Code: ftp.CodeAborted, Msg: "The compressed data is cut off, transfer aborted."}
	errNoRecursion     = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "Recursive listings are not served."}
	errFileTooLarge    = &ftp.Error{Code: ftp.CodeQuota, Msg: "File too large."}
	errDamaged         = &ftp.Error{Code: ftp.CodeLocalError, Msg: "The compressed data is damaged."}
	errNoSpaceKnown    = &ftp.Error{Code: ftp.CodeUnavailable, Msg: "Available space is not known."}
	errHostTooLate     = &ftp.Error{Code: ftp.CodeBadSequence, Msg: "HOST goes before USER."}
	errUnknownHost     = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "Unknown host."}
	errNoLanguage      = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "Language not supported."}
	errBadOption       = &ftp.Error{Code: ftp.CodeBadArgument, Msg: "Option not understood."}
	errOptionValue     = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "Option value not supported."}
	errNoHelp          = &ftp.Error{Code: ftp.CodeBadParameter, Msg: "No help for that command."}
	errAborted         = &ftp.Error{Code: ftp.CodeAborted, Msg: "Transfer aborted."}
	errDrained         = &ftp.Error{Code: ftp.CodeAborted, Msg: "Server shutting down, transfer aborted."}
	errStalled         = &ftp.Error{Code: ftp.CodeAborted, Msg: "Data connection stalled, transfer aborted."}
	errDataLost        = &ftp.Error{Code: ftp.CodeAborted, Msg: "Data connection lost, transfer aborted."}
	errLocal           = &ftp.Error{Code: ftp.CodeLocalError, Msg: "Local error in processing."}
	errLoginNotKnown   = &ftp.Error{Code: ftp.CodeLocalError, Msg: "Can't check logins at the moment."}
)

// verdicts are the replies to refusals of the register. Locked has none: it looks like
// a wrong password.
var verdicts = [...]*ftp.Error{
	Banned:      errBanned,
	Locked:      errLoginWrong,
	Full:        errFull,
	NetworkFull: errFullForYou,
	UserFull:    errUserFull,
	Unanswered:  errUnanswered,
}

// storeReplies is the one table from the error of a store to the reply. The
// first row that matches counts. The texts are fixed: an error's own text is for
// the log.
var storeReplies = []struct {
	err  error
	code ftp.Code
	text string
}{
	{fs.ErrNotExist, ftp.CodeUnavailable, "No such file or directory."},
	{storage.ErrReadOnly, ftp.CodeUnavailable, "Read-only."},
	{fs.ErrPermission, ftp.CodeUnavailable, "Permission denied."},
	{storage.ErrEscapes, ftp.CodeUnavailable, "Permission denied."},
	{storage.ErrNotEmpty, ftp.CodeUnavailable, "Directory not empty."},
	{fs.ErrExist, ftp.CodeUnavailable, "Already exists."},
	{storage.ErrNotDir, ftp.CodeUnavailable, "Not a directory."},
	{storage.ErrIsDir, ftp.CodeUnavailable, "Is a directory."},
	{storage.ErrNotRegular, ftp.CodeUnavailable, "Not a regular file."},
	{storage.ErrInvalidName, ftp.CodeBadName, "File name not allowed."},
	{storage.ErrOffset, ftp.CodeBadRestart, "Offset is beyond the end of the file."},
	{storage.ErrQuota, ftp.CodeQuota, "Quota exceeded."},
	{storage.ErrNoSpace, ftp.CodeNoSpace, "Insufficient storage space."},
	{syscall.EMFILE, ftp.CodeBusy, "Server is busy, try again later."},
	{syscall.ENFILE, ftp.CodeBusy, "Server is busy, try again later."},
	{syscall.ENOMEM, ftp.CodeBusy, "Server is busy, try again later."},
	{syscall.EBUSY, ftp.CodeBusy, "File is busy."},
	{syscall.ETXTBSY, ftp.CodeBusy, "File is busy."},
	{syscall.ELOOP, ftp.CodeUnavailable, "Too many links."},
	{syscall.EXDEV, ftp.CodeUnavailable, "Can't rename across file systems."},
	{fs.ErrInvalid, ftp.CodeUnavailable, "Not possible."},
}

// refusal returns the reply for an error of a handler, and whether the error is
// one to tell the operator of.
func refusal(err error) (e *ftp.Error, odd bool) {
	if e, ok := errors.AsType[*ftp.Error](err); ok {
		return e, false
	}
	if e, ok := errors.AsType[*ftp.SyntaxError](err); ok {
		return e.Reply(), false
	}
	if e, ok := errors.AsType[*dataError](err); ok {
		if errors.Is(e, os.ErrDeadlineExceeded) {
			return errStalled, false
		}
		return errDataLost, false
	}
	for _, row := range storeReplies {
		if errors.Is(err, row.err) {
			return &ftp.Error{Code: row.code, Msg: row.text}, false
		}
	}
	return errLocal, !errors.Is(err, context.Canceled)
}

// lawful returns code, or the nearest one that the verb may answer: RETR may
// find the server busy, CWD may not.
func lawful(row *ftp.Command, code ftp.Code) ftp.Code {
	switch {
	case row == nil || row.Allows(code):
		return code
	case code.Transient():
		return ftp.CodeLocalError
	}
	return ftp.CodeUnavailable
}

// dataError is what went wrong on a data connection.
type dataError struct{ err error }

func (e *dataError) Error() string { return "data connection: " + e.err.Error() }
func (e *dataError) Unwrap() error { return e.err }
