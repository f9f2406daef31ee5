package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weft-go/weft/ftp"
)

// client is the other side: it sends lines and expects codes.
type client struct {
	f    *fixture
	conn *stdnet.TCPConn
	r    *bufio.Reader
	line string // the last command sent
}

// begin returns a client in the state that the row's precondition names.
func (f *fixture) begin() *client {
	f.Helper()
	switch p := f.check.before; p {
	case "fresh connection", "TLS off by config":
		return f.dial()
	case "after USER":
		c := f.dial()
		c.cmd(331, "USER "+user)
		return c
	case "logged in", "IPv4 control", "no transfer", "no PASV/PORT sent":
		return f.login()
	case "TYPE A", "TYPE I":
		c := f.login()
		c.cmd(200, p)
		return c
	case "logged in, PASV open":
		c := f.login()
		c.open()
		return c
	case "after RNFR":
		c := f.login()
		c.cmd(350, "RNFR file")
		return c
	}
	f.Fatalf("no state is known for %q", f.check.before)
	return nil
}

// dial connects and reads the greeting.
func (f *fixture) dial() *client {
	f.Helper()
	c := f.dialRaw()
	c.expect(220)
	return c
}

func (f *fixture) dialRaw() *client {
	f.Helper()
	conn, err := stdnet.Dial("tcp", f.addr)
	if err != nil {
		f.Fatal(err)
	}
	c := &client{f: f, conn: conn.(*stdnet.TCPConn), r: bufio.NewReader(conn)}
	f.Cleanup(func() { conn.Close() })
	return c
}

// login connects and logs in, with TYPE I.
func (f *fixture) login() *client {
	f.Helper()
	return f.loginAs(user)
}

func (f *fixture) loginAs(name string) *client {
	f.Helper()
	c := f.dial()
	c.cmd(331, "USER "+name)
	c.cmd(230, "PASS "+name)
	c.cmd(200, "TYPE I")
	return c
}

// raw sends bytes.
func (c *client) raw(s string) {
	c.f.Helper()
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.f.Fatal(err)
	}
}

// send sends a line.
func (c *client) send(line string) {
	c.f.Helper()
	c.line = line
	c.raw(line + "\r\n")
}

// urgent sends bytes of which the last is urgent.
func (c *client) urgent(s string) {
	c.f.Helper()
	raw, err := c.conn.SyscallConn()
	if err == nil {
		cerr := raw.Control(func(fd uintptr) { err = syscall.Sendto(int(fd), []byte(s), syscall.MSG_OOB, nil) })
		err = errors.Join(err, cerr)
	}
	if err != nil {
		c.f.Fatal(err)
	}
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

// expect reads a reply, which must have one of the codes.
func (c *client) expect(codes ...ftp.Code) ftp.Reply {
	c.f.Helper()
	r, err := c.reply()
	if err != nil {
		c.f.Fatalf("after %q, instead of %v: %v", c.line, codes, err)
	}
	if !slices.Contains(codes, r.Code) {
		c.f.Fatalf("after %q, instead of %v: %v %s", c.line, codes, r.Code, r.Text())
	}
	return r
}

// cmd sends a line and expects the code in answer, which the command table must
// allow.
func (c *client) cmd(code ftp.Code, line string) ftp.Reply {
	c.f.Helper()
	c.send(line)
	c.lawful(code)
	return c.expect(code)
}

// lawful fails unless the table lets the last command answer code.
func (c *client) lawful(code ftp.Code) {
	c.f.Helper()
	verb, _, _ := strings.Cut(c.line, " ")
	if row, ok := ftp.Lookup(verb); ok && !row.Allows(code) {
		c.f.Errorf("the table does not let %s answer %v", row.Verb, code)
	}
}

// step is cmd of a line with the code in front: "350 RNFR a".
func (c *client) step(s string) ftp.Reply {
	c.f.Helper()
	digits, line, ok := strings.Cut(s, " ")
	code, err := strconv.Atoi(digits)
	if !ok || err != nil {
		c.f.Fatalf("no code in front: %q", s)
	}
	return c.cmd(ftp.Code(code), line)
}

// steps is step for each.
func (c *client) steps(steps ...string) {
	c.f.Helper()
	for _, s := range steps {
		c.step(s)
	}
}

// text is cmd, and the reply must have this text.
func (c *client) text(code ftp.Code, line, text string) {
	c.f.Helper()
	if got := c.cmd(code, line).Text(); got != text {
		c.f.Errorf("%s: %q, not %q", line, got, text)
	}
}

// closed expects the end of the connection and nothing before it.
func (c *client) closed() {
	c.f.Helper()
	r, err := c.reply()
	if err == nil {
		c.f.Fatalf("instead of the end: %v %s", r.Code, r.Text())
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.f.Fatal("the connection stays open")
	}
}

// passive opens a passive port and returns its address.
func (c *client) passive() string {
	c.f.Helper()
	port, err := ftp.Parse229(c.cmd(229, "EPSV").Text())
	if err != nil {
		c.f.Fatal(err)
	}
	host := c.conn.RemoteAddr().(*stdnet.TCPAddr).AddrPort().Addr()
	return netip.AddrPortFrom(host, port).String()
}

// open opens a passive data connection.
func (c *client) open() *stdnet.TCPConn {
	c.f.Helper()
	return c.f.dialData(c.passive())
}

func (f *fixture) dialData(addr string) *stdnet.TCPConn {
	f.Helper()
	d, err := stdnet.Dial("tcp", addr)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { d.Close() })
	_ = d.SetDeadline(time.Now().Add(patience))
	return d.(*stdnet.TCPConn)
}

// transfer begins a transfer and returns its data connection.
func (c *client) transfer(line string) *stdnet.TCPConn {
	c.f.Helper()
	d := c.open()
	c.cmd(150, line)
	return d
}

// receive reads a data connection to its end.
func (f *fixture) receive(d stdnet.Conn) string {
	f.Helper()
	b, err := io.ReadAll(d)
	if err != nil {
		f.Fatal(err)
	}
	d.Close()
	return string(b)
}

// store sends content and ends the data.
func (f *fixture) store(d stdnet.Conn, content string) {
	f.Helper()
	if _, err := io.WriteString(d, content); err != nil {
		f.Fatal(err)
	}
	d.Close()
}

// get carries out a command that sends and returns what it sent.
func (c *client) get(line string) string {
	c.f.Helper()
	got := c.f.receive(c.transfer(line))
	c.expect(226)
	c.lawful(226)
	return got
}

// put carries out a command that stores.
func (c *client) put(line, content string) ftp.Reply {
	c.f.Helper()
	c.f.store(c.transfer(line), content)
	return c.expect(226)
}

// refused carries out a data command that must be refused: no preliminary reply,
// and the data connection ends.
func (c *client) refused(code ftp.Code, line string) {
	c.f.Helper()
	d := c.open()
	c.cmd(code, line)
	if n, err := d.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.f.Errorf("%s: data connection: %d bytes, %v", line, n, err)
	}
}

// lines returns the lines of a listing in order; each must end with CRLF.
func (f *fixture) lines(listing string) []string {
	f.Helper()
	if listing == "" {
		return nil
	}
	lines := strings.SplitAfter(listing, "\r\n")
	if lines[len(lines)-1] != "" {
		f.Errorf("the last line has no end: %q", listing)
	}
	lines = lines[:len(lines)-1]
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r\n")
		if strings.ContainsAny(lines[i], "\r\n") {
			f.Errorf("line with another end: %q", line)
		}
	}
	slices.Sort(lines)
	return lines
}
