package net_test

import (
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"golang.org/x/net/ipv4"
)

// BenchmarkUDPEcho echoes datagrams over loopback, one at a time and 32 at a
// time, with the standard library's package on goroutines and with ours in tasks.
// An operation is one datagram there and back. With std, a batch is that of
// golang.org/x/net/ipv4.
func BenchmarkUDPEcho(b *testing.B) {
	const size, batch = 64, 32
	b.Run("std", func(b *testing.B) {
		server, client := stdPackets.benchPair(b)
		done := make(chan struct{})
		go func() { defer close(done); echoOne(server) }()
		askOne(b, client, size)
		_ = server.Close()
		<-done
	})
	b.Run("weft", func(b *testing.B) {
		rt, err := runtime.New(runtime.Config{Workers: 1})
		if err != nil {
			b.Fatal(err)
		}
		defer rt.Stop(b.Context())
		server, client := ourPackets.benchPair(b)
		echo := rt.Spawn(func() { echoOne(server) })
		_ = rt.Spawn(func() { askOne(b, client, size) }).Join()
		_ = server.Close()
		_ = echo.Join()
	})
	b.Run("std batch", func(b *testing.B) {
		server, client := stdPackets.benchPair(b)
		done := make(chan struct{})
		go func() {
			defer close(done)
			c := ipv4.NewPacketConn(server)
			ms := stdBatch(batch, size)
			for {
				n, err := c.ReadBatch(ms, 0)
				if err != nil {
					return
				}
				for rest := ms[:n]; len(rest) > 0; {
					sent, err := c.WriteBatch(rest, 0)
					if err != nil {
						b.Error(err)
						return
					}
					rest = rest[sent:]
				}
			}
		}()
		c := ipv4.NewPacketConn(client)
		out, in := stdBatch(batch, size), stdBatch(batch, size)
		b.ReportAllocs()
		b.ResetTimer()
		for left := b.N; left > 0; left -= batch {
			for rest := out; len(rest) > 0; {
				sent, err := c.WriteBatch(rest, 0)
				if err != nil {
					b.Fatal(err)
				}
				rest = rest[sent:]
			}
			for got := 0; got < batch; {
				n, err := c.ReadBatch(in, 0)
				if err != nil {
					b.Fatal(err)
				}
				got += n
			}
		}
		b.StopTimer()
		_ = server.Close()
		<-done
	})
	b.Run("weft batch", func(b *testing.B) {
		rt, err := runtime.New(runtime.Config{Workers: 1})
		if err != nil {
			b.Fatal(err)
		}
		defer rt.Stop(b.Context())
		s, c := ourPackets.benchPair(b)
		server, client := s.(*net.UDPConn), c.(*net.UDPConn)
		echo := rt.Spawn(func() {
			ms := batchOf(batch, size)
			for {
				n, err := server.ReadBatch(ms, 0)
				if err != nil {
					return
				}
				writeAll(b, server, ms[:n])
			}
		})
		_ = rt.Spawn(func() {
			out, in := batchOf(batch, size), batchOf(batch, size)
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= batch {
				writeAll(b, client, out)
				for got := 0; got < batch; {
					n, err := client.ReadBatch(in, 0)
					if err != nil {
						b.Error(err)
						return
					}
					got += n
				}
			}
			b.StopTimer()
		}).Join()
		_ = server.Close()
		_ = echo.Join()
	})
}

func (p packets) benchPair(b *testing.B) (server, client udpConn) {
	server, err := p.listenUDP("udp4", &stdnet.UDPAddr{IP: loopback})
	if err != nil {
		b.Fatal(err)
	}
	client, err = p.dialUDP("udp4", nil, server.LocalAddr().(*stdnet.UDPAddr))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = client.Close() })
	return server, client
}

func echoOne(c udpConn) {
	buf := make([]byte, 2048)
	for {
		n, addr, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if _, err := c.WriteToUDPAddrPort(buf[:n], addr); err != nil {
			return
		}
	}
}

func askOne(b *testing.B, c udpConn, size int) {
	buf := make([]byte, size)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := c.Write(buf); err != nil {
			b.Error(err)
			return
		}
		if _, err := c.Read(buf); err != nil {
			b.Error(err)
			return
		}
	}
	b.StopTimer()
}

func writeAll(b *testing.B, c *net.UDPConn, ms []net.Message) {
	for len(ms) > 0 {
		n, err := c.WriteBatch(ms, 0)
		if err != nil {
			b.Error(err)
			return
		}
		ms = ms[n:]
	}
}

func stdBatch(n, size int) []ipv4.Message {
	ms := make([]ipv4.Message, n)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, size)}
	}
	return ms
}
