package attack_test

import (
	"io"
	stdnet "net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// Clients that ask for huge listings and read nothing make the server wait, not
// read ahead, and lose their transfers in time.
func TestAttack31_UnreadListings(t *testing.T) {
	const clients = 50
	tree := &endless{FS: storage.NewMem()}
	attack(t, func(w *world) {
		before := heap()
		var all []*client
		var data []*stdnet.TCPConn
		for range clients {
			c := w.login("eve")
			d := w.dialFrom("127.0.0.1", c.passive())
			_ = d.SetReadBuffer(4096)
			c.cmd("MLSD endless", 150)
			all, data = append(all, c), append(data, d)
		}
		// It comes to a halt.
		last := int64(-1)
		w.eventually("the end of reading", func() bool {
			w.alive()
			now := tree.entries.Load()
			same := now == last
			last = now
			return same
		})
		if grown := heap() - before; grown > clients<<20 {
			w.Errorf("%d bytes of memory for %d listings", grown, clients)
		}
		for i, c := range all {
			switch i % 3 {
			case 0:
				c.cmd("ABOR", 426)
				c.expect(226)
				c.cmd("NOOP", 200)
			case 1:
				data[i].Close()
				c.expect(426)
			}
			c.abort()
		}
		w.alone()
	}, func(c *server.Config) { c.RootFor = treeOf("eve", tree) })
}

func TestAttack31_UnreadListingEnds(t *testing.T) {
	tree := &endless{FS: storage.NewMem()}
	attack(t, func(w *world) {
		c := w.login("eve")
		d := w.dialFrom("127.0.0.1", c.passive())
		c.cmd("LIST endless", 150)
		c.expect(426)
		d.Close()
		c.cmd("NOOP", 200)
	}, func(c *server.Config) { c.RootFor, c.StallTimeout = treeOf("eve", tree), time.Second })
}

// Who is slow keeps nothing for long: before login, in the middle of a line, with
// the data connection not made, dripping, or never read.
func TestAttack32_Slow(t *testing.T) {
	attack(t, func(w *world) {
		quiet, drip := w.dial(), w.dial()
		done := make(chan struct{})
		defer close(done)
		go func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond):
				}
				if err := drip.try("x"); err != nil {
					return
				}
			}
		}()
		big := filepath.Join(w.root, "eve", "big")
		w.write("eve/big", "")
		if err := os.Truncate(big, 256<<20); err != nil {
			w.Fatal(err)
		}
		c := w.login("eve")
		c.cmd("EPSV", 229)
		c.cmd("RETR big", 150) // and never connects
		c.expect(425)
		d := c.begin("STOR slow") // a byte now and then
		go func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond):
				}
				if _, err := d.Write([]byte("x")); err != nil {
					return
				}
			}
		}()
		c.expect(426)
		d2 := w.dialFrom("127.0.0.1", c.passive())
		_ = d2.SetReadBuffer(4096)
		c.cmd("RETR big", 150) // the window closes, and stays so
		c.expect(426)
		c.cmd("NOOP", 200)
		quiet.closed()
		c.abort()
		w.alone()
		if got := w.names("eve"); got != `["big"]` {
			w.Errorf("left %s", got)
		}
	}, func(c *server.Config) {
		c.LoginTimeout, c.DataTimeout, c.StallTimeout, c.MinRate = 5*time.Second, 2*time.Second, 2*time.Second, 10000
	})
}

// A flood of connections is refused beyond the limits of an address, of a user,
// and of those who do not log in; who is in stays, and others come in.
func TestAttack33_Flood(t *testing.T) {
	attackBoth(t, func(w *world) {
		var held []*client
		refused := 0
		for range 300 {
			c := w.connect("127.0.0.66")
			if r, err := c.reply(); err != nil || r.Code == 421 {
				refused++ // a reset, or told why
				c.closed()
				c.close()
				continue
			}
			held = append(held, c)
		}
		if len(held) != 20 || refused != 280 {
			w.Errorf("%d are in, %d were refused", len(held), refused)
		}
		if n := strings.Count(w.log.String(), "connection refused"); n == 0 || n > 20 { // one in ten seconds
			w.Errorf("the log tells %d times of it", n)
		}
		w.alive()
		w.loginFrom("127.0.0.67", "alice").cmd("QUIT", 221)
		for i := range 20 { // more addresses fill the rest
			c := w.connect("127.0.0." + string(rune('1'+i%9)) + "0")
			if c.expect(220, 421).Code == 220 {
				held = append(held, c)
			}
		}
		if n := w.srv.Stats().Pending; n != 30 {
			w.Errorf("%d sessions pending", n)
		}
		w.connect("127.0.0.68").expect(421)
		w.alive()
		for _, c := range held {
			c.abort()
		}
		w.alone()

		for range 5 {
			held[0] = w.login("eve")
		}
		over := w.dial()
		over.cmd("USER eve", 331)
		over.cmd("PASS "+passwords["eve"], 530)
		over.pass("guest")
	}, func(c *server.Config) { c.MaxSessionsPerIP, c.MaxPending, c.MaxSessionsPerUser = 20, 30, 5 })
}

// Sessions that vanish at any moment leave nothing: attack's census sees to it.
func TestNothingLeftBehind(t *testing.T) {
	const rounds = 40
	attackBoth(t, func(w *world) {
		w.write("eve/big", "")
		if err := os.Truncate(filepath.Join(w.root, "eve", "big"), 256<<20); err != nil {
			w.Fatal(err)
		}
		for round := range rounds {
			for _, script := range []func(c *client) stdnet.Conn{
				func(c *client) stdnet.Conn { return nil },
				func(c *client) stdnet.Conn { c.raw("USER eve\r\nPASS "); return nil },
				func(c *client) stdnet.Conn {
					c.raw("USER eve\r\nPASS " + passwords["eve"] + "\r\nEPSV\r\nSTOR x\r\n")
					return nil
				},
				func(c *client) stdnet.Conn { c.pass("eve"); c.cmd("EPSV", 229); c.cmd("LIST", 150); return nil },
				func(c *client) stdnet.Conn {
					c.pass("eve")
					c.passive()
					c.cmd("PORT 127,0,0,1,255,254", 200)
					c.cmd("LIST", 150)
					return nil
				},
				func(c *client) stdnet.Conn { c.pass("eve"); return c.begin("RETR big") },
				func(c *client) stdnet.Conn {
					c.pass("eve")
					d := c.begin("STOR up")
					_, _ = io.WriteString(d, "x")
					return d
				},
				func(c *client) stdnet.Conn { c.pass("eve"); c.begin("APPE big2").Close(); return nil },
				func(c *client) stdnet.Conn {
					c.pass("eve")
					c.begin("RETR big")
					c.raw("ABOR\r\nNOOP\r\nQUIT\r\n")
					return nil
				},
				// QUIT waits for the end of the transfer, and behind many commands nothing is
				// read before it.
				func(c *client) stdnet.Conn { c.pass("eve"); d := c.begin("RETR big"); c.raw("QUIT\r\n"); return d },
				func(c *client) stdnet.Conn {
					c.pass("eve")
					d := c.begin("RETR big")
					c.raw(strings.Repeat("NOOP\r\n", 100))
					return d
				},
				func(c *client) stdnet.Conn { c.pass("eve"); c.cmd("RNFR big", 350); c.raw("REIN\r\nUSER"); return nil },
			} {
				c := w.dial()
				d := script(c)
				if round%2 == 0 {
					c.abort()
				} else {
					c.close()
				}
				if d != nil {
					d.Close()
				}
			}
			if round%20 == 0 {
				w.alive()
			}
		}
		w.alone()
		if got := w.srv.Stats(); got.PassivePorts != 0 || got.Users != 1 || got.Pending != 0 {
			w.Errorf("left: %+v", got)
		}
		for _, name := range []string{"up", "x"} {
			if got := w.content("eve/" + name); got != "" {
				w.Errorf("%s of a broken upload holds %q", name, got)
			}
		}
		if got := w.names("eve"); strings.Contains(got, storage.TempPrefix) {
			w.Errorf("left: %s", got)
		}
	}, func(c *server.Config) { c.MaxSessionsPerIP = -1 })
}
