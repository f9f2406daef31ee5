package net

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file has the addresses of messages in the kernel's form, which costs no
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
	if len(ip) > 0 && !ip.Equal(ip4Zero) {
		ip6 := ip.To16()
		if ip6 == nil {
			return 0, &AddrError{Err: "non-IPv6 address", Addr: ip.String()}
		}
		copy(in.Addr[:], ip6)
	}
	return putInet6(in, port, zone)
}

var ip4Zero = IPv4(0, 0, 0, 0)

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
		return &unix.SockaddrUnix{Name: rawUnixAddr(&sa, "").Name}, nil
	}
	return nil, nil
}
