//go:build !unix

package server

import (
	stdnet "net"
	"syscall"
)

// inlineUrgent is not known here.
func inlineUrgent(stdnet.Conn) {}

// hungUp can't be known here.
func hungUp(stdnet.Conn) bool { return false }

// reuseAddress is not known here.
func reuseAddress(string, string, syscall.RawConn) error { return nil }
