package main

import (
	"bufio"
	"fmt"
	"os"
	goruntime "runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A machine is where the children run.
type machine struct {
	server int // the CPU of servers and of everything measured alone
	load   int // the CPU of the load generator
	cpus   int // how many this process may use

	before string // the load average before the run: others' work disturbs the figures
}

// thisMachine picks the CPUs among those this process may use.
func thisMachine() (machine, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return machine{}, fmt.Errorf("sched_getaffinity: %w", err)
	}
	var cpus []int
	for cpu := 0; len(cpus) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return machine{server: cpus[0], load: cpus[min(1, len(cpus)-1)], cpus: len(cpus), before: loadAverage()}, nil
}

// String describes what the figures were measured on.
func (m machine) String() string {
	s := fmt.Sprintf("%s, %s, Linux %s, %s, %d CPUs, load average before %s",
		time.Now().Format("2006-01-02"), goruntime.Version(), kernel(), processor(), m.cpus, m.before)
	if m.server == m.load {
		s += " (one: the load generator shared it with the server)"
	}
	return s
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "?"
	}
	return unix.ByteSliceToString(u.Release[:])
}

// loadAverage is that of the last minute.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(data), " ")
	return minute
}

// processor is the model's name, or the architecture where the kernel names none.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return goruntime.GOARCH
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return goruntime.GOARCH
}
