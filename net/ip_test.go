package net_test

import (
	"encoding/binary"
	"errors"
	"syscall"
	"testing"

	stdnet "net"
)

// icmpEcho returns an ICMP echo request.
func icmpEcho(seq uint16) []byte {
	p := make([]byte, 16)
	p[0] = 8
	binary.BigEndian.PutUint16(p[4:], 0x5745)
	binary.BigEndian.PutUint16(p[6:], seq)
	copy(p[8:], "payload!")
	sum := uint32(0)
	for i := 0; i < len(p); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(p[2:], ^uint16(sum))
	return p
}

// reply reads until the echo reply with seq comes: a raw socket hears all that
// is said.
func reply(t *testing.T, seq uint16, read func(b []byte) (n int, addr stdnet.Addr, err error)) (line string) {
	t.Helper()
	buf := make([]byte, 128)
	for {
		n, addr, err := read(buf)
		if err != nil {
			t.Fatal(err)
		}
		icmp := buf[:n]
		header := 0
		if n > 20 && icmp[0]>>4 == 4 {
			header = 20
			icmp = icmp[20:]
		}
		if len(icmp) == 16 && icmp[0] == 0 && binary.BigEndian.Uint16(icmp[4:]) == 0x5745 && binary.BigEndian.Uint16(icmp[6:]) == seq {
			return tell("reply", n, header, addr, string(icmp[8:]))
		}
	}
}

// TestIP: raw packets, by each form: a ping of this machine.
func TestIP(t *testing.T) {
	if c, err := stdnet.ListenIP("ip4:icmp", nil); errors.Is(err, syscall.EPERM) {
		t.Skip("no CAP_NET_RAW")
	} else if err == nil {
		_ = c.Close()
	}
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		lo := &stdnet.IPAddr{IP: loopback}
		server := must(p.listenIP("ip4:icmp", lo))(t)
		told = append(told, tell("server", server.LocalAddr(), server.RemoteAddr()))
		m, err := server.WriteTo(icmpEcho(1), lo)
		told = append(told, tell("WriteTo", m, err), reply(t, 1, server.ReadFrom))
		m, err = server.WriteToIP(icmpEcho(2), lo)
		told = append(told, tell("WriteToIP", m, err), reply(t, 2, func(b []byte) (int, stdnet.Addr, error) {
			n, addr, err := server.ReadFromIP(b)
			return n, addr, err
		}))
		m, oobn, err := server.WriteMsgIP(icmpEcho(3), nil, lo)
		told = append(told, tell("WriteMsgIP", m, oobn, err), reply(t, 3, func(b []byte) (int, stdnet.Addr, error) {
			n, _, _, addr, err := server.ReadMsgIP(b, nil)
			return n, addr, err
		}))
		conn, err := n.Dial("ip4:1", "127.0.0.1")
		told = append(told, tell("dial", err))
		client := must(conn.(ipConn), nil)(t)
		told = append(told, tell("client", client.LocalAddr(), client.RemoteAddr()))
		m, err = client.Write(icmpEcho(4))
		told = append(told, tell("Write", m, err), reply(t, 4, func(b []byte) (int, stdnet.Addr, error) {
			n, err := client.Read(b)
			return n, nil, err
		}))

		for _, c := range []ipConn{server, client} {
			for _, a := range []stdnet.Addr{lo, (*stdnet.IPAddr)(nil), nil, &stdnet.UDPAddr{IP: loopback}, &stdnet.IPAddr{IP: stdnet.IPv6loopback}} {
				_, err = c.WriteTo([]byte("x"), a)
				told = append(told, tell("WriteTo", err))
				if a, ok := a.(*stdnet.IPAddr); ok {
					_, _, err = c.WriteMsgIP([]byte("x"), nil, a)
					told = append(told, tell("WriteMsgIP", err))
				}
			}
		}
		if err := server.SetDeadline(past); err != nil {
			t.Error(err)
		}
		_, addr, err := server.ReadFrom(nil)
		told = append(told, tell("deadline", addr, err))
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		_, addr, err = server.ReadFrom(nil)
		told = append(told, tell("closed", addr, err))
		_, _, _, ip, err := server.ReadMsgIP(nil, nil)
		told = append(told, tell("closed", ip == nil, err))

		for _, network := range []string{"ip6:ipv6-icmp", "ip:icmp", "ip6:58", "ip4:ICMP"} {
			pc, err := p.listen(stdnet.ListenConfig{}, network, "")
			told = append(told, tell("listen "+network, err))
			if err == nil {
				told = append(told, tell("at", pc.LocalAddr()))
				_ = pc.Close()
			}
		}
		return told
	})
}

// TestIPErrors: names that are none. It needs no privilege.
func TestIPErrors(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		lo := &stdnet.IPAddr{IP: loopback}
		for _, network := range []string{"ip", "ip4", "ip4:", "ip4:nosuch", "ip5:icmp", "udp", "", "icmp", "ip4:-1"} {
			for _, a := range []*stdnet.IPAddr{nil, lo} {
				_, err := p.listenIP(network, a)
				told = append(told, tell("ListenIP", err))
				_, err = p.dialIP(network, a, a)
				told = append(told, tell("DialIP", err))
			}
			a, err := p.resolveIP(network, "127.0.0.1")
			told = append(told, tell("ResolveIPAddr", a.String(), err))
		}
		for _, host := range []string{"", "::1", "::1%lo", "127.0.0.1:1", "localhost"} {
			for _, network := range []string{"ip4", "ip6", "ip"} {
				a, err := p.resolveIP(network, host)
				if err != nil {
					var addrErr *stdnet.AddrError
					told = append(told, tell("ResolveIPAddr", errors.As(err, &addrErr)))
					continue
				}
				told = append(told, tell("ResolveIPAddr", a.String(), len(a.IP)))
			}
		}
		return told
	})
}
