package server_test

import (
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// shared makes a server share n ports among its sessions.
func shared(t *testing.T, n int) func(*server.Config) {
	ports := freeRange(t, n)
	return func(c *server.Config) { c.SharedPorts, c.PassivePorts = true, ports }
}

// loginFrom connects and logs in from another address of this machine.
func (f *fixture) loginFrom(ip string) *client {
	f.t.Helper()
	c := newClient(f.t, dialFrom(f.t, ip, f.addr))
	c.expect(220)
	c.cmd(331, "USER "+testUser)
	c.cmd(230, "PASS "+testPassword)
	c.cmd(200, "TYPE I")
	return c
}

// dialFrom connects from another address of this machine.
func dialFrom(t *testing.T, ip, addr string) *stdnet.TCPConn {
	t.Helper()
	d := stdnet.Dialer{LocalAddr: &stdnet.TCPAddr{IP: stdnet.ParseIP(ip)}}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Skipf("SKIP: no second loopback address: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn.(*stdnet.TCPConn)
}

// steal connects and expects a reset, which may come before Dial returns, and no
// data.
func steal(t *testing.T, ip, addr string) {
	t.Helper()
	d := stdnet.Dialer{LocalAddr: &stdnet.TCPAddr{IP: stdnet.ParseIP(ip)}}
	conn, err := d.Dial("tcp", addr)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Skipf("SKIP: no second loopback address: %v", err)
	}
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if b, err := io.ReadAll(conn); err == nil || len(b) > 0 {
		t.Errorf("from %s: read %q, %v", ip, b, err)
	}
}

// port opens a passive port.
func (c *client) port() uint16 {
	c.t.Helper()
	port, err := ftp.Parse229(c.cmd(229, "EPSV").Text())
	if err != nil {
		c.t.Fatal(err)
	}
	return port
}

// Complaint 10: one port does for clients of different addresses at a time, and
// each gets his own file.
func TestSharedPorts(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, shared(t, 1))
		var clients []*client
		var addrs []string
		for i := range 5 {
			ip := fmt.Sprintf("127.0.0.%d", 11+i)
			f.write(ip, "file of "+ip)
			c := f.loginFrom(ip)
			addrs = append(addrs, fmt.Sprintf("127.0.0.1:%d", c.port()))
			clients = append(clients, c)
		}
		for i, c := range clients {
			ip := fmt.Sprintf("127.0.0.%d", 11+i)
			want := "file of " + ip
			var d *stdnet.TCPConn
			if i%2 == 0 { // before the command, or after it
				d = dialFrom(t, ip, addrs[i])
			}
			c.cmd(150, "RETR "+ip)
			if d == nil {
				d = dialFrom(t, ip, addrs[i])
			}
			if b, err := io.ReadAll(d); err != nil || string(b) != want {
				t.Errorf("%q, %v", b, err)
			}
			c.expect(226)
			c.cmd(425, "RETR "+ip)
		}
		for range 200 { // complaint 9
			clients[0].cmd(229, "EPSV")
		}
	})
}

// Sessions of one address have different ports, and 425 at once when there are no
// more; a port comes free by use, by ABOR, by another PASV, by the patience's end
// and with its session.
func TestSharedPortsOfOneClient(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, shared(t, 2), func(c *server.Config) { c.DataTimeout = 500 * time.Millisecond })
		f.write("f", "x")
		a, b, c := f.login(), f.login(), f.login()
		if pa, pb := a.port(), b.port(); pa == pb {
			t.Errorf("both got %d", pa)
		}
		c.cmd(425, "PASV")
		c.cmd(425, "EPSV")
		a.cmd(226, "ABOR")
		if got := c.get("RETR f"); got != "x" {
			t.Errorf("got %q", got)
		}
		a.port()
		a.cmd(150, "RETR f") // never connects
		a.expect(425)
		c.port()
		c.cmd(221, "QUIT")
		c.expectClosed()
		if got := a.get("RETR f"); got != "x" {
			t.Errorf("got %q", got)
		}
		// One that was connected to and not used is given back too.
		d := dialData(t, a.passive())
		a.cmd(226, "ABOR")
		if n, err := d.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes", n)
		}
		a.cmd(229, "EPSV")
		a.cmd(150, "LIST") // waits for a connection
		a.send("ABOR")
		a.expect(426)
		a.expect(226)
		a.port()
		a.close()
		eventually(t, "the end of a session", func() bool { return f.srv.Sessions() == 1 })
		if got := b.get("RETR f"); got != "x" {
			t.Errorf("got %q", got)
		}
	})
}

// Who connects from elsewhere, or without being asked, gets nothing.
func TestSharedPortsSteal(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, shared(t, 1))
		f.write("f", "mine")
		c := f.login()
		addr := c.passive()
		for range 3 {
			steal(t, "127.0.0.9", addr)
		}
		d := dialData(t, addr)
		steal(t, "127.0.0.1", addr) // what is asked for is there
		c.cmd(150, "RETR f")
		if b, err := io.ReadAll(d); err != nil || string(b) != "mine" {
			t.Errorf("%q, %v", b, err)
		}
		c.expect(226)
		if n := strings.Count(f.log.String(), "nobody waits for"); n != 1 {
			t.Errorf("told %d times, want one", n)
		}
	})
}

// A shared port that is taken is an error of Serve.
func TestSharedPortInUse(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		ports := freeRange(t, 3)
		other, err := stdnet.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", ports.Hi))
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		var cfg server.Config
		twoUsers(&cfg)
		cfg.Engine, cfg.SharedPorts, cfg.PassivePorts = e, true, ports
		srv, err := server.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.ListenAndServe("127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), fmt.Sprint(ports.Hi)) {
			t.Errorf("%v", err)
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
}
