package ftp

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// What can be wrong with an address from the peer.
var (
	// ErrHostPort is a PORT argument that is not six numbers of a byte each,
	// or names port 0.
	ErrHostPort = &SyntaxError{CodeBadArgument, "Expected h1,h2,h3,h4,p1,p2."}
	// ErrExtHostPort is an EPRT argument that is not |protocol|address|port|.
	ErrExtHostPort = &SyntaxError{CodeBadArgument, "Expected |protocol|address|port|."}
	// ErrEPSVArg is an EPSV argument that is neither a number nor ALL.
	ErrEPSVArg = &SyntaxError{CodeBadArgument, "Expected a protocol number or ALL."}
	// ErrProtocol is a network protocol other than IPv4 and IPv6 (RFC 2428
	// section 2). A server that serves only one of them says so by
	// ProtocolText.
	ErrProtocol = &SyntaxError{CodeBadProtocol, "Network protocol not supported, use (1,2)"}

	// ErrNoAddr is a 227 or 229 reply without an address.
	ErrNoAddr = errors.New("ftp: no address in reply")
)

// Family is a network protocol by its number in RFC 2428.
type Family uint8

// The families. Zero means that none was named.
const (
	IPv4 Family = 1
	IPv6 Family = 2
)

// FamilyOf returns the family of an address.
func FamilyOf(a netip.Addr) Family {
	if a.Unmap().Is4() {
		return IPv4
	}
	return IPv6
}

// ProtocolText returns the text of a 522 reply that names the families to use.
// The client takes them from the parentheses (RFC 2428 section 2).
func ProtocolText(use ...Family) string {
	b := []byte("Network protocol not supported, use (")
	for i, f := range use {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(f), 10)
	}
	return string(append(b, ')'))
}

// ParsePORT parses the argument of PORT, six decimal numbers of at most three
// digits and at most 255 with a comma between and nothing else (RFC 959 section
// 5.3.2). Whether the address may be used is the server's affair. The error is
// ErrHostPort.
func ParsePORT(arg string) (netip.AddrPort, error) {
	ap, rest, ok := sixNumbers(arg, false)
	if !ok || rest != "" || ap.Port() == 0 {
		return netip.AddrPort{}, ErrHostPort
	}
	return ap, nil
}

// AppendPORT appends an address as PORT wants it. The address must be IPv4, in
// IPv6 form or not; another one panics, because there is nothing true to write.
func AppendPORT(dst []byte, ap netip.AddrPort) []byte {
	a := ap.Addr().Unmap()
	if !a.Is4() {
		panic("ftp: PORT and 227 are for IPv4 only")
	}
	four := a.As4()
	for _, b := range four {
		dst = strconv.AppendUint(dst, uint64(b), 10)
		dst = append(dst, ',')
	}
	dst = strconv.AppendUint(dst, uint64(ap.Port()>>8), 10)
	dst = append(dst, ',')
	return strconv.AppendUint(dst, uint64(ap.Port()&0xff), 10)
}

// Text227 returns the text of the reply to PASV. It panics as AppendPORT does.
func Text227(ap netip.AddrPort) string {
	b := AppendPORT(append(make([]byte, 0, 64), "Entering Passive Mode ("...), ap)
	return string(append(b, ")."...))
}

// Parse227 finds the address in the text of a reply to PASV. Servers write it
// with and without parentheses, and blanks between the numbers; RFC 1123 section
// 4.1.2.6 tells the client to look for the digits. The first six numbers with
// commas between count. The address may be unspecified or of a private network:
// a careful client takes the port alone. The error is ErrNoAddr.
func Parse227(text string) (netip.AddrPort, error) {
	for i := 0; i < len(text); i++ {
		if !isDigit(text[i]) || i > 0 && isDigit(text[i-1]) {
			continue
		}
		if ap, _, ok := sixNumbers(text[i:], true); ok && ap.Port() != 0 {
			return ap, nil
		}
	}
	return netip.AddrPort{}, ErrNoAddr
}

// sixNumbers reads h1,h2,h3,h4,p1,p2 at the begin of s.
func sixNumbers(s string, blanks bool) (ap netip.AddrPort, rest string, ok bool) {
	var n [6]byte
	for i := range n {
		if i > 0 {
			if blanks {
				s = strings.TrimLeft(s, " ")
			}
			if s == "" || s[0] != ',' {
				return netip.AddrPort{}, "", false
			}
			s = s[1:]
			if blanks {
				s = strings.TrimLeft(s, " ")
			}
		}
		v, digits := leadingNumber(s, 3)
		if digits == 0 || v > 255 {
			return netip.AddrPort{}, "", false
		}
		n[i], s = byte(v), s[digits:]
	}
	if s != "" && isDigit(s[0]) {
		return netip.AddrPort{}, "", false
	}
	addr := netip.AddrFrom4([4]byte(n[:4]))
	return netip.AddrPortFrom(addr, uint16(n[4])<<8|uint16(n[5])), s, true
}

// leadingNumber reads at most limit digits at the begin of s.
func leadingNumber(s string, limit int) (v uint64, digits int) {
	for digits < len(s) && digits < limit && isDigit(s[digits]) {
		v = v*10 + uint64(s[digits]-'0')
		digits++
	}
	return v, digits
}

// ParseEPRT parses the argument of EPRT (RFC 2428 section 2). The delimiter is
// its first byte, any of 33 to 126. The address is returned unmapped, so that
// an IPv4 address in IPv6 form is compared as what it is. Errors are ErrProtocol
// for a protocol other than 1 and 2, before the rest is looked at, and
// ErrExtHostPort.
func ParseEPRT(arg string) (netip.AddrPort, error) {
	fields, ok := delimited(arg)
	if !ok {
		return netip.AddrPort{}, ErrExtHostPort
	}
	family, err := parseFamily(fields[0], ErrExtHostPort)
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr, aerr := netip.ParseAddr(fields[1])
	port, ok := parsePort(fields[2])
	if aerr != nil || !ok || addr.Zone() != "" || addr.Is4() != (family == IPv4) {
		return netip.AddrPort{}, ErrExtHostPort
	}
	return netip.AddrPortFrom(addr.Unmap(), port), nil
}

// AppendEPRT appends an address as EPRT wants it. A zone is left out: it means
// nothing on the other machine.
func AppendEPRT(dst []byte, ap netip.AddrPort) []byte {
	a := ap.Addr().Unmap().WithZone("")
	dst = append(dst, '|', '0'+byte(FamilyOf(a)), '|')
	dst = a.AppendTo(dst)
	dst = append(dst, '|')
	dst = strconv.AppendUint(dst, uint64(ap.Port()), 10)
	return append(dst, '|')
}

// ParseEPSV parses the argument of EPSV (RFC 2428 section 3): all for "ALL",
// else the family asked for, zero when none was. Errors are ErrProtocol and
// ErrEPSVArg.
func ParseEPSV(arg string) (family Family, all bool, err error) {
	switch {
	case arg == "":
		return 0, false, nil
	case strings.EqualFold(arg, "ALL"):
		return 0, true, nil
	}
	family, err = parseFamily(arg, ErrEPSVArg)
	return family, false, err
}

// Text229 returns the text of the reply to EPSV.
func Text229(port uint16) string {
	return "Entering Extended Passive Mode (|||" + strconv.Itoa(int(port)) + "|)"
}

// Parse229 finds the port in the text of a reply to EPSV. RFC 2428 section 3
// wants "(<d><d><d>port<d>)"; accepted are other delimiters, missing
// parentheses, and a protocol and address, which are ignored since the
// connection goes to the address of the control connection. The error is
// ErrNoAddr.
func Parse229(text string) (uint16, error) {
	for i := range len(text) {
		d := text[i]
		if d < 33 || d > 126 || isDigit(d) || isLetter(d) {
			continue
		}
		if port, ok := extPort(text[i:]); ok {
			return port, nil
		}
	}
	return 0, ErrNoAddr
}

// extPort reads <d>protocol<d>address<d>port<d> at the begin of s, protocol
// and address being empty mostly.
func extPort(s string) (uint16, bool) {
	const longest = len("|2|ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255|65535|")
	d := s[0]
	s = s[1:min(len(s), longest)]
	var fields [3]string
	for i := range fields {
		end := strings.IndexByte(s, d)
		if end < 0 {
			return 0, false
		}
		fields[i], s = s[:end], s[end+1:]
	}
	if fields[0] != "" {
		if _, err := parseFamily(fields[0], ErrNoAddr); err != nil {
			return 0, false
		}
	}
	if fields[1] != "" {
		if _, err := netip.ParseAddr(fields[1]); err != nil {
			return 0, false
		}
	}
	return parsePort(fields[2])
}

// delimited splits <d>a<d>b<d>c<d>.
func delimited(s string) (fields [3]string, ok bool) {
	if s == "" || s[0] < 33 || s[0] > 126 {
		return fields, false
	}
	d := s[0]
	s = s[1:]
	for i := range fields {
		end := strings.IndexByte(s, d)
		if end < 0 {
			return fields, false
		}
		fields[i], s = s[:end], s[end+1:]
	}
	return fields, s == ""
}

// parseFamily returns ErrProtocol for a number other than 1 and 2 and syntax
// for what is no number.
func parseFamily(s string, syntax error) (Family, error) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, syntax
	}
	switch s {
	case "1":
		return IPv4, nil
	case "2":
		return IPv6, nil
	}
	return 0, ErrProtocol
}

func parsePort(s string) (uint16, bool) {
	v, digits := leadingNumber(s, 5)
	if digits == 0 || digits != len(s) || v == 0 || v > 65535 {
		return 0, false
	}
	return uint16(v), true
}

func isLetter(b byte) bool { return 'A' <= upperByte(b) && upperByte(b) <= 'Z' }
