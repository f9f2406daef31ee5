package server_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	stdnet "net"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/server"
)

// held is a connection whose writes wait in buf, if there is one.
type held struct {
	stdnet.Conn
	buf *bytes.Buffer
}

func (h *held) Write(p []byte) (int, error) {
	if h.buf != nil {
		return h.buf.Write(p)
	}
	return h.Conn.Write(p)
}

// toClear ends TLS after a reply that says so, and sends lines in clear in the same
// segment as the own close_notify.
func (c *client) toClear(lines string) {
	c.t.Helper()
	h := c.tls.NetConn().(*held)
	if _, err := c.r.ReadByte(); err != io.EOF {
		c.t.Fatalf("instead of a close_notify: %v", err)
	}
	h.buf = new(bytes.Buffer)
	if err := c.tls.CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
	h.buf.WriteString(lines)
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	if _, err := c.conn.Write(h.buf.Bytes()); err != nil {
		c.t.Fatal(err)
	}
	c.tls, c.r = nil, bufio.NewReader(c.conn)
}

// authHeld is auth over a held connection.
func (c *client) authHeld(cfg *tls.Config) {
	c.t.Helper()
	c.tls = tls.Client(&held{Conn: c.conn}, cfg)
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	if err := c.tls.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.r = bufio.NewReader(c.tls)
}

// TestCCC: C220 where the configuration allows it (RFC 4217 section 5). The control
// connection goes on in clear without a lost byte, data connections stay secured and
// bound to the session, and nobody logs in in clear where that is not allowed.
func TestCCC(t *testing.T) {
	for _, version := range versions {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			onEngines(t, func(t *testing.T, e server.Engine) {
				f := start(t, e, withTLS, func(cfg *server.Config) {
					cfg.TLS.AllowCCC, cfg.TLS.RequireControl, cfg.TLS.RequireData = true, true, true
					cfg.TLS.DataReuse = server.ReuseRequire
				})
				cfg := clientTLS(version)
				c := f.dial()
				if text := c.cmd(211, "FEAT").Text(); !strings.Contains(text, "CCC") {
					t.Errorf("FEAT: %s", text)
				}
				c.cmd(503, "CCC")
				c.cmd(234, "AUTH TLS")
				c.authHeld(cfg)
				c.steps([]step{
					{200, "PBSZ 0", ""}, {200, "PROT P", ""},
					{331, "USER " + testUser, ""}, {230, "PASS " + testPassword, ""}, {200, "TYPE I", ""}, {200, "CCC", "C220"},
				})
				c.toClear("NOOP\r\nPWD\r\nNO")
				c.expect(200)
				c.expect(257)
				c.raw("OP\r\n")
				c.expect(200)
				c.cmd(211, "STAT")
				c.cmd(503, "PROT C")
				c.cmd(503, "CCC")
				c.securePut(cfg, "STOR f", "secret")
				if got, resumed := c.secureGet(cfg, "RETR f"); got != "secret" || !resumed {
					t.Errorf("%q, resumed %v", got, resumed)
				}
				d := tls.Client(c.data().raw, clientTLS(version)) // somebody else
				c.cmd(150, "RETR f")
				_ = d.Handshake()
				c.expect(522)
				c.cmd(534, "USER "+testUser)
				c.cmd(234, "AUTH TLS") // and back again
				c.authHeld(cfg)
				c.cmd(530, "PWD")
				c.cmd(221, "QUIT")
			})
		})
	}
}

// TestCCCWithMore: what comes over TLS behind CCC is not carried out, and ends the
// session.
func TestCCCWithMore(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, withTLS, func(cfg *server.Config) { cfg.TLS.AllowCCC = true })
		for name, more := range map[string]func(c *client){
			"in one record": func(c *client) { c.raw("CCC\r\nDELE f\r\n") },
			"in a record of its own": func(c *client) {
				c.send("CCC")
				c.expect(200)
				c.send("DELE f")
			},
		} {
			f.write("f", "x")
			c := f.loginTLS(clientTLS(0))
			more(c)
			for {
				r, err := c.reply()
				if err != nil {
					break
				}
				if r.Code != 200 {
					t.Errorf("%s: %v %s", name, r.Code, r.Text())
				}
			}
			eventually(t, "the end of the session", func() bool { return f.srv.Sessions() == 0 })
			if f.content("f") != "x" {
				t.Errorf("%s: carried out", name)
			}
		}
	})
}

// TestCCCWithoutEnd: a client that goes on in clear without a close_notify, as curl does.
func TestCCCWithoutEnd(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, withTLS, func(cfg *server.Config) { cfg.TLS.AllowCCC = true })
		c := f.loginTLS(clientTLS(0))
		c.cmd(200, "CCC")
		c.tls, c.r = nil, bufio.NewReader(c.conn)
		_ = c.conn.SetDeadline(time.Now().Add(patience))
		c.send("NOOP")
		// The server's close_notify may have been read with the reply to CCC.
		first, err := c.r.Peek(5)
		if err != nil {
			t.Fatal(err)
		}
		if first[0] == 23 {
			if _, err := c.r.Discard(5 + int(first[4])); err != nil {
				t.Fatal(err)
			}
		}
		c.expect(200)
	})
}

// TestREINOverTLS: the reply to REIN is secured, and what follows in clear (RFC 4217
// section 13). Nothing is left of the login and the protection.
func TestREINOverTLS(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, withTLS)
		cfg := clientTLS(0)
		c := f.dial()
		for range 2 {
			c.cmd(234, "AUTH TLS")
			c.authHeld(cfg)
			c.steps([]step{
				{503, "PROT P", "nothing is left of an earlier PBSZ"}, {200, "PBSZ 0", ""}, {200, "PROT P", ""},
				{331, "USER " + testUser, ""}, {230, "PASS " + testPassword, ""}, {220, "REIN", ""},
			})
			c.toClear("PWD\r\n")
			c.expect(530)
			c.steps([]step{{503, "PBSZ 0", ""}, {331, "USER " + testUser, ""}, {230, "PASS " + testPassword, ""}, {200, "TYPE I", ""}})
			c.put("STOR f", "in clear")
		}
	})
}

// TestREINImplicit: with implicit TLS the client begins a new one after REIN.
func TestREINImplicit(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := startImplicit(t, e)
		cfg := clientTLS(0)
		c := f.dialRaw()
		c.authHeld(cfg)
		c.expect(220)
		for range 2 {
			c.steps([]step{{331, "USER " + testUser, ""}, {230, "PASS " + testPassword, ""}, {200, "TYPE I", ""}})
			c.securePut(cfg, "STOR f", "x")
			c.cmd(220, "REIN")
			c.toClear("")
			c.authHeld(cfg)
			c.cmd(530, "PWD")
		}
		c.close()
	})
}
