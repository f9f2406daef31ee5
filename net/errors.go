package net

import (
	"context"
	"io"
	"os"
	"syscall"

	"github.com/weft-go/weft/runtime/poll"
)

// canceledError is the error of a dial whose context was canceled, with the
// standard library's text.
type canceledError struct{}

func (canceledError) Error() string        { return "operation was canceled" }
func (canceledError) Is(target error) bool { return target == context.Canceled }

// timeoutError is the error of a dial that took too long.
type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
func (timeoutError) Is(target error) bool {
	return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
}

// contextError translates the error of a context as the standard library does.
func contextError(err error) error {
	switch err {
	case context.Canceled:
		return canceledError{}
	case context.DeadlineExceeded:
		return timeoutError{}
	}
	return err
}

// callError is err, met in the system call named, as it stands inside an
// OpError.
func callError(name string, err error) error {
	if err == poll.ErrClosed {
		return ErrClosed
	}
	if errno, ok := err.(syscall.Errno); ok {
		return os.NewSyscallError(name, errno)
	}
	return err
}

// opError completes the error of an operation on c. io.EOF stays bare.
//
//go:noinline // Read and Write are to have small frames
func (c *conn) opError(op, call string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &OpError{Op: op, Net: c.origin.network, Source: c.origin.laddr, Addr: c.remote(), Err: callError(call, err)}
}
