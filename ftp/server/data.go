package server

import (
	stdnet "net"
)

// A dataWay is how the next data connection comes about, as PASV, EPSV, PORT or
// EPRT has arranged.
type dataWay interface {
	// open returns the connection, once. It lets t know what to close to end the
	// wait, and its errors are replies.
	open(t *transfer) (stdnet.Conn, error)
	// drop gives up what is not used. It may be called after open.
	drop()
}

// setWay replaces the way to the next data connection: there is one a session.
func (s *session) setWay(w dataWay) {
	s.dropWay()
	s.way = w
}

func (s *session) dropWay() {
	if s.way != nil {
		s.way.drop()
		s.way = nil
	}
}

// reset closes a connection so that the peer sees an error and not the end of
// the data.
func reset(c stdnet.Conn) {
	if l, ok := c.(interface{ SetLinger(sec int) error }); ok {
		_ = l.SetLinger(0) // fails if c is closed, as Close does
	}
	_ = c.Close()
}
