package server_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
)

// client is the raw other side: it sends lines and expects codes.
type client struct {
	t    *testing.T
	conn *stdnet.TCPConn
	tls  *tls.Conn   // nil in clear
	prot *tls.Config // of data connections, nil in clear
	r    *bufio.Reader
	verb string // of the last command sent
}

// dial connects and reads the greeting. Under TLS it secures all that follows.
func (f *fixture) dial() *client {
	f.t.Helper()
	c := f.dialRaw()
	c.expect(220)
	if f.tls != nil {
		cfg := f.tls()
		c.auth(cfg)
		c.cmd(200, "PBSZ 0")
		c.cmd(200, "PROT P")
		c.prot = cfg
	}
	return c
}

// dialRaw connects.
func (f *fixture) dialRaw() *client {
	f.t.Helper()
	conn, err := stdnet.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	c := newClient(f.t, conn.(*stdnet.TCPConn))
	f.t.Cleanup(c.close)
	return c
}

func newClient(t *testing.T, conn *stdnet.TCPConn) *client {
	return &client{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// login connects and logs in, with TYPE I.
func (f *fixture) login() *client {
	f.t.Helper()
	c := f.dial()
	c.cmd(331, "USER "+testUser)
	c.cmd(230, "PASS "+testPassword)
	c.cmd(200, "TYPE I")
	return c
}

func (c *client) close() { _ = c.conn.Close() }

// raw sends bytes.
func (c *client) raw(s string) {
	c.t.Helper()
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	var w io.Writer = c.conn
	if c.tls != nil {
		w = c.tls
	}
	if _, err := io.WriteString(w, s); err != nil {
		c.t.Fatal(err)
	}
}

// send sends a line.
func (c *client) send(line string) {
	c.t.Helper()
	c.verb, _, _ = strings.Cut(line, " ")
	c.raw(line + "\r\n")
}

// reply reads a reply.
func (c *client) reply() (ftp.Reply, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	var p ftp.ReplyParser
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return ftp.Reply{}, err
		}
		if !strings.HasSuffix(line, "\r\n") {
			return ftp.Reply{}, fmt.Errorf("line without CR: %q", line)
		}
		if r, done, err := p.Line([]byte(strings.TrimSuffix(line, "\r\n"))); done || err != nil {
			return r, err
		}
	}
}

// expect reads a reply, which must have the code.
func (c *client) expect(code ftp.Code) ftp.Reply {
	c.t.Helper()
	r, err := c.reply()
	if err != nil {
		c.t.Fatalf("after %s, instead of %v: %v", c.verb, code, err)
	}
	if r.Code != code {
		c.t.Fatalf("after %s, instead of %v: %v %s", c.verb, code, r.Code, r.Text())
	}
	return r
}

// cmd sends a line and expects the code in answer. The command table must allow
// it.
func (c *client) cmd(code ftp.Code, line string) ftp.Reply {
	c.t.Helper()
	c.send(line)
	if row, ok := ftp.Lookup(c.verb); ok && !row.Allows(code) {
		c.t.Errorf("the table does not let %s answer %v", c.verb, code)
	}
	return c.expect(code)
}

// expectClosed expects the end of the connection and nothing before it.
func (c *client) expectClosed() {
	c.t.Helper()
	r, err := c.reply()
	if err == nil {
		c.t.Fatalf("instead of the end: %v %s", r.Code, r.Text())
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("the connection stays open")
	}
}

// passive opens a passive port and returns its address.
func (c *client) passive() string {
	c.t.Helper()
	port, err := ftp.Parse229(c.cmd(229, "EPSV").Text())
	if err != nil {
		c.t.Fatal(err)
	}
	host := c.conn.RemoteAddr().(*stdnet.TCPAddr).AddrPort().Addr()
	return netip.AddrPortFrom(host, port).String()
}

// data opens a passive data connection.
func (c *client) data() *dataConn {
	c.t.Helper()
	return c.secureLater(dialData(c.t, c.passive()))
}

func dialData(t *testing.T, addr string) *stdnet.TCPConn {
	t.Helper()
	d, err := stdnet.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	_ = d.SetDeadline(time.Now().Add(patience))
	return d.(*stdnet.TCPConn)
}

// get carries out a command that sends and returns what it sent.
func (c *client) get(line string) string {
	c.t.Helper()
	d := c.begin(line)
	b, err := io.ReadAll(d)
	if err != nil {
		c.t.Fatal(err)
	}
	d.Close()
	c.expect(226)
	return string(b)
}

// put carries out a command that stores.
func (c *client) put(line, content string) {
	c.t.Helper()
	d := c.begin(line)
	if _, err := io.WriteString(d, content); err != nil {
		c.t.Fatal(err)
	}
	d.Close()
	c.expect(226)
}
