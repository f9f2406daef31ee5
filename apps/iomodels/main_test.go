package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	stdnet "net"

	"golang.org/x/sys/unix"
)

// programEnv makes the test binary the program, which starts itself again as the servers.
const programEnv = "WEFT_IOMODELS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programEnv) != "" {
		models = append(models, broken...)
		main()
		os.Exit(0)
	}
	_ = os.Setenv(programEnv, "1")                // for children
	_ = os.Setenv("GORACE", "atexit_sleep_ms=10") // under the race detector they would take 1 s each to end
	os.Exit(m.Run())
}

// broken are servers that the driver must find fault with, and one that must do without its signals.
var broken = []model{
	{name: "leaks", serve: func(announce func(string)) error {
		return serveBroken(announce, func(c stdnet.Conn) {
			_ = answer(c)
			_, _ = unix.Open(os.DevNull, unix.O_CLOEXEC, 0) // an *os.File would be closed by the collector
		})
	}},
	{name: "lies", serve: func(announce func(string)) error {
		return serveBroken(announce, func(c stdnet.Conn) { _, _ = io.Copy(c, c) })
	}},
	{name: "mute", serve: func(announce func(string)) error {
		return serveBroken(announce, func(c stdnet.Conn) { _, _ = io.Copy(io.Discard, c) })
	}},
	{name: "fragile", serve: func(announce func(string)) error {
		return serveBroken(announce, func(c stdnet.Conn) {
			if err := answer(c); err != io.EOF {
				fmt.Fprintln(os.Stderr, "I am hurt:", err)
				os.Exit(1)
			}
		})
	}},
	{name: "refused", serve: func(func(string)) error { return fmt.Errorf("%w: by a test", errRefused) }},
	{name: "overflow", serve: func(announce func(string)) error {
		if err := unix.Setrlimit(unix.RLIMIT_SIGPENDING, &unix.Rlimit{}); err != nil {
			return err
		}
		return serveSIGIO(announce)
	}},
}

// answer is what a server should do.
func answer(c stdnet.Conn) error {
	defer c.Close()
	b := make([]byte, bufferSize)
	for {
		n, err := c.Read(b)
		if err != nil {
			return err
		}
		upper(b[:n])
		if _, err := c.Write(b[:n]); err != nil {
			return err
		}
	}
}

func serveBroken(announce func(string), serve func(stdnet.Conn)) error {
	l, err := stdnet.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	announce(l.Addr().String())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go serve(c)
	}
}

// iomodels runs the program and returns what it prints and its status.
func iomodels(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.WaitDelay = time.Second
	var out, log strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), log.String(), cmd.ProcessState.ExitCode()
}

// rows are the lines of the table in a program's output, by model.
func rows(t *testing.T, out string) map[string][]string {
	t.Helper()
	_, table, ok := strings.Cut(out, "peak MiB\n")
	if !ok {
		t.Fatalf("no table:\n%s", out)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	found := map[string][]string{}
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) == 7 && !strings.HasSuffix(fields[0], ":") {
			found[fields[0]] = fields[1:]
		}
	}
	return found
}

var barLine = regexp.MustCompile(`(?m)^  [a-z]+ +█* +[0-9.]+$`)

// TestModels runs the whole comparison, small: the driver checks answers, cuts clients off, and counts
// descriptors.
func TestModels(t *testing.T) {
	t.Parallel()
	svg := filepath.Join(t.TempDir(), "plot.svg")
	out, log, status := iomodels(t, "-models", modelNames(), "-clients", "8", "-idle", "20", "-messages", "20", "-size", "100", "-cut", "3", "-count", "none", "-svg", svg)
	if status != 0 || log != "" {
		t.Fatalf("status %d, %s\n%s", status, log, out)
	}
	table := rows(t, out)
	if len(table) != len(models) {
		t.Errorf("%d rows", len(table))
	}
	shown := 0
	for _, m := range models {
		row := table[m.name]
		if strings.Contains(out, "\n"+m.name+": this kernel refuses it") {
			t.Logf("%s is not measured here", m.name)
			continue
		}
		shown++
		for i, column := range row {
			if n, err := strconv.ParseFloat(column, 64); column != "-" && (err != nil || n < 0) || (column == "-") != (i == 2) {
				t.Errorf("%s, column %d: %q", m.name, i, column)
			}
		}
		if row == nil || row[0] == "0" {
			t.Errorf("row of %s: %q", m.name, row)
		}
	}
	if n := len(barLine.FindAllString(out, -1)); n != 2*shown {
		t.Errorf("%d bars for %d models in 2 charts:\n%s", n, shown, out)
	}
	drawn, err := os.ReadFile(svg)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(drawn, new(any)); err != nil {
		t.Errorf("%v in\n%s", err, drawn)
	}
	if n := strings.Count(string(drawn), "<rect x="); n != 2*shown {
		t.Errorf("%d bars drawn for %d models in 2 charts", n, shown)
	}
}

// TestLargeMessages are longer than what a server reads at a time.
func TestLargeMessages(t *testing.T) {
	t.Parallel()
	out, log, status := iomodels(t, "-models", modelNames(), "-clients", "3", "-messages", "3", "-size", strconv.Itoa(maxSize), "-cut", "1", "-count", "none")
	if status != 0 || log != "" {
		t.Errorf("status %d, %s\n%s", status, log, out)
	}
}

// TestOverflow: the signal-driven server serves also when no realtime signal finds room.
func TestOverflow(t *testing.T) {
	t.Parallel()
	out, log, status := iomodels(t, "-models", "overflow", "-clients", "8", "-messages", "20", "-cut", "3", "-count", "none")
	if status != 0 || log != "" {
		t.Errorf("status %d, %s\n%s", status, log, out)
	}
}

// TestBroken: the driver finds what is wrong with a server, and goes on with the next.
func TestBroken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		model, want string
		limit       string
	}{
		{"lies", "lies: client 0, message 0: answer \"client", "1m"},
		{"fragile", "fragile: I am hurt: ", "1m"},
		{"leaks", "descriptors are left, where", "10s"},
		{"mute", "mute: client 0, message 0: 0 of 32 bytes answered", "10s"},
	} {
		t.Run(test.model, func(t *testing.T) {
			t.Parallel()
			out, log, status := iomodels(t, "-models", test.model+",goroutines", "-clients", "2", "-messages", "2", "-cut", "1", "-count", "none", "-limit", test.limit)
			if status != 1 || !strings.Contains(log, test.want) || !strings.Contains(out, test.want) {
				t.Errorf("status %d, %s\n%s", status, log, out)
			}
			if table := rows(t, out); table[test.model] == nil || table[test.model][0] != "-" {
				t.Errorf("row %q", table[test.model])
			}
		})
	}
}

// TestRefused: a model that can't be had is no failure, and the reason is said.
func TestRefused(t *testing.T) {
	for _, test := range []struct{ model, clients, want string }{
		{"refused", "2", "refused: this kernel refuses it: by a test"},
		{"select", "1001", "select: no more than 1000 connections: select(2) knows no descriptor above FD_SETSIZE, 1,024"},
	} {
		out, log, status := iomodels(t, "-models", test.model, "-clients", test.clients, "-count", "none")
		if status != 0 || log != "" || !strings.Contains(out, test.want) {
			t.Errorf("%s: status %d, %s\n%s", test.model, status, log, out)
		}
	}
}

// TestHelp lists the models.
func TestHelp(t *testing.T) {
	out, log, status := iomodels(t, "-h")
	if status != 0 || out != "" || strings.Count(log, "usage:") != 1 || !strings.Contains(log, "\n  sigio       a realtime signal tells of each change\n") {
		t.Errorf("status %d, %q, %q", status, out, log)
	}
}

// TestUsage: mistakes in the arguments are told.
func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args string
		want string
	}{
		{"-clients 0", "at least 1"},
		{"-cut -1", "not negative"},
		{"-size 1000000", "size must be"},
		{"-models telepathy", "there are threads,polling,select,epoll,sigio,completion,tasks,goroutines"},
		{"-models telepathy", "no model \"telepathy\""},
		{"-count fingers", "no counter"},
		{"-what", "not defined"},
		{"more", "unexpected argument"},
		{"serve", "no model \"\""},
		{"serve all", "serve takes"},
		{"serve telepathy", "no model \"telepathy\""},
		{"victim x", "victim takes"},
	} {
		out, log, status := iomodels(t, strings.Fields(test.args)...)
		if status != 2 || out != "" || !strings.Contains(log, test.want) {
			t.Errorf("%s: status %d, %q, %q", test.args, status, out, log)
		}
	}
}
