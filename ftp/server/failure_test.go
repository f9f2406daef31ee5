package server_test

import (
	"context"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// C066: a client that vanishes leaves nothing: no session, no file of an upload,
// and (see onEngines) no descriptor or goroutine.
func TestVanish(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		gone := func(what string) {
			t.Helper()
			eventually(t, "the end of a session whose client "+what, func() bool { return f.srv.Sessions() == 0 })
			if got := fmt.Sprint(f.names()); got != "[big]" {
				t.Errorf("client that %s: left %s", what, got)
			}
		}
		type socket interface {
			SetLinger(sec int) error
			Close() error
		}
		abrupt := func(c socket) {
			_ = c.SetLinger(0)
			c.Close()
		}
		for _, end := range []struct {
			how string
			end func(socket)
		}{{"closed", func(c socket) { c.Close() }}, {"was reset", abrupt}} {
			c := f.login()
			end.end(c.conn)
			gone(end.how)

			c = f.login()
			c.cmd(229, "EPSV")
			end.end(c.conn)
			gone(end.how + " after EPSV")

			c = f.login()
			c.cmd(229, "EPSV")
			c.cmd(150, "STOR up")
			end.end(c.conn)
			gone(end.how + " before the data connection")

			for _, line := range []string{"RETR big", "STOR up", "APPE big"} {
				c = f.login()
				c.begin(line)
				end.end(c.conn)
				gone(end.how + " in " + line)
			}

			c = f.login()
			d := c.begin("RETR big")
			end.end(c.conn)
			end.end(d)
			gone(end.how + " both in RETR")

			// As the kernel does it for a process that dies.
			c = f.login()
			d = c.begin("STOR up")
			if _, err := io.WriteString(d, "some of it"); err != nil {
				t.Fatal(err)
			}
			end.end(c.conn)
			end.end(d)
			gone(end.how + " both in STOR")
		}
	})
}

// C065: the data connection alone is lost.
func TestDataLost(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		c := f.login()
		for _, line := range []string{"RETR big", "STOR up"} {
			d := c.begin(line)
			_ = d.SetLinger(0)
			d.Close()
			c.expect(426)
			c.cmd(200, "NOOP")
		}
		if got := fmt.Sprint(f.names()); got != "[big]" {
			t.Errorf("left %s", got)
		}
	})
}

// A full descriptor table refuses single commands and ends nothing.
func TestDescriptorsExhausted(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("f", "x")
		c := f.login()
		addr := c.passive() // opened while there are some
		d := dialData(t, addr)

		give := exhaust(t)
		c.cmd(450, "RETR f") // and gives up the passive port: one is free
		hog()
		c.cmd(425, "EPSV")
		c.cmd(425, "PASV")
		c.cmd(425, "RETR f")
		c.cmd(200, "NOOP")
		d.Close()
		give()

		if got := c.get("RETR f"); got != "x" {
			t.Errorf("got %q", got)
		}
	})
}

// The server goes on accepting once there are descriptors again.
func TestAcceptWithoutDescriptors(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c := f.login()
		give := exhaust(t)
		late, err := dialWithOne(f.addr)
		if err != nil {
			give()
			t.Fatal(err)
		}
		defer late.Close()
		eventually(t, "accept runs into the limit", func() bool { return strings.Contains(f.log.String(), "msg=accept") })
		c.cmd(200, "NOOP")
		give()
		_ = late.SetReadDeadline(time.Now().Add(patience))
		b := make([]byte, 4)
		if _, err := io.ReadFull(late, b); err != nil || string(b) != "220 " {
			t.Errorf("%q, %v", b, err)
		}
		f.login()
	})
}

// hogs are descriptors that are held by exhaust and hog.
var hogs []*os.File

// exhaust uses up all descriptors until give is called.
func exhaust(t *testing.T) (give func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	low := old
	low.Cur = min(200, old.Cur)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	hog()
	given := false
	give = func() {
		if given {
			return
		}
		given = true
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)
		for _, h := range hogs {
			h.Close()
		}
		hogs = nil
	}
	t.Cleanup(give)
	return give
}

// hog takes the descriptors that are free.
func hog() {
	for {
		h, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		hogs = append(hogs, h)
	}
}

// dialWithOne connects with the descriptor of a hog.
func dialWithOne(addr string) (stdnet.Conn, error) {
	hogs[len(hogs)-1].Close()
	hogs = hogs[:len(hogs)-1]
	a, err := stdnet.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, err
	}
	return stdnet.DialTCP("tcp", nil, a)
}

// A panic ends its session only, wherever it comes from.
func TestPanic(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.Root = panicking{storage.NewMem()} })
		beside := f.login()
		c := f.login()
		c.cmd(421, "CWD x")
		c.expectClosed()

		c = f.login()
		c.begin("LIST") // in the transfer
		c.expect(421)
		c.expectClosed()

		c = f.login()
		c.cmd(257, "PWD")
		c.send("STAT /") // in the middle of a reply
		for {
			if _, err := c.r.ReadString('\n'); err != nil {
				break
			}
		}

		beside.cmd(200, "NOOP")
		if got := f.log.String(); strings.Count(got, "session panicked") != 3 || !strings.Contains(got, "panicking.Stat") {
			t.Error("not logged with its stack")
		}
	})
}

// A panic while the session ends.
func TestPanicAtEnd(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) {
			c.RootFor = func(*auth.Identity) (storage.FS, error) {
				return closing{storage.NewMem(), func() { panic("close") }}, nil
			}
		})
		c := f.login()
		c.cmd(221, "QUIT")
		eventually(t, "the end of the session", func() bool { return f.srv.Sessions() == 0 })
	})
}

type panicking struct{ storage.FS }

func (panicking) Stat(string) (storage.Entry, error) { panic("stat") }

func (panicking) OpenDir(string) (storage.Dir, error) { return panickingDir{}, nil }

type panickingDir struct{}

func (panickingDir) Next(int) ([]storage.Entry, error) { panic("next") }

func (panickingDir) Close() error { return nil }

// C290: a transfer ends, everything else is told to go.
func TestShutdownDrains(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		idle, fresh, c := f.login(), f.dial(), f.login()
		d := c.begin("RETR big")
		done := make(chan error, 1)
		go func() { done <- f.srv.Shutdown(context.Background()) }()
		idle.expect(421)
		idle.expectClosed()
		fresh.expect(421)
		fresh.expectClosed()
		if _, err := stdnet.Dial("tcp", f.addr); err == nil {
			t.Error("still listening")
		}
		c.cmd(211, "STAT")
		c.send("NOOP") // not carried out any more
		if n := drain(t, d); n != bigSize {
			t.Errorf("%d bytes", n)
		}
		c.expect(226)
		c.expect(421)
		c.expectClosed()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if f.srv.Sessions() != 0 {
			t.Error("sessions left")
		}
	})
}

func TestShutdownLimit(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		idle, c := f.login(), f.login()
		c.begin("RETR big")
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- f.srv.Shutdown(ctx) }()
		idle.expect(421)
		cancel()
		c.expect(426)
		c.expect(421)
		c.expectClosed()
		if err := <-done; err != context.Canceled {
			t.Error(err)
		}
	})
}

// Close ends everything at once, also what waits for a client or a delay.
func TestClose(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		a, b, c, d := f.login(), f.login(), f.login(), f.dial()
		a.begin("RETR big")
		b.begin("STOR up")
		c.cmd(229, "EPSV")
		c.cmd(150, "RETR big")
		if err := f.srv.Close(); err != nil {
			t.Error(err)
		}
		for _, c := range []*client{a, b, c, d} {
			// Who is quick enough may be told.
			if r, err := c.reply(); err == nil && r.Code == 421 {
				c.expectClosed()
			} else if err == nil || os.IsTimeout(err) {
				t.Errorf("%v %s, %v", r.Code, r.Text(), err)
			}
		}
		if got := fmt.Sprint(f.names()); got != "[big]" {
			t.Errorf("left %s", got)
		}
		if err := f.srv.Close(); err != nil {
			t.Error(err)
		}
		if err := f.srv.ListenAndServe("127.0.0.1:0"); err != server.ErrServerClosed {
			t.Errorf("after Close: %v", err)
		}
	})
}

// No reply tells where the files are.
func TestNoServerPaths(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.tree()
		c := f.login()
		for _, line := range []string{
			"CWD a.txt", "CWD out", "CWD missing", "RETR out", "MLST out/passwd", "DELE sub", "RMD /", "RMD sub",
			"MKD sub", "RNFR ../..", "STAT", "STAT out", "PWD", "MDTM out", "SIZE out", "HELP", "FEAT",
		} {
			c.send(line)
			r, err := c.reply()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(r.Text(), f.root) || strings.Contains(r.Text(), "/etc") {
				t.Errorf("%s: %s", line, r.Text())
			}
		}
	})
}
