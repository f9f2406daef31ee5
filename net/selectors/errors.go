package selectors

import (
	"errors"
	"io/fs"

	stdnet "net"
)

var (
	// ErrNotRegistered is the error of calls with a descriptor that is not
	// registered.
	ErrNotRegistered = errors.New("selectors: not registered")

	// ErrRegistered is the error of Register with a descriptor, or an object, that
	// is registered already.
	ErrRegistered = errors.New("selectors: registered already")

	// ErrBadEvents is the error of calls with events other than Read, Write, or
	// both.
	ErrBadEvents = errors.New("selectors: invalid events")

	// ErrBadFile is the error of calls with something that is no descriptor: a
	// negative number, or a type that is neither int nor syscall.Conn.
	ErrBadFile = errors.New("selectors: not a descriptor")

	// ErrBusy is the error of a Select that would have to wait, while another one
	// does on the same Selector.
	ErrBusy = errors.New("selectors: another Select waits")

	// ErrClosed is the error of calls on a closed Selector, and of a Select that
	// its Close ended. It is also net.ErrClosed and fs.ErrClosed.
	ErrClosed error = closedError{}
)

type closedError struct{}

func (closedError) Error() string { return "selectors: selector is closed" }

func (closedError) Is(target error) bool {
	return target == stdnet.ErrClosed || target == fs.ErrClosed
}
