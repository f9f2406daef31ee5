package server

import (
	"context"
	stdnet "net"
	"syscall"
	"time"
)

// An Engine is what a server runs on. Sessions are written once, and meet the
// engine only here: the comparison of engines is one of runtimes, not of
// programs.
//
// A party is a task or a goroutine. What waits in a method, or in a method of
// a connection, holds up its own party only.
type Engine interface {
	// Name is "task" or "goroutine".
	Name() string

	// Listen listens on a "tcp", "tcp4" or "tcp6" address. The listener has a
	// SetDeadline method, as *net.TCPListener of the standard library has.
	Listen(network, address string) (stdnet.Listener, error)

	// Dial connects from the address local to a literal address, until ctx is
	// done. A port of local may be used by other connections at the same time.
	Dial(ctx context.Context, network string, local stdnet.Addr, address string) (stdnet.Conn, error)

	// Go starts fn beside the caller: on the same worker where there are workers.
	// fn must not panic.
	Go(fn func()) Activity

	// GoBalanced starts fn where there is least to do. fn must not panic.
	GoBalanced(fn func())

	// Offload calls fn where it may block a thread, and waits until it has
	// returned, even if the caller is killed meanwhile. It returns nil, or a
	// *runtime.PanicError if fn panicked, unless the panic itself goes on.
	Offload(fn func()) error

	// Sleep waits for d. With d <= 0 it lets others run.
	Sleep(d time.Duration)
}

// An Activity is what Engine.Go started.
type Activity interface {
	// Wait waits until the function has returned. It returns an error if the
	// caller was killed first; then it may be called again.
	Wait() error
}

// sharesPort returns what Dial does to a socket that gets a certain port: all
// sockets with it must say that they share it.
func sharesPort(local stdnet.Addr) func(network, address string, c syscall.RawConn) error {
	if addrPort(local).Port() == 0 {
		return nil
	}
	return reuseAddress
}
