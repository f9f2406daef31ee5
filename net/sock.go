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
	fd       int
	network  string // with the family: "tcp4", "tcp6", "unix"
	sockaddr unix.Sockaddr
	addrOf   func(unix.Sockaddr) Addr
}

func openSocket(family int) (int, error) {
	return unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
}

// openListening opens the socket to listen on laddr. A TCP address without an
// IP, or with 0.0.0.0, listens for both families where the kernel has IPv6 and
// the network is not "tcp4".
func openListening(network string, laddr Addr) (socket, error) {
	if u, ok := laddr.(*UnixAddr); ok {
		if network == "unixpacket" {
			return openUnixPacket(u)
		}
		return openUnix(u)
	}
	a := laddr.(*TCPAddr)
	wildcard := isWildcard(a.IP)
	family := familyOf(network, a.IP)
	if network == "tcp" && wildcard {
		family = unix.AF_INET6
	}
	fd, err := openSocket(family)
	if err == unix.EAFNOSUPPORT && network == "tcp" && wildcard {
		family = unix.AF_INET
		fd, err = openSocket(family)
	}
	if err != nil {
		return socket{}, err
	}
	if family == unix.AF_INET6 {
		v6only := boolInt(network == "tcp6" || !wildcard)
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, v6only)
	}
	// A port in TIME_WAIT may be listened on again.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		_ = unix.Close(fd)
		return socket{}, os.NewSyscallError("setsockopt", err)
	}
	return tcpSocket(fd, family, a)
}

func openUnix(a *UnixAddr) (socket, error) {
	fd, err := openSocket(unix.AF_UNIX)
	if err != nil {
		return socket{}, err
	}
	return socket{fd: fd, network: "unix", sockaddr: &unix.SockaddrUnix{Name: a.Name}, addrOf: unixAddr}, nil
}

// openUnixPacket opens the socket to listen on for packets in sequence.
func openUnixPacket(a *UnixAddr) (socket, error) {
	const network = "unixpacket"
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return socket{}, err
	}
	addrOf := func(sa unix.Sockaddr) Addr {
		u := unixAddr(sa).(*UnixAddr)
		u.Net = network
		return u
	}
	return socket{fd: fd, network: network, sockaddr: &unix.SockaddrUnix{Name: a.Name}, addrOf: addrOf}, nil
}

// openDialing opens the socket to connect to raddr.
func openDialing(network string, raddr Addr) (socket, error) {
	if u, ok := raddr.(*UnixAddr); ok {
		return openUnix(u)
	}
	a := raddr.(*TCPAddr)
	family := familyOf(network, a.IP)
	fd, err := openSocket(family)
	if err != nil {
		return socket{}, err
	}
	if family == unix.AF_INET6 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, boolInt(network == "tcp6"))
	}
	return tcpSocket(fd, family, a)
}

// isWildcard reports whether ip stands for all own addresses.
func isWildcard(ip IP) bool { return len(ip) == 0 || ip.IsUnspecified() }

func tcpSocket(fd, family int, a *TCPAddr) (socket, error) {
	sockaddr, err := tcpSockaddr(family, a)
	if err != nil {
		_ = unix.Close(fd)
		return socket{}, err
	}
	network := "tcp4"
	if family == unix.AF_INET6 {
		network = "tcp6"
	}
	return socket{fd: fd, network: network, sockaddr: sockaddr, addrOf: tcpAddr}, nil
}

func familyOf(network string, ip IP) int {
	if network == "tcp6" || network == "tcp" && len(ip) == stdnet.IPv6len && ip.To4() == nil {
		return unix.AF_INET6
	}
	return unix.AF_INET
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

func unixAddr(sa unix.Sockaddr) Addr {
	if sa, ok := sa.(*unix.SockaddrUnix); ok {
		return &UnixAddr{Name: sa.Name, Net: "unix"}
	}
	return &UnixAddr{Net: "unix"}
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
