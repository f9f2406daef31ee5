package main

import (
	"bytes"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// processArgs make ftpd two processes, on either engine.
var processArgs = map[string][]string{
	"task":      {"-processes", "2", "-v"},
	"goroutine": {"-processes", "2", "-v", "-engine", "goroutine"},
}

// onProcesses runs a test with each of them.
func onProcesses(t *testing.T, test func(t *testing.T, begin func(args ...string) *daemon)) {
	t.Helper()
	for name, own := range processArgs {
		t.Run(name, func(t *testing.T) {
			test(t, func(args ...string) *daemon {
				t.Helper()
				return begin(t, append(own[:len(own):len(own)], args...)...)
			})
		})
	}
}

var serves = regexp.MustCompile(`msg="process serves" process=(\d+) pid=(\d+)`)

// pids returns the processes that serve, or did, by their numbers, the newest last.
func (d *daemon) pids() map[int][]int {
	found := make(map[int][]int)
	for _, m := range serves.FindAllStringSubmatch(d.log.String(), -1) {
		number, _ := strconv.Atoi(m[1])
		pid, _ := strconv.Atoi(m[2])
		found[number] = append(found[number], pid)
	}
	return found
}

// pid returns the process of a number.
func (d *daemon) pid(number int) int {
	d.t.Helper()
	var all []int
	eventually(d.t, "a process", func() bool { // the log comes its own way
		all = d.pids()[number]
		return len(all) > 0
	})
	return all[len(all)-1]
}

// signal sends a signal to the process of a number.
func (d *daemon) signal(number int, s syscall.Signal) {
	d.t.Helper()
	if err := syscall.Kill(d.pid(number), s); err != nil {
		d.t.Fatal(err)
	}
}

// eventually waits for what must come about.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !check(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came about: %s", what)
		}
	}
}

// only stops the other one of two processes, so that the one of the number serves whoever
// comes. proceed lets it go on.
func (d *daemon) only(number int) (proceed func()) {
	d.t.Helper()
	other := 3 - number
	d.signal(other, syscall.SIGSTOP)
	eventually(d.t, "all threads are stopped", func() bool {
		states, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", d.pid(other)))
		for _, file := range states {
			stat, err := os.ReadFile(file)
			if state := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:]); err != nil || state[0] != 'T' {
				return false
			}
		}
		return len(states) > 0
	})
	return func() { d.signal(other, syscall.SIGCONT) }
}

// of connects to the process of a number, of two: the other one is stopped meanwhile. The
// reply is not read.
func (d *daemon) of(number int) *control {
	d.t.Helper()
	defer d.only(number)()
	conn, err := stdnet.Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	c := newControl(d.t, conn)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.r.Peek(1); err != nil { // it was accepted
		d.t.Fatal(err)
	}
	return c
}

// dialTo connects to the process of a number, which must let the client in.
func (d *daemon) dialTo(number int) *control {
	d.t.Helper()
	c := d.of(number)
	c.expect("220")
	at := fmt.Sprintf("msg=\"session begins\" process=%d peer=%s", number, c.conn.LocalAddr())
	eventually(d.t, "a session of that process", func() bool { return strings.Contains(d.log.String(), at) })
	return c
}

// admitted connects to the process of a number until that lets the client in: what somebody
// gives back is there for others in the end.
func (d *daemon) admitted(number int) *control {
	d.t.Helper()
	var c *control
	eventually(d.t, "room", func() bool {
		c = d.of(number)
		code, err := c.r.Peek(3)
		if err == nil && string(code) == "220" {
			return true
		}
		c.conn.Close()
		return false
	})
	c.expect("220")
	return c
}

// try logs in, and returns the code of the reply.
func (c *control) try(login string) string {
	c.t.Helper()
	user, password, _ := strings.Cut(login, ":")
	c.cmd("331", "USER "+user)
	if _, err := io.WriteString(c.conn, "PASS "+password+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	code, err := c.r.Peek(3)
	if err != nil {
		c.t.Fatal(err)
	}
	reply := string(code)
	c.expect(reply)
	return reply
}

func (c *control) logIn(login string) *control {
	c.t.Helper()
	if code := c.try(login); code != "230" {
		c.t.Fatalf("login: %s", code)
	}
	c.cmd("200", "TYPE I")
	return c
}

// data opens a passive data connection.
func (c *control) data() stdnet.Conn {
	c.t.Helper()
	epsv := c.cmd("229", "EPSV")
	var port int
	if _, err := fmt.Sscanf(epsv[strings.Index(epsv, "("):], "(|||%d|)", &port); err != nil {
		c.t.Fatal(err)
	}
	data, err := stdnet.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { data.Close() })
	_ = data.SetDeadline(time.Now().Add(patience))
	return data
}

// expectEnd waits for the end of the connection.
func (c *control) expectEnd() {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	if b, err := c.r.ReadByte(); err == nil {
		c.t.Fatalf("instead of the end: %q", b)
	} else if os.IsTimeout(err) {
		c.t.Fatal(err)
	}
}

// Both processes serve, and end together.
func TestProcesses(t *testing.T) {
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		d := begin()
		if err := os.WriteFile(filepath.Join(d.root, "file"), []byte("content"), 0o644); err != nil {
			t.Fatal(err)
		}
		for n := range 2 {
			c := d.dialTo(n + 1).logIn(d.login)
			data := c.data()
			c.cmd("150", "RETR file")
			if b, err := io.ReadAll(data); err != nil || string(b) != "content" {
				t.Errorf("process %d: %q, %v", n+1, b, err)
			}
			c.expect("226")
		}
		pids := []int{d.pid(1), d.pid(2)}
		if code := d.end(syscall.SIGTERM); code != 0 {
			t.Errorf("exit status %d", code)
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
				t.Errorf("process %d: %v", pid, err)
			}
		}
		if log := d.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
			t.Errorf("log:\n%s", log)
		}
	})
}

// The limits hold for all processes together.
func TestProcessesLimits(t *testing.T) {
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		d := begin("-max-per-ip", "3", "-max-per-user", "2")
		one, two := d.dialTo(1).logIn(d.login), d.dialTo(2).logIn(d.login)
		third := d.dialTo(1)
		if code := third.try(d.login); code != "530" {
			t.Errorf("a third session of the user: %s", code)
		}
		for n := range 2 {
			over := d.of(n + 1)
			over.expect("421")
			over.expectEnd()
		}
		third.cmd("221", "QUIT")
		one.cmd("221", "QUIT")
		// What one process gives back the other may take.
		eventually(t, "room for the user, too", func() bool {
			c := d.admitted(2)
			defer c.conn.Close()
			return c.try(d.login) == "230"
		})
		two.cmd("200", "NOOP")
	})
}

// Failed logins add up over all processes, to a ban that all know of.
func TestProcessesBan(t *testing.T) {
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		d := begin("-ban-after", "2", "-ban-time", "1h")
		inside := d.dialTo(1).logIn(d.login)
		for n := range 2 {
			if code := d.dialTo(n + 1).try("root:guess"); code != "530" {
				t.Errorf("a wrong password: %s", code)
			}
		}
		for n := range 2 {
			c := d.of(n + 1)
			c.expect("421")
			c.expectEnd()
		}
		inside.cmd("200", "NOOP")
		if log := d.log.String(); strings.Count(log, "msg=banned") != 1 {
			t.Errorf("the ban is not told once:\n%s", log)
		}
	})
}

// Clients that come one after the other, and stay, are spread over the processes.
func TestProcessesBalance(t *testing.T) {
	const clients = 40
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		d := begin()
		for range clients {
			dial(t, d.addr)
		}
		sessions := regexp.MustCompile(`msg="session begins" process=(\d)`)
		var found [][]string
		eventually(t, "all sessions in the log", func() bool {
			found = sessions.FindAllStringSubmatch(d.log.String(), -1)
			return len(found) == clients
		})
		first := 0
		for _, m := range found {
			if m[1] == "1" {
				first++
			}
		}
		if first < clients/4 || first > clients*3/4 {
			t.Errorf("%d of %d sessions are of process 1", first, clients)
		}
	})
}
