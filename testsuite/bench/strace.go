package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// straceCounter counts with strace, which stops the process twice at each call: the count is right,
// but a server that is slowed so much finds more requests ready each time it waits.
type straceCounter struct{}

func (straceCounter) String() string { return "strace" }

// straceLimit bounds how long strace may count, and attachLimit how long it may take to begin.
const (
	straceLimit = time.Minute
	attachLimit = 10 * time.Second
)

// probe counts a program of no interest: being there is not enough, tracing may be forbidden.
func (straceCounter) probe(ctx context.Context) error {
	return exec.CommandContext(ctx, "strace", "-c", "-o", "/dev/null", "true").Run()
}

func (straceCounter) start(ctx context.Context, pid int) (func() (int, error), error) {
	ctx, cancel := context.WithTimeout(ctx, straceLimit)
	var said tail
	cmd := exec.CommandContext(ctx, "strace", "-f", "-c", "-p", strconv.Itoa(pid))
	cmd.Stderr = &said
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	// It ends by the interrupt, which is no success; what it said decides.
	wait := func() { _ = cmd.Wait(); cancel() }

	// It says so once it has attached to all threads.
	var err error
	for deadline := time.Now().Add(attachLimit); err == nil && !strings.Contains(said.String(), " attached"); {
		if time.Now().After(deadline) {
			err = fmt.Errorf("strace has not attached: %s", said.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		cancel()
		wait()
		return nil, err
	}
	return func() (int, error) {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			cancel()
		}
		wait()
		return straceTotal(said.String())
	}, nil
}

// straceTotal finds the number of calls in the last line of a summary. The columns before and after it
// are empty in some versions, so it goes by where the heading stands.
func straceTotal(summary string) (int, error) {
	end := 0
	for line := range strings.Lines(summary) {
		line = strings.TrimRight(line, "\n")
		if before, _, ok := strings.Cut(line, " calls "); ok {
			end = len(before) + len(" calls")
		}
		if end == 0 || len(line) < end || !strings.HasSuffix(line, " total") {
			continue
		}
		fields := strings.Fields(line[:end])
		return strconv.Atoi(fields[len(fields)-1])
	}
	if end == 0 {
		// Nothing was called, so there is no summary.
		return 0, nil
	}
	return 0, errors.New("strace: no total in " + strconv.Quote(summary))
}
