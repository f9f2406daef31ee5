package server_test

import (
	"testing"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// FIELD A17: who wants his bytes left alone can have it, in each direction.
func TestRaw(t *testing.T) {
	const text = "a\nb\r\nc\r"
	onEngines(t, func(t *testing.T, e server.Engine) {
		for _, tc := range []struct {
			change     func(*server.Config)
			down, disk string
			size       ftp.Code
		}{
			{func(*server.Config) {}, "a\r\nb\r\nc\r", "a\nb\nc\r", 550},
			{func(c *server.Config) { c.RawDownloads = true }, text, "a\nb\nc\r", 213},
			{func(c *server.Config) { c.RawUploads = true }, "a\r\nb\r\nc\r", text, 550},
		} {
			f := start(t, e, tc.change)
			f.write("f", text)
			c := f.login()
			c.cmd(200, "TYPE A")
			if got := c.get("RETR f"); got != tc.down {
				t.Errorf("RETR: %q, not %q", got, tc.down)
			}
			c.cmd(tc.size, "SIZE f")
			c.put("STOR g", text)
			if got := f.content("g"); got != tc.disk {
				t.Errorf("STOR: %q, not %q", got, tc.disk)
			}
		}
	})
}
