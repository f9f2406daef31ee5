package server_test

import (
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// Complaint 39: several connections at a time come from the one port.
func TestActivePort(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		port := freeRange(t, 1).Lo
		f := start(t, e, func(c *server.Config) { c.ActivePort = port })
		f.big("big")
		for range 3 {
			l, err := stdnet.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			c := f.login()
			c.cmd(200, "PORT "+string(ftp.AppendPORT(nil, l.Addr().(*stdnet.TCPAddr).AddrPort())))
			c.cmd(150, "RETR big")
			d, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if got := d.RemoteAddr().(*stdnet.TCPAddr).Port; got != int(port) {
				t.Errorf("came from port %d, want %d", got, port)
			}
		}
	})
}

// A port that takes privileges is a clear error at the start, for who has none.
func TestActivePortPrivilege(t *testing.T) {
	if os.Getenv("WEFT_TEST_ACTIVE_PORT") != "" {
		var cfg server.Config
		twoUsers(&cfg)
		cfg.Engine, cfg.ActivePort = server.Goroutines(), 20
		_, err := server.New(cfg)
		fmt.Println(err)
		os.Exit(0)
	}
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); err == nil && strings.TrimSpace(string(b)) == "0" {
		t.Skip("SKIP: here everybody may use port 20")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestActivePortPrivilege$")
	cmd.Env = append(os.Environ(), "WEFT_TEST_ACTIVE_PORT=1")
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Skipf("SKIP: can't run without privileges: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "ActivePort: port 20 takes privileges") {
		t.Errorf("%s", out)
	}
}

// FXP: hosts that are allowed may be the other end, both ways, and nobody else.
func TestFXP(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.FXP = []netip.Prefix{netip.MustParsePrefix("127.0.0.6/31")} })
		f.write("f", "moved")
		c := f.login()
		l, err := stdnet.Listen("tcp4", "127.0.0.7:0")
		if err != nil {
			t.Skipf("SKIP: no second loopback address: %v", err)
		}
		defer l.Close()
		c.cmd(200, "PORT "+string(ftp.AppendPORT(nil, l.Addr().(*stdnet.TCPAddr).AddrPort())))
		c.cmd(150, "RETR f")
		d, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(d); err != nil || string(b) != "moved" {
			t.Errorf("%q, %v", b, err)
		}
		d.Close()
		c.expect(226)
		c.cmd(504, "PORT 127,0,0,8,20,20")
		c.cmd(504, "PORT 127,0,0,7,0,20")

		addr := c.passive()
		stranger := dialFrom(t, "127.0.0.8", addr)
		d = dialFrom(t, "127.0.0.6", addr)
		c.cmd(150, "STOR g")
		if _, err := io.WriteString(d, "moved here"); err != nil {
			t.Fatal(err)
		}
		d.Close()
		c.expect(226)
		if got := f.content("g"); got != "moved here" {
			t.Errorf("stored %q", got)
		}
		if b, _ := io.ReadAll(stranger); len(b) > 0 {
			t.Errorf("a stranger got %q", b)
		}
	})
}
