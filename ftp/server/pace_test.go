package server

import (
	"testing"
	"time"
)

// A transfer has stalled when a whole period brought less than the least rate.
func TestPace(t *testing.T) {
	const period = time.Minute
	for _, tc := range []struct {
		name    string
		minRate int64
		calls   []int64 // bytes of calls of half a period each
		stalled int     // after which call, 0 for never
	}{
		{"nothing", 16, []int64{0, 0}, 2},
		{"nothing, any rate will do", 0, []int64{0, 0}, 2},
		{"a drip", 16, []int64{30, 30}, 2},
		{"a drip, any rate will do", 0, []int64{1, 0, 0, 1, 1, 1}, 0},
		{"enough", 16, []int64{960, 0, 0, 960}, 0},
		{"enough, then nothing", 16, []int64{960, 960, 0, 0}, 4},
		{"just short", 16, []int64{950, 0}, 2},
	} {
		p := &pace{t: new(transfer), stall: period, minRate: tc.minRate}
		got := 0
		for i, n := range tc.calls {
			p.began = time.Now().Add(-period / 2)
			if p.stop(n) && got == 0 {
				got = i + 1
			}
		}
		if got != tc.stalled {
			t.Errorf("%s: stalled after call %d, not %d", tc.name, got, tc.stalled)
		}
	}
}
