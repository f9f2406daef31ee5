package net_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/net"
	"golang.org/x/net/ipv4"
)

// batch returns n messages with room for size bytes.
func batchOf(n, size int) []net.Message {
	ms := make([]net.Message, n)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, size)}
	}
	return ms
}

// TestBatch: datagrams leave and arrive by the batch, in order, each with its
// address and length; a batch is as long as there are datagrams.
func TestBatch(t *testing.T) {
	ours(t, func(t *testing.T, n implementation) {
		for _, network := range []string{"udp4", "udp6", "udp"} {
			host := net.IP(nil)
			if network == "udp6" {
				host = net.ParseIP("::1")
			}
			server := must(net.ListenUDP(network, &net.UDPAddr{IP: host}))(t)
			client := must(net.ListenUDP(network, &net.UDPAddr{IP: host}))(t)
			to := server.LocalAddr().(*net.UDPAddr).AddrPort()
			out := batchOf(10, 0)
			for i := range out {
				// In parts, also none.
				out[i].Buffers = nil
				for j := range i {
					out[i].Buffers = append(out[i].Buffers, fmt.Appendf(nil, "%d,", j))
				}
				out[i].Addr = to
			}
			if m, err := client.WriteBatch(out, 0); m != len(out) || err != nil {
				t.Fatalf("WriteBatch = %d, %v", m, err)
			}
			in := batchOf(16, 64)
			m, err := server.ReadBatch(in, 0)
			if m != len(out) || err != nil {
				t.Fatalf("ReadBatch = %d, %v", m, err)
			}
			from := client.LocalAddr().(*net.UDPAddr).Port
			for i := range m {
				want := ""
				for _, part := range out[i].Buffers {
					want += string(part)
				}
				got := in[i]
				if text := string(got.Buffers[0][:got.N]); text != want || out[i].N != len(want) {
					t.Errorf("message %d: %q, %d sent, want %q", i, text, out[i].N, want)
				}
				if int(got.Addr.Port()) != from || !got.Addr.Addr().Unmap().IsLoopback() || got.Flags != 0 || got.NN != 0 {
					t.Errorf("message %d: %v, flags %d, %d bytes of control data", i, got.Addr, got.Flags, got.NN)
				}
			}

			// One that waits gets what comes first.
			var waited int
			join := n.start(func() { waited, err = server.ReadBatch(in, 0) })
			if n.rt != nil {
				waiting(t, n.rt, "readable", 1)
			}
			if _, err := client.WriteToUDPAddrPort([]byte("one"), to); err != nil {
				t.Error(err)
			}
			join()
			if waited != 1 || err != nil || string(in[0].Buffers[0][:in[0].N]) != "one" {
				t.Errorf("ReadBatch = %d, %v", waited, err)
			}
			// Parts to receive into, and a datagram cut short.
			for _, text := range []string{"abcdef", "abcdefgh"} {
				if _, err := client.WriteToUDPAddrPort([]byte(text), to); err != nil {
					t.Error(err)
				}
			}
			for i := range 2 {
				in[i].Buffers = [][]byte{make([]byte, 4), nil, make([]byte, 2)}
			}
			if m, err := server.ReadBatch(in[:2], 0); m != 2 || err != nil {
				t.Errorf("ReadBatch = %d, %v", m, err)
			}
			for i, flags := range []int{0, syscall.MSG_TRUNC} {
				if got := string(in[i].Buffers[0]) + string(in[i].Buffers[2]); got != "abcdef" || in[i].N != 6 || in[i].Flags != flags {
					t.Errorf("message %d: %q, %d, flags %#x", i, got, in[i].N, in[i].Flags)
				}
			}
			if m, err := server.ReadBatch(nil, 0); m != 0 || err != nil {
				t.Errorf("ReadBatch of none = %d, %v", m, err)
			}
			if m, err := client.WriteBatch(nil, 0); m != 0 || err != nil {
				t.Errorf("WriteBatch of none = %d, %v", m, err)
			}
		}
	})
}

// TestBatchErrors: those of the methods for one datagram; a batch whose later
// message fails is sent up to there, and the next call tells.
func TestBatchErrors(t *testing.T) {
	ours(t, func(t *testing.T, n implementation) {
		p := ourPackets
		s, c := p.udpPair(t)
		server, client := s.(*net.UDPConn), c.(*net.UDPConn)
		to := client.LocalAddr().(*net.UDPAddr).AddrPort()
		from := server.LocalAddr().(*net.UDPAddr).AddrPort()
		ms := func(addrs ...netip.AddrPort) []net.Message {
			list := batchOf(len(addrs), 4)
			for i, a := range addrs {
				list[i].Addr = a
			}
			return list
		}
		write := func(c *net.UDPConn, want int, wantErr error, list []net.Message) {
			t.Helper()
			var opErr *net.OpError
			if m, err := c.WriteBatch(list, 0); m != want || !errors.Is(err, wantErr) || err != nil && !errors.As(err, &opErr) {
				t.Errorf("WriteBatch = %d, %v, want %d, %v", m, err, want, wantErr)
			}
		}
		write(client, 2, nil, ms(netip.AddrPort{}, netip.AddrPort{}))
		write(client, 0, net.ErrWriteToConnected, ms(from))
		write(client, 1, nil, ms(netip.AddrPort{}, from))
		write(server, 2, nil, ms(to, to, netip.AddrPort{}, to))
		if _, err := server.WriteBatch(ms(netip.AddrPort{}), 0); err == nil {
			t.Error("sent to nobody")
		}
		if _, err := server.WriteBatch(ms(netip.MustParseAddrPort("[::1]:9")), 0); err == nil {
			t.Error("sent to another family")
		}
		long := ms(to, to)
		long[1].Buffers = [][]byte{make([]byte, 1<<16)}
		write(server, 1, nil, long)
		write(server, 0, syscall.EMSGSIZE, long[1:])
		in := batchOf(8, 8)
		if m, err := server.ReadBatch(in, 0); m != 3 || err != nil {
			t.Errorf("ReadBatch = %d, %v", m, err)
		}

		refused := p.refusedUDP(t).(*net.UDPConn)
		write(refused, 1, nil, ms(netip.AddrPort{}))
		if _, err := refused.ReadBatch(in, 0); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("refused: %v", err)
		}
		write(refused, 1, nil, ms(netip.AddrPort{}))
		write(refused, 0, syscall.ECONNREFUSED, ms(netip.AddrPort{}))

		_ = server.SetDeadline(past)
		if _, err := server.ReadBatch(in, 0); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("deadline: %v", err)
		}
		write(server, 0, os.ErrDeadlineExceeded, ms(to))
		_ = server.SetDeadline(time.Time{})
		var waited error
		join := n.start(func() { _, waited = server.ReadBatch(in, 0) })
		if n.rt != nil {
			waiting(t, n.rt, "readable", 1)
		}
		_ = server.Close()
		join()
		if !errors.Is(waited, net.ErrClosed) {
			t.Errorf("closed meanwhile: %v", waited)
		}
		write(server, 0, net.ErrClosed, ms(to))
	})
}

// TestBatchOOB: control data of a batch.
func TestBatchOOB(t *testing.T) {
	ours(t, func(t *testing.T, n implementation) {
		s, c := ourPackets.udpPair(t)
		server := s.(*net.UDPConn)
		if err := ipv4.NewPacketConn(server).SetControlMessage(ipv4.FlagDst|ipv4.FlagTTL, true); err != nil {
			t.Fatal(err)
		}
		out := batchOf(2, 1)
		for i := range out {
			out[i].OOB = (&ipv4.ControlMessage{Src: loopback, TTL: 0}).Marshal()
		}
		if m, err := c.(*net.UDPConn).WriteBatch(out, 0); m != 2 || err != nil || out[1].NN != len(out[1].OOB) {
			t.Fatalf("WriteBatch = %d, %v", m, err)
		}
		in := batchOf(3, 8)
		for i := range in {
			in[i].OOB = ipv4.NewControlMessage(ipv4.FlagDst | ipv4.FlagTTL)
		}
		if m, err := server.ReadBatch(in, 0); m != 2 || err != nil {
			t.Fatalf("ReadBatch = %d, %v", m, err)
		}
		for i := range 2 {
			var cm ipv4.ControlMessage
			if err := cm.Parse(in[i].OOB[:in[i].NN]); err != nil || !cm.Dst.Equal(loopback) || cm.TTL == 0 {
				t.Errorf("control data %v, %v", &cm, err)
			}
		}
	})
}

// TestXNet: golang.org/x/net/ipv4 works on a UDPConn of ours as on one of the
// standard library, its batches too.
func TestXNet(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		server, client := p.udpPair(t)
		a, b := ipv4.NewPacketConn(server), ipv4.NewPacketConn(client)
		var m int
		in := []ipv4.Message{{Buffers: [][]byte{make([]byte, 8)}}, {Buffers: [][]byte{make([]byte, 8)}}}
		var err error
		join := n.start(func() { m, err = a.ReadBatch(in, 0) })
		if n.rt != nil {
			waiting(t, n.rt, "readable", 1)
		}
		sent, sendErr := b.WriteBatch([]ipv4.Message{{Buffers: [][]byte{[]byte("one")}}}, 0)
		join()
		return append(told, tell("sent", sent, sendErr), tell("received", m, in[0].N, in[0].Addr, err))
	})
}
