package server_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestPause (D85): nothing is accepted until Resume, and handlers go on.
func TestPause(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.StreamServer{Handler: echo}
		l := &counting{Listener: listen(t, "tcp")}
		s.streamOn(t, srv, l)
		before := dial(t, l)
		before.say("hello", "hello")
		for range 3 {
			accepted := l.accepted.Load()
			srv.Pause()
			srv.Pause()
			runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
			c := dial(t, l) // into the kernel's queue
			before.say("still", "still")
			if l.accepted.Load() != accepted || srv.Waiting() != 1 {
				t.Errorf("accepted %d while paused", l.accepted.Load()-accepted)
			}
			srv.Resume()
			srv.Resume()
			c.say("at last", "at last")
		}
	})
}

// TestPausedFirst: a server may be paused before it serves.
func TestPausedFirst(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.StreamServer{Handler: echo}
		srv.Pause()
		l, result := s.stream(t, srv, "tcp")
		c := dial(t, l)
		runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
		srv.Resume()
		c.say("hello", "hello")
		srv.Pause()
		_ = c.Close()
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		closed(t, result)
		srv.Resume() // of no use, and no harm
	})
}

// plain hides every method of a listener but those of its interface.
type plain struct{ net.Listener }

// TestPauseHolds: an Accept that can't be ended holds its connection until Resume,
// and lets it go if the server ends first.
func TestPauseHolds(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		for _, resume := range []bool{true, false} {
			srv := &server.StreamServer{Handler: echo}
			l := plain{listen(t, "tcp")}
			s.streamOn(t, srv, l)
			dial(t, l).say("now Serve is in Accept", "now Serve is in Accept")
			srv.Pause()
			c := dial(t, l)
			runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
			if resume {
				srv.Resume()
				c.say("hello", "hello")
				continue
			}
			srv.Stop()
			c.over()
		}
	})
}

// TestPauseStress: whatever the order of Pause, Resume and connections, each is
// served.
func TestPauseStress(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.StreamServer{Limit: 3, Handler: func(conn net.Conn) { fmt.Fprintln(conn, "served") }}
		a, _ := s.stream(t, srv, "tcp")
		b, _ := s.stream(t, srv, "unix")
		var done atomic.Bool
		var togglers, clients sync.WaitGroup
		for range 2 {
			togglers.Go(func() {
				for !done.Load() {
					srv.Pause()
					srv.Resume()
					time.Sleep(20 * time.Microsecond) // leaves the clients some processor
				}
			})
		}
		for _, l := range []net.Listener{a, b} {
			clients.Go(func() {
				for range 100 {
					c := dial(t, l)
					c.hear("served")
					_ = c.Close()
				}
			})
		}
		clients.Wait()
		done.Store(true)
		togglers.Wait()
	})
}
