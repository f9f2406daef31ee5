package runtime_test

import (
	"errors"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestAssertYields (D92): it fails when nothing switched, passes the body's errors
// unchanged, and nests.
func TestAssertYields(t *testing.T) {
	for _, workers := range []int{1, 2} {
		runtimetest.Run(t, workers, func() {
			own := errors.New("own")
			ready := func() error {
				w := runtime.NewWaiter()
				w.Ready()
				return w.Park("what came already")
			}
			full := func() error { // more than a round, which ends on the hub
				for range runtime.Fairness + 1 {
					runtime.Yield()
				}
				return nil
			}
			for name, test := range map[string]struct {
				fn   func() error
				want error
			}{
				"nothing":        {func() error { return nil }, runtime.ErrNotYielded},
				"spawns":         {func() error { runtime.Spawn(func() {}); return nil }, runtime.ErrNotYielded},
				"ended join":     {func() error { return runtime.AssertYields(runtime.Current().Runtime().Spawn(func() {}).Join) }, nil},
				"cancelled":      {func() error { runtime.NewWaiter().Cancel(); return nil }, runtime.ErrNotYielded},
				"own error":      {func() error { return own }, own},
				"yields":         {func() error { runtime.Yield(); return nil }, nil},
				"sleeps":         {func() error { runtime.Sleep(time.Microsecond); return nil }, nil},
				"parks":          {ready, nil},
				"whole round":    {full, nil},
				"inner yields":   {func() error { return runtime.AssertYields(func() error { runtime.Yield(); return nil }) }, nil},
				"inner does not": {func() error { return runtime.AssertYields(func() error { return nil }) }, runtime.ErrNotYielded},
				"outer, not inner": {func() error {
					runtime.Yield()
					return runtime.AssertYields(func() error { return nil })
				}, runtime.ErrNotYielded},
			} {
				err := runtime.AssertYields(test.fn)
				if !errors.Is(err, test.want) || test.want == own && err != own {
					t.Errorf("%s: %v, want %v", name, err, test.want)
				}
			}
			var held *runtime.NotYieldedError
			err := runtime.AssertYields(func() error { time.Sleep(time.Millisecond); return nil })
			if !errors.As(err, &held) || held.Held < time.Millisecond {
				t.Errorf("held: %v", err)
			}
		})
	}
	if err := runtime.AssertYields(func() error { t.Error("called"); return nil }); err != runtime.ErrNotInTask {
		t.Error(err)
	}
	rt := runtimetest.New(t, 1)
	got := make(chan error)
	rt.Workers()[0].Post(func() { got <- runtime.AssertYields(func() error { return nil }) })
	if err := <-got; err != runtime.ErrNotInTask {
		t.Error(err)
	}
}
