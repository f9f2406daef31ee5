package net

import (
	"errors"
	"strconv"
	"strings"
	"sync"

	stdnet "net"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// choice is whether to use Multipath TCP: yes, no, or as the standard library
// does, which GODEBUG can change.
type choice uint8

const (
	byDefault choice = iota
	yes
	no
)

func choose(use bool) choice {
	if use {
		return yes
	}
	return no
}

// SetMultipathTCP makes dials use Multipath TCP, or not, where the system has
// it; else they use TCP. It is off unless set, or with GODEBUG=multipathtcp=1.
func (d *Dialer) SetMultipathTCP(use bool) { d.multipath = choose(use) }

// MultipathTCP reports whether dials would use Multipath TCP, if the system has
// it.
func (d *Dialer) MultipathTCP() bool {
	if d.multipath == byDefault {
		return new(stdnet.Dialer).MultipathTCP()
	}
	return d.multipath == yes
}

// SetMultipathTCP makes listeners accept Multipath TCP, or not, where the system
// has it. It is on unless turned off, here or with GODEBUG=multipathtcp=0, as in
// the standard library; clients that do not ask for it get plain TCP.
func (lc *ListenConfig) SetMultipathTCP(use bool) { lc.multipath = choose(use) }

// MultipathTCP reports whether listeners would accept Multipath TCP, if the
// system has it.
func (lc *ListenConfig) MultipathTCP() bool {
	if lc.multipath == byDefault {
		return new(stdnet.ListenConfig).MultipathTCP()
	}
	return lc.multipath == yes
}

// MultipathTCP reports whether the connection is one of Multipath TCP at this
// time, as far as the kernel tells: it may have fallen back to TCP.
func (c *TCPConn) MultipathTCP() (bool, error) {
	if !c.ok() {
		return false, unix.EINVAL
	}
	if !hasMPTCP() {
		return false, nil
	}
	return usesMPTCP(&c.fd), nil
}

// mptcpInfo is MPTCP_INFO, which package unix lacks.
const mptcpInfo = 1

func usesMPTCP(fd *poll.FD) bool {
	var proto int
	var infoErr error
	if err := control(fd, func(fd int) (err error) {
		proto, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
		_, infoErr = unix.GetsockoptInt(fd, unix.SOL_MPTCP, mptcpInfo)
		return err
	}); err != nil || proto != unix.IPPROTO_MPTCP {
		return false
	}
	// A socket that has fallen back has no information, if the kernel gives any.
	return !givesMPTCPInfo() || infoErr != unix.EOPNOTSUPP && infoErr != unix.ENOPROTOOPT
}

// hasMPTCP reports whether the kernel has Multipath TCP.
var hasMPTCP = sync.OnceValue(func() bool {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	if err == nil {
		_ = unix.Close(s)
		return true
	}
	// Another error may pass.
	return !errors.Is(err, unix.EPROTONOSUPPORT) && !errors.Is(err, unix.EINVAL)
})

// givesMPTCPInfo reports whether the kernel is 5.16 or later.
var givesMPTCPInfo = sync.OnceValue(func() bool {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return false
	}
	major, rest, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), ".")
	minor, _, _ := strings.Cut(rest, ".")
	m, _ := strconv.Atoi(major)
	n, _ := strconv.Atoi(minor)
	return m > 5 || m == 5 && n >= 16
})
