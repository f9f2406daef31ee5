package net

import (
	"net/netip"

	stdnet "net"
)

// The standard library's own types, which do no I/O.
type (
	Addr                = stdnet.Addr
	AddrError           = stdnet.AddrError
	Conn                = stdnet.Conn
	DNSConfigError      = stdnet.DNSConfigError
	DNSError            = stdnet.DNSError
	Error               = stdnet.Error
	Flags               = stdnet.Flags
	HardwareAddr        = stdnet.HardwareAddr
	IP                  = stdnet.IP
	IPAddr              = stdnet.IPAddr
	IPMask              = stdnet.IPMask
	IPNet               = stdnet.IPNet
	Interface           = stdnet.Interface
	InvalidAddrError    = stdnet.InvalidAddrError
	KeepAliveConfig     = stdnet.KeepAliveConfig
	Listener            = stdnet.Listener
	MX                  = stdnet.MX
	NS                  = stdnet.NS
	OpError             = stdnet.OpError
	PacketConn          = stdnet.PacketConn
	ParseError          = stdnet.ParseError
	SRV                 = stdnet.SRV
	TCPAddr             = stdnet.TCPAddr
	UDPAddr             = stdnet.UDPAddr
	UnixAddr            = stdnet.UnixAddr
	UnknownNetworkError = stdnet.UnknownNetworkError
)

// The standard library's own constants.
const (
	IPv4len = stdnet.IPv4len
	IPv6len = stdnet.IPv6len

	FlagUp           = stdnet.FlagUp
	FlagBroadcast    = stdnet.FlagBroadcast
	FlagLoopback     = stdnet.FlagLoopback
	FlagPointToPoint = stdnet.FlagPointToPoint
	FlagMulticast    = stdnet.FlagMulticast
	FlagRunning      = stdnet.FlagRunning
)

// The standard library's own addresses and errors.
var (
	IPv4bcast                  = stdnet.IPv4bcast
	IPv4allsys                 = stdnet.IPv4allsys
	IPv4allrouter              = stdnet.IPv4allrouter
	IPv4zero                   = stdnet.IPv4zero
	IPv6zero                   = stdnet.IPv6zero
	IPv6unspecified            = stdnet.IPv6unspecified
	IPv6loopback               = stdnet.IPv6loopback
	IPv6interfacelocalallnodes = stdnet.IPv6interfacelocalallnodes
	IPv6linklocalallnodes      = stdnet.IPv6linklocalallnodes
	IPv6linklocalallrouters    = stdnet.IPv6linklocalallrouters

	ErrClosed           = stdnet.ErrClosed
	ErrWriteToConnected = stdnet.ErrWriteToConnected
)

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

// ParseMAC is the standard library's own.
func ParseMAC(s string) (hw HardwareAddr, err error) { return stdnet.ParseMAC(s) }

// IPv4 is the standard library's own.
func IPv4(a, b, c, d byte) IP { return stdnet.IPv4(a, b, c, d) }

// IPv4Mask is the standard library's own.
func IPv4Mask(a, b, c, d byte) IPMask { return stdnet.IPv4Mask(a, b, c, d) }

// CIDRMask is the standard library's own.
func CIDRMask(ones, bits int) IPMask { return stdnet.CIDRMask(ones, bits) }

// TCPAddrFromAddrPort is the standard library's own.
func TCPAddrFromAddrPort(addr netip.AddrPort) *TCPAddr { return stdnet.TCPAddrFromAddrPort(addr) }

// UDPAddrFromAddrPort is the standard library's own.
func UDPAddrFromAddrPort(addr netip.AddrPort) *UDPAddr { return stdnet.UDPAddrFromAddrPort(addr) }

// ResolveUnixAddr is the standard library's own.
func ResolveUnixAddr(network, address string) (*UnixAddr, error) {
	return stdnet.ResolveUnixAddr(network, address)
}
