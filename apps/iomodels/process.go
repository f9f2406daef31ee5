package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// A process is this program again. It ends when its standard input does, or when the context is done.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
	stderr bytes.Buffer // may be read after Wait
}

// start runs this program with arguments and waits for its first line.
func start(ctx context.Context, procs int, args ...string) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, args...)}
	p.cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", procs))
	p.cmd.Stderr = &p.stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, "", err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	p.stdout = bufio.NewReader(stdout)
	if err := p.cmd.Start(); err != nil {
		return nil, "", err
	}
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		if stopErr := p.stop(); stopErr != nil {
			err = stopErr
		}
		return nil, "", err
	}
	return p, strings.TrimSpace(line), nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop ends the process and returns why it had ended already, if so.
func (p *process) stop() error {
	_ = p.stdin.Close()
	err := p.cmd.Wait()
	if said := p.said(); err != nil && said != nil {
		return said
	}
	return err
}

// said is what the process complained of before it ended, or nil.
func (p *process) said() error {
	said := strings.TrimSpace(p.stderr.String())
	switch {
	case said == "":
		return nil
	case p.cmd.ProcessState.ExitCode() == exitRefused:
		return refused(said)
	}
	return errors.New(said)
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// refused is what a server said whose model the kernel does not offer.
type refused string

func (e refused) Error() string        { return string(e) }
func (e refused) Is(target error) bool { return target == errRefused }
