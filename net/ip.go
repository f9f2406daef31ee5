package net

import (
	"bufio"
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/weft-go/weft/runtime"
	"golang.org/x/sys/unix"
)

// IPConn is a raw socket for one protocol over IP. Making one takes a privilege
// (CAP_NET_RAW). Each method receives or sends one packet, and parks until there
// is one, or room for one.
type IPConn struct {
	conn
	family    int
	connected bool
}

// protocolNumber returns the number of an IP protocol.
func protocolNumber(name string) (int, error) {
	if n, err := strconv.ParseUint(name, 10, 24); err == nil {
		return int(n), nil
	}
	table, err := runtime.Await(func() (map[string]int, error) { return protocols(), nil })
	if err != nil {
		return 0, err
	}
	n, ok := table[strings.ToLower(name)]
	if !ok {
		return 0, &AddrError{Err: "unknown IP protocol specified", Addr: name}
	}
	return n, nil
}

// protocols returns the protocols of the system's table, with those of the
// standard library for a system without one.
var protocols = sync.OnceValue(func() map[string]int {
	table := map[string]int{"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "ipv6-icmp": 58}
	file, err := os.Open("/etc/protocols")
	if err != nil {
		return table
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		number, err := strconv.Atoi(fields[1])
		if err != nil {
			continue
		}
		for i, name := range fields { // the first is its name, the others are aliases
			if _, known := table[name]; !known && i != 1 {
				table[name] = number
			}
		}
	}
	return table
})

// ListenIP makes a raw socket for a protocol, with the network "ip4:icmp" say. It
// receives what comes to laddr, nil for all addresses of the machine.
func ListenIP(network string, laddr *IPAddr) (*IPConn, error) {
	if laddr == nil {
		laddr = new(IPAddr)
	}
	var lc ListenConfig
	c, err := lc.listenIP(context.Background(), network, laddr)
	if err != nil {
		return nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: err}
	}
	return c, nil
}

func (lc *ListenConfig) listenIP(ctx context.Context, network string, laddr *IPAddr) (*IPConn, error) {
	return openIP(ctx, network, endpoint{laddr: laddr, listens: true, reusePort: lc.ReusePort, control: lc.Control})
}

func openIP(ctx context.Context, network string, e endpoint) (*IPConn, error) {
	var err error
	if e.network, e.proto, err = parseNetwork(network, true); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(e.network, "ip") {
		return nil, UnknownNetworkError(network)
	}
	e.sotype = unix.SOCK_RAW
	c := &IPConn{connected: e.raddr != nil}
	if c.family, err = c.open(ctx, &e); err != nil {
		return nil, err
	}
	return c, nil
}

// ReadFromIP receives a packet, without its header if it is of IPv4, and returns
// its length and sender.
func (c *IPConn) ReadFromIP(b []byte) (int, *IPAddr, error) {
	if !c.ok() {
		return 0, nil, syscall.EINVAL
	}
	var from unix.RawSockaddrAny
	n, err := c.fd.ReadFrom(b, &from)
	if err != nil {
		return n, nil, c.messageError("recvfrom", err)
	}
	if c.family == unix.AF_INET {
		n = stripHeader(n, b)
	}
	return n, c.sender(&from), nil
}

// stripHeader removes the IPv4 header from a packet of n bytes, of which b may
// hold less.
func stripHeader(n int, b []byte) int {
	if len(b) < 20 || b[0]>>4 != 4 {
		return n
	}
	size := int(b[0]&0x0f) << 2
	if size < 20 || size > len(b) {
		return n
	}
	copy(b, b[size:])
	return n - size
}

// sender returns the address that a packet has come with.
func (c *IPConn) sender(from *unix.RawSockaddrAny) *IPAddr {
	if from.Addr.Family == unix.AF_UNSPEC {
		return nil
	}
	addr := addrPortOf(c.family, from).Addr()
	return &IPAddr{IP: addr.AsSlice(), Zone: addr.Zone()}
}

// ReadFrom is ReadFromIP in the form of a PacketConn.
func (c *IPConn) ReadFrom(b []byte) (int, Addr, error) {
	n, addr, err := c.ReadFromIP(b)
	return n, opAddr(addr), err
}

// ReadMsgIP receives a packet, with its header if it is of IPv4, into b and its
// control data into oob. It returns how many bytes of each, the flags of
// recvmsg(2), and the sender.
func (c *IPConn) ReadMsgIP(b, oob []byte) (n, oobn, flags int, addr *IPAddr, err error) {
	if !c.ok() {
		return 0, 0, 0, nil, syscall.EINVAL
	}
	var from unix.RawSockaddrAny
	n, oobn, flags, err = c.fd.ReadMsg(b, oob, 0, &from)
	return n, oobn, flags, c.sender(&from), c.messageError("recvmsg", err)
}

// WriteToIP sends b as one packet to addr; the system adds the header.
func (c *IPConn) WriteToIP(b []byte, addr *IPAddr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	var to unix.RawSockaddrAny
	size, err := c.destination(&to, addr)
	if err == nil {
		var n int
		if n, err = c.fd.WriteTo(b, &to, size); err == nil {
			return n, nil
		}
	}
	return 0, c.writeError("sendto", opAddr(addr), err)
}

// destination sets to to the destination of a packet.
func (c *IPConn) destination(to *unix.RawSockaddrAny, addr *IPAddr) (uint32, error) {
	switch {
	case c.connected:
		return 0, ErrWriteToConnected
	case addr == nil:
		return 0, errMissingAddress
	}
	return putIP(to, c.family, addr.IP, 0, addr.Zone)
}

// WriteTo is WriteToIP in the form of a PacketConn. The address must be an
// *IPAddr.
func (c *IPConn) WriteTo(b []byte, addr Addr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	a, ok := addr.(*IPAddr)
	if !ok {
		return 0, c.notMine(addr, syscall.EINVAL)
	}
	return c.WriteToIP(b, a)
}

// WriteMsgIP sends b with control data oob as one packet to addr. It returns how
// many bytes of each were sent.
func (c *IPConn) WriteMsgIP(b, oob []byte, addr *IPAddr) (n, oobn int, err error) {
	if !c.ok() {
		return 0, 0, syscall.EINVAL
	}
	var to unix.RawSockaddrAny
	size, err := c.destination(&to, addr)
	if err == nil {
		n, err = c.fd.WriteMsg(b, oob, &to, size)
	}
	if err != nil {
		return 0, 0, c.writeError("sendmsg", opAddr(addr), err)
	}
	return n, len(oob), nil
}
