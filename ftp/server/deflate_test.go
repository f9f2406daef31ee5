package server_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp/server"
)

func inflated(t *testing.T, s string) string {
	t.Helper()
	z, err := zlib.NewReader(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func deflated(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestModeZ: C259 to C262 and C265. What comes back is what went there, in both
// types, and listings.
func TestModeZ(t *testing.T) {
	text := strings.Repeat("a line\nand another\n", 20_000)
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c := f.login()
		c.cmd(200, "MODE Z") // C259
		if text := c.cmd(211, "FEAT").Text(); !strings.Contains(text, "MODE Z") {
			t.Errorf("FEAT: %s", text)
		}
		c.steps([]step{
			{200, "OPTS MODE Z LEVEL 9", "C261"},
			{501, "OPTS MODE Z LEVEL 42", "C262"},
			{501, "OPTS MODE Z LEVEL", "C262"},
			{501, "OPTS MODE Z", "C262"},
		})
		c.put("STOR f", deflated(t, text)) // C260
		if got := f.content("f"); got != text {
			t.Errorf("stored %d bytes, not %d", len(got), len(text))
		}
		packed := c.get("RETR f")
		if got := inflated(t, packed); got != text || len(packed) > len(text)/10 {
			t.Errorf("%d bytes come in %d", len(got), len(packed))
		}
		c.cmd(350, "REST 10") // C265
		if got := inflated(t, c.get("RETR f")); got != text[10:] {
			t.Errorf("%d bytes after REST", len(got))
		}
		if got := inflated(t, c.get("LIST")); !strings.HasSuffix(got, " f\r\n") {
			t.Errorf("listing %q", got)
		}
		c.cmd(200, "TYPE A")
		if got, want := inflated(t, c.get("RETR f")), strings.ReplaceAll(text, "\n", "\r\n"); got != want {
			t.Errorf("%d bytes of text, not %d", len(got), len(want))
		}
		c.put("STOR g", deflated(t, "x\r\ny\r\n"))
		if got := f.content("g"); got != "x\ny\n" {
			t.Errorf("text %q", got)
		}
		c.put("STOR empty", "") // no stream at all
		c.put("STOR nothing", deflated(t, ""))
		if got := f.content("empty") + f.content("nothing"); got != "" {
			t.Errorf("%q", got)
		}
		c.cmd(200, "MODE S")
		if got := c.get("RETR g"); got != "x\r\ny\r\n" {
			t.Errorf("plain %q", got)
		}
	})
}

// TestModeZDamaged: C263 and C264. A stream that is no good, one that is cut off, and
// one of more than a file may have: none leaves a file.
func TestModeZDamaged(t *testing.T) {
	bomb := deflated(t, strings.Repeat("\x00", 100<<20)) // not while the server waits for it
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(cfg *server.Config) { cfg.MaxFileSize = 1 << 20 })
		c := f.login()
		c.cmd(200, "MODE Z")
		good := deflated(t, strings.Repeat("0123456789", 1000))
		for name, bad := range map[string]string{
			"no zlib":  "plain text",
			"cut off":  good[:len(good)/2],
			"bad sum":  good[:len(good)-1] + "x",
			"bad data": good[:10] + "\xff\xff\xff" + good[13:],
		} {
			d := c.data()
			c.cmd(150, "STOR f")
			_, _ = io.WriteString(d, bad) // the server may have seen enough
			_ = d.CloseWrite()
			if r, err := c.reply(); err != nil || r.Code != 451 && r.Code != 426 {
				t.Errorf("%s: %v, %v", name, r, err)
			}
		}
		d := c.data()
		c.cmd(150, "STOR bomb")
		_, _ = io.WriteString(d, bomb)
		c.expect(552) // C263
		if names := f.names(); len(names) > 0 {
			t.Errorf("files %q", names)
		}
		c.cmd(200, "NOOP")
	})
}

// TestMaxFileSize: C061 and C073, without quotas: a file may have so much and no
// more, however it comes about.
func TestMaxFileSize(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(cfg *server.Config) { cfg.MaxFileSize = 10 })
		c := f.login()
		c.put("STOR f", "0123456789")
		for _, line := range []string{"STOR g", "STOU"} {
			d := c.data()
			c.cmd(150, line)
			_, _ = io.WriteString(d, "0123456789x")
			_ = d.CloseWrite()
			c.expect(552)
		}
		c.cmd(350, "REST 5")
		d := c.data()
		c.cmd(150, "STOR f")
		_, _ = io.WriteString(d, "567890")
		_ = d.CloseWrite()
		c.expect(552)
		if names := f.names(); len(names) != 1 {
			t.Errorf("files %q", names)
		}
	})
}
