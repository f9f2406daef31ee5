package wire

// The Telnet commands an FTP control connection may carry (RFC 854). All are
// taken out of the stream; options are refused.
const (
	telnetSE   = 240 // end of subnegotiation, the lowest command
	telnetDM   = 242 // data mark
	telnetIP   = 244 // interrupt process
	telnetSB   = 250 // begin of subnegotiation
	telnetWILL = 251
	telnetWONT = 252
	telnetDO   = 253
	telnetDONT = 254
	// IAC introduces a command; doubled it is the data byte 0xFF.
	IAC = 255
)

// telnetState is where the reader stands inside a Telnet sequence.
//
//	data      -IAC->  iac
//	iac       -WILL, WONT, DO, DONT->  option     -any byte->  data
//	iac       -SB->   sub        -IAC->  subIAC   -SE->  data, -other->  sub
//	iac       -IP->   afterIP    -DM->   data (taken out), -IAC->  ipIAC, -other->  as data
//	ipIAC     as iac, but a byte that is no command leaves no 0xFF behind
//	iac       -IAC->  data (0xFF), -other command->  data
//
// A byte below SE after IAC is no command. It comes from clients that do not
// double 0xFF in names of an 8-bit charset, and both bytes are taken as data.
// LF leaves sub and subIAC and ends the line: every option is refused, so a
// subnegotiation is never asked for, and it must not be able to swallow the
// lines that follow.
type telnetState uint8

const (
	stateData telnetState = iota
	stateIAC
	stateOption
	stateSub
	stateSubIAC
	// stateAfterIP and stateIPIAC: "IAC IP IAC DM" is sent with its last IAC or
	// its DM as urgent data. Where the kernel takes the urgent byte out, the
	// other one is left alone.
	stateAfterIP
	stateIPIAC
)

// maxRefusals bounds the refusals kept for sending. Who asks for more options
// than this without listening gets no answer for the rest.
const maxRefusals = 3 * 64

// refusal returns the answer to an option request and whether there is one.
// WONT and DONT confirm what is already so; RFC 854 forbids answering them,
// because two polite ends would answer each other for ever.
func refusal(verb byte) (byte, bool) {
	switch verb {
	case telnetWILL:
		return telnetDONT, true
	case telnetDO:
		return telnetWONT, true
	}
	return 0, false
}

// AppendText appends s as text inside one line of a control connection: IAC is
// doubled (RFC 2640 section 3.1), and CR, LF and NUL, which would end or break
// the line, become '?'.
func AppendText(dst []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case IAC:
			dst = append(dst, s[from:i]...)
			dst = append(dst, IAC, IAC)
		case '\r', '\n', 0:
			dst = append(dst, s[from:i]...)
			dst = append(dst, '?')
		default:
			continue
		}
		from = i + 1
	}
	return append(dst, s[from:]...)
}
