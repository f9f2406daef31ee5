package main

import "testing"

func TestStraceTotal(t *testing.T) {
	const header = `strace: Process 7 attached with 4 threads
strace: Process 7 detached
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
`
	for _, tt := range []struct {
		name, summary string
		want          int
	}{
		{"an average and errors", header + " 60.00    0.001000           2       100        12 read\n" +
			"------ ----------- ----------- --------- --------- ----------------\n" +
			"100.00    0.001398           2      4321        12 total\n", 4321},
		{"an average, no errors", header + "100.00    0.001398           2      4321           total\n", 4321},
		{"no average, errors", header + "100.00    0.000000                    29         1 total\n", 29},
		{"no average, no errors", header + "100.00    0.000000                    29           total\n", 29},
		{"nothing called", "strace: Process 7 attached\nstrace: Process 7 detached\n", 0},
	} {
		got, err := straceTotal(tt.summary)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %d, %v, want %d", tt.name, got, err, tt.want)
		}
	}
	for _, summary := range []string{header, header + "100.00    0.001398           2      many           total\n"} {
		if got, err := straceTotal(summary); err == nil {
			t.Errorf("found %d in %q", got, summary)
		}
	}
}
