package main

import (
	"bytes"
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
)

// A process that is killed takes its own sessions along, and nothing else: another one's
// transfer goes on, what it had counts no more, and another process takes its place.
func TestProcessKilled(t *testing.T) {
	const size = 64 << 20
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(i >> 8 * i)
	}
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		d := begin("-max-per-user", "2", "-max-per-ip", "2")
		if err := os.WriteFile(filepath.Join(d.root, "big"), content, 0o644); err != nil {
			t.Fatal(err)
		}
		c, victim := d.dialTo(1).logIn(d.login), d.dialTo(2).logIn(d.login)
		data := c.data()
		c.cmd("150", "RETR big")
		first := make([]byte, 1<<20)
		if _, err := io.ReadFull(data, first); err != nil {
			t.Fatal(err)
		}
		killed := d.pid(2)
		d.signal(2, syscall.SIGKILL)
		victim.expectEnd()
		eventually(t, "another process", func() bool { return d.pid(2) != killed })
		rest, err := io.ReadAll(data)
		if err != nil || !bytes.Equal(append(first, rest...), content) {
			t.Errorf("%d bytes, %v", len(first)+len(rest), err)
		}
		c.expect("226")
		// There are two places in all, of which the dead one's is free.
		d.dialTo(2).logIn(d.login)
		over := d.of(1)
		over.expect("421")
		if log := d.log.String(); !regexp.MustCompile(`msg="process failed" process=2 .*killed`).MatchString(log) {
			t.Errorf("the end of the process is not told:\n%s", log)
		}
		if code := d.end(syscall.SIGTERM); code != 0 {
			t.Errorf("exit status %d", code)
		}
	})
}

// SIGTERM to one process lets it drain, and another one takes its place.
func TestProcessReplaced(t *testing.T) {
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		d := begin()
		idle, other := d.dialTo(1), d.dialTo(2)
		left := d.pid(1)
		d.signal(1, syscall.SIGTERM)
		idle.expect("421")
		eventually(t, "another process", func() bool { return d.pid(1) != left })
		d.dialTo(1).logIn(d.login)
		other.cmd("331", "USER x")
		if strings.Contains(d.log.String(), "process failed") {
			t.Errorf("log:\n%s", &d.log)
		}
	})
}

// What the files have said at the start holds for a process that comes later, too.
func TestProcessReplacedWithoutFiles(t *testing.T) {
	hash := exec.Command(program, "-hash-password")
	hash.Stdin = strings.NewReader("secret\n")
	text, err := hash.Output()
	if err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(t.TempDir(), "users")
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		if err := os.WriteFile(users, fmt.Appendf(nil, "carol:%s:/:rw\n", bytes.TrimSpace(text)), 0o600); err != nil {
			t.Fatal(err)
		}
		d := begin("-users", users)
		if err := os.Remove(users); err != nil {
			t.Fatal(err)
		}
		killed := d.pid(1)
		d.signal(1, syscall.SIGKILL)
		eventually(t, "another process", func() bool { return d.pid(1) != killed })
		d.dialTo(1).logIn("carol:secret")
	})
}

// A process that hangs keeps the server from ending for a while, and not for ever.
func TestProcessHangs(t *testing.T) {
	d := begin(t, append(processArgs["task"], "-drain", "100ms")...)
	other := d.dialTo(1)
	d.only(1) // and it stays stopped
	hung := d.pid(2)
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	other.expect("421")
	if code := d.status(); code != 1 || !strings.Contains(d.log.String(), "killed") {
		t.Errorf("exit status %d\n%s", code, &d.log)
	}
	if err := syscall.Kill(hung, 0); err != syscall.ESRCH {
		t.Errorf("the process that has hung: %v", err)
	}
}

// Processes that fail again and again end the server, which says why.
func TestProcessesFail(t *testing.T) {
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		d := begin()
		for n := range mostFailures {
			eventually(t, "another process", func() bool { return len(d.pids()[1]) == n+1 })
			d.signal(1, syscall.SIGKILL)
		}
		if code := d.status(); code != 1 {
			t.Errorf("exit status %d", code)
		}
		want := fmt.Sprintf("ftpd: process 1 failed %d times in a row: ", mostFailures)
		lines := strings.Split(strings.TrimSpace(d.log.String()), "\n")
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, want) || !strings.HasSuffix(last, "killed") {
			t.Errorf("last line: %s", last)
		}
	})
}

// When the parent is killed the others let their transfers end, and end: the test waits for
// the end of all that have its standard error.
func TestParentKilled(t *testing.T) {
	const size = 32 << 20
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		d := begin()
		if err := os.WriteFile(filepath.Join(d.root, "big"), make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
		c, idle := d.dialTo(1).logIn(d.login), d.dialTo(2)
		data := c.data()
		c.cmd("150", "RETR big")
		if err := d.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		idle.expect("421")
		if n, err := io.Copy(io.Discard, data); n != size || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		c.expect("226")
		c.expect("421")
		d.status()
	})
}

// A parent that does not answer lets nobody in and holds nobody up, and what it grants too
// late counts for nobody.
func TestParentStopped(t *testing.T) {
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		d := begin("-max-per-ip", "2")
		inside := d.dialTo(1).logIn(d.login)
		if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		out := d.of(2)
		out.expect("421")
		out.expectEnd()
		data := inside.data()
		inside.cmd("150", "LIST")
		if _, err := io.ReadAll(data); err != nil {
			t.Error(err)
		}
		inside.expect("226")
		if err := d.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		second := d.admitted(2)
		d.of(1).expect("421")
		second.cmd("331", "USER x")
		if !strings.Contains(d.log.String(), "the parent process does not answer") {
			t.Errorf("log:\n%s", &d.log)
		}
	})
}

// What a process can't open at the start ends the server, which says why, and says nothing
// else that would make one believe that it serves.
func TestProcessCannotStart(t *testing.T) {
	taken, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	onProcesses(t, func(t *testing.T, _ func(args ...string) *daemon) {
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(program, append(processArgs[filepath.Base(t.Name())], "-root", t.TempDir(), "-addr", "127.0.0.1:0",
			"-shared-ports", "-passive-ports", takenRange(taken))...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run() // the exit status tells
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		last := lines[len(lines)-1]
		if cmd.ProcessState.ExitCode() != 1 || stdout.Len() > 0 || !strings.HasPrefix(last, "ftpd: ") || strings.Count(last, "address already in use") != 1 {
			t.Errorf("%s\n%s", &stdout, &stderr)
		}
	})
}
