package net

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// ListenMulticastUDP makes a socket that receives the datagrams of a group,
// gaddr, on an interface, nil for the system's choice. Several sockets may listen
// on the group's port; each also receives what is sent to the port of other
// groups. What the socket itself sends to groups does not come back to this
// machine. For more, such as several groups, use golang.org/x/net/ipv4 and ipv6
// with ListenUDP. It does not park.
func ListenMulticastUDP(network string, ifi *Interface, gaddr *UDPAddr) (*UDPConn, error) {
	fail := func(err error) (*UDPConn, error) {
		return nil, &OpError{Op: "listen", Net: network, Addr: opAddr(gaddr), Err: err}
	}
	if !isUDP(network) {
		return fail(UnknownNetworkError(network))
	}
	if gaddr == nil || gaddr.IP == nil {
		return fail(errMissingAddress)
	}
	var lc ListenConfig
	c, err := lc.listenUDP(context.Background(), network, gaddr)
	if err != nil {
		return fail(err)
	}
	join := joinIPv6
	if gaddr.IP.To4() != nil {
		join = joinIPv4
	}
	err = control(&c.fd, func(fd int) error { return join(fd, ifi, gaddr.IP) })
	if err != nil {
		_ = c.Close()
		return fail(os.NewSyscallError("setsockopt", err))
	}
	return c, nil
}

func joinIPv4(fd int, ifi *Interface, group IP) error {
	mreq := &unix.IPMreqn{}
	if ifi != nil {
		mreq.Ifindex = int32(ifi.Index)
		if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, mreq); err != nil {
			return err
		}
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0); err != nil {
		return err
	}
	copy(mreq.Multiaddr[:], group.To4())
	return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, mreq)
}

func joinIPv6(fd int, ifi *Interface, group IP) error {
	mreq := &unix.IPv6Mreq{}
	if ifi != nil {
		mreq.Interface = uint32(ifi.Index)
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, ifi.Index); err != nil {
			return err
		}
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0); err != nil {
		return err
	}
	copy(mreq.Multiaddr[:], group)
	return unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, mreq)
}
