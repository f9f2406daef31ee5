package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A counter counts the system calls of all threads of a process, by a program that may be there.
type counter struct {
	name string
	// args is the command that counts a process, until it is interrupted.
	args func(pid int) []string
	// begin waits until it does. It may write to the command's descriptor 3 and read from 4, and returns what
	// it has read of its standard error.
	begin func(control io.Writer, answers, stderr io.Reader) (report string, err error)
	// total finds the count in what the command wrote to its standard error.
	total func(report string) (int, error)
}

// perf counts in the kernel, and costs the process next to nothing. It needs root, as a rule.
var perf = counter{
	name: "perf stat",
	args: func(pid int) []string {
		return []string{"perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "--delay", "-1", "--control", "fd:3,4", "-p", strconv.Itoa(pid)}
	},
	begin: func(control io.Writer, answers, _ io.Reader) (string, error) {
		if _, err := io.WriteString(control, "enable\n"); err != nil {
			return "", err
		}
		_, err := io.ReadFull(answers, make([]byte, len("ack\n")))
		return "", err
	},
	total: func(report string) (int, error) {
		for line := range strings.Lines(report) {
			if count, rest, _ := strings.Cut(line, ","); strings.Contains(rest, "raw_syscalls:sys_enter") {
				return strconv.Atoi(count)
			}
		}
		return 0, fmt.Errorf("perf: %s", strings.TrimSpace(report))
	},
}

// strace stops the process at each call: the count is right, but a server that is slowed so much finds
// more requests ready each time it looks.
var strace = counter{
	name: "strace -c -f",
	args: func(pid int) []string {
		return []string{"strace", "-f", "-c", "-U", "calls,name", "-p", strconv.Itoa(pid)}
	},
	begin: func(_ io.Writer, _, stderr io.Reader) (string, error) {
		var report strings.Builder
		for b := make([]byte, 256); !strings.Contains(report.String(), " attached"); {
			n, err := stderr.Read(b)
			report.Write(b[:n])
			if err != nil {
				return report.String(), err
			}
		}
		return report.String(), nil
	},
	total: func(report string) (int, error) {
		for line := range strings.Lines(report) {
			if fields := strings.Fields(line); len(fields) == 2 && fields[1] == "total" {
				return strconv.Atoi(fields[0])
			}
		}
		return 0, fmt.Errorf("strace: %s", strings.TrimSpace(report))
	},
}

// findCounter returns the counter of that name, or of "auto" the first that works here. Without one the
// error says why; it is nil for "none".
func findCounter(name string) (*counter, error) {
	candidates := []*counter{&perf, &strace}
	switch name {
	case "none":
		return nil, nil
	case "perf":
		candidates = candidates[:1]
	case "strace":
		candidates = candidates[1:]
	}
	var why []error
	for _, c := range candidates {
		err := c.probe()
		if err == nil {
			return c, nil
		}
		why = append(why, err)
	}
	return nil, errors.New(strings.ReplaceAll(errors.Join(why...).Error(), "\n", "; "))
}

// probe counts a program of no interest: being there is not enough, counting may be forbidden.
func (c *counter) probe() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cat := exec.CommandContext(ctx, "cat")
	stdin, err := cat.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cat.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cat.Start(); err != nil {
		return err
	}
	defer func() { _ = cat.Wait() }()
	defer stdin.Close()
	stop, err := c.start(ctx, cat.Process.Pid)
	if err != nil {
		return err
	}
	for b := []byte{'x'}; err == nil && b[0] < 'x'+10; b[0]++ {
		if _, err = stdin.Write(b); err == nil {
			_, err = stdout.Read(b)
		}
	}
	if _, countErr := stop(); err == nil {
		err = countErr
	}
	return err
}

// start begins to count, and returns the function that ends it and returns the count.
func (c *counter) start(ctx context.Context, pid int) (stop func() (int, error), err error) {
	args := c.args(pid)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	toControl, control, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer toControl.Close()
	answers, toAnswer, err := os.Pipe()
	if err != nil {
		control.Close()
		return nil, err
	}
	defer toAnswer.Close()
	cmd.ExtraFiles = []*os.File{toControl, toAnswer}
	if err := cmd.Start(); err != nil {
		control.Close()
		answers.Close()
		return nil, err
	}
	toAnswer.Close() // so that the end of the command ends its answers
	report, err := c.begin(control, answers, stderr)
	stop = func() (int, error) {
		_ = cmd.Process.Signal(syscall.SIGINT)
		rest, _ := io.ReadAll(stderr)
		_ = cmd.Wait() // the interrupt is no success; what it said decides
		control.Close()
		answers.Close()
		return c.total(report + string(rest))
	}
	if err != nil {
		if _, said := stop(); said != nil {
			err = said
		}
		return nil, err
	}
	return stop, nil
}
