package server_test

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/server"
)

// TestFormOfReplies: C141, of everything that answers in several lines.
func TestFormOfReplies(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("211 not a last line", "x")
		c := f.login()
		for line, code := range map[string]string{
			"FEAT": "211", "HELP": "214", "SITE HELP": "214", "STAT": "211", "STAT /": "212", "MLST /": "250",
		} {
			c.raw(line + "\r\n")
			r := bufio.NewReader(c.r)
			first := true
			for {
				text, err := r.ReadString('\n')
				if err != nil || !strings.HasSuffix(text, "\r\n") {
					t.Fatalf("%s: %q, %v", line, text, err)
				}
				if first && !strings.HasPrefix(text, code+"-") {
					t.Errorf("%s begins with %q", line, text)
				}
				if strings.HasPrefix(text, code+" ") {
					break
				}
				if !first && len(text) > 3 && text[3] == ' ' && strings.Trim(text[:3], "0123456789") == "" {
					t.Errorf("%s has a line %q in the middle", line, text)
				}
				first = false
			}
			if n := r.Buffered(); n > 0 {
				t.Errorf("%s: %d bytes after the last line", line, n)
			}
		}
	})
}

// TestNothingUnasked: C140. Between commands the server says nothing: the next thing
// it says answers the next command, and while there is none there is nothing to read.
func TestNothingUnasked(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c := f.login()
		c.put("STOR f", "x")
		_ = c.get("LIST")
		c.cmd(229, "EPSV")
		if err := c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if b, err := c.r.ReadByte(); !os.IsTimeout(err) {
			t.Errorf("read %q, %v", b, err)
		}
		c.cmd(200, "NOOP")
	})
}
