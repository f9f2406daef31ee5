package net_test

import (
	"fmt"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/net/nettest"
)

// TestConn runs x/net's conformance test of connections.
func TestConn(t *testing.T) {
	for _, network := range []string{"tcp", "unix", "unixpacket"} {
		t.Run(network+"/goroutines", func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 stdnet.Conn, stop func(), err error) {
				return makePipe(t, network)
			})
		})
		for _, workers := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/tasks on %d workers", network, workers), func(t *testing.T) {
				rt := runtimetest.New(t, workers)
				nettest.TestConn(t, func() (c1, c2 stdnet.Conn, stop func(), err error) {
					c1, c2, stop, err = makePipe(t, network)
					return runtimetest.TaskConn{Conn: c1, Runtime: rt}, runtimetest.TaskConn{Conn: c2, Runtime: rt}, stop, err
				})
			})
		}
	}
}
