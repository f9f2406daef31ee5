package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/weft-go/weft/ftp/server"
)

// Shared ports are divided among the processes, and all open when ftpd says that it serves.
func TestProcessesSharedPorts(t *testing.T) {
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		ports := freeRange(t, 5)
		d := begin("-shared-ports", "-passive-ports", ports)
		listening(t, ports)
		for n := range 2 {
			c := d.dialTo(n + 1).logIn(d.login)
			data := c.data()
			c.cmd("150", "LIST")
			if _, err := io.ReadAll(data); err != nil {
				t.Error(err)
			}
			c.expect("226")
		}
	})
}

// listening connects to each port of a range.
func listening(t *testing.T, ports string) {
	t.Helper()
	var lo, hi int
	if _, err := fmt.Sscanf(ports, "%d-%d", &lo, &hi); err != nil {
		t.Fatal(err)
	}
	for port := lo; port <= hi; port++ {
		c, err := stdnet.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		switch {
		case err == nil:
			c.Close()
		case !errors.Is(err, syscall.ECONNRESET): // what strangers get
			t.Error(err)
		}
	}
}

// ftpd does not say that it serves before its shared ports are open.
func TestSharedPortsAreOpen(t *testing.T) {
	ports := freeRange(t, 64)
	for _, engine := range engineNames {
		d := begin(t, "-engine", engine, "-shared-ports", "-passive-ports", ports)
		listening(t, ports)
		d.end(syscall.SIGTERM)
	}
}

// activated runs ftpd as a service manager runs it: with sockets from descriptor 3 on. The
// shell's process becomes ftpd, which must know its own number.
func activated(t *testing.T, names string, sockets []stdnet.Listener, args ...string) *daemon {
	t.Helper()
	root := t.TempDir()
	cmd := exec.Command("/bin/sh", append([]string{"-c", `LISTEN_PID=$$ exec "$@"`, "sh", program, "-root", root}, args...)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("LISTEN_FDS=%d", len(sockets)), "LISTEN_FDNAMES="+names)
	for _, l := range sockets {
		f, err := l.(*stdnet.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		l.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	return launch(t, root, cmd)
}

// Sockets of the service manager take the place of -addr.
func TestActivation(t *testing.T) {
	for _, args := range [][]string{nil, {"-engine", "goroutine"}, {"-processes", "2"}} {
		var sockets []stdnet.Listener
		for range 2 {
			l, err := stdnet.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			sockets = append(sockets, l)
		}
		plain, implicit := sockets[0].Addr().String(), sockets[1].Addr().String()
		d := activated(t, "ftp:ftps", sockets, append(args, "-tls-self-signed")...)
		if d.addr != plain {
			t.Errorf("%q: serves on %s, want %s", args, d.addr, plain)
		}
		dial(t, plain).logIn(d.login)
		c, err := tls.Dial("tcp", implicit, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		newControl(t, c).expect("220")
		if code := d.end(syscall.SIGTERM); code != 0 {
			t.Errorf("%q: exit status %d", args, code)
		}
	}
}

// What can't be served of them is told.
func TestActivationErrors(t *testing.T) {
	for _, tc := range []struct{ network, name, want string }{
		{"tcp", "ftps", "needs TLS"},
		{"unix", "ftp", "not for TCP"},
	} {
		l, err := stdnet.Listen(tc.network, map[string]string{"tcp": "127.0.0.1:0", "unix": t.TempDir() + "/socket"}[tc.network])
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		f, err := l.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$@"`, "sh", program, "-root", t.TempDir())
		cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "LISTEN_FDNAMES="+tc.name)
		cmd.ExtraFiles = []*os.File{f}
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), tc.want) {
			t.Errorf("%+v: %s", tc, out)
		}
	}
}

// TestPartOf: the parts are the range, and no port is in two.
func TestPartOf(t *testing.T) {
	whole := server.PortRange{Lo: 65530, Hi: 65535}
	for n := 1; n <= 6; n++ {
		next := whole.Lo
		for i := range n {
			part := partOf(whole, i, n)
			if part.Lo != next || part.Hi < part.Lo {
				t.Errorf("part %d of %d is %s", i, n, part)
			}
			next = part.Hi + 1
		}
		if next != whole.Hi+1 {
			t.Errorf("%d parts end before %d", n, next)
		}
	}
}
