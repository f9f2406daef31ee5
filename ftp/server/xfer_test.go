package server_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

func TestRETR(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		var all strings.Builder
		for i := range 256 {
			all.WriteByte(byte(i))
		}
		f.write("bytes", all.String())
		f.write("long", pattern(3<<20))
		f.write("empty", "")
		if err := os.Mkdir(filepath.Join(f.root, "dir"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/etc/passwd", filepath.Join(f.root, "out")); err != nil {
			t.Fatal(err)
		}
		c := f.login()
		if got := c.get("RETR bytes"); got != all.String() { // C050, C153
			t.Errorf("got %q", got)
		}
		if got := c.get("RETR long"); got != pattern(3<<20) {
			t.Errorf("long file differs, %d bytes", len(got))
		}
		if got := c.get("RETR empty"); got != "" {
			t.Errorf("got %q", got)
		}
		for line, code := range map[string]step{
			"RETR missing":       {550, "", "C051"},
			"RETR dir":           {550, "", "C052"},
			"RETR":               {501, "", "C053"},
			"RETR out":           {550, "", "C283"},
			"RETR ../etc/passwd": {550, "", ""},
		} {
			d := c.data()
			c.cmd(code.code, line)
			// C051: the client must not hang on its data connection.
			if n, err := d.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
				t.Errorf("%s: data connection: %d, %v", line, n, err)
			}
			c.cmd(425, "RETR bytes") // C054
		}
	})
}

func TestSTOR(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		if err := os.Mkdir(filepath.Join(f.root, "dir"), 0o755); err != nil {
			t.Fatal(err)
		}
		c := f.login()
		c.put("STOR new", "one") // C056
		c.put("STOR new", "two, longer")
		if got := f.content("new"); got != "two, longer" { // C057
			t.Errorf("stored %q", got)
		}
		c.put("STOR new", "") // C060
		if got := f.content("new"); got != "" {
			t.Errorf("stored %q", got)
		}
		long := pattern(3<<20 + 1)
		c.put("STOR long", long)
		if f.content("long") != long {
			t.Error("long file differs")
		}
		c.put("APPE app", "a") // C064
		c.put("APPE app", "b") // C063
		if got := f.content("app"); got != "ab" {
			t.Errorf("appended %q", got)
		}
		for _, line := range []string{"STOR dir", "STOR none/x", "STOR /", "APPE dir"} { // C058
			c.data()
			c.cmd(550, line)
		}
		c.data()
		c.cmd(553, "STOR "+storage.TempPrefix+"x")
		// C057: nothing is to be seen before 226.
		d := c.data()
		c.cmd(150, "STOR new")
		if _, err := io.WriteString(d, "three"); err != nil {
			t.Fatal(err)
		}
		other := f.login()
		if got := other.get("RETR new"); got != "" {
			t.Errorf("seen before its end: %q", got)
		}
		d.Close()
		c.expect(226)
		if got := other.get("RETR new"); got != "three" {
			t.Errorf("after its end: %q", got)
		}
	})
}

func TestREST(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		const content = "0123456789abcdef"
		f.write("f", content)
		c := f.login()
		get := func(want, from string, before ...string) {
			t.Helper()
			d := c.data()
			for _, line := range before {
				c.send(line)
				if _, err := c.reply(); err != nil {
					t.Fatal(err)
				}
			}
			c.cmd(150, "RETR f")
			b, err := io.ReadAll(d)
			if err != nil || string(b) != want {
				t.Errorf("%q: %q, %v, not %q (%s)", before, b, err, want, from)
			}
			c.expect(226)
		}
		get(content[10:], "C075", "REST 10")
		get(content, "C076")
		get(content, "C077", "REST 10", "NOOP")
		get(content, "C077", "REST 10", "BOGUS")
		get(content, "", "REST 10", "REST x")
		get("", "C078", "REST 16")
		c.cmd(350, "REST 4") // clients send PASV before REST or after it
		get(content[4:], "")
		c.cmd(350, "REST 17") // C079
		c.data()
		c.cmd(554, "RETR f")
		get(content, "the refused one used up REST")

		c.cmd(350, "REST 4") // C083
		c.put("STOR f", "XY")
		if got := f.content("f"); got != "0123XY" {
			t.Errorf("restarted upload: %q", got)
		}
		c.cmd(350, "REST 7") // C084
		c.data()
		c.cmd(554, "STOR f")
		c.cmd(350, "REST 2") // C085
		c.put("APPE f", "Z")
		if got := f.content("f"); got != "0123XYZ" {
			t.Errorf("REST and APPE: %q", got)
		}
		c.cmd(200, "TYPE A")
		if got := c.get("RETR f"); got != "0123XYZ" {
			t.Errorf("TYPE A: %q", got)
		}
	})
}

func TestASCII(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c := f.login()
		c.cmd(200, "TYPE A")
		for _, tc := range []struct{ disk, wire, from string }{
			{"a\nb\n", "a\r\nb\r\n", "C148"},
			{"a\r\nb", "a\r\nb", "C149"},
			{"\n\n", "\r\n\r\n", ""},
			{"", "", ""},
			{"a\rb\r", "a\rb\r", "C151"},
		} {
			f.write("f", tc.disk)
			if got := c.get("RETR f"); got != tc.wire {
				t.Errorf("RETR %q: %q, not %q (%s)", tc.disk, got, tc.wire, tc.from)
			}
		}
		for _, tc := range []struct{ wire, disk, from string }{
			{"a\r\nb\r\n", "a\nb\n", "C146"},
			{"a\nb", "a\nb", ""},
			{"a\rb", "a\rb", "C151"},
			{"a\r", "a\r", "C152"},
			{"a\r\r\n", "a\r\n", ""},
		} {
			c.put("STOR g", tc.wire)
			if got := f.content("g"); got != tc.disk {
				t.Errorf("STOR %q: %q, not %q (%s)", tc.wire, got, tc.disk, tc.from)
			}
		}
		// C150: CR and LF on both sides of each edge of a buffer.
		long := strings.Repeat("\n", 100) + pattern(1<<20) + strings.Repeat("\n", 1<<19)
		f.write("f", long)
		onWire := c.get("RETR f")
		if onWire != strings.ReplaceAll(long, "\n", "\r\n") {
			t.Error("RETR of a long text differs")
		}
		c.put("STOR g", onWire)
		if f.content("g") != long {
			t.Error("STOR of a long text differs")
		}
		for _, cut := range []int{32<<10 - 2, 32<<10 - 1, 32 << 10, 256<<10 - 1, 256 << 10} {
			text := strings.Repeat("x", cut) + "\r\ny"
			c.put("STOR g", text)
			if got := f.content("g"); got != strings.Repeat("x", cut)+"\ny" {
				t.Errorf("STOR with a line end at %d differs", cut)
			}
		}
	})
}

// A store without descriptors is served as well, and so are its limits.
func TestMemoryStore(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		mem := storage.NewMem()
		f := start(t, e, func(c *server.Config) { c.Root = mem })
		c := f.login()
		long := pattern(1 << 20)
		c.put("STOR f", long)
		if c.get("RETR f") != long {
			t.Error("differs")
		}
		c.cmd(350, "REST 1000000")
		if c.get("RETR f") != long[1000000:] {
			t.Error("differs after REST")
		}
		mem.SetCapacity(1<<20 + 10)
		d := c.data()
		c.cmd(150, "STOR g")
		_, _ = io.WriteString(d, long) // the server may reset it
		d.Close()
		c.expect(452) // C062
		if got := c.get("NLST"); got != "f\r\n" {
			t.Errorf("left: %q", got)
		}
	})
}

func TestReadOnly(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		mem := storage.NewMem()
		if err := mem.Mkdir("/d"); err != nil {
			t.Fatal(err)
		}
		f := start(t, e, func(c *server.Config) { c.Root = storage.ReadOnly(mem) })
		c := f.login()
		c.steps([]step{
			{550, "MKD x", ""}, {550, "RMD d", ""}, {550, "DELE d", ""}, {350, "RNFR d", ""}, {550, "RNTO e", ""},
		})
		for _, line := range []string{"STOR x", "APPE x"} { // C059
			c.data()
			c.cmd(550, line)
		}
	})
}

// A user without a right is told before anything happens.
func TestRights(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, twoUsers)
		c := f.dial()
		c.cmd(331, "USER reader")
		c.cmd(230, "PASS reader")
		c.steps([]step{
			{550, "MKD x", ""}, {550, "RMD x", ""}, {550, "DELE x", ""}, {550, "RNFR x", ""},
			{229, "EPSV", ""}, {550, "STOR x", ""}, {229, "EPSV", ""}, {550, "APPE x", ""},
			{211, "STAT", ""}, {212, "STAT /", ""},
		})
	})
}
