package subprocess

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// A Stdio stands for a standard stream in a Cmd.
type Stdio int

const (
	Pipe  Stdio = 1 + iota // a pipe, whose other end is Process.Stdin, Stdout or Stderr
	Null                   // the null device
	Merge                  // of Stderr: where Stdout goes
)

// errStdio is the error of a Stdio where it does not belong.
var errStdio = errors.New("subprocess: a Stdio is neither read nor written, and Merge is for Stderr")

// Read fails: a Stdio is an io.Reader only so that it can be a Cmd's.
func (Stdio) Read([]byte) (int, error) { return 0, errStdio }

// Write fails, as Read does.
func (Stdio) Write([]byte) (int, error) { return 0, errStdio }

// A Stream is the program's end of a pipe to a process. Reading and writing park a
// task and block a goroutine. Its methods may be called from any of them.
type Stream struct {
	fd   *poll.FD
	name string
}

// newStream makes a pipe. theirs is the end for the process, which reads from it
// if reads is true.
func newStream(name string, reads bool) (s *Stream, theirs *os.File, err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	own, other := ends[0], ends[1]
	if reads {
		own, other = other, own
	}
	if err := unix.SetNonblock(own, true); err != nil { // the two have a mode each
		_, _ = unix.Close(own), unix.Close(other)
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return &Stream{poll.New(own, true), name}, os.NewFile(uintptr(other), name), nil
}

// Read reads what the process has written. It returns io.EOF when the process,
// and all that have inherited the stream from it, have closed it.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.fd.Read(p)
	return n, s.error("read", err)
}

// Write writes all of p, for the process to read. The error is EPIPE when nobody
// is left to do that.
func (s *Stream) Write(p []byte) (int, error) {
	n, err := s.fd.Write(p)
	return n, s.error("write", err)
}

// Close closes the program's end; calls under way return fs.ErrClosed, as a second
// Close does. A process that reads finds the end of file, one that writes
// gets SIGPIPE. Close parks until those calls have returned.
func (s *Stream) Close() error { return s.error("close", s.fd.Close()) }

// SetDeadline sets the deadline of Read and Write, which return
// os.ErrDeadlineExceeded then, also if they are under way. The zero Time means
// none. It does not park.
func (s *Stream) SetDeadline(t time.Time) error { return s.error("set deadline", s.fd.SetDeadline(t)) }

// SyscallConn returns the descriptor for calls of one's own, and for package
// selectors.
func (s *Stream) SyscallConn() (syscall.RawConn, error) { return streamConn{s}, nil }

// error completes the error of an operation, as package os does.
func (s *Stream) error(op string, err error) error {
	switch err {
	case nil, io.EOF:
		return err
	case poll.ErrClosed:
		err = fs.ErrClosed
	}
	return &fs.PathError{Op: op, Path: s.name, Err: err}
}

type streamConn struct{ s *Stream }

func (c streamConn) Control(f func(uintptr)) error {
	return c.s.error("control", c.s.fd.RawControl(f))
}

func (c streamConn) Read(f func(uintptr) bool) error {
	return c.s.error("read", c.s.fd.RawRead(f))
}

func (c streamConn) Write(f func(uintptr) bool) error {
	return c.s.error("write", c.s.fd.RawWrite(f))
}
