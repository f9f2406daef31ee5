//go:build !unix

package server

import stdnet "net"

// inlineUrgent is not known here.
func inlineUrgent(stdnet.Conn) {}

// hungUp can't be known here.
func hungUp(stdnet.Conn) bool { return false }
