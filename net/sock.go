package net

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	stdnet "net"

	"golang.org/x/sys/unix"
)

var errMissingAddress = errors.New("missing address")

// socket is an open socket that is not bound or connected yet.
type socket struct {
	fd      int
	family  int
	network string // with the family: "tcp4", "tcp6", "unix", "unixpacket"
}

func openSocket(family, proto int, network string) (socket, error) {
	kind := unix.SOCK_STREAM
	if network == "unixpacket" {
		kind = unix.SOCK_SEQPACKET
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return socket{}, os.NewSyscallError("socket", err)
	}
	return socket{fd: fd, family: family, network: network}, nil
}

// openTCP opens a TCP socket, or an MPTCP one. v6only matters to IPv6 ones.
func openTCP(family, proto int, v6only bool) (socket, error) {
	if family == unix.AF_INET {
		return openSocket(family, proto, "tcp4")
	}
	s, err := openSocket(family, proto, "tcp6")
	if err == nil {
		_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, boolInt(v6only))
	}
	return s, err
}

// openListening opens the socket to listen on laddr. A TCP address without an
// IP, or with an unspecified one, listens for both families where the kernel has
// IPv6 and the network is not "tcp4".
func openListening(network string, laddr Addr, proto int) (s socket, err error) {
	switch a := laddr.(type) {
	case *TCPAddr:
		family := familyOf(network, a)
		both := network == "tcp" && isWildcard(a.IP)
		if both {
			family = unix.AF_INET6
		}
		s, err = openTCP(family, proto, !both)
		if both && errors.Is(err, unix.EAFNOSUPPORT) {
			s, err = openTCP(unix.AF_INET, proto, false)
		}
	default:
		s, err = openSocket(unix.AF_UNIX, 0, network)
	}
	if err != nil {
		return socket{}, err
	}
	// A port in TIME_WAIT may be listened on again.
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		_ = unix.Close(s.fd)
		return socket{}, os.NewSyscallError("setsockopt", err)
	}
	return s, nil
}

// openDialing opens the socket to connect to raddr, from laddr if that is not
// nil.
func openDialing(network string, laddr, raddr Addr, proto int) (socket, error) {
	switch raddr := raddr.(type) {
	case *TCPAddr:
		family := familyOf(network, raddr)
		if laddr, ok := laddr.(*TCPAddr); ok && network == "tcp" && familyOf(network, laddr) == unix.AF_INET6 {
			family = unix.AF_INET6
		}
		return openTCP(family, proto, network == "tcp6")
	default:
		return openSocket(unix.AF_UNIX, 0, network)
	}
}

// isWildcard reports whether ip stands for all own addresses.
func isWildcard(ip IP) bool { return len(ip) == 0 || ip.IsUnspecified() }

func familyOf(network string, a *TCPAddr) int {
	if network == "tcp6" || network == "tcp" && len(a.IP) == stdnet.IPv6len && a.IP.To4() == nil {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// sockaddr returns a in the kernel's form, for a socket of s's family.
func (s socket) sockaddr(a Addr) (unix.Sockaddr, error) {
	switch a := a.(type) {
	case *TCPAddr:
		return tcpSockaddr(s.family, a)
	case *UnixAddr:
		return &unix.SockaddrUnix{Name: a.Name}, nil
	}
	return nil, &AddrError{Err: "unexpected address type", Addr: a.String()}
}

// addrOf is the reverse of sockaddr.
func (s socket) addrOf(sa unix.Sockaddr) Addr {
	if s.family == unix.AF_UNIX {
		return unixAddr(sa, s.network)
	}
	return tcpAddr(sa)
}

func tcpSockaddr(family int, a *TCPAddr) (unix.Sockaddr, error) {
	if family == unix.AF_INET {
		sa := &unix.SockaddrInet4{Port: a.Port}
		if len(a.IP) > 0 {
			ip4 := a.IP.To4()
			if ip4 == nil {
				return nil, &AddrError{Err: "non-IPv4 address", Addr: a.IP.String()}
			}
			copy(sa.Addr[:], ip4)
		}
		return sa, nil
	}
	sa := &unix.SockaddrInet6{Port: a.Port, ZoneId: zoneIndex(a.Zone)}
	switch {
	case len(a.IP) == 0 || a.IP.Equal(stdnet.IPv4zero):
	case a.IP.To16() == nil:
		return nil, &AddrError{Err: "non-IPv6 address", Addr: a.IP.String()}
	default:
		copy(sa.Addr[:], a.IP.To16())
	}
	return sa, nil
}

func tcpAddr(sa unix.Sockaddr) Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &TCPAddr{IP: append(IP(nil), sa.Addr[:]...), Port: sa.Port}
	case *unix.SockaddrInet6:
		return &TCPAddr{IP: append(IP(nil), sa.Addr[:]...), Port: sa.Port, Zone: zoneName(sa.ZoneId)}
	}
	return &TCPAddr{}
}

// tcpAddrPort is tcpAddr in its compact form.
func tcpAddrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).WithZone(zoneName(sa.ZoneId)), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// rawTCPAddrPort is tcpAddrPort of the kernel's form.
func rawTCPAddrPort(sa *unix.RawSockaddrAny) netip.AddrPort {
	switch sa.Addr.Family {
	case unix.AF_INET:
		// SAFETY: the family says what it is, and RawSockaddrAny is large enough
		// for all of them.
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), networkOrder(in.Port))
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa)) // SAFETY: as above
		return netip.AddrPortFrom(netip.AddrFrom16(in.Addr).WithZone(zoneName(in.Scope_id)), networkOrder(in.Port))
	}
	return netip.AddrPort{}
}

// networkOrder returns the number whose two bytes, in network order, are n's.
func networkOrder(n uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], n)
	return binary.BigEndian.Uint16(b[:])
}

// rawUnixAddr is unixAddr of the kernel's form.
func rawUnixAddr(sa *unix.RawSockaddrAny, network string) *UnixAddr {
	in := (*unix.RawSockaddrUnix)(unsafe.Pointer(sa)) // SAFETY: as above
	if in.Family != unix.AF_UNIX {
		return &UnixAddr{Net: network}
	}
	path := make([]byte, 0, len(in.Path))
	for i, c := range in.Path {
		if c == 0 && i > 0 {
			break
		}
		path = append(path, byte(c))
	}
	if path[0] == 0 { // abstract, or unnamed, which the standard library writes "@"
		path[0] = '@'
	}
	return &UnixAddr{Name: string(path), Net: network}
}

func unixAddr(sa unix.Sockaddr, network string) Addr {
	if sa, ok := sa.(*unix.SockaddrUnix); ok {
		return &UnixAddr{Name: sa.Name, Net: network}
	}
	return &UnixAddr{Net: network}
}

// backlog is the length of the queue of connections not yet accepted: the
// system's limit.
var backlog = sync.OnceValue(func() int {
	data, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		return syscall.SOMAXCONN
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || n <= 0 {
		return syscall.SOMAXCONN
	}
	return n
})
