package poll

import (
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestAtOnce: data, a deadline, a kill, a close and an enclosing timeout meet at
// one instant. A read has one of these results, and no byte is lost: what was
// not read is still there.
func TestAtOnce(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for _, p := range places(rt) {
		t.Run(p.name, func(t *testing.T) {
			counts := map[string]int{}
			for round := range 400 {
				fd, peer := socketPair(t)
				var res result
				read := func() error {
					buf := make([]byte, 4)
					res.n, res.err = fd.Read(buf)
					return res.err
				}
				var task *runtime.Task
				var join func()
				if p.worker == nil {
					join = p.start(func() { _ = read() })
				} else {
					task = p.worker.Spawn(func() {
						if round%2 == 0 {
							_ = runtime.WithTimeout(time.Duration(round%10)*time.Microsecond, read)
							return
						}
						_ = read()
					})
					join = func() { _ = task.Join() }
				}
				if round%2 == 1 {
					parked(t, fd, dirRead)
				}
				var wg sync.WaitGroup
				start := make(chan struct{})
				wg.Go(func() {
					<-start
					if _, err := peer.Write([]byte("x")); err != nil && round%5 != 0 {
						t.Errorf("Write: %v", err)
					}
				})
				wg.Go(func() { <-start; _ = fd.SetReadDeadline(time.Now()) })
				if task != nil {
					wg.Go(func() { <-start; task.Kill(nil) })
				}
				closing := round%5 == 0
				if closing {
					wg.Go(func() { <-start; _ = fd.Close() })
				}
				close(start)
				wg.Wait()
				join()
				left := 0
				if !closing {
					_ = fd.SetReadDeadline(time.Time{})
					left = 1 - res.n
					if left == 1 {
						if n, err := fd.Read(make([]byte, 4)); n != 1 || err != nil {
							t.Errorf("the byte is gone: %d, %v, after %v", n, err, res)
						}
					}
					idle(t, fd)
				}
				switch {
				case res == result{}: // killed before the start
					counts["not started"]++
				case res == result{1, nil}:
					counts["data"]++
				case res.n != 0:
					t.Errorf("result %v", res)
				case errors.Is(res.err, runtime.ErrKilled):
					counts["kill"]++
				case errors.Is(res.err, os.ErrDeadlineExceeded):
					counts["deadline"]++
				case res.err == ErrClosed:
					counts["close"]++
				default:
					t.Errorf("result %v", res)
				}
				_ = fd.Close()
				_ = peer.Close()
			}
			t.Log(counts)
		})
	}
}
