package http

import (
	"context"
	"errors"
	"os"
)

// A timeoutError is one of the Transport's timeouts.
type timeoutError struct{ text string }

func (e *timeoutError) Error() string   { return e.text }
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true }
func (e *timeoutError) Is(target error) bool {
	return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
}

var (
	errHandshakeTimeout = &timeoutError{"net/http: TLS handshake timeout"}
	errHeaderTimeout    = &timeoutError{"net/http: timeout awaiting response headers"}

	errReadClosed = errors.New("http: read on closed response body")
	errReturned   = errors.New("http: the handler has returned")
	errRefused    = errors.New("http: the server does not want the body")
)

// final reports whether err says nothing about the connection, so that another would
// not help.
func final(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, os.ErrDeadlineExceeded)
}
