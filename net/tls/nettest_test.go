package tls_test

import (
	"fmt"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/net/nettest"
)

// TestConn runs x/net's conformance test of connections. crypto/tls does not pass
// it: after a timeout it can't go on.
func TestConn(t *testing.T) {
	defer tls.SetNoticeTime(100 * time.Millisecond)() // its peers don't read when they are closed
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			pipe := func() (c1, c2 stdnet.Conn, stop func(), err error) {
				client := clientConfig()
				client.MaxVersion = version
				a, b := own("goroutine", nil).connected(t, client, serverConfig())
				return a, b, func() {
					_ = a.Close()
					_ = b.Close()
				}, nil
			}
			t.Run("goroutines", func(t *testing.T) { nettest.TestConn(t, pipe) })
			for _, workers := range []int{1, 2} {
				t.Run(fmt.Sprintf("tasks on %d workers", workers), func(t *testing.T) {
					rt := runtimetest.New(t, workers)
					nettest.TestConn(t, func() (c1, c2 stdnet.Conn, stop func(), err error) {
						c1, c2, stop, err = pipe()
						return runtimetest.TaskConn{Conn: c1, Runtime: rt}, runtimetest.TaskConn{Conn: c2, Runtime: rt}, stop, err
					})
				})
			}
		})
	}
}
