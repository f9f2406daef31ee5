package server

import (
	"errors"
	"log"
	"syscall"

	"github.com/weft-go/weft/runtime"
)

// ErrServerClosed is what Serve and its kin return after Stop, Shutdown or Close,
// and the cause of the kills of Shutdown and Close.
var ErrServerClosed = errors.New("server: closed")

// passing are the errors of accept(2) and recvfrom(2) that say nothing against the
// socket: a shortage, or the failure of one connection.
var passing = []syscall.Errno{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
	syscall.ECONNABORTED, syscall.EPERM, syscall.EPROTO, syscall.EINTR,
	syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ENOPROTOOPT,
	syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH,
}

// passes reports whether it makes sense to try again after err.
func passes(err error) bool {
	for _, errno := range passing {
		if errors.Is(err, errno) {
			return true
		}
	}
	// What a listener that is not the kernel's says about itself.
	var own interface {
		Temporary() bool
		Timeout() bool
	}
	return errors.As(err, &own) && own.Temporary() && !own.Timeout()
}

// interrupts reports whether err comes from a kill of the calling task, or from a
// runtime.WithTimeout around the call.
func interrupts(err error) bool {
	var timeout *runtime.Timeout
	return errors.Is(err, runtime.ErrKilled) || errors.As(err, &timeout)
}

func logError(err error) { log.Printf("weft: %v", err) }
