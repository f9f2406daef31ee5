package stacks

import (
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/petermattis/goid"
)

// started runs fn on a goroutine and returns its id. What fn gets closes the door
// behind which the id comes.
func started(t *testing.T, fn func()) int64 {
	t.Helper()
	id := make(chan int64)
	var all sync.WaitGroup
	all.Go(func() {
		id <- goid.Get()
		fn()
	})
	t.Cleanup(all.Wait)
	return <-id
}

// eventually takes dumps until ok.
func eventually(t *testing.T, ok func(Dump) bool) Dump {
	t.Helper()
	for range 10_000 {
		if d, _ := Take(1 << 24); ok(d) {
			return d
		}
	}
	t.Fatal("never came about")
	return nil
}

func TestStateAndCreator(t *testing.T) {
	var mu sync.Mutex
	mu.Lock()
	locks := started(t, func() { mu.Lock(); defer mu.Unlock() })
	end := make(chan bool)
	receives := started(t, func() { <-end })
	d := eventually(t, func(d Dump) bool {
		return d[locks].State == "sync.Mutex.Lock" && d[receives].State == "chan receive"
	})
	for _, id := range []int64{locks, receives} {
		if s := d[id]; s.ID != id || s.Creator != goid.Get() || s.WaitsIn() != s.State ||
			!strings.Contains(s.Frames(), "TestStateAndCreator") || strings.HasPrefix(s.Frames(), "goroutine") {
			t.Errorf("stack %+v", s)
		}
	}
	if own := d[goid.Get()]; own.State != "running" || own.WaitsIn() != "" {
		t.Errorf("own stack %+v", own)
	}
	mu.Unlock()
	close(end)
}

func TestTakeIsBounded(t *testing.T) {
	if d, complete := Take(200); complete || len(d) > 1 {
		t.Errorf("of 200 bytes: complete %v, %d stacks", complete, len(d))
	}
	// Deep stacks, for which the first guess of the size is too small.
	end := make(chan bool)
	var ids []int64
	for range 40 {
		ids = append(ids, started(t, func() { deep(100, end) }))
	}
	eventually(t, func(d Dump) bool {
		for _, id := range ids {
			if d[id].State != "chan receive" || !strings.Contains(d[id].Text, "stacks.deep") {
				return false
			}
		}
		return true
	})
	close(end)
}

func deep(n int, end chan bool) {
	if n == 0 {
		<-end
		return
	}
	deep(n-1, end)
}

// TestHolderOnACoroutine: who has switched to a coroutine of its own, and from there
// to another, is found there.
func TestHolderOnACoroutine(t *testing.T) {
	end := make(chan bool)
	id := started(t, func() { pullTwice(end) })
	d := eventually(t, func(d Dump) bool {
		s, ok := d.Holder(id)
		return ok && s.State == "chan receive"
	})
	if s, _ := d.Holder(id); s.ID == id || !strings.Contains(s.Text, "innermost") || d[id].State != "coroutine" {
		t.Errorf("holder %+v of %+v", s, d[id])
	}
	if _, ok := d.Holder(-5); ok {
		t.Error("found a goroutine that there is not")
	}
	close(end)
}

func pullTwice(end chan bool) {
	next, stop := iter.Pull(func(func(int) bool) {
		next, stop := iter.Pull(func(func(int) bool) { innermost(end) })
		defer stop()
		next()
	})
	defer stop()
	next()
}

func innermost(end chan bool) { <-end }
