package net_test

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestSignals: signals that interrupt system calls all the time disturb neither
// dials, accepts, reads nor writes.
func TestSignals(t *testing.T) {
	disturbed(t, func() {
		each(t, func(t *testing.T, n implementation) {
			for _, network := range networks {
				for range 20 {
					a, b := n.connected(t, network)
					data := pattern(1 << 20)
					join := n.start(func() {
						if m, err := a.Write(data); m != len(data) || err != nil {
							t.Errorf("Write = %d, %v", m, err)
						}
						if m, _, err := n.writeBuffers(a, parts(data, 1<<12)); int(m) != len(data) || err != nil {
							t.Errorf("WriteTo = %d, %v", m, err)
						}
					})
					if m, err := io.ReadFull(b, make([]byte, 2*len(data))); err != nil {
						t.Errorf("Read = %d, %v", m, err)
					}
					join()
					_ = a.Close()
					_ = b.Close()
				}
			}
		})
	})
}

// disturbed runs test while signals interrupt the process all the time.
func disturbed(t *testing.T, test func()) {
	t.Helper()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	defer signal.Stop(signals)
	stop := make(chan struct{})
	var sent sync.WaitGroup
	sent.Add(1)
	go func() {
		defer sent.Done()
		for {
			select {
			case <-stop:
				return
			case <-signals:
			default:
				_ = syscall.Kill(os.Getpid(), syscall.SIGUSR1)
			}
		}
	}()
	defer func() {
		close(stop)
		sent.Wait()
	}()
	test()
}

// TestSignalsAndMessages: they disturb datagrams and packets no more.
func TestSignalsAndMessages(t *testing.T) {
	disturbed(t, func() {
		samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
			server, client := p.udpPair(t)
			a, b := n.connected(t, "unixpacket")
			for _, pair := range [][2]stdnet.Conn{{client, server}, {a, b}} {
				join := n.start(func() {
					for range 1000 {
						send(t, pair[0], "text")
						if text := got(t, pair[0]); text != "back" {
							t.Errorf("%q", text)
							return
						}
					}
				})
				buf := make([]byte, 8)
				for range 1000 {
					m, from, err := pair[1].(stdnet.PacketConn).ReadFrom(buf)
					if err != nil || string(buf[:m]) != "text" {
						t.Errorf("%q, %v", buf[:m], err)
					}
					if from != nil {
						_, err = pair[1].(stdnet.PacketConn).WriteTo([]byte("back"), from)
					} else {
						_, err = pair[1].Write([]byte("back"))
					}
					if err != nil {
						t.Error(err)
					}
				}
				join()
			}
			return nil
		})
	})
}

// TestNoBufferSpace: a message for which the system has no memory fails, and the
// socket goes on. Here it is control data beyond what a socket may have.
func TestNoBufferSpace(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/net/core/optmem_max")
	if err != nil {
		t.Fatal(err)
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	oob := make([]byte, limit+1)
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		server, client := p.udpPair(t)
		a, b := n.connected(t, "unix")
		for range 3 {
			m, oobn, err := client.WriteMsgUDP([]byte("x"), oob, nil)
			told = append(told, tell("udp", m, oobn, err))
			m, oobn, err = a.(unixConn).WriteMsgUnix([]byte("x"), oob, nil)
			told = append(told, tell("unix", m, oobn, err))
		}
		if our, ok := client.(*net.UDPConn); ok {
			ms := []net.Message{{Buffers: [][]byte{{1}}, OOB: oob}}
			if m, err := our.WriteBatch(ms, 0); m != 0 || !errors.Is(err, syscall.ENOBUFS) {
				t.Errorf("WriteBatch = %d, %v", m, err)
			}
		}
		send(t, client, "text")
		send(t, a, "text")
		return append(told, got(t, server), got(t, b))
	})
	if t.Failed() {
		return
	}
	// The comparison would not tell if it were another error.
	c := must(net.DialUDP("udp", nil, &net.UDPAddr{IP: loopback, Port: 9}))(t)
	if _, _, err := c.WriteMsgUDP(nil, oob, nil); !errors.Is(err, syscall.ENOBUFS) {
		t.Error(err)
	}
}

// TestListenerClosedUnderLoad: a listener that is closed while many connect and
// accept ends all Accepts. Each dial gets a connection or an error, and nothing is
// left.
func TestListenerClosedUnderLoad(t *testing.T) {
	for _, network := range networks {
		each(t, func(t *testing.T, n implementation) {
			before := runtimetest.Descriptors()
			for range 5 {
				address := "127.0.0.1:0"
				if network == "unix" {
					address = shortTempDir(t) + "/s"
				}
				l, err := n.Listen(network, address)
				if err != nil {
					t.Fatal(err)
				}
				target := l.Addr().String()
				var served atomic.Int32
				var joins []func()
				for range 4 {
					joins = append(joins, n.start(func() {
						for {
							conn, err := l.Accept()
							if err != nil {
								if !errors.Is(err, stdnet.ErrClosed) {
									t.Errorf("Accept: %v", err)
								}
								return
							}
							served.Add(1)
							_ = conn.Close()
						}
					}))
				}
				for range 8 {
					joins = append(joins, n.start(func() {
						for {
							conn, err := n.Dial(network, target)
							if err != nil {
								var op *stdnet.OpError
								if !errors.As(err, &op) || op.Op != "dial" {
									t.Errorf("Dial: %v", err)
								}
								return
							}
							_, _ = conn.Read(make([]byte, 1)) // until it is closed or reset
							_ = conn.Close()
						}
					}))
				}
				for served.Load() < 100 {
					runtime.Sleep(100 * time.Microsecond)
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				for _, join := range joins {
					join()
				}
			}
			runtimetest.Eventually(t, "no descriptor left", func() bool { return runtimetest.Descriptors() <= before })
		})
	}
}

// TestResetStates: a peer that resets the connection ends, in each state, what
// waits or comes next: a read that waits, a write that waits, a write by Buffers,
// the accept that has not happened yet, and the first read after it.
func TestResetStates(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		buf := make([]byte, 8)
		a, b := n.connected(t, "tcp")
		var err error
		join := n.start(func() { _, err = a.Read(buf) })
		if n.rt != nil {
			waiting(t, n.rt, "readable", 1)
		}
		reset(t, b)
		join()
		told = append(told, tell("read", err))

		for what, write := range map[string]func() error{
			"write":   func() error { _, err := a.Write(make([]byte, tooMuch)); return err },
			"buffers": func() error { _, _, err := n.writeBuffers(a, [][]byte{make([]byte, tooMuch), {1}}); return err },
		} {
			a, b = n.connected(t, "tcp")
			fill(t, a)
			join = n.start(func() { err = write() })
			if n.rt != nil {
				waiting(t, n.rt, "writable", 1)
			}
			reset(t, b)
			join()
			if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
				t.Errorf("%s: %v", what, err)
			}
		}

		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		a, err = n.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		reset(t, a)
		b, err = l.Accept()
		told = append(told, tell("accept", err))
		if err == nil {
			_, err = b.Read(buf)
			told = append(told, tell("read after accept", err))
			_, err = b.Write(buf)
			told = append(told, tell("write after accept", err))
			_ = b.Close()
		}

		// A connect is reset by a closed port.
		_, err = n.Dial("tcp", refused(t))
		return append(told, tell("connect", err))
	})
}

// TestReusePort: with ReusePort several listeners share a port, and each
// connection reaches one of them; without it the port is in use.
func TestReusePort(t *testing.T) {
	ours(t, func(t *testing.T, n implementation) {
		lc := net.ListenConfig{ReusePort: true}
		first, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		target := first.Addr().String()
		if l, err := net.Listen("tcp", target); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("without ReusePort: %v, %v", l, err)
		}
		second, err := lc.Listen(t.Context(), "tcp", target)
		if err != nil {
			t.Fatal(err)
		}
		var accepted [2]atomic.Int32
		var joins []func()
		for i, l := range []stdnet.Listener{first, second} {
			joins = append(joins, n.start(func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					accepted[i].Add(1)
					_ = conn.Close()
				}
			}))
		}
		const total = 64
		for range total {
			conn, err := net.Dial("tcp", target)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
		_ = first.Close()
		_ = second.Close()
		for _, join := range joins {
			join()
		}
		// That one gets none has the odds of a coin that falls on one side 64 times.
		if one, two := accepted[0].Load(), accepted[1].Load(); one+two != total || one == 0 || two == 0 {
			t.Errorf("%d and %d were accepted", one, two)
		}
	})
}

// TestReusePortPackets: the same for datagrams.
func TestReusePortPackets(t *testing.T) {
	ours(t, func(t *testing.T, n implementation) {
		lc := net.ListenConfig{ReusePort: true}
		first := must(lc.ListenPacket(t.Context(), "udp", "127.0.0.1:0"))(t)
		target := first.LocalAddr().String()
		if c, err := net.ListenPacket("udp", target); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("without ReusePort: %v, %v", c, err)
		}
		second := must(lc.ListenPacket(t.Context(), "udp", target))(t)
		// All come to one socket or the other, by their sender.
		var received [2]atomic.Int32
		var joins []func()
		for i, c := range []stdnet.PacketConn{first, second} {
			joins = append(joins, n.start(func() {
				for {
					_, from, err := c.ReadFrom(make([]byte, 8))
					if err != nil {
						return
					}
					received[i].Add(1)
					_, _ = c.WriteTo([]byte("back"), from)
				}
			}))
		}
		const total = 64
		for range total {
			conn := must(net.Dial("udp", target))(t)
			send(t, conn, "text")
			_ = got(t, conn)
		}
		_, _ = first.Close(), second.Close()
		for _, join := range joins {
			join()
		}
		if one, two := received[0].Load(), received[1].Load(); one+two != total || one == 0 || two == 0 {
			t.Errorf("%d and %d were received", one, two)
		}
	})
}
