package net

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	stdnet "net"

	"golang.org/x/sys/unix"
)

// isWildcard reports whether ip stands for all own addresses.
func isWildcard(ip IP) bool { return len(ip) == 0 || ip.IsUnspecified() }

// isIPv6 reports whether ip is an address of IPv6 alone.
func isIPv6(ip IP) bool { return len(ip) > stdnet.IPv4len && ip.To4() == nil }

// sockaddrOf returns a in the kernel's form, for a socket of family.
func sockaddrOf(family int, a Addr) (unix.Sockaddr, error) {
	switch a := a.(type) {
	case *TCPAddr:
		return inetSockaddr(family, a.IP, a.Port, a.Zone)
	case *UDPAddr:
		return inetSockaddr(family, a.IP, a.Port, a.Zone)
	case *IPAddr:
		return inetSockaddr(family, a.IP, 0, a.Zone)
	case *UnixAddr:
		return &unix.SockaddrUnix{Name: a.Name}, nil
	}
	return nil, &AddrError{Err: "unexpected address type", Addr: a.String()}
}

func inetSockaddr(family int, ip IP, port int, zone string) (unix.Sockaddr, error) {
	if family == unix.AF_INET {
		sa := &unix.SockaddrInet4{Port: port}
		if len(ip) > 0 {
			ip4 := ip.To4()
			if ip4 == nil {
				return nil, &AddrError{Err: "non-IPv4 address", Addr: ip.String()}
			}
			copy(sa.Addr[:], ip4)
		}
		return sa, nil
	}
	sa := &unix.SockaddrInet6{Port: port, ZoneId: zoneIndex(zone)}
	// 0.0.0.0 stands for every address of either family.
	if len(ip) > 0 && !ip.Equal(stdnet.IPv4zero) {
		ip6 := ip.To16()
		if ip6 == nil {
			return nil, &AddrError{Err: "non-IPv6 address", Addr: ip.String()}
		}
		copy(sa.Addr[:], ip6)
	}
	return sa, nil
}

// addrOf is the reverse of sockaddrOf, for a socket of that type and network.
func addrOf(sotype int, network string, sa unix.Sockaddr) Addr {
	if sa, ok := sa.(*unix.SockaddrUnix); ok {
		return &UnixAddr{Name: sa.Name, Net: network}
	}
	ap := sockaddrPort(sa)
	switch {
	case !ap.IsValid():
		return nil
	case sotype == unix.SOCK_RAW:
		return &IPAddr{IP: ap.Addr().AsSlice(), Zone: ap.Addr().Zone()}
	case sotype == unix.SOCK_DGRAM:
		return stdnet.UDPAddrFromAddrPort(ap)
	}
	return stdnet.TCPAddrFromAddrPort(ap)
}

// sockaddrPort is addrOf in its compact form.
func sockaddrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).WithZone(zoneName(sa.ZoneId)), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// The rest has addresses as the kernel reads and writes them, which costs no
// allocation.
//
// SAFETY: RawSockaddrAny is large enough for, and aligned as, all the forms that it
// is converted to.

// putIP sets sa to an address for sockets of family, and returns its size.
func putIP(sa *unix.RawSockaddrAny, family int, ip IP, port int, zone string) (uint32, error) {
	if family == unix.AF_INET {
		var ip4 IP
		if len(ip) > 0 {
			if ip4 = ip.To4(); ip4 == nil {
				return 0, &AddrError{Err: "non-IPv4 address", Addr: ip.String()}
			}
		}
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		copy(in.Addr[:], ip4)
		return putInet4(in, port)
	}
	in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
	// 0.0.0.0 stands for every address of either family.
	if len(ip) > 0 && !ip.Equal(stdnet.IPv4zero) {
		ip6 := ip.To16()
		if ip6 == nil {
			return 0, &AddrError{Err: "non-IPv6 address", Addr: ip.String()}
		}
		copy(in.Addr[:], ip6)
	}
	return putInet6(in, port, zone)
}

// putAddrPort is putIP of a compact address.
func putAddrPort(sa *unix.RawSockaddrAny, family int, ap netip.AddrPort) (uint32, error) {
	addr := ap.Addr()
	if family == unix.AF_INET {
		if !addr.Unmap().Is4() {
			return 0, &AddrError{Err: "non-IPv4 address", Addr: addr.String()}
		}
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		in.Addr = addr.As4()
		return putInet4(in, int(ap.Port()))
	}
	in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
	in.Addr = addr.As16()
	return putInet6(in, int(ap.Port()), addr.Zone())
}

func putInet4(in *unix.RawSockaddrInet4, port int) (uint32, error) {
	if port < 0 || port > 65535 {
		return 0, syscall.EINVAL
	}
	in.Family, in.Port = unix.AF_INET, networkOrder(uint16(port))
	return unix.SizeofSockaddrInet4, nil
}

func putInet6(in *unix.RawSockaddrInet6, port int, zone string) (uint32, error) {
	if port < 0 || port > 65535 {
		return 0, syscall.EINVAL
	}
	in.Family, in.Port, in.Scope_id = unix.AF_INET6, networkOrder(uint16(port)), zoneIndex(zone)
	return unix.SizeofSockaddrInet6, nil
}

// putUnix is putIP of a unix socket's name. One that begins with '@' is in the
// abstract name space.
func putUnix(sa *unix.RawSockaddrAny, name string) (uint32, error) {
	in := (*unix.RawSockaddrUnix)(unsafe.Pointer(sa))
	abstract := name != "" && (name[0] == '@' || name[0] == 0)
	if len(name) > len(in.Path) || len(name) == len(in.Path) && !abstract {
		return 0, syscall.EINVAL
	}
	in.Family = unix.AF_UNIX
	for i := range len(name) {
		in.Path[i] = int8(name[i])
	}
	size := uint32(unsafe.Offsetof(in.Path)) + uint32(len(name))
	switch {
	case abstract:
		in.Path[0] = 0
	case name != "":
		size++ // with its NUL
	}
	return size, nil
}

// addrPortOf returns the address that a socket of family has received. The family
// is told, as the kernel gives none with the end of a socket that was shut down.
func addrPortOf(family int, sa *unix.RawSockaddrAny) netip.AddrPort {
	if family == unix.AF_INET {
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), networkOrder(in.Port))
	}
	in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
	return netip.AddrPortFrom(netip.AddrFrom16(in.Addr).WithZone(zoneName(in.Scope_id)), networkOrder(in.Port))
}

// networkOrder returns the number whose two bytes, in network order, are n's.
func networkOrder(n uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], n)
	return binary.BigEndian.Uint16(b[:])
}

// unixAddrOf is addrOf of what the kernel has written.
func unixAddrOf(sa *unix.RawSockaddrAny, network string) *UnixAddr {
	in := (*unix.RawSockaddrUnix)(unsafe.Pointer(sa))
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

// getsockname returns the own address of a socket. Unlike package unix's it does not
// ask the socket for its protocol first. It is nil for other families than IP and
// unix.
func getsockname(fd int) (unix.Sockaddr, error) { return name(unix.SYS_GETSOCKNAME, fd) }

// getpeername returns the address of a socket's peer.
func getpeername(fd int) (unix.Sockaddr, error) { return name(unix.SYS_GETPEERNAME, fd) }

func name(trap uintptr, fd int) (unix.Sockaddr, error) {
	var sa unix.RawSockaddrAny
	size := uint32(unix.SizeofSockaddrAny)
	if _, _, errno := unix.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size))); errno != 0 {
		return nil, errno
	}
	switch sa.Addr.Family {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(&sa))
		return &unix.SockaddrInet4{Port: int(networkOrder(in.Port)), Addr: in.Addr}, nil
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(&sa))
		return &unix.SockaddrInet6{Port: int(networkOrder(in.Port)), ZoneId: in.Scope_id, Addr: in.Addr}, nil
	case unix.AF_UNIX:
		return &unix.SockaddrUnix{Name: unixAddrOf(&sa, "").Name}, nil
	}
	return nil, nil
}
