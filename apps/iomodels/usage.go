package main

import (
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what a process has used so far.
type usage struct {
	cpu         time.Duration
	switches    int64 // of context, by the threads that live
	threads     int
	peak        int64 // bytes that were in memory at most
	descriptors int
}

// usageOf reads the usage of a process.
func usageOf(pid int) (usage, error) {
	var u usage
	var err error
	if u.cpu, err = cpuTime(pid); err != nil {
		return u, err
	}
	// One that ends meanwhile is left out.
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, name := range threads {
		if data, err := os.ReadFile(name); err == nil {
			u.threads++
			u.switches += field(data, "voluntary_ctxt_switches") + field(data, "nonvoluntary_ctxt_switches")
		}
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	u.peak = field(data, "VmHWM") << 10
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	u.descriptors = len(fds)
	return u, err
}

// field finds a number in a status file of /proc, 0 if it is not there.
func field(status []byte, name string) int64 {
	for line := range strings.Lines(string(status)) {
		if key, value, _ := strings.Cut(line, ":"); key == name {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return n
		}
	}
	return 0
}

// cpuTime returns the time on a processor of all threads of a process, ended ones too, by its CPU clock:
// /proc counts in hundredths of a second.
func cpuTime(pid int) (time.Duration, error) {
	const scheduled = 2 // the clock's number; with the inverted id this is what clock_getcpuclockid(3) makes
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// machine says where and when this runs.
func machine() string {
	var u unix.Utsname
	_ = unix.Uname(&u)
	processor := ""
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			processor = strings.TrimSpace(value) + ", "
			break
		}
	}
	return fmt.Sprintf("%s, Linux %s, %s%s", time.Now().Format(time.DateOnly),
		unix.ByteSliceToString(u.Release[:]), processor, goruntime.Version())
}
