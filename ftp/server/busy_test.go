package server_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/weft-go/weft/ftp/server"
)

// bigSize is more than the kernel's buffers hold: sending that much does not
// end before it is read.
const bigSize = 64 << 20

// big makes a file of bigSize in the served directory.
func (f *fixture) big(name string) {
	f.t.Helper()
	path := filepath.Join(f.root, name)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Truncate(path, bigSize); err != nil {
		f.t.Fatal(err)
	}
}

// drain reads the rest of a data connection and returns how much it was.
func drain(t *testing.T, d *dataConn) int64 {
	t.Helper()
	n, err := io.Copy(io.Discard, d)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// C129, C132: 426, then 226, and the session goes on.
func TestAbortDownload(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		c := f.login()
		for _, typ := range []string{"I", "A"} {
			c.cmd(200, "TYPE "+typ)
			d := c.begin("RETR big")
			c.send("ABOR")
			c.expect(426)
			c.expect(226)
			if _, err := io.Copy(io.Discard, d); err == nil {
				t.Error("what was cut off ends like a whole file")
			}
			c.cmd(200, "NOOP")
		}
	})
}

// C133: nothing of an aborted upload is kept.
func TestAbortUpload(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("f", "old")
		c := f.login()
		d := c.begin("STOR f")
		if _, err := io.WriteString(d, "new"); err != nil {
			t.Fatal(err)
		}
		c.send("ABOR")
		c.expect(426)
		c.expect(226)
		if got := f.content("f"); got != "old" {
			t.Errorf("after ABOR: %q", got)
		}
		if got := f.names(); len(got) != 1 {
			t.Errorf("left: %q", got)
		}
		c.cmd(200, "NOOP")
	})
}

// C131: while the data connection is waited for.
func TestAbortConnecting(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("f", "x")
		c := f.login()
		for _, line := range []string{"RETR f", "STOR g", "LIST"} {
			c.cmd(229, "EPSV")
			c.cmd(150, line)
			c.send("ABOR")
			c.expect(426)
			c.expect(226)
			c.cmd(200, "NOOP")
		}
	})
}

// C130: the Synch before ABOR, its last byte urgent, and ABOR all urgent.
func TestAbortUrgent(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		c := f.login()
		for _, tc := range [][2]string{{"\xff\xf4\xff", "\xf2ABOR\r\n"}, {"\xff\xf4", "\xff\xf2ABOR\r\n"}} {
			c.begin("RETR big")
			c.urgent(tc[0])
			c.raw(tc[1])
			c.expect(426)
			c.expect(226)
		}
		c.begin("RETR big")
		c.urgent("ABOR\r\n") // as Python's ftplib does
		c.expect(426)
		c.expect(226)
		c.cmd(200, "NOOP")
	})
}

// urgent sends bytes of which the last is urgent.
func (c *client) urgent(s string) {
	c.t.Helper()
	raw, err := c.conn.SyscallConn()
	if err == nil {
		cerr := raw.Control(func(fd uintptr) { err = syscall.Sendto(int(fd), []byte(s), syscall.MSG_OOB, nil) })
		if err == nil {
			err = cerr
		}
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// C120: STAT tells of the transfer at once, as often as it is asked.
func TestStatInTransfer(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c := f.login()
		d := c.begin("STOR f")
		for i := range 3 {
			if _, err := io.WriteString(d, "1234567890"); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("STOR /f, %d bytes", 10*(i+1))
			eventually(t, want, func() bool {
				return strings.Contains(c.cmd(211, "STAT").Text(), want)
			})
		}
		d.Close()
		c.expect(226)
		if got := c.cmd(211, "STAT").Text(); !strings.Contains(got, "No transfer") {
			t.Errorf("afterwards: %s", got)
		}
	})
}

// FIELD A19: everything else waits its turn, and replies keep the order of the
// commands.
func TestQueuedInTransfer(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		c := f.login()
		d := c.begin("RETR big")
		c.send("NOOP")
		c.send("PWD")
		c.send("BOGUS")
		c.send("STAT") // behind others STAT keeps its place
		c.send("MKD x")
		c.send("STAT /x")
		if n := drain(t, d); n != bigSize {
			t.Errorf("%d bytes", n)
		}
		for _, code := range []int{226, 200, 257, 500, 211, 257, 212} {
			r, err := c.reply()
			if err != nil || int(r.Code) != code {
				t.Fatalf("%v %s, %v, instead of %d", r.Code, r.Text(), err, code)
			}
		}
		// ABOR acts before what waits, and is answered after it.
		c.begin("RETR big")
		c.send("NOOP")
		c.send("ABOR")
		c.expect(426)
		c.expect(200)
		c.expect(226)
	})
}

// Transfers one after the other that are asked for all at once.
func TestQueuedTransfers(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("a", "A")
		f.write("b", "B")
		c := f.login()
		d := c.data()
		c.raw("RETR a\r\nEPSV\r\nNOOP\r\n")
		c.expect(150)
		if n := drain(t, d); n != 1 {
			t.Errorf("%d bytes", n)
		}
		c.expect(226)
		c.expect(229)
		c.expect(200)
	})
}

// A client that sends more than the queue holds is read later.
func TestManyQueued(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		c := f.login()
		d := c.begin("RETR big")
		const n = 1000
		c.raw(strings.Repeat("NOOP\r\n", n))
		drain(t, d)
		c.expect(226)
		for range n {
			c.expect(200)
		}
	})
}

// C020: QUIT lets the transfer end, and the client may hang up meanwhile.
func TestQuitInTransfer(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		c := f.login()
		d := c.begin("RETR big")
		c.send("QUIT")
		c.send("NOOP") // not read any more
		if n := drain(t, d); n != bigSize {
			t.Errorf("%d bytes", n)
		}
		c.expect(226)
		c.expect(221)
		// The end, or a reset because NOOP was not read.
		if r, err := c.reply(); err == nil {
			t.Errorf("after 221: %v %s", r.Code, r.Text())
		}

		c = f.login()
		d = c.begin("STOR f")
		c.send("QUIT")
		c.conn.CloseWrite()
		if _, err := io.WriteString(d, "all of it"); err != nil {
			t.Fatal(err)
		}
		d.Close()
		c.expect(226)
		c.expect(221)
		c.expectClosed()
		if got := f.content("f"); got != "all of it" {
			t.Errorf("stored %q", got)
		}
	})
}

// C134, C135: lines and segments have nothing to do with each other.
func TestPipeliningAndSplitting(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c := f.dialRaw()
		c.raw("USER " + testUser + "\r\nPASS " + testPassword + "\r\nPWD\r\nNO")
		for _, code := range []int{220, 331, 230, 257} {
			r, err := c.reply()
			if err != nil || int(r.Code) != code {
				t.Fatalf("%v %s, %v, instead of %d", r.Code, r.Text(), err, code)
			}
		}
		c.raw("O")
		c.raw("P\r")
		c.raw("\nNOOP\nNOOP\r\n") // C136
		for range 3 {
			c.expect(200)
		}
		c.raw("\xff\xfb\x01NOOP\r\n") // C137
		b := make([]byte, 3)
		if _, err := io.ReadFull(c.r, b); err != nil || string(b) != "\xff\xfe\x01" {
			t.Errorf("%q, %v", b, err)
		}
		c.expect(200)
		c.raw("\xff\xfd\x01NOOP\r\n") // C138
		if _, err := io.ReadFull(c.r, b); err != nil || string(b) != "\xff\xfc\x01" {
			t.Errorf("%q, %v", b, err)
		}
		c.expect(200)
	})
}
