package server_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	stdnet "net"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// Many sessions at once that do everything, abort it, and vanish in the middle.
// What is left behind onEngines sees.
func TestManySessions(t *testing.T) {
	const clients, rounds = 100, 20
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.big("big")
		content := pattern(100000)
		f.write("f", content)
		errs := make(chan error, clients)
		for i := range clients {
			go func() {
				rng := rand.New(rand.NewPCG(1, uint64(i)))
				errs <- f.live(rng, fmt.Sprintf("up%d", i), content, rounds)
			}()
		}
		for range clients {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		eventually(t, "the end of all sessions", func() bool { return f.srv.Sessions() == 0 })
		for _, name := range f.names() {
			if strings.HasPrefix(name, ".") {
				t.Errorf("left: %s", name)
			}
		}
	})
}

// live is a client's life. Unlike other tests' clients it runs on a goroutine of
// its own, so it returns errors.
func (f *fixture) live(rng *rand.Rand, own, content string, rounds int) (err error) {
	var c *client
	expect := func(codes ...ftp.Code) bool {
		for _, code := range codes {
			if err != nil {
				return false
			}
			r, rerr := c.reply()
			if rerr != nil {
				err = rerr
			} else if r.Code != code {
				err = fmt.Errorf("%s, after %s, not %v", r.Err(), c.verb, code)
			}
		}
		return err == nil
	}
	send := func(line string) {
		c.verb, _, _ = strings.Cut(line, " ")
		if err == nil {
			_, err = io.WriteString(c.conn, line+"\r\n")
		}
	}
	open := func(line string) stdnet.Conn {
		send("EPSV")
		if err != nil {
			return nil
		}
		r, rerr := c.reply()
		port, perr := ftp.Parse229(r.Text())
		if err = errors.Join(rerr, perr); err != nil {
			return nil
		}
		d, derr := stdnet.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err = derr; err != nil {
			return nil
		}
		send(line)
		if !expect(150) {
			d.Close()
			return nil
		}
		return d
	}
	for range rounds {
		if err != nil {
			return err
		}
		if c == nil {
			conn, derr := stdnet.Dial("tcp", f.addr)
			if derr != nil {
				return derr
			}
			c = newClient(f.t, conn.(*stdnet.TCPConn))
			send("USER " + testUser)
			send("PASS " + testPassword)
			send("TYPE I")
			expect(220, 331, 230, 200)
		}
		switch rng.IntN(7) {
		case 0:
			if d := open("RETR f"); d != nil {
				b, rerr := io.ReadAll(d)
				d.Close()
				if rerr != nil || string(b) != content {
					return fmt.Errorf("RETR: %d bytes, %v", len(b), rerr)
				}
				expect(226)
			}
		case 1:
			if d := open("STOR " + own); d != nil {
				_, err = io.WriteString(d, content)
				d.Close()
				expect(226)
			}
		case 2:
			if d := open("LIST"); d != nil {
				_, err = io.Copy(io.Discard, d)
				d.Close()
				expect(226)
			}
		case 3:
			if d := open("RETR big"); d != nil {
				_, _ = io.CopyN(io.Discard, d, int64(rng.IntN(1<<20)))
				send("ABOR")
				expect(426, 226)
				d.Close()
			}
		case 4:
			if d := open("STOR " + own); d != nil {
				send("STAT")
				send("NOOP")
				expect(211)
				d.Close()
				expect(226, 200)
			}
		case 5: // hangs up in the middle, by two ways
			if d := open([]string{"RETR big", "STOR " + own}[rng.IntN(2)]); d != nil {
				if rng.IntN(2) == 0 {
					d.Close()
				} else {
					defer d.Close()
				}
				c.close()
				c = nil
			}
		case 6:
			for _, line := range []string{"NOOP", "PWD", "MKD " + own + "d", "RMD " + own + "d", "QUIT"} {
				send(line)
			}
			expect(200, 257, 257, 250, 221)
			c.close()
			c = nil
		}
	}
	if c != nil {
		c.close()
	}
	return err
}
