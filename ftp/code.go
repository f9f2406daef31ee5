package ftp

import "strconv"

// Code is a reply code. Its first digit alone decides what a client does next
// (RFC 1123 section 4.1.2.11); the rest only explains.
type Code int

// The reply codes this module sends or acts upon, with the document that
// defines each; RFC 959 section 4.2.2 where none is named.
const (
	CodeRestartMarker Code = 110 // MARK yyyy = mmmm
	CodeReadyLater    Code = 120 // service ready in some minutes
	CodeDataOpen      Code = 125 // data connection already open, transfer starts
	CodeOpeningData   Code = 150 // about to open the data connection

	CodeOK              Code = 200 // command okay
	CodeSuperfluous     Code = 202 // not needed at this site
	CodeSystemStatus    Code = 211 // system status, STAT and FEAT
	CodeDirStatus       Code = 212 // directory status
	CodeFileStatus      Code = 213 // file status, SIZE and MDTM
	CodeHelp            Code = 214 // help for a human
	CodeSystemType      Code = 215 // SYST
	CodeReady           Code = 220 // ready for a new user
	CodeClosing         Code = 221 // closing the control connection
	CodeDataIdle        Code = 225 // data connection open, no transfer in progress
	CodeTransferDone    Code = 226 // closing the data connection, action done
	CodePassive         Code = 227 // entering passive mode
	CodeExtendedPassive Code = 229 // RFC 2428: entering extended passive mode
	CodeLoggedIn        Code = 230 // user logged in
	CodeLoggedInByCert  Code = 232 // RFC 2228: logged in by the security exchange
	CodeAuthAccepted    Code = 234 // RFC 2228: security mechanism accepted
	CodeFileOK          Code = 250 // file action completed
	CodeMD5             Code = 251 // draft-twine-ftpmd5: the MD5 of a file
	CodeMD5List         Code = 252 // draft-twine-ftpmd5: those of several
	CodePath            Code = 257 // "PATHNAME" created, or the current one

	CodeNeedPassword Code = 331 // user name okay
	CodeNeedAccount  Code = 332 // account needed for login
	CodePending      Code = 350 // file action waits for the next command

	CodeServiceClosing  Code = 421 // closing the control connection unasked
	CodeNoData          Code = 425 // cannot open the data connection
	CodeAborted         Code = 426 // data connection closed, transfer aborted
	CodeNoSecurity      Code = 431 // RFC 2228: a resource for security is missing
	CodeBusy            Code = 450 // file busy, try again
	CodeLocalError      Code = 451 // local error in processing
	CodeNoSpace         Code = 452 // insufficient storage space
	CodeSyntax          Code = 500 // command not recognised
	CodeBadArgument     Code = 501 // syntax error in the argument
	CodeNotImplemented  Code = 502 // known command, not served here
	CodeBadSequence     Code = 503 // bad sequence of commands
	CodeBadParameter    Code = 504 // not implemented for this parameter
	CodeNoSuchProt      Code = 521 // RFC 4217: no data connection at this PROT level
	CodeBadProtocol     Code = 522 // RFC 2428: network protocol not supported
	CodeNotLoggedIn     Code = 530 // not logged in
	CodeStoreNeedsAcct  Code = 532 // account needed for storing files
	CodeProtDenied      Code = 533 // RFC 2228: protection level denied by policy
	CodePolicy          Code = 534 // RFC 2228: request denied by policy
	CodeProtUnsupported Code = 536 // RFC 2228: PROT level not supported by mechanism
	CodeUnavailable     Code = 550 // file unavailable: not found, no access
	CodePageType        Code = 551 // page type unknown
	CodeQuota           Code = 552 // storage allocation exceeded
	CodeBadName         Code = 553 // file name not allowed
	CodeBadRestart      Code = 554 // RFC 3659: invalid REST parameter
)

// Preliminary reports a 1yz reply: another one follows.
func (c Code) Preliminary() bool { return c/100 == 1 }

// Completed reports a 2yz reply.
func (c Code) Completed() bool { return c/100 == 2 }

// Intermediate reports a 3yz reply: the next command belongs to this one.
func (c Code) Intermediate() bool { return c/100 == 3 }

// Transient reports a 4yz reply: the same command may succeed later.
func (c Code) Transient() bool { return c/100 == 4 }

// Permanent reports a 5yz reply.
func (c Code) Permanent() bool { return c/100 == 5 }

// Positive reports a reply that refuses nothing: 1yz, 2yz or 3yz.
func (c Code) Positive() bool { return c >= 100 && c < 400 }

// Valid reports whether c can stand on the wire: three digits of which the
// first is 1 to 6 (6yz are the protected replies of RFC 2228).
func (c Code) Valid() bool { return c >= 100 && c < 700 }

// String returns the digits.
func (c Code) String() string { return strconv.Itoa(int(c)) }

// Error is a reply other than the one hoped for. A client returns it for a
// refusal of the server; a handler of a server returns it to choose its reply.
type Error struct {
	Code Code
	Msg  string
}

// Error returns the code and the text as they were sent.
func (e *Error) Error() string { return e.Code.String() + " " + e.Msg }

// Temporary reports whether the same command may succeed later.
func (e *Error) Temporary() bool { return e.Code.Transient() }

// SyntaxError is a command or argument that cannot be understood or served.
// What is fixed text, which never quotes the input: it may be sent to the peer
// and logged. Compare with the Err variables of this package by errors.Is.
type SyntaxError struct {
	Code Code   // the reply that says so
	What string // the reply's text
}

// Error returns the text without the code.
func (e *SyntaxError) Error() string { return "ftp: " + e.What }

// Reply returns the refusal as the reply a server sends.
func (e *SyntaxError) Reply() *Error { return &Error{Code: e.Code, Msg: e.What} }
