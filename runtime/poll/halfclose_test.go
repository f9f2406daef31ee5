package poll

import (
	"io"
	"testing"

	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestHalfClose: the peer has shut down its writing side, and still gets all
// that is written, though its buffer is full again and again.
func TestHalfClose(t *testing.T) {
	rt := runtimetest.New(t, 2)
	data := pattern(8 << 20)
	for name, pair := range map[string]func(testing.TB) (r, w *FD){"unix": socketPair, "tcp": tcpPair} {
		for _, p := range places(rt) {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				fd, peer := pair(t)
				settle(t, rt, fd, peer)
				if _, err := peer.Write([]byte("request")); err != nil {
					t.Fatal(err)
				}
				if err := unix.Shutdown(peer.Sysfd(), unix.SHUT_WR); err != nil {
					t.Fatal(err)
				}
				served := p.call(func() (int, error) {
					if request, err := io.ReadAll(onlyReader{fd}); string(request) != "request" || err != nil {
						t.Errorf("request %q, %v", request, err)
					}
					n, err := fd.Write(data)
					if err == nil {
						err = fd.Close()
					}
					return n, err
				})
				parked(t, fd, dirWrite)
				answer, err := io.ReadAll(onlyReader{peer})
				if string(answer) != string(data) || err != nil {
					t.Errorf("answer of %d bytes, %v", len(answer), err)
				}
				if res := <-served; res != (result{len(data), nil}) {
					t.Error(res)
				}
			})
		}
	}
}

type onlyReader struct{ io.Reader }
