package net_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// activate runs this test binary as a service manager runs a service: with files
// from descriptor 3 on, and the variables of the protocol. It returns what the
// process wrote.
func activate(t *testing.T, test string, files []*os.File, env ...string) string {
	t.Helper()
	// The shell's process becomes the service's, whose id it must know.
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$@"`, "sh", os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), append(env, "WEFT_TEST_ACTIVATED=1")...)
	cmd.ExtraFiles = files
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

// listening returns the file of a listener, whose address it returns too.
func listening(t *testing.T, network, address string) (*os.File, string) {
	t.Helper()
	l, err := stdnet.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	if u, ok := l.(*stdnet.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	defer l.Close()
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, l.Addr().String()
}

// TestActivation: a process with two passed sockets serves them, tells their
// names, and lets no child have them.
func TestActivation(t *testing.T) {
	if os.Getenv("WEFT_TEST_ACTIVATED") != "" {
		runtimetest.Run(t, 1, func() { activatedService(t) })
		return
	}
	tcp, tcpAddr := listening(t, "tcp", "127.0.0.1:0")
	path := shortTempDir(t) + "/s"
	unix, _ := listening(t, "unix", path)
	// Clients come first: their connections wait in the backlog.
	var conns []stdnet.Conn
	for _, c := range [][2]string{{"tcp", tcpAddr}, {"unix", path}} {
		conn, err := net.Dial(c[0], c[1])
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
	}
	out := activate(t, "TestActivation", []*os.File{tcp, unix}, "LISTEN_FDS=2", "LISTEN_FDNAMES=web:ctl.socket")
	for i, want := range []string{"hello from web", "hello from ctl.socket"} {
		if got, err := io.ReadAll(conns[i]); string(got) != want || err != nil {
			t.Errorf("client %d: %q, %v\n%s", i, got, err, out)
		}
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket's file: %v", err)
	}
}

func activatedService(t *testing.T) {
	before := runtimetest.Descriptors()
	listeners, err := net.ActivationListeners()
	if err != nil || len(listeners) != 2 {
		t.Fatalf("%v, %v", listeners, err)
	}
	if after := runtimetest.Descriptors(); after != before {
		t.Errorf("%d descriptors, was %d", after, before)
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if value, ok := os.LookupEnv(name); ok {
			t.Errorf("%s=%s is left", name, value)
		}
	}
	if again, err := net.ActivationListeners(); again != nil || err != nil {
		t.Errorf("a second time: %v, %v", again, err)
	}
	for i, l := range listeners {
		if flags, err := fcntl(uintptr(3+i), syscall.F_GETFD); err != nil || flags&syscall.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d is not closed on exec: %v", 3+i, err)
		}
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "hello from %s", l.Name)
		_ = conn.Close()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestActivationVariables: what the variables say, and what of it is an error.
func TestActivationVariables(t *testing.T) {
	if os.Getenv("WEFT_TEST_ACTIVATED") != "" {
		listeners, err := net.ActivationListeners()
		var names []string
		for _, l := range listeners {
			names = append(names, l.Name)
			_ = l.Close()
		}
		fmt.Printf("result: %q, %v\n", names, err)
		return
	}
	l, _ := listening(t, "tcp", "127.0.0.1:0")
	devNull, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer devNull.Close()
	conn, _ := implementation{"std", nil, listenStd, dialStd}.connected(t, "tcp")
	connected, err := conn.(*stdnet.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer connected.Close()
	for _, c := range []struct {
		files []*os.File
		env   []string
		want  string
	}{
		{nil, []string{"LISTEN_FDS=0"}, `[], <nil>`},
		{nil, nil, `[], net: activation: LISTEN_FDS is ""`},
		{nil, []string{"LISTEN_FDS=-1"}, `[], net: activation: LISTEN_FDS is "-1"`},
		{nil, []string{"LISTEN_FDS=x"}, `[], net: activation: LISTEN_FDS is "x"`},
		{nil, []string{"LISTEN_FDS=9999999"}, `[], net: activation: LISTEN_FDS is "9999999"`},
		{[]*os.File{l}, []string{"LISTEN_FDS=1"}, `["unknown"], <nil>`},
		{[]*os.File{l, l}, []string{"LISTEN_FDS=2", "LISTEN_FDNAMES=a:a"}, `["a" "a"], <nil>`},
		{[]*os.File{l, l}, []string{"LISTEN_FDS=2", "LISTEN_FDNAMES=:"}, `["" ""], <nil>`},
		{[]*os.File{l}, []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=a:b"}, `[], net: activation: 2 names in LISTEN_FDNAMES for 1 descriptors`},
		{[]*os.File{l, devNull}, []string{"LISTEN_FDS=2"}, `[], net: activation: descriptor 4 (unknown): getsockopt: socket operation on non-socket`},
		{[]*os.File{connected}, []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=c"}, `[], net: activation: descriptor 3 (c): no listening stream socket`},
	} {
		out := activate(t, "TestActivationVariables", c.files, c.env...)
		if !strings.Contains(out, "result: "+c.want+"\n") {
			t.Errorf("%v: want %s\n%s", c.env, c.want, out)
		}
	}
	// The variables of another process.
	t.Setenv("LISTEN_FDS", "1")
	for _, pid := range []string{"", "1", fmt.Sprint(os.Getppid())} {
		t.Setenv("LISTEN_PID", pid)
		if listeners, err := net.ActivationListeners(); listeners != nil || err != nil {
			t.Errorf("LISTEN_PID=%s: %v, %v", pid, listeners, err)
		}
	}
}
