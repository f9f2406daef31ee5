package main

import (
	"errors"
	stdnet "net"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestDoor: nobody accepts before a closed door, but who has waited for long.
func TestDoor(t *testing.T) {
	for _, e := range []server.Engine{server.Goroutines(), server.Tasks(runtimetest.New(t, 1))} {
		t.Run(e.Name(), func(t *testing.T) {
			inner, err := e.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var d door
			l := d.guard(inner)
			accepted := make(chan stdnet.Conn)
			ended := make(chan error, 1)
			e.GoBalanced(func() {
				for {
					c, err := l.Accept()
					if err != nil {
						ended <- err
						return
					}
					accepted <- c
				}
			})
			take := func() {
				t.Helper()
				c, err := stdnet.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				c.Close()
				select {
				case c := <-accepted:
					c.Close()
				case <-time.After(patience):
					t.Fatal("nobody has accepted")
				}
			}
			take()
			d.set(true)
			for try := 1; ; try++ {
				began := time.Now()
				take() // in the end, for want of another process
				waited := time.Since(began)
				if waited >= doorPatience/2 {
					break
				}
				if try == 3 { // one or two may slip through while it closes
					t.Fatalf("accepted after %v, though the door is closed", waited)
				}
			}
			// Many wait no longer than one: one by one they would lose patience.
			const many = int(2 * patience / doorPatience)
			overdue := time.After(patience)
			for range many {
				c, err := stdnet.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
			}
			for n := range many {
				select {
				case c := <-accepted:
					c.Close()
				case <-overdue:
					t.Fatalf("%d of %d are accepted", n, many)
				}
			}
			d.set(false)
			take()
			d.set(true)
			l.Close()
			select {
			case err := <-ended:
				if !errors.Is(err, stdnet.ErrClosed) {
					t.Error(err)
				}
			case <-time.After(patience):
				t.Fatal("Accept does not end")
			}
		})
	}
}
