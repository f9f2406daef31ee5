package attack_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// A PROXY header from who is no trusted proxy is a command that is not
// understood: nobody has another's address by saying so.
func TestAttack49_ForgedProxyHeader(t *testing.T) {
	forge := func(w *world) {
		// The second version is made so that its begin ends an FTP session by itself.
		v2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x09\x7f\x00\x00\x01\x10\x00\x00\x15"
		c := w.dial()
		c.raw(v2)
		for _, code := range []ftp.Code{500, 500, 500, 221} {
			c.expect(code)
		}
		c.closed()
		for _, header := range []string{"PROXY TCP4 127.0.0.9 127.0.0.1 4000 21", "PROXY UNKNOWN", "proxy tcp4 127.0.0.9 127.0.0.1 4000 21"} {
			c := w.dial()
			c.cmd(header, 500)
			c.pass("eve")
			c.cmd("PORT 127,0,0,9,20,20", 504)
			c.cmd("PORT 127,0,0,1,20,20", 200)
			c.cmd("QUIT", 221)
		}
		// The ban meets the true address, whatever it says it is.
		for i := range 4 {
			c := w.dialAs("127.0.0.66")
			c.raw(fmt.Sprintf("PROXY TCP4 127.0.0.%d 127.0.0.1 4000 21\r\n", 100+i))
			c.expect(500)
			c.cmd("USER alice", 331)
			c.cmd("PASS guess", 530)
			c.close()
		}
		w.connect("127.0.0.66").expect(421)
		w.loginFrom("127.0.0.101", "eve")
	}
	limits := func(c *server.Config) { c.BanAfter = 4 }
	t.Run("no proxy", func(t *testing.T) { attackBoth(t, forge, limits) })
	t.Run("another proxy", func(t *testing.T) {
		attackBoth(t, forge, limits, func(c *server.Config) {
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.5/32")}
		})
	})
}
