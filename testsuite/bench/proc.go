package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the CPU time that all threads of a process have used, ended ones too, in user and
// kernel mode. The process's CPU clock has it by the nanosecond where /proc counts in hundredths of a
// second.
func cpuTime(pid int) (time.Duration, error) {
	// A clock of a process is its inverted id and the number of the clock, as clock_getcpuclockid(3)
	// makes it. Clock 2 is the time it was scheduled.
	const scheduled = 2
	clock := int32(^pid<<3 | scheduled)
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// residentBytes returns the memory of a process that is in RAM.
func residentBytes(pid int) (float64, error) {
	name := fmt.Sprintf("/proc/%d/statm", pid)
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(data)
	if len(fields) < 2 {
		return 0, fmt.Errorf("%s: %q", name, data)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return float64(pages) * float64(os.Getpagesize()), nil
}

// raiseFileLimit makes room for n descriptors and some more.
func raiseFileLimit(n int) error {
	want := uint64(n) + 256
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur >= want {
		return nil
	}
	// Past the hard limit only root may go.
	limit.Cur, limit.Max = want, max(limit.Max, want)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raise the limit of open files to %d: %w", want, err)
	}
	return nil
}
