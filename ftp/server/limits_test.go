package server_test

import (
	"fmt"
	"io"
	stdnet "net"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/server"
)

// FIELD B29: many commands sent ahead.
func TestFlood(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c := f.dial()
		other := f.dial()
		const n = 100000
		sent := make(chan error, 1)
		go func() {
			_, err := io.WriteString(c.conn, strings.Repeat("NOOP\r\n", n))
			sent <- err
		}()
		other.cmd(200, "NOOP")
		for range n {
			c.expect(200)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}

// C280: a line that is too long costs itself only.
func TestLongLine(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		c := start(t, e).login()
		c.cmd(500, "MKD "+strings.Repeat("x", 5000))
		c.cmd(200, "NOOP")
		c.cmd(500, strings.Repeat("x", 100000))
		c.cmd(200, "NOOP")
	})
}

// C279: one without end ends the session.
func TestEndlessLine(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c := f.dial()
		go func() {
			chunk := strings.Repeat("x", 64<<10)
			for {
				if _, err := io.WriteString(c.conn, chunk); err != nil {
					return
				}
			}
		}()
		// 500, unless the reset for what was not read overtakes it.
		if r, err := c.reply(); err == nil && r.Code != 500 {
			t.Errorf("%v %s", r.Code, r.Text())
		}
		eventually(t, "the end of the session", func() bool { return f.srv.Sessions() == 0 })
	})
}

// FIELD B15: a browser is turned away.
func TestForeignProtocol(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		for _, line := range []string{"GET / HTTP/1.1", "POST /x HTTP/1.1", "Host: x", "\x16\x03\x01"} {
			c := f.dial()
			c.cmd(500, line)
			if r, err := c.reply(); err == nil {
				t.Errorf("after %q: %v %s", line, r.Code, r.Text())
			}
		}
	})
}

// C143, C144: a session without commands ends, one with a transfer does not.
func TestIdle(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.IdleTimeout = 300 * time.Millisecond })
		c := f.login()
		d := c.begin("STOR f")
		for range 2 {
			idle := f.dial()
			idle.expect(421)
			idle.expectClosed()
		}
		if _, err := io.WriteString(d, "x"); err != nil {
			t.Fatal(err)
		}
		d.Close()
		c.expect(226)
		c.cmd(200, "NOOP")
		c.expect(421)
		c.expectClosed()
	})
}

// FIELD B32: bytes that never make a line do not keep a session.
func TestSlowLogin(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.LoginTimeout = 300 * time.Millisecond })
		c := f.dial()
		done := make(chan struct{})
		defer close(done)
		go func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
				if _, err := c.conn.Write([]byte("x")); err != nil {
					return
				}
			}
		}()
		if r, err := c.reply(); err == nil && r.Code != 421 {
			t.Errorf("%v %s", r.Code, r.Text())
		}
		eventually(t, "the end of the session", func() bool { return f.srv.Sessions() == 0 })
		logged := f.login()
		other := f.dial()
		other.expect(421)
		logged.cmd(200, "NOOP")
	})
}

// C285: a peer that does not move loses its transfer, not its session.
func TestStall(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.StallTimeout = 50 * time.Millisecond })
		f.big("big")
		c := f.login()
		for _, typ := range []string{"I", "A"} {
			c.cmd(200, "TYPE "+typ)
			c.begin("RETR big")
			c.expect(426)
			c.begin("STOR f")
			c.expect(426)
		}
		if got := fmt.Sprint(f.names()); got != "[big]" {
			t.Errorf("left %s", got)
		}
		c.cmd(200, "NOOP")
	})
}

// C288: the limit of sessions.
func TestMaxSessions(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.MaxSessions = 2 })
		one, two := f.login(), f.login()
		for range 3 {
			c := f.dialRaw()
			c.expect(421)
			c.expectClosed()
		}
		one.cmd(200, "NOOP")
		two.cmd(221, "QUIT")
		two.expectClosed()
		eventually(t, "room", func() bool { return f.srv.Sessions() == 1 })
		f.login()
	})
}

func TestMaxSessionsPerIP(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.MaxSessionsPerIP = 1 })
		f.login()
		c := f.dialRaw()
		c.expect(421)
		c.expectClosed()
		other := stdnet.Dialer{LocalAddr: &stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 2)}}
		d, err := other.Dial("tcp", f.addr)
		if err != nil {
			t.Skipf("SKIP: no second loopback address: %v", err)
		}
		defer d.Close()
		b := make([]byte, 4)
		if _, err := io.ReadFull(d, b); err != nil || string(b) != "220 " {
			t.Errorf("%q, %v", b, err)
		}
	})
}
