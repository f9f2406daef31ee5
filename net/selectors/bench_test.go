package selectors

import (
	"fmt"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// BenchmarkSelect makes some of 100 sockets ready, by as many writes, waits until
// Select has reported all, and reads them empty. "idle" parks before; "busy" finds
// all ready. Beside a write and a read each, ready descriptors cost, in system
// calls per Select: 3 if it parks (two epoll_wait of its own and one of the
// worker), 1 if not.
func BenchmarkSelect(b *testing.B) {
	for _, ready := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("busy/%d", ready), func(b *testing.B) {
			selecting(b, ready, func(write func()) { write() })
		})
		b.Run(fmt.Sprintf("idle/%d", ready), func(b *testing.B) {
			selecting(b, ready, func(write func()) { runtime.Spawn(func() { runtime.Yield(); write() }) })
		})
	}
}

func selecting(b *testing.B, ready int, begin func(write func())) {
	runtimetest.Bench(b, 1, func() {
		s := open(b)
		var peers []int
		for range 100 {
			a, peer := sockets(b)
			defer closeAll(a, peer)
			register(b, s, a, Read, "")
			peers = append(peers, peer)
		}
		buf, calls := make([]byte, 8), 0
		b.ResetTimer()
		for range b.N {
			begin(func() {
				for _, peer := range peers[:ready] {
					_, _ = unix.Write(peer, buf[:1])
				}
			})
			for left := ready; left > 0; calls++ {
				list, err := s.Select(runtime.Forever)
				if err != nil {
					b.Error(err)
					return
				}
				for _, r := range list {
					_, _ = unix.Read(r.Key.FD, buf)
				}
				left -= len(list)
			}
		}
		b.ReportMetric(float64(calls)/float64(b.N), "selects/op")
	})
}
