package main

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// TestReports are what the programs write, and what is found in it.
func TestReports(t *testing.T) {
	for _, test := range []struct {
		counter counter
		report  string
		want    int // negative: an error
	}{
		{perf, "569389,,raw_syscalls:sys_enter,569389,100.00,,\n", 569389}, // perf 6.1
		{perf, "<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n", -1},
		{perf, "event syntax error: 'raw_syscalls:sys_enter'\n", -1},
		{strace, "strace: Process 7 attached\nstrace: Process 7 detached\n    calls syscall\n--------- ----------------\n" +
			"       12 read\n        3 write\n--------- ----------------\n       15 total\n", 15}, // strace 6.1
		{strace, "strace: attach: ptrace(PTRACE_SEIZE, 1): Operation not permitted\n", -1},
	} {
		if n, err := test.counter.total(test.report); n != max(test.want, 0) || (err != nil) != (test.want < 0) {
			t.Errorf("%q: %d, %v", test.report, n, err)
		}
	}
}

// TestStrace: a message that is read and answered takes two system calls at least, and a server that is
// counted still serves.
func TestStrace(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("WEFT_REQUIRE_PEERS") == "1" {
			t.Fatal("strace is required and not installed")
		}
		t.Skip("strace is not installed")
	}
	if _, err := findCounter("strace"); err != nil {
		t.Skipf("strace does not work here: %v", err)
	}
	out, log, status := iomodels(t, "-models", "tasks", "-clients", "4", "-messages", "25", "-cut", "2", "-count", "strace")
	if status != 0 || log != "" {
		t.Fatalf("status %d, %s\n%s", status, log, out)
	}
	row := rows(t, out)["tasks"]
	if calls, err := strconv.ParseFloat(row[2], 64); err != nil || calls < 2 || calls > 20 {
		t.Errorf("%q system calls per message", row[2])
	}
}
