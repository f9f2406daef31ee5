package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A request is what wrk asks for.
type request struct {
	name string
	path string
	lua  string
}

var requests = []request{
	{name: "GET, 13 bytes", path: "/"},
	{name: "GET, 16 KiB", path: "/page"},
	{name: "POST, 1 KiB echoed", path: "/", lua: `wrk.method = "POST"; wrk.body = string.rep("x", 1024)`},
}

// measure returns the requests per second of processor time that a server has answered.
func measure(name string, r request) (float64, error) {
	cmd := exec.Command("/proc/self/exe", "-serve", name, "-profile", *profile)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer cmd.Wait()
	defer stdin.Close()
	if err := pin(cmd.Process.Pid, 0); err != nil {
		return 0, err
	}
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return 0, err
	}
	url := "http://" + strings.TrimSpace(address) + r.path
	if _, err := load(url, r.lua, time.Second); err != nil { // to warm up
		return 0, err
	}
	before, err := processorTime(cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	n, err := load(url, r.lua, *duration)
	if err != nil {
		return 0, err
	}
	after, err := processorTime(cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	return float64(n) / (after - before).Seconds(), nil
}

// pin keeps a process to one processor, if there are two.
func pin(pid, processor int) error {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil || set.Count() < 2 {
		return err
	}
	set.Zero()
	set.Set(processor)
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	for _, t := range tasks {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &set); err != nil && err != syscall.ESRCH {
			return err
		}
	}
	return nil
}

var (
	counted = regexp.MustCompile(`(?m)^\s*(\d+) requests in`)
	failed  = regexp.MustCompile(`(?m)^\s*(Socket errors|Non-2xx).*$`)
)

// load runs wrk and returns the number of answers.
func load(url, lua string, d time.Duration) (int, error) {
	args := []string{"-t1", "-c" + strconv.Itoa(*conns), fmt.Sprintf("-d%ds", max(1, int(d.Seconds())))}
	if lua != "" {
		script, err := os.CreateTemp("", "weft-wrk-*.lua")
		if err != nil {
			return 0, err
		}
		defer func() { _ = os.Remove(script.Name()) }()
		if _, err := script.WriteString(lua); err != nil {
			return 0, err
		}
		if err := script.Close(); err != nil {
			return 0, err
		}
		args = append(args, "-s", script.Name())
	}
	cmd := exec.Command("wrk", append(args, url)...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if err := pin(cmd.Process.Pid, 1); err != nil {
		return 0, err
	}
	if err := cmd.Wait(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, out.String())
	}
	if bad := failed.FindString(out.String()); bad != "" {
		return 0, fmt.Errorf("wrk: %s", bad)
	}
	m := counted.FindStringSubmatch(out.String())
	if m == nil {
		return 0, fmt.Errorf("wrk: %s", out.String())
	}
	return strconv.Atoi(m[1])
}

// processorTime returns what a process has used.
func processorTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, text)
	}
	var ticks int64
	for _, f := range fields[11:13] { // utime, stime; see proc(5)
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	const perSecond = 100 // USER_HZ, the same on all of Linux
	return time.Duration(ticks) * time.Second / perSecond, nil
}
