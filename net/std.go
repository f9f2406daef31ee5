package net

import stdnet "net"

// The standard library's own types, which do no I/O.
type (
	Addr                = stdnet.Addr
	AddrError           = stdnet.AddrError
	Conn                = stdnet.Conn
	DNSError            = stdnet.DNSError
	Error               = stdnet.Error
	IP                  = stdnet.IP
	IPAddr              = stdnet.IPAddr
	IPMask              = stdnet.IPMask
	IPNet               = stdnet.IPNet
	KeepAliveConfig     = stdnet.KeepAliveConfig
	Listener            = stdnet.Listener
	OpError             = stdnet.OpError
	ParseError          = stdnet.ParseError
	TCPAddr             = stdnet.TCPAddr
	UnixAddr            = stdnet.UnixAddr
	UnknownNetworkError = stdnet.UnknownNetworkError
)

// ErrClosed is the standard library's own.
var ErrClosed = stdnet.ErrClosed

// JoinHostPort is the standard library's own.
func JoinHostPort(host, port string) string { return stdnet.JoinHostPort(host, port) }

// SplitHostPort is the standard library's own.
func SplitHostPort(hostport string) (host, port string, err error) {
	return stdnet.SplitHostPort(hostport)
}

// ParseIP is the standard library's own.
func ParseIP(s string) IP { return stdnet.ParseIP(s) }

// ParseCIDR is the standard library's own.
func ParseCIDR(s string) (IP, *IPNet, error) { return stdnet.ParseCIDR(s) }

// IPv4 is the standard library's own.
func IPv4(a, b, c, d byte) IP { return stdnet.IPv4(a, b, c, d) }

// ResolveUnixAddr is the standard library's own.
func ResolveUnixAddr(network, address string) (*UnixAddr, error) {
	return stdnet.ResolveUnixAddr(network, address)
}
