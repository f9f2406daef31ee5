package attack_test

import (
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// victim listens at another address, where nothing may connect to.
func (w *world) victim(ip string) (addr netip.AddrPort, untouched func()) {
	w.Helper()
	l, err := stdnet.Listen("tcp4", ip+":0")
	if err != nil {
		w.Skipf("SKIP: no address %s here: %v", ip, err)
	}
	w.Cleanup(func() { l.Close() })
	return l.Addr().(*stdnet.TCPAddr).AddrPort(), func() {
		w.Helper()
		// What the server has answered it has done: a connection would be here.
		_ = l.(*stdnet.TCPListener).SetDeadline(time.Now().Add(50 * time.Millisecond))
		if c, err := l.Accept(); err == nil {
			c.Close()
			w.Errorf("the server connected to %s", ip)
		}
	}
}

// The bounce attack (RFC 2577 section 3): the server connects to the client only.
func TestAttack01_Bounce(t *testing.T) {
	attack(t, func(w *world) {
		w.write("eve/f", "GET / HTTP/1.0\r\n\r\n")
		c := w.login("eve")
		addr, untouched := w.victim("127.0.0.2")
		for _, line := range []string{
			"PORT " + string(ftp.AppendPORT(nil, addr)),
			"EPRT " + string(ftp.AppendEPRT(nil, addr)),
			"EPRT |2|::ffff:127.0.0.2|" + fmt.Sprint(addr.Port()) + "|",
		} {
			c.refused(line)
			c.cmd("RETR f", 425)
		}
		// A good one before does not outlive the bad one's transfer either.
		own := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), addr.Port())
		c.cmd("PORT "+string(ftp.AppendPORT(nil, own)), 200)
		c.refused("PORT " + string(ftp.AppendPORT(nil, addr)))
		c.cmd("ABOR", 226)
		c.cmd("RETR f", 425)
		untouched()
	})
}

// Ports of services are never connected to, at the client's address neither.
func TestAttack02_LowPorts(t *testing.T) {
	attack(t, func(w *world) {
		c := w.login("eve")
		for _, port := range []int{1, 19, 22, 25, 80, 1023} {
			c.cmd(fmt.Sprintf("PORT 127,0,0,1,%d,%d", port>>8, port&0xff), 504)
			c.cmd(fmt.Sprintf("EPRT |1|127.0.0.1|%d|", port), 504)
		}
		c.cmd("PORT 127,0,0,1,0,0", 501)
		c.cmd("EPRT |1|127.0.0.1|0|", 501)
		c.cmd("LIST", 425)
	})
}

// The server's own services and what only its network sees.
func TestAttack03_InternalAddresses(t *testing.T) {
	attack(t, func(w *world) {
		c := w.loginFrom("127.0.0.9", "eve")
		_, untouched := w.victim("127.0.0.1")
		for _, host := range []string{"127.0.0.1", "169.254.169.254", "0.0.0.0", "10.0.0.1", "192.168.0.1", "255.255.255.255", "224.0.0.1"} {
			c.refused("PORT " + strings.ReplaceAll(host, ".", ",") + ",20,20")
			c.refused("EPRT |1|" + host + "|5140|")
			c.refused("EPRT |2|::ffff:" + host + "|5140|")
		}
		for _, host := range []string{"::1", "::", "fe80::1", "fe80::1%lo", "fd00:ec2::254", "localhost", "127.1", "0x7f000001", "2130706433"} {
			c.refused("EPRT |2|" + host + "|5140|")
			c.refused("EPRT |1|" + host + "|5140|")
		}
		c.cmd("LIST", 425)
		untouched()
	})
}

// Numbers that do not fit, and what else is no address.
func TestAttack04_PortOverflow(t *testing.T) {
	attack(t, func(w *world) {
		c := w.login("eve")
		for _, arg := range []string{
			"", "127,0,0,1", "127,0,0,1,20", "127,0,0,1,20,20,20", "127,0,0,1,256,0", "127,0,0,1,0,256", "383,0,0,1,20,20",
			"-129,0,0,1,20,20", "127,0,0,1,-1,20", "127,0,0,1,+20,20", "127,0,0,1,4294967316,20", "127,0,0,1,18446744073709551636,20",
			"0127,0,0,1,20,20", "0x7f,0,0,1,20,20", "127,0,0,1,20,20 ", " 127,0,0,1,20,20", "127,0,0,1,,20", "1e2,0,0,1,20,20",
			strings.Repeat("1", 4000), strings.Repeat("1,", 2000), "127.0.0.1,20,20", "\x00", "127,0,0,1,20,20\x00",
		} {
			c.cmd("PORT "+arg, 501)
		}
		for _, arg := range []string{
			"|1|127.0.0.1|65536|", "|1|127.0.0.1|-1|", "|1|127.0.0.1|70660|", "|1|127.0.0.1|4294972436|", "|1|127.0.0.1|5140", "|1|127.0.0.1|5140||",
			"|", "||||", "|||||", "|1||5140|", "|1|127.0.0.1||", "1|127.0.0.1|5140|", "|1|127.0.0.1|5140|x", "|1|256.0.0.1|5140|",
			strings.Repeat("|", 4000), "|1|" + strings.Repeat("1", 4000) + "|1|",
		} {
			c.cmd("EPRT "+arg, 501, 522)
		}
		for _, arg := range []string{"-1", "1x", "4294967297", "|1|", "ALLx", strings.Repeat("9", 4000)} {
			c.cmd("EPSV "+arg, 501, 522)
		}
		c.cmd("LIST", 425)
	})
}

// FXP, by which one server is made to send to another, takes an allow list.
func TestAttack06_FXP(t *testing.T) {
	attack(t, func(w *world) {
		w.write("eve/f", "x")
		c := w.login("eve")
		addr, untouched := w.victim("127.0.0.2")
		c.cmd("PORT "+string(ftp.AppendPORT(nil, addr)), 504)
		passive := c.passive()
		other := w.dialFrom("127.0.0.2", passive) // the other server
		own := w.dialFrom("127.0.0.1", passive)
		c.cmd("RETR f", 150)
		if b, err := io.ReadAll(own); err != nil || string(b) != "x" {
			w.Errorf("%q, %v", b, err)
		}
		c.expect(226)
		if b, _ := io.ReadAll(other); len(b) > 0 {
			w.Errorf("the other server got %q", b)
		}
		untouched()
	})
}

// Whoever connects to a port from another address gets nothing, spoils nothing,
// and is told of in the log; in both passive modes.
func TestAttack07_PassiveSteal(t *testing.T) {
	steal := func(w *world) {
		w.write("alice/f", "hers")
		c := w.login("alice")
		for _, line := range []string{"RETR f", "STOR g"} {
			addr := c.passive()
			for range 20 {
				d := stdnet.Dialer{LocalAddr: &stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 66)}}
				thief, err := d.Dial("tcp", addr)
				if err != nil {
					continue // was reset at once
				}
				w.Cleanup(func() { thief.Close() })
				_ = thief.SetDeadline(time.Now().Add(patience))
				_, _ = io.WriteString(thief, "forged")
				defer func() {
					if b, _ := io.ReadAll(thief); len(b) > 0 {
						w.Errorf("the thief got %q", b)
					}
				}()
			}
			d := w.dialFrom("127.0.0.1", addr)
			c.cmd(line, 150)
			if line == "STOR g" {
				_, _ = io.WriteString(d, "hers too")
				d.Close()
			} else if b, err := io.ReadAll(d); err != nil || string(b) != "hers" {
				w.Errorf("%q, %v", b, err)
			}
			c.expect(226)
		}
		if got := w.content("alice/g"); got != "hers too" {
			w.Errorf("stored %q", got)
		}
		if n := strings.Count(w.log.String(), "from=127.0.0.66"); n == 0 || n > 2 {
			w.Errorf("the log tells %d times of the thief in two transfers", n)
		}
	}
	t.Run("own port", func(t *testing.T) { attack(t, steal) })
	t.Run("shared port", func(t *testing.T) {
		attack(t, steal, func(c *server.Config) { c.SharedPorts, c.PassivePorts = true, freePorts(t, 2) })
	})
}

// From the same address, and without TLS, whoever comes first is the client. That
// is one connection: a second gets nothing, and the port is gone.
func TestAttack08_PassiveRace(t *testing.T) {
	attack(t, func(w *world) {
		w.write("alice/f", "hers")
		c := w.login("alice")
		addr := c.passive()
		var all []*stdnet.TCPConn
		for range 5 {
			all = append(all, w.dialFrom("127.0.0.1", addr))
		}
		c.cmd("RETR f", 150)
		c.expect(226)
		served := 0
		for _, d := range all {
			switch b, _ := io.ReadAll(d); string(b) {
			case "hers":
				served++
			case "":
			default:
				w.Errorf("got %q", b)
			}
		}
		if served != 1 {
			w.Errorf("%d connections were served", served)
		}
		if d, err := stdnet.Dial("tcp", addr); err == nil {
			d.Close()
			w.Error("the port is still open")
		}
	})
}

// Ports can't be guessed from those before.
func TestAttack09_PortGuess(t *testing.T) {
	attack(t, func(w *world) {
		c := w.login("eve")
		const n = 64
		var ports []int
		steps := map[int]int{}
		for range n {
			ap, err := netip.ParseAddrPort(c.passive())
			if err != nil {
				w.Fatal(err)
			}
			if p := int(ap.Port()); len(ports) > 0 {
				steps[p-ports[len(ports)-1]]++
			}
			ports = append(ports, int(ap.Port()))
		}
		// Each step has 16383 values: that one comes up thrice has odds of 1 in 6000,
		// four times 1 in 10 millions.
		for step, times := range steps {
			if times > 3 {
				w.Errorf("%d of %d steps are %d: %v", times, n, step, ports)
			}
		}
		if slices.IsSorted(ports) {
			w.Errorf("ports only go up: %v", ports)
		}
	})
}

// PASV again and again holds one port a session, and a full range is refused at
// once.
func TestAttack10_PassiveExhaustion(t *testing.T) {
	const sessions = 4
	t.Run("one port a session", func(t *testing.T) {
		attack(t, func(w *world) {
			before := runtimetest.Descriptors()
			var all []*client
			for range sessions {
				c := w.login("eve")
				for range 200 {
					c.cmd("PASV", 227)
					c.cmd("EPSV", 229)
				}
				all = append(all, c)
			}
			if got := w.srv.Stats().PassivePorts; got != sessions {
				w.Errorf("%d sessions hold %d ports", sessions, got)
			}
			// Each session has two ends here, its user's home, and a port.
			if got := runtimetest.Descriptors() - before; got > 4*sessions {
				w.Errorf("%d descriptors for %d sessions", got, sessions)
			}
			for i, c := range all {
				if i%2 == 0 {
					c.cmd("QUIT", 221)
				}
				c.abort()
			}
			w.alone()
			if got := w.srv.Stats().PassivePorts; got != 0 {
				w.Errorf("%d ports are left", got)
			}
		})
	})
	t.Run("full range", func(t *testing.T) {
		attack(t, func(w *world) {
			var all []*client
			for range sessions {
				c := w.login("eve")
				c.cmd("EPSV", 229)
				all = append(all, c)
			}
			late := w.login("eve")
			late.cmd("EPSV", 425)
			late.cmd("PASV", 425)
			all[0].cmd("ABOR", 226)
			late.cmd("EPSV", 229)
			late.close()
			w.eventually("a free port", func() bool { return w.srv.Stats().PassivePorts < sessions })
		}, func(c *server.Config) { c.PassivePorts = freePorts(t, sessions) })
	})
}

// freePorts finds n free ports in a row.
func freePorts(t *testing.T, n int) server.PortRange {
	t.Helper()
next:
	for range 100 {
		l, err := stdnet.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		lo := l.Addr().(*stdnet.TCPAddr).Port
		l.Close()
		for port := lo; port < lo+n; port++ {
			l, err := stdnet.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				continue next
			}
			l.Close()
		}
		return server.PortRange{Lo: uint16(lo), Hi: uint16(lo + n - 1)}
	}
	t.Skip("SKIP: no free ports")
	return server.PortRange{}
}
