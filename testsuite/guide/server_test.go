package guide

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	stdnet "net"
)

// address is where the guide's servers are said to listen. The kernel chooses
// another one for the test, which is put back for the comparison.
const address = "127.0.0.1:7007"

// serve runs a server, and is the client that the guide describes. It returns
// what the server printed.
func serve(path string) (stdout, stderr string, err error) {
	cmd := exec.Command(path, "127.0.0.1:0")
	var log bytes.Buffer
	cmd.Stderr = &log
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return "", "", err
	}
	if err := cmd.Start(); err != nil {
		return "", "", err
	}
	overdue := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer overdue.Stop()

	var said strings.Builder
	server := peer{
		lines: bufio.NewScanner(io.TeeReader(pipe, &said)),
		stop:  func() error { return cmd.Process.Signal(syscall.SIGTERM) },
	}
	addr, err := server.converse()
	if err != nil {
		_ = cmd.Process.Kill()
	}
	for server.lines.Scan() {
	}
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	return strings.ReplaceAll(said.String(), addr, address), log.String(), err
}

// A peer is a running server as its client sees it.
type peer struct {
	lines *bufio.Scanner // that it prints
	stop  func() error   // tells it to stop
}

// converse says hello, boom and bye, boom being what a part of the server fails
// by, and is still connected when the server is told to stop. It returns the
// server's address.
func (p *peer) converse() (addr string, err error) {
	line, err := p.await("listening on ")
	if err != nil {
		return address, err
	}
	addr = strings.TrimPrefix(line, "listening on ")
	conn, err := stdnet.DialTimeout("tcp", addr, limit)
	if err != nil {
		return addr, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return addr, err
	}
	answers := bufio.NewReader(conn)
	for _, word := range []string{"hello", "boom", "bye"} {
		if _, err := fmt.Fprintln(conn, word); err != nil {
			return addr, err
		}
		if answer, err := answers.ReadString('\n'); err != nil || answer != strings.ToUpper(word)+"\n" {
			return addr, fmt.Errorf("the answer to %s is %q, %v", word, answer, err)
		}
		if word == "boom" {
			if _, err := p.await("journal failed"); err != nil {
				return addr, err
			}
		}
	}
	if err := p.stop(); err != nil {
		return addr, err
	}
	if _, err := p.await("terminated"); err != nil {
		return addr, err
	}
	if late, err := stdnet.DialTimeout("tcp", addr, limit); !errors.Is(err, syscall.ECONNREFUSED) {
		if err == nil {
			_ = late.Close()
		}
		return addr, fmt.Errorf("a connection while it stops: %v, want it refused", err)
	}
	if _, err := answers.ReadByte(); err != io.EOF {
		return addr, fmt.Errorf("the end of the connection: %v, want EOF", err)
	}
	return addr, nil
}

// await returns the next line, which must begin with what is given.
func (p *peer) await(begin string) (string, error) {
	if !p.lines.Scan() || !strings.HasPrefix(p.lines.Text(), begin) {
		return "", fmt.Errorf("the server printed %q, want %q", p.lines.Text(), begin)
	}
	return p.lines.Text(), nil
}
