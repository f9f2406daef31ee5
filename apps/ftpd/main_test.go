package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime/runtimetest"
)

// patience is how long a test waits for what must happen.
const patience = 60 * time.Second

// program is the ftpd that was built for the tests.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ftpd-test-")
	if err == nil {
		program = filepath.Join(dir, "ftpd")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// daemon is a running ftpd.
type daemon struct {
	t            *testing.T
	cmd          *exec.Cmd
	stdout       *bufio.Reader
	root         string
	log          runtimetest.Buffer // standard error, complete once it has ended
	addr         string
	login        string // user:password
	list, upload string // the printed lines
}

var serving = regexp.MustCompile(`^Serving (.*) on ([^ ]*)\.\n$`)

// begin runs ftpd with arguments, for a new directory, until the test ends.
func begin(t *testing.T, args ...string) *daemon {
	t.Helper()
	root := t.TempDir()
	return launch(t, root, exec.Command(program, append([]string{"-root", root, "-addr", "127.0.0.1:0"}, args...)...))
}

// launch runs an ftpd that serves root until the test ends, and waits until it serves.
func launch(t *testing.T, root string, cmd *exec.Cmd) *daemon {
	t.Helper()
	d := start(t, root, cmd)
	d.await()
	return d
}

// start is launch that does not wait.
func start(t *testing.T, root string, cmd *exec.Cmd) *daemon {
	t.Helper()
	d := &daemon{t: t, root: root, cmd: cmd}
	d.cmd.Stderr = &d.log
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.stdout = bufio.NewReader(stdout)
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // it may have ended
		_ = d.cmd.Wait()
		if t.Failed() {
			t.Logf("log of ftpd:\n%s", &d.log)
		}
	})
	return d
}

// await reads what is printed at the start.
func (d *daemon) await() {
	d.t.Helper()
	for {
		line, err := d.stdout.ReadString('\n')
		if err != nil {
			d.t.Fatalf("ftpd did not say where it serves: %v", err)
		}
		if m := serving.FindStringSubmatch(line); m != nil {
			d.addr = m[2]
		}
		if user, password, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ", password "); ok {
			d.login = strings.TrimPrefix(user, "User ") + ":" + password
		}
		if rest, ok := strings.CutPrefix(line, "List: "); ok {
			d.list = strings.TrimSpace(rest)
		}
		if rest, ok := strings.CutPrefix(line, "Upload: "); ok {
			d.upload = strings.TrimSpace(rest)
		}
		if line == "\n" && d.list != "" {
			return
		}
	}
}

// end sends a signal and returns the exit status.
func (d *daemon) end(s os.Signal) int {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
	return d.status()
}

// status waits for the end and returns the exit status.
func (d *daemon) status() int {
	d.t.Helper()
	ended := make(chan struct{})
	go func() { _ = d.cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(patience):
		d.t.Fatal("ftpd does not end")
	}
	return d.cmd.ProcessState.ExitCode()
}

var engineNames = []string{"task", "goroutine"}

// scriptLimit bounds one script. It takes seconds, on a busy machine too.
const scriptLimit = 2 * time.Minute

// Each script of testdata drives a foreign client. Its first line says which:
// "# needs: curl". A missing one is skipped, loudly, unless WEFT_REQUIRE_PEERS is
// 1.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(text), "\n")
		peer, ok := strings.CutPrefix(head, "# needs: ")
		if !ok {
			t.Fatalf("%s does not say what it needs", script)
		}
		for name, args := range map[string][]string{
			"task":      {"-engine", "task"},
			"goroutine": {"-engine", "goroutine"},
			"shared":    {"-shared-ports", "-passive-ports", freeRange(t, 8)},
			"processes": {"-processes", "2"},
		} {
			t.Run(strings.TrimSuffix(filepath.Base(script), ".sh")+"/"+name, func(t *testing.T) {
				requirePeer(t, peer)
				d := begin(t, append(args, "-user", "o'neil & co")...)
				user, password, _ := strings.Cut(d.login, ":")
				// A client may try for ever to reach a server that is gone.
				ctx, cancel := context.WithTimeout(t.Context(), scriptLimit)
				defer cancel()
				cmd := exec.CommandContext(ctx, "sh", "-eux", "-c", string(text))
				cmd.WaitDelay = time.Second // for what the shell has started
				cmd.Env = append(os.Environ(),
					"WORK="+t.TempDir(), "ROOT="+d.root, "ADDR="+d.addr, "LOGIN="+d.login,
					"USER_NAME="+user, "PASSWORD="+password, "LIST="+d.list+" -sS", "UPLOAD="+d.upload+" -sS")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				if code := d.end(syscall.SIGTERM); code != 0 {
					t.Errorf("exit status %d", code)
				}
			})
		}
	}
}

// requirePeer skips, or fails, a test whose foreign program is missing.
func requirePeer(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("WEFT_REQUIRE_PEERS") == "1" {
		t.Fatalf("%s is missing and WEFT_REQUIRE_PEERS=1", name)
	}
	t.Skipf("SKIP: %s IS NOT INSTALLED", name)
}

// What can't be served is told in one line, with exit status 1.
func TestErrors(t *testing.T) {
	taken, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("alice:nohash:/:rw\nbob\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	quotas := filepath.Join(dir, "quotas")
	if err := os.WriteFile(quotas, []byte("alice:*:/:rw:1G\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"-root", filepath.Join(dir, "none")}, "none: no such directory", 1},
		{[]string{"-root", file}, "not a directory", 1},
		{[]string{"-root", dir, "-addr", taken.Addr().String()}, "address already in use", 1},
		{[]string{"-root", dir, "-addr", taken.Addr().String(), "-engine", "goroutine"}, "address already in use", 1},
		{[]string{"-root", dir, "-users", file}, file + ":1: ", 1},
		{[]string{"-root", dir, "-users", filepath.Join(dir, "none")}, "none", 1},
		{[]string{"-root", dir, "-passive-ports", "5"}, `ports "5"`, 1},
		{[]string{"-root", dir, "-public-host", "::1"}, "-public-host", 1},
		{[]string{"-root", dir, "-public-host-for", "10.0.0.0/8=::1"}, "-public-host-for", 1},
		{[]string{"-root", dir, "-public-host-for", "10.0.0.0/8"}, "NETWORK=HOST", 2},
		{[]string{"-root", dir, "-fxp", "10.0.0.0/99"}, "neither an address nor a network", 2},
		{[]string{"-root", dir, "-active-port", "70000"}, "-active-port", 2},
		{[]string{"-root", dir, "-shared-ports"}, "-shared-ports: ", 1},
		{[]string{"-root", dir, "-user", "a:b"}, "colon", 1},
		{[]string{"-root", dir, "-processes", "some"}, "auto", 2},
		{[]string{"-root", dir, "-processes", "-1"}, "auto", 2},
		{[]string{"-root", dir, "-processes", "2", "-addr", taken.Addr().String()}, "address already in use", 1},
		{[]string{"-root", dir, "-processes", "2", "-public-host", "::1"}, "-public-host", 1},
		{[]string{"-root", dir, "-processes", "2", "-quota", "1G"}, "quotas", 1},
		{[]string{"-root", dir, "-processes", "2", "-users", quotas}, "quotas", 1},
		{[]string{"-root", dir, "-processes", "3", "-shared-ports", "-passive-ports", "2000-2001"}, "too few", 1},
		{[]string{"-root", dir, "-addr", "127.0.0.1:0", "-shared-ports", "-passive-ports", takenRange(taken)}, "address already in use", 1},
		{[]string{"-root", dir, "-engine", "steam"}, "-engine", 2},
		{[]string{"-bogus"}, "bogus", 2},
		{[]string{"extra"}, "extra", 2},
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"-addr", "127.0.0.1:0"}, tc.args...) // not the usual port: another test may have that
		cmd := exec.Command(program, args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run() // the exit status tells
		got := stderr.String()
		if code := cmd.ProcessState.ExitCode(); code != tc.code || !strings.Contains(got, tc.want) {
			t.Errorf("%q: exit status %d, %s", tc.args, code, got)
		}
		if tc.code == 1 && (strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "ftpd: ") || stdout.Len() > 0) {
			t.Errorf("%q: not one line: %q, %q", tc.args, got, &stdout)
		}
	}
	help, err := exec.Command(program, "-h").CombinedOutput()
	if err != nil || !bytes.Contains(help, []byte("-passive-ports")) {
		t.Errorf("-h: %v\n%s", err, help)
	}
}

// takenRange is a range of two ports, one of which is taken.
func takenRange(l stdnet.Listener) string {
	port := l.Addr().(*stdnet.TCPAddr).Port
	return fmt.Sprintf("%d-%d", port-1, port)
}

// A hash that ftpd prints lets its password in.
func TestUsersFile(t *testing.T) {
	const password = "pass word"
	cmd := exec.Command(program, "-hash-password")
	cmd.Stdin = strings.NewReader(password + "\n")
	hash, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, fmt.Appendf(nil, "carol:%s:/:ro\n", bytes.TrimSpace(hash)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, engine := range engineNames {
		d := begin(t, "-users", users, "-engine", engine)
		if d.login != "" {
			t.Errorf("printed a login: %s", d.login)
		}
		c := dial(t, d.addr)
		c.cmd("331", "USER carol")
		c.cmd("230", "PASS "+password)
		c.cmd("550", "MKD x")
		c.cmd("221", "QUIT")
		if code := d.end(syscall.SIGINT); code != 0 {
			t.Errorf("exit status %d", code)
		}
		if strings.Contains(d.log.String(), password) {
			t.Error("the password is in the log")
		}
	}
}

func TestReadOnlyFlag(t *testing.T) {
	d := begin(t, "-read-only")
	if d.upload != "" {
		t.Errorf("an upload is suggested: %s", d.upload)
	}
	user, password, _ := strings.Cut(d.login, ":")
	c := dial(t, d.addr)
	c.cmd("331", "USER "+user)
	c.cmd("230", "PASS "+password)
	c.cmd("550", "MKD x")
	c.cmd("200", "OPTS MLST perm;")
	if got := c.cmd("250", "MLST /"); !strings.Contains(got, " perm=el; /\r\n") {
		t.Errorf("MLST: %s", got)
	}
}

// A signal lets a transfer end; a second one does not.
func TestSignals(t *testing.T) {
	const size = 64 << 20
	for _, args := range [][]string{{"-engine", "task"}, {"-engine", "goroutine"}, {"-processes", "2"}, {"-processes", "2", "-engine", "goroutine"}} {
		for _, twice := range []bool{false, true} {
			d := begin(t, append(args, "-drain", "1m")...)
			if err := os.WriteFile(filepath.Join(d.root, "big"), make([]byte, size), 0o644); err != nil {
				t.Fatal(err)
			}
			user, password, _ := strings.Cut(d.login, ":")
			idle, c := dial(t, d.addr), dial(t, d.addr)
			c.cmd("331", "USER "+user)
			c.cmd("230", "PASS "+password)
			c.cmd("200", "TYPE I")
			epsv := c.cmd("229", "EPSV")
			var port int
			if _, err := fmt.Sscanf(epsv[strings.Index(epsv, "("):], "(|||%d|)", &port); err != nil {
				t.Fatal(err)
			}
			data, err := stdnet.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				t.Fatal(err)
			}
			defer data.Close()
			c.cmd("150", "RETR big")
			if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			idle.expect("421")
			if twice {
				if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				c.expect("426")
				c.expect("421")
				if code := d.status(); code != 1 {
					t.Errorf("exit status %d", code)
				}
				continue
			}
			if n, err := io.Copy(io.Discard, data); n != size || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
			c.expect("226")
			c.expect("421")
			if code := d.status(); code != 0 {
				t.Errorf("exit status %d", code)
			}
		}
	}
}

// control is a control connection.
type control struct {
	t    *testing.T
	conn stdnet.Conn
	r    *bufio.Reader
}

func dial(t *testing.T, addr string) *control {
	t.Helper()
	conn, err := stdnet.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := newControl(t, conn)
	c.expect("220")
	return c
}

func newControl(t *testing.T, conn stdnet.Conn) *control {
	return &control{t, conn, bufio.NewReader(conn)}
}

// cmd sends a line and returns the reply, which must have the code.
func (c *control) cmd(code, line string) string {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
	return c.expect(code)
}

func (c *control) expect(code string) string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	var all string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("instead of %s: %v", code, err)
		}
		all += line
		if strings.HasPrefix(line, code+" ") {
			return all
		}
		if !strings.HasPrefix(all, code+"-") {
			c.t.Fatalf("instead of %s: %s", code, line)
		}
	}
}

// TestTLS: a trial certificate, login and listing by curl over TLS, and in clear not.
func TestTLS(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl here")
	}
	d := begin(t, "-tls-self-signed", "-tls-required", "-implicit-addr", "127.0.0.1:0")
	if err := os.WriteFile(filepath.Join(d.root, "file"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(curl, "-sS", "--ssl-reqd", "--insecure", "-u", d.login, "ftp://"+d.addr+"/file").CombinedOutput()
	if err != nil || string(out) != "content" {
		t.Errorf("over TLS: %q, %v", out, err)
	}
	out, err = exec.Command(curl, "-sS", "-u", d.login, "ftp://"+d.addr+"/file").CombinedOutput()
	if err == nil {
		t.Errorf("in clear: %q", out)
	}
}
