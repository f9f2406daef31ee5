package attack_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/weft-go/weft/ftp"
)

// client is a raw client: what it sends is up to the test.
type client struct {
	w    *world
	conn *stdnet.TCPConn
	tls  *tls.Conn   // nil in clear
	prot *tls.Config // of data connections, nil in clear
	r    *bufio.Reader
	last string // the line sent last
}

// connect connects from an address of this machine and says nothing.
func (w *world) connect(ip string) *client {
	w.Helper()
	conn := w.dialFrom(ip, w.addr)
	return &client{w: w, conn: conn, r: bufio.NewReader(conn)}
}

func (w *world) dialFrom(ip, addr string) *stdnet.TCPConn {
	w.Helper()
	d := stdnet.Dialer{LocalAddr: &stdnet.TCPAddr{IP: stdnet.ParseIP(ip)}}
	conn, err := d.Dial("tcp", addr)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		w.Skipf("SKIP: no address %s here: %v", ip, err)
	}
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn.(*stdnet.TCPConn)
}

// tryDial connects from this machine's own address.
func (w *world) tryDial(addr string) (stdnet.Conn, error) {
	return stdnet.DialTimeout("tcp", addr, patience)
}

// dial connects and reads the greeting.
func (w *world) dial() *client { return w.dialAs("127.0.0.1") }

func (w *world) dialAs(ip string) *client {
	w.Helper()
	c := w.connect(ip)
	c.expect(220)
	return c
}

// login connects and logs in, with TYPE I.
func (w *world) login(user string) *client { return w.loginFrom("127.0.0.1", user) }

func (w *world) loginFrom(ip, user string) *client {
	w.Helper()
	c := w.dialAs(ip)
	c.pass(user)
	c.cmd("TYPE I", 200)
	return c
}

func (c *client) pass(user string) {
	c.w.Helper()
	c.cmd("USER "+user, 331)
	c.cmd("PASS "+passwords[user], 230)
}

func (c *client) close() { _ = c.conn.Close() }

// abort closes the connection by a reset.
func (c *client) abort() {
	_ = c.conn.SetLinger(0)
	c.close()
}

// raw sends bytes.
func (c *client) raw(s string) {
	c.w.Helper()
	if err := c.try(s); err != nil {
		c.w.Fatalf("sending %.40q: %v", s, err)
	}
}

// try sends bytes that the server need not take.
func (c *client) try(s string) error {
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	var to io.Writer = c.conn
	if c.tls != nil {
		to = c.tls
	}
	_, err := io.WriteString(to, s)
	return err
}

// send sends a line.
func (c *client) send(line string) {
	c.w.Helper()
	c.last = line
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

// expect reads a reply, which must have one of the codes, or none in particular.
func (c *client) expect(codes ...ftp.Code) ftp.Reply {
	c.w.Helper()
	r, err := c.reply()
	if err != nil {
		c.w.Fatalf("after %.80q, instead of %v: %v", c.last, codes, err)
	}
	if len(codes) > 0 && !slices.Contains(codes, r.Code) {
		c.w.Fatalf("after %.80q, instead of %v: %v %s", c.last, codes, r.Code, r.Text())
	}
	return r
}

func (c *client) cmd(line string, codes ...ftp.Code) ftp.Reply {
	c.w.Helper()
	c.send(line)
	return c.expect(codes...)
}

// refused wants a line to be refused, whatever the code.
func (c *client) refused(line string) ftp.Reply {
	c.w.Helper()
	r := c.cmd(line)
	if r.Code < 400 {
		c.w.Errorf("%.80q is not refused: %v %s", line, r.Code, r.Text())
	}
	return r
}

// closed expects the end of the connection, after any replies.
func (c *client) closed() {
	c.w.Helper()
	for {
		_, err := c.reply()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.w.Fatalf("after %.80q the connection stays open", c.last)
		}
		if err != nil {
			return
		}
	}
}

// passive opens a passive port and returns its address.
func (c *client) passive() string {
	c.w.Helper()
	port, err := ftp.Parse229(c.cmd("EPSV", 229).Text())
	if err != nil {
		c.w.Fatal(err)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port).String()
}

// begin starts a transfer and returns its data connection, which comes from the
// address of the control connection.
func (c *client) begin(line string) *stdnet.TCPConn {
	c.w.Helper()
	ip := c.conn.LocalAddr().(*stdnet.TCPAddr).IP.String()
	d := c.w.dialFrom(ip, c.passive())
	c.cmd(line, 150)
	return d
}

// stream is begin, secured if the session's data connections are.
func (c *client) stream(line string) stdnet.Conn {
	c.w.Helper()
	d := c.begin(line)
	if c.prot != nil {
		return tls.Client(d, c.prot)
	}
	return d
}

// get carries out a command that sends and returns what it sent.
func (c *client) get(line string) string {
	c.w.Helper()
	d := c.stream(line)
	b, err := io.ReadAll(d)
	if err != nil {
		c.w.Fatal(err)
	}
	d.Close()
	c.expect(226)
	return string(b)
}

// put carries out a command that stores.
func (c *client) put(line, content string) {
	c.w.Helper()
	d := c.stream(line)
	if _, err := io.WriteString(d, content); err != nil {
		c.w.Fatal(err)
	}
	d.Close()
	c.expect(226)
}

// attempt tries a transfer that may be refused, and returns what came, if it was
// not.
func (c *client) attempt(line, content string) (ftp.Reply, string) {
	c.w.Helper()
	d := c.w.dialFrom("127.0.0.1", c.passive())
	defer d.Close()
	r := c.cmd(line)
	if r.Code >= 200 {
		return r, ""
	}
	_, _ = io.WriteString(d, content) // it may be refused in the middle
	_ = d.CloseWrite()
	b, _ := io.ReadAll(d)
	return c.expect(), string(b)
}
