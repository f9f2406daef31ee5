package server_test

import (
	"fmt"
	"math/rand/v2"
	stdnet "net"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// Complaint 9: a port that no command asks for is closed in time, in a session that
// is idle and in one that is not, and the session goes on.
func TestPassiveExpires(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.DataTimeout = 250 * time.Millisecond })
		f.write("f", "x")
		idle, busy := f.login(), f.login()
		idle.cmd(229, "EPSV")
		busy.cmd(227, "PASV")
		eventually(t, "closed ports", func() bool {
			busy.cmd(200, "NOOP")
			return f.srv.Stats().PassivePorts == 0
		})
		for _, c := range []*client{idle, busy} {
			c.cmd(425, "RETR f")
			if got := c.get("RETR f"); got != "x" {
				t.Errorf("got %q", got)
			}
		}
	})
}

// Without a limit ports are kept.
func TestPassiveNeverExpires(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.DataTimeout = -1 })
		f.write("f", "x")
		if got := f.login().get("RETR f"); got != "x" {
			t.Errorf("got %q", got)
		}
	})
}

// C175, C289: ports are from the range, not in order, and may run out.
func TestPassiveRange(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		ports := freeRange(t, 8)
		f := start(t, e, func(c *server.Config) { c.PassivePorts = ports })
		f.write("f", "x")
		var seen []uint16
		var clients []*client
		for range 8 {
			c := f.login()
			at, err := ftp.Parse227(c.cmd(227, "PASV").Text())
			if err != nil || at.Port() < ports.Lo || at.Port() > ports.Hi {
				t.Fatalf("%v, %v", at, err)
			}
			seen = append(seen, at.Port())
			clients = append(clients, c)
		}
		t.Logf("ports: %v", seen)
		c := f.login()
		c.cmd(425, "PASV")
		c.cmd(425, "EPSV")
		c.cmd(200, "NOOP")
		clients[0].cmd(221, "QUIT")
		clients[0].expectClosed()
		if got := c.get("RETR f"); got != "x" {
			t.Errorf("got %q", got)
		}
	})
}

// freeRange finds n free ports in a row, elsewhere each time: other tests may run
// beside this one.
func freeRange(t *testing.T, n int) server.PortRange {
	t.Helper()
	for range 100 {
		lo := 20000 + rand.IntN(10000)
		free := true
		for port := lo; port < lo+n && free; port++ {
			l, err := stdnet.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
			if free = err == nil; free {
				l.Close()
			}
		}
		if free {
			return server.PortRange{Lo: uint16(lo), Hi: uint16(lo + n - 1)}
		}
	}
	t.Skip("SKIP: no free ports")
	return server.PortRange{}
}
