package reactor

import "testing"

// woken waits until the hub has been run n times by Wake.
func (g *rig) wokenTimes(n int64) {
	g.t.Helper()
	eventually(g.t, "the wakes", func() bool { return g.hub.runs[Woken].Load() >= n })
}

// TestWake: each wake runs the hub; the first run, which nobody asked for, is
// that of a fresh eventfd.
func TestWake(t *testing.T) {
	g := newRig(t)
	g.wokenTimes(1)
	for n := int64(2); n < 100; n++ {
		g.Wake()
		g.wokenTimes(n)
		if got := g.hub.runs[Woken].Load(); got != n {
			t.Fatalf("%d runs after %d wakes", got, n)
		}
	}
	if got := g.Wakes(); got != 98 {
		t.Errorf("Wakes = %d", got)
	}
	g.quiet()
}

// TestWakesCoalesce: wakes of a busy reactor run the hub once.
func TestWakesCoalesce(t *testing.T) {
	g := newRig(t)
	g.wokenTimes(1)
	var before int64
	g.on(func() {
		before = g.hub.runs[Woken].Load()
		for range 100 {
			g.Wake()
		}
	})
	g.wokenTimes(before + 1)
	g.settle() // four more wakes
	if got := g.hub.runs[Woken].Load() - before; got != 1+4 {
		t.Errorf("100 wakes ran the hub %d times", got-4)
	}
}

// TestWakeAfterClose: late wakers find nobody, and hit no other descriptor.
func TestWakeAfterClose(t *testing.T) {
	g := newRig(t)
	g.end()
	before := g.Wakes()
	g.Wake()
	if got := g.Wakes(); got != before {
		t.Errorf("Wakes = %d, was %d", got, before)
	}
	if g.Post(func() {}) {
		t.Error("Post was accepted")
	}
}

// TestWakeWhileClosing: many wakers race with the end.
func TestWakeWhileClosing(t *testing.T) {
	g := newRig(t)
	done := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for !g.Closed() {
				g.Wake()
			}
			g.Wake()
		}()
	}
	g.wokenTimes(10)
	g.end()
	for range 4 {
		receive(t, done, "a waker")
	}
}

// TestCloseInsideCallback ends a reactor from its own goroutine.
func TestCloseInsideCallback(t *testing.T) {
	g := newRig(t)
	g.on(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	receive(t, g.done, "the end of Run")
}
