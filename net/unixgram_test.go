package net_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime/runtimetest"
)

// gram returns the address of a datagram socket.
func gram(name string) *stdnet.UnixAddr { return &stdnet.UnixAddr{Name: name, Net: "unixgram"} }

// TestUnixgram: datagrams between sockets with and without names.
func TestUnixgram(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		dir := shortTempDir(t)
		for _, name := range []string{dir + "/s", fmt.Sprintf("@weft gram %d", os.Getpid())} {
			server, err := p.listenUnixgram("unixgram", gram(name))
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, tell("server", strings.ReplaceAll(tell("", server.LocalAddr()), fmt.Sprint(os.Getpid()), "pid"), server.RemoteAddr()))
			for _, laddr := range []*stdnet.UnixAddr{nil, gram(name + " client")} {
				client := must(p.dialUnix("unixgram", laddr, gram(name)))(t)
				pid := func(line string) string { return strings.ReplaceAll(line, fmt.Sprint(os.Getpid()), "pid") }
				told = append(told, pid(tell("client", client.LocalAddr(), client.RemoteAddr())))
				buf := make([]byte, 64)
				send(t, client, "one")
				m, addr, err := server.ReadFrom(buf)
				told = append(told, pid(tell("ReadFrom", string(buf[:m]), addr, err)))
				send(t, client, "two")
				m, ua, err := server.ReadFromUnix(buf)
				told = append(told, pid(tell("ReadFromUnix", string(buf[:m]), ua == nil, ua.String(), err)))
				send(t, client, "three")
				m, oobn, flags, ua, err := server.ReadMsgUnix(buf[:3], make([]byte, 8))
				told = append(told, pid(tell("ReadMsgUnix", string(buf[:m]), oobn, flags, ua == nil, ua.String(), err)))
				send(t, client, "")
				m, err = server.Read(buf)
				told = append(told, tell("empty", m, err))
				if laddr != nil {
					m, err = server.WriteTo([]byte("1"), addr)
					told = append(told, tell("WriteTo", m, err, got(t, client)))
					m, err = server.WriteToUnix([]byte("22"), laddr)
					told = append(told, tell("WriteToUnix", m, err, got(t, client)))
					m, oobn, err = server.WriteMsgUnix([]byte("333"), nil, laddr)
					told = append(told, tell("WriteMsgUnix", m, oobn, err, got(t, client)))
				}
				// What is not allowed.
				_, err = client.WriteTo([]byte("x"), gram(name))
				told = append(told, pid(tell("connected WriteTo", err)))
				_, err = client.WriteToUnix([]byte("x"), nil)
				told = append(told, pid(tell("connected WriteToUnix", err)))
				_, _, err = client.WriteMsgUnix([]byte("x"), nil, nil)
				told = append(told, pid(tell("connected WriteMsgUnix", err)))
			}
			for _, a := range []stdnet.Addr{
				gram(dir + "/nobody"), gram(strings.Repeat("x", 200)), gram(""), &stdnet.UnixAddr{Name: name, Net: "unix"},
				&stdnet.UDPAddr{}, (*stdnet.UnixAddr)(nil), nil,
			} {
				_, err := server.WriteTo([]byte("x"), a)
				told = append(told, tell("WriteTo", strings.ReplaceAll(describe(err), fmt.Sprint(os.Getpid()), "pid")))
				if a, ok := a.(*stdnet.UnixAddr); ok {
					_, _, err = server.WriteMsgUnix([]byte("x"), nil, a)
					told = append(told, tell("WriteMsgUnix", strings.ReplaceAll(describe(err), fmt.Sprint(os.Getpid()), "pid")))
				}
			}
			_, err = server.Write([]byte("x"))
			told = append(told, tell("Write", strings.ReplaceAll(describe(err), fmt.Sprint(os.Getpid()), "pid")))
			if err := server.Close(); err != nil {
				t.Error(err)
			}
		}
		return told
	})
}

// TestUnixgramForms: the ways to make a socket, and those that fail. A datagram
// socket's file stays.
func TestUnixgramForms(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		dir := shortTempDir(t)
		c, err := p.listen(stdnet.ListenConfig{}, "unixgram", dir+"/s")
		told = append(told, tell("listen", err))
		conn, err := n.Dial("unixgram", dir+"/s")
		told = append(told, tell("dial", err))
		send(t, conn, "x")
		_ = conn.Close()
		conn, err = n.dial(t.Context(), dialer{local: gram(dir + "/from")}, "unixgram", dir+"/s")
		told = append(told, tell("dial from", err))
		told = append(told, tell("addresses", conn.LocalAddr(), conn.RemoteAddr()))
		_ = conn.Close()
		_ = c.Close()
		_, err = os.Lstat(dir + "/s")
		told = append(told, tell("its file", err))
		_, err = n.Dial("unixgram", dir+"/s")
		told = append(told, tell("closed", err))
		_, err = n.dial(t.Context(), dialer{local: &stdnet.UnixAddr{Name: dir + "/t", Net: "unix"}}, "unixgram", dir+"/s")
		told = append(told, tell("other network", err))
		for _, network := range []string{"unixgram", "unixpacket", "unix", "udp", ""} {
			_, err = n.Dial(network, "")
			told = append(told, tell("dial nothing", err))
			_, err = p.listenUnixgram(network, nil)
			told = append(told, tell("ListenUnixgram", err))
			_, err = p.listenUnixgram(network, &stdnet.UnixAddr{Name: dir + "/s", Net: "unixgram"}) // taken
			told = append(told, tell("ListenUnixgram", err))
			_, err = p.dialUnix(network, nil, gram(dir+"/nobody"))
			told = append(told, tell("DialUnix", err))
			_, err = p.dialUnix(network, nil, nil)
			told = append(told, tell("DialUnix", err))
		}
		only := must(p.dialUnix("unixgram", gram(dir+"/only"), nil))(t)
		told = append(told, tell("without a peer", only.LocalAddr(), only.RemoteAddr()))
		m, err := only.WriteToUnix([]byte("me"), gram(dir+"/only"))
		return append(told, tell("to itself", m, err, got(t, only)))
	})
}

// TestUnixgramFull: unlike UDP, a unix socket makes its writer wait for its reader;
// a deadline, or a close, ends that.
func TestUnixgramFull(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		name := shortTempDir(t) + "/s"
		server := must(p.listenUnixgram("unixgram", gram(name)))(t)
		client := must(p.dialUnix("unixgram", nil, gram(name)))(t)
		count := 0
		if err := client.SetWriteDeadline(time.Now().Add(5 * time.Millisecond)); err != nil {
			t.Error(err)
		}
		var err error
		for {
			if _, err = client.Write([]byte("x")); err != nil {
				break
			}
			count++
		}
		told = append(told, tell("full", count > 0, err))
		if err := client.SetWriteDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
		var m int
		join := n.start(func() { m, err = client.Write([]byte("last")) })
		if n.rt != nil {
			waiting(t, n.rt, "writable", 1)
		}
		last := ""
		for range count + 1 {
			last = got(t, server)
		}
		join()
		told = append(told, tell("written", m, err, last))

		for range count {
			send(t, client, "x")
		}
		join = n.start(func() { m, err = client.Write([]byte("never")) })
		if n.rt != nil {
			waiting(t, n.rt, "writable", 1)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
		join()
		if m != 0 || err == nil {
			t.Errorf("Write = %d, %v", m, err)
		}
		return told
	})
}

// TestUnixgramReset: the peer of a connected socket is gone.
func TestUnixgramReset(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		name := shortTempDir(t) + "/s"
		server := must(p.listenUnixgram("unixgram", gram(name)))(t)
		client := must(p.dialUnix("unixgram", nil, gram(name)))(t)
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		_, err := client.Write([]byte("x"))
		told = append(told, tell("write", err))
		_, err = client.Write([]byte("x"))
		told = append(told, tell("again", err), tell("shut down", client.CloseWrite(), client.CloseRead()))
		_, err = client.Write([]byte("x"))
		return append(told, tell("write, shut down", err))
	})
}

// TestUnixPacket: messages with bounds, an order and an end.
func TestUnixPacket(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		name := shortTempDir(t) + "/s"
		l, err := n.Listen("unixpacket", name)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		told = append(told, tell("listening", l.Addr()))
		conn, err := n.Dial("unixpacket", name)
		told = append(told, tell("dial", err))
		client := must(conn.(unixConn), nil)(t)
		conn, err = l.Accept()
		told = append(told, tell("accept", err))
		server := must(conn.(unixConn), nil)(t)
		told = append(told, tell("addresses", client.LocalAddr(), client.RemoteAddr(), server.LocalAddr(), server.RemoteAddr()))

		send(t, client, "one")
		send(t, client, "two")
		buf := make([]byte, 64)
		m, err := server.Read(buf)
		told = append(told, tell("Read", string(buf[:m]), err))
		m, addr, err := server.ReadFrom(buf)
		told = append(told, tell("ReadFrom", string(buf[:m]), addr, err))
		send(t, client, "too long")
		m, _, flags, ua, err := server.ReadMsgUnix(buf[:3], nil)
		told = append(told, tell("ReadMsgUnix", string(buf[:m]), flags, ua == nil, err))
		m, oobn, err := server.WriteMsgUnix([]byte("back"), nil, nil)
		told = append(told, tell("WriteMsgUnix", m, oobn, err, got(t, client)))
		for _, c := range []unixConn{client, server} {
			_, err = c.WriteTo([]byte("x"), &stdnet.UnixAddr{Name: name, Net: "unixpacket"})
			told = append(told, tell("WriteTo", err))
			_, err = c.WriteTo([]byte("x"), gram(name))
			told = append(told, tell("WriteTo", err))
			_, _, err = c.WriteMsgUnix([]byte("x"), nil, gram(name))
			told = append(told, tell("WriteMsgUnix", err))
		}

		// A reader that waits, then the end, by each form.
		var text string
		join := n.start(func() { text = got(t, server) })
		if n.rt != nil {
			waiting(t, n.rt, "readable", 1)
		}
		send(t, client, "waited for")
		join()
		told = append(told, tell("waited", text))
		_, err = n.Dial("unixgram", name)
		told = append(told, tell("wrong type", err))
		if err := client.CloseWrite(); err != nil {
			t.Error(err)
		}
		m, err = server.Read(buf)
		told = append(told, tell("end: Read", m, err))
		m, addr, err = server.ReadFrom(buf)
		told = append(told, tell("end: ReadFrom", m, addr, err))
		m, _, _, _, err = server.ReadMsgUnix(buf, nil)
		told = append(told, tell("end: ReadMsgUnix", m, err))
		send(t, server, "still")
		told = append(told, tell("the other way", got(t, client)))
		_ = client.Close()
		_, err = server.Write([]byte("x"))
		told = append(told, tell("gone: Write", err))
		_ = l.Close()
		_, err = os.Lstat(name)
		return append(told, tell("its file", err))
	})
}

// TestUnixStreamMessages: the methods for messages, on a stream.
func TestUnixStreamMessages(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		a, b := n.connected(t, "unix")
		client, server := a.(unixConn), b.(unixConn)
		buf := make([]byte, 64)
		send(t, client, "text")
		m, addr, err := server.ReadFrom(buf[:2])
		told = append(told, tell("ReadFrom", string(buf[:m]), addr, err))
		m, _, flags, ua, err := server.ReadMsgUnix(buf, nil)
		told = append(told, tell("ReadMsgUnix", string(buf[:m]), flags, ua == nil, err))
		for _, c := range []unixConn{client, server} {
			_, err = c.WriteTo([]byte("x"), &stdnet.UnixAddr{Name: "x", Net: "unix"})
			told = append(told, tell("WriteTo", err))
			_, err = c.WriteToUnix([]byte("x"), nil)
			told = append(told, tell("WriteToUnix", err))
		}
		// A stream that a plain Read emptied, and messages after that.
		send(t, client, "abc")
		told = append(told, tell("Read", got(t, server)))
		join := n.start(func() { m, _, _, _, err = server.ReadMsgUnix(buf[:2], nil) })
		if n.rt != nil {
			waiting(t, n.rt, "readable", 1)
		}
		send(t, client, "defg")
		join()
		told = append(told, tell("ReadMsgUnix", string(buf[:m]), err, got(t, server)))
		_ = client.Close()
		m, addr, err = server.ReadFrom(buf)
		return append(told, tell("end", m, addr, err), tell("is EOF", err == io.EOF))
	})
}

// TestPassDescriptors: a descriptor is passed over each kind of unix socket, alone
// and with data, and is closed on exec.
func TestPassDescriptors(t *testing.T) {
	for _, network := range []string{"unix", "unixgram", "unixpacket"} {
		samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
			var from, to unixConn
			name := shortTempDir(t) + "/s"
			if network == "unixgram" {
				to = must(p.listenUnixgram(network, gram(name)))(t)
				from = must(p.dialUnix(network, nil, gram(name)))(t)
			} else {
				a, b := n.connectedAt(t, network, name)
				from, to = a.(unixConn), b.(unixConn)
			}
			for _, text := range []string{"", "text"} {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				rights := syscall.UnixRights(int(w.Fd()))
				m, oobn, err := from.WriteMsgUnix([]byte(text), rights, nil)
				told = append(told, tell("send", m, oobn, err))
				_ = w.Close()
				if err != nil { // a connected datagram socket may not
					raw, err := from.SyscallConn()
					if err != nil {
						t.Fatal(err)
					}
					r2, w2, _ := os.Pipe()
					_ = r.Close()
					r, w = r2, w2
					rights = syscall.UnixRights(int(w.Fd()))
					if err := raw.Write(func(fd uintptr) bool {
						return syscall.Sendmsg(int(fd), []byte(text), rights, nil, 0) != syscall.EAGAIN
					}); err != nil {
						t.Fatal(err)
					}
					_ = w.Close()
				}
				buf, oob := make([]byte, len(text)), make([]byte, 64)
				m, oobn, flags, _, err := to.ReadMsgUnix(buf, oob)
				told = append(told, tell("receive", m, string(buf), oobn, flags, err))
				messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
				if err != nil || len(messages) != 1 {
					t.Fatalf("%d control messages, %v", len(messages), err)
				}
				fds, err := syscall.ParseUnixRights(&messages[0])
				if err != nil || len(fds) != 1 {
					t.Fatalf("%d descriptors, %v", len(fds), err)
				}
				flag, err := fcntl(uintptr(fds[0]), syscall.F_GETFD)
				told = append(told, tell("close on exec", flag&syscall.FD_CLOEXEC != 0, err))
				passed := os.NewFile(uintptr(fds[0]), "passed")
				if _, err := passed.WriteString("through"); err != nil {
					t.Error(err)
				}
				_ = passed.Close()
				data, err := io.ReadAll(r)
				told = append(told, tell("through", string(data), err))
				_ = r.Close()
			}
			return told
		})
	}
}

// connectedAt is connected for unix sockets at path.
func (n implementation) connectedAt(t *testing.T, network, path string) (a, b stdnet.Conn) {
	t.Helper()
	l, err := n.Listen(network, path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a = must(n.Dial(network, path))(t)
	return a, must(l.Accept())(t)
}

// TestUnixDatagramWorkers: tasks of two workers and goroutines send to one socket
// whose queue is short, and read from it, so that it moves between the workers
// while both sides wait. Every datagram arrives.
func TestUnixDatagramWorkers(t *testing.T) {
	rt := runtimetest.New(t, 2)
	name := shortTempDir(t) + "/s"
	server := must(ourPackets.listenUnixgram("unixgram", gram(name)))(t)
	const parties, each = 6, 200
	received := make(chan string, parties*each)
	var joins []func()
	start := func(i int, fn func()) {
		if i%3 == 2 {
			done := make(chan struct{})
			go func() { defer close(done); fn() }()
			joins = append(joins, func() { <-done })
			return
		}
		task := rt.Workers()[i%3].Spawn(fn)
		joins = append(joins, func() { _ = task.Join() })
	}
	for i := range parties {
		start(i, func() {
			for range each {
				received <- got(t, server)
			}
		})
		start(i, func() {
			client, err := ourPackets.dialUnix("unixgram", nil, gram(name))
			if err != nil {
				t.Error(err)
				return
			}
			defer client.Close()
			for j := range each {
				send(t, client, fmt.Sprint(i, " ", j))
			}
		})
	}
	for _, join := range joins {
		join()
	}
	seen := map[string]bool{}
	for range parties * each {
		seen[<-received] = true
	}
	if len(seen) != parties*each {
		t.Errorf("%d datagrams of %d", len(seen), parties*each)
	}
}
