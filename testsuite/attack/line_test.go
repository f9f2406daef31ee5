package attack_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// What browsers can be made to send ends the connection with its first line, so
// that no later line of it is taken for a command (ALPACA, NAT slipstreaming).
func TestAttack15_CrossProtocol(t *testing.T) {
	attack(t, func(w *world) {
		const smuggled = "USER eve\r\nPASS %s\r\nDELE keep\r\nPORT 127,0,0,1,20,20\r\n"
		w.write("eve/keep", "x")
		for _, first := range []string{
			"GET / HTTP/1.1", "POST / HTTP/1.1", "HEAD / HTTP/1.0", "PUT /x HTTP/1.1", "DELETE /x HTTP/1.1", "OPTIONS * HTTP/1.1",
			"CONNECT x:21 HTTP/1.1", "TRACE / HTTP/1.1", "PATCH /x HTTP/1.1", "PRI * HTTP/2.0", "get / http/1.1", "Host: ftp.example", "host: x",
			"\x16\x03\x01\x02\x00\x01\x00", "\x16\x03\x03",
		} {
			c := w.dial()
			c.send(first)
			_ = c.try(fmt.Sprintf("Host: x\r\n\r\n"+smuggled, passwords["eve"])) // it may be closed already
			// 500 at most: the reset for what was not read may overtake it.
			if r, err := c.reply(); err == nil && r.Code != 500 {
				w.Errorf("%q: %v %s", first, r.Code, r.Text())
			}
			if r, err := c.reply(); err == nil {
				w.Errorf("after %q: %v %s", first, r.Code, r.Text())
			}
		}
		// A method of the page's choice, in front of a header that none can leave out.
		c := w.dial()
		c.cmd("NOOP", 200)
		c.cmd("Host: ftp.example", 500)
		c.closed()
		w.alone()
		if w.content("eve/keep") != "x" {
			w.Error("a smuggled command was carried out")
		}
	})
}

// Nothing a client sends begins a line of the log, or colours it.
func TestAttack27_LogInjection(t *testing.T) {
	attack(t, func(w *world) {
		evil := []string{
			"x\x1b[31mred", "x\x1b]0;title\x07", "x\x9b31m", "x\rtime=forged", "x\x00y", "x\ntime=2020 level=INFO msg=login user=root",
			"x\u2028y", "x\x7f\x08", "\xff\xff\xf4", `x" level=ERROR msg="y`, strings.Repeat("\x1b", 2000),
		}
		c := w.login("eve")
		c.cmd("TYPE A", 200)
		for _, e := range evil {
			for _, line := range []string{
				"CLNT " + e, "MKD " + e, "CWD " + e, "RETR " + e, "DELE " + e, "RNFR " + e, "SIZE " + e, "OPTS " + e, "HELP " + e, "STAT " + e,
				"SITE " + e, "MODE " + e, "PORT " + e, "XYZZY " + e, e,
			} {
				if strings.Contains(e, "\n") {
					c.raw(line + "\r\n") // two lines, two replies
					c.expect()
					c.expect()
					continue
				}
				c.cmd(line)
			}
		}
		for _, e := range evil {
			guest := w.dial()
			guest.raw("USER " + e + "\r\nPASS " + e + "\r\nQUIT\r\n")
			guest.closed()
		}
		c.cmd("QUIT", 221)
		w.checkLog()
	}, func(c *server.Config) { c.BanAfter = -1 })
}

// Bytes that are no text, Telnet commands without end, urgent data.
func TestAttack28_TelnetStorm(t *testing.T) {
	attackBoth(t, func(w *world) {
		storms := []string{
			strings.Repeat("\x00", 1<<16), strings.Repeat("\xff", 1<<16), strings.Repeat("\xff\xf4\xff\xf2", 1<<14),
			strings.Repeat("\xff\xfd\x01", 1<<14), strings.Repeat("\xff\xfb\x03\xff\xfd\x18", 1<<13), strings.Repeat("\xff\xfa", 1<<14),
			"\xff\xfa" + strings.Repeat("x", 1<<16), strings.Repeat("\r", 1<<16), strings.Repeat("\r\x00", 1<<15), strings.Repeat("\n", 1<<15),
		}
		for i, storm := range storms {
			c := w.login("eve")
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = io.Copy(io.Discard, c.conn) // replies, refusals of options
			}()
			_ = c.try(storm + "\r\nQUIT\r\n") // the session may end in the middle
			if i%3 == 0 {
				w.alive()
			}
			_ = c.conn.CloseWrite()
			<-done
			c.close()
		}
		c := w.login("eve")
		for range 2000 {
			if err := sendUrgent(c, "!"); err != nil {
				break
			}
		}
		w.alive()
		c.raw("\r\nNOOP\r\n")
		c.expect(500)
		c.expect(200)
		c.cmd("QUIT", 221)
		w.alone()
	})
}

// sendUrgent sends a byte of urgent data.
func sendUrgent(c *client, s string) error {
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return err
	}
	cerr := raw.Control(func(fd uintptr) { err = syscall.Sendto(int(fd), []byte(s), syscall.MSG_OOB, nil) })
	if cerr != nil {
		return cerr
	}
	return err
}

// Lines of any length cost the server no memory, and one without end its session.
func TestAttack29_LongLines(t *testing.T) {
	attackBoth(t, func(w *world) {
		before := heap()
		c := w.login("eve")
		c.cmd("MKD "+strings.Repeat("x", 100_000), 500)
		c.cmd("NOOP", 200)
		c.send("STOR " + strings.Repeat("x", 1<<20)) // a megabyte: the limit
		c.closed()

		sent := 0
		endless := w.dial() // a gigabyte, before any login
		chunk := strings.Repeat("A", 1<<20)
		for sent < 1<<30 {
			if err := endless.try(chunk); err != nil {
				break
			}
			sent += len(chunk)
		}
		if sent > 64<<20 { // what the kernel's buffers take, at most
			w.Errorf("%d bytes of one line were taken", sent)
		}
		w.alone()
		if grown := heap() - before; grown > 16<<20 {
			w.Errorf("%d bytes of memory are gone", grown)
		}
	})
}

// A million commands sent ahead are answered in order, in bounded memory, beside
// all others; and a client that sends them and reads no reply is read no more.
func TestAttack29_PipelinedFlood(t *testing.T) {
	attackBoth(t, func(w *world) {
		before := heap()
		n := 1_000_000
		if testing.Short() {
			n = 100_000
		}
		c := w.dial()
		sent := make(chan error, 1)
		go func() {
			_ = c.conn.SetWriteDeadline(time.Time{})
			out := bufio.NewWriterSize(c.conn, 1<<16)
			for range n {
				_, _ = out.WriteString("NOOP\r\n")
			}
			sent <- out.Flush()
		}()
		_ = c.conn.SetReadDeadline(time.Time{})
		for i := range n {
			line, err := c.r.ReadSlice('\n')
			if err != nil || !strings.HasPrefix(string(line), "200 ") {
				w.Fatalf("reply %d: %q, %v", i, line, err)
			}
			if i == n/3 || i == n/2 {
				w.alive()
			}
		}
		if err := <-sent; err != nil {
			w.Error(err)
		}

		deaf := w.dial()
		_ = deaf.conn.SetReadBuffer(4096)
		_ = deaf.conn.SetWriteDeadline(time.Now().Add(time.Second))
		chunk := strings.Repeat("HELP\r\n", 1000)
		for {
			if _, err := io.WriteString(deaf.conn, chunk); err != nil {
				break // the server does not read on
			}
		}
		w.alive()
		if grown := heap() - before; grown > 16<<20 {
			w.Errorf("%d bytes of memory are gone", grown)
		}
		deaf.abort()
	}, func(c *server.Config) { c.Logger = slog.New(slog.DiscardHandler) })
}

// Whatever a session is sent, it answers by replies, and ends. The parsers have
// fuzz tests of their own; this is what gets past none of them.
func TestAttack50_Garbage(t *testing.T) {
	attackBoth(t, func(w *world) {
		verbs := []string{
			"USER", "PASS", "CWD", "PORT", "EPRT", "EPSV", "TYPE", "RETR", "STOR", "REST", "ALLO", "RNFR", "RNTO", "LIST", "MLSD", "MLST",
			"OPTS", "STAT", "SITE", "HASH", "RANG", "MFMT", "HOST", "LANG", "MODE", "STRU", "AUTH", "PBSZ", "PROT", "CCC", "ABOR", "REIN", "NOOP",
		}
		pieces := []string{
			" ", "  ", "\x00", "\r", "\xff\xf4", "\xff", "..", "/", "a", "|1|127.0.0.1|9|", "127,0,0,1,9,9", "-1", "99999999999999999999", "*", "[", "{", "%n%s",
			"MLST size;", ";;;", "\xc0\xae", "20200101000000", strings.Repeat("A", 300), "ALL", "\"", "~", "\t",
		}
		rng := rand.New(rand.NewPCG(50, 1))
		for round := range 60 {
			c := w.dial()
			if round%2 == 0 {
				c.pass("eve")
			}
			var b strings.Builder
			for range 200 {
				b.WriteString(verbs[rng.IntN(len(verbs))])
				for range rng.IntN(4) {
					b.WriteString(pieces[rng.IntN(len(pieces))])
				}
				if rng.IntN(8) > 0 {
					b.WriteString("\r")
				}
				b.WriteString("\n")
			}
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				_ = c.try(b.String() + "\r\nQUIT\r\n")
				_ = c.conn.CloseWrite()
			}()
			_ = c.conn.SetReadDeadline(time.Now().Add(patience))
			c.checkReplies(c.r)
			<-sent
			c.close()
			if round%20 == 0 {
				w.alive()
			}
		}
		w.alone()
	}, func(c *server.Config) { c.BanAfter, c.DataTimeout, c.MaxLoginAttempts = -1, 300*time.Millisecond, -1 })
}

// checkReplies wants the rest of a connection to be replies, with no refusals of
// Telnet options inside a line.
func (c *client) checkReplies(r *bufio.Reader) {
	c.w.Helper()
	var p ftp.ReplyParser
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			if ne, ok := err.(interface{ Timeout() bool }); ok && ne.Timeout() {
				c.w.Fatal("the session does not end")
			}
			return
		}
		for len(line) > 3 && line[0] == 0xff && line[1] != 0xff {
			line = line[3:] // WONT or DONT, between replies
		}
		r, done, err := p.Line([]byte(strings.TrimRight(line, "\r\n")))
		if err != nil {
			c.w.Fatalf("no reply: %q: %v", line, err)
		}
		if done && r.Code == 421 && strings.Contains(r.Text(), "Internal error") {
			c.w.Fatal("the session panicked")
		}
	}
}
