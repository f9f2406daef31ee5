package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A server is a running ftpd.
type server struct {
	cmd  *exec.Cmd
	addr string
}

const (
	user     = "weft"
	password = "password"
)

var serving = regexp.MustCompile(`^Serving .* on ([^ ]*)\.$`)

func startServer(program, root string, args []string) (*server, error) {
	s := &server{cmd: exec.Command(program, append(args, "-root", root, "-addr", "127.0.0.1:0",
		"-password", password, "-max-per-ip", "-1", "-drain", "1s")...)}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := serving.FindStringSubmatch(lines.Text()); m != nil {
			s.addr = m[1]
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("ftpd does not serve"), s.cmd.Wait())
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = s.cmd.Wait()                          // sessions may have been cut off
}

// cpu returns the processor time that the server and its children have used.
func (s *server) cpu() (time.Duration, error) {
	pids := []int{s.cmd.Process.Pid}
	lists, err := filepath.Glob("/proc/" + strconv.Itoa(pids[0]) + "/task/*/children")
	if err != nil {
		return 0, err
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended
		}
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return 0, err
			}
			pids = append(pids, pid)
		}
	}
	var all time.Duration
	for _, pid := range pids {
		const scheduled = 2 // the number of the clock, as clock_getcpuclockid(3) makes it
		var ts unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|scheduled), &ts); err != nil {
			return 0, err
		}
		all += time.Duration(ts.Nano())
	}
	return all, nil
}
