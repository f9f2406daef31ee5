package reactor

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func (g *rig) expired(n int64) {
	g.t.Helper()
	eventually(g.t, "the timer", func() bool { return g.hub.runs[Expired].Load() >= n })
	g.settle()
	if got := g.hub.runs[Expired].Load(); got != n {
		g.t.Errorf("the timer fired %d times, not %d", got, n)
	}
}

// awaitExpiry waits until the timer has expired, on the reactor's goroutine.
func (g *rig) awaitExpiry() {
	fds := []unix.PollFd{{Fd: int32(g.timer.fd), Events: unix.POLLIN}}
	for {
		if n, err := unix.Poll(fds, -1); err != unix.EINTR {
			if n != 1 || err != nil {
				g.t.Errorf("poll of the timer = %d, %v", n, err)
			}
			return
		}
	}
}

func TestTimer(t *testing.T) {
	for _, d := range []time.Duration{-time.Second, 0, 1, time.Millisecond} {
		t.Run(d.String(), func(t *testing.T) {
			g := newRig(t)
			for n := range int64(3) {
				g.on(func() { g.SetTimer(d) })
				g.expired(n + 1)
			}
		})
	}
}

// TestTimerReplaced: of two settings the later one counts, also if the former
// has expired unnoticed.
func TestTimerReplaced(t *testing.T) {
	g := newRig(t)
	g.on(func() {
		g.SetTimer(time.Hour)
		g.SetTimer(1)
	})
	g.expired(1)
	g.on(func() {
		g.SetTimer(1)
		g.awaitExpiry()
		g.SetTimer(time.Hour)
	})
	g.expired(1)
}

// TestTimerStopped: stopping clears an expiry that was not noticed yet.
func TestTimerStopped(t *testing.T) {
	g := newRig(t)
	g.on(func() {
		g.SetTimer(1)
		g.awaitExpiry()
		g.StopTimer()
		g.StopTimer()
	})
	g.expired(0)
	g.on(func() { g.SetTimer(1) })
	g.expired(1)
}

// TestTimerIsNoEvent: cause tells the timer from the rest.
func TestTimerIsNoEvent(t *testing.T) {
	g := newRig(t)
	g.settle()
	events := g.events()
	g.on(func() { g.SetTimer(1) })
	g.expired(1)
	if got := g.events(); got != events {
		t.Errorf("%d events", got-events)
	}
}
