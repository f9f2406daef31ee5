package queue_test

import (
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestNoAllocation has a pair of tasks wait for each other in every call.
func TestNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are not the same under the race detector")
	}
	for name, kind := range map[string]func() face{
		"Queue":    func() face { return queue.New[int](1) },
		"Priority": func() face { return queue.NewPriority(1, smaller) },
		"Channel":  func() face { return new(queue.Channel[int]) },
	} {
		runtimetest.Run(t, 1, func() {
			there, back, full := kind(), kind(), kind()
			_ = full.TryPut(0)
			echo := runtime.Spawn(func() {
				for {
					v, err := there.Get()
					if err != nil || back.Put(v) != nil {
						return
					}
				}
			})
			round := func() {
				put(t, there, 1)
				get(t, back)
				_, _ = back.GetUntil(past)
				_ = full.PutUntil(1, past)
			}
			round()
			if n := testing.AllocsPerRun(100, round); n != 0 {
				t.Errorf("%s allocates %v times in a round", name, n)
			}
			_ = there.Close()
			_ = echo.Join()
		})
	}
}
