package server

import (
	stdnet "net"
	"time"
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
	s.way, s.wayTime = w, time.Now().Add(wayPatience*min(s.cfg.DataTimeout, noTimeLimit/wayPatience))
}

// wayPatience is how many times DataTimeout a way waits for its command: a
// session that never sends one must not keep a port others could use.
const wayPatience = 6

// expireWay gives the way up if it is time to, and returns when to look again:
// deadline, or earlier.
func (s *session) expireWay(deadline time.Time) time.Time {
	switch {
	case s.way == nil:
		return deadline
	case !time.Now().Before(s.wayTime):
		s.dropWay()
		return deadline
	case s.wayTime.Before(deadline):
		return s.wayTime
	}
	return deadline
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
