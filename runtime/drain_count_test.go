package runtime

import (
	"sync/atomic"
	"testing"
)

// TestOthersOverlooksNoTask moves one task to and fro over many workers, by
// counting the next before uncounting the last, while others counts them, which
// with so many takes longer than a move.
func TestOthersOverlooksNoTask(t *testing.T) {
	rt := new(Runtime)
	for i := range 1000 {
		rt.ws = append(rt.ws, &worker{rt: rt, index: i})
	}
	first, last := rt.ws[0], rt.ws[len(rt.ws)-1]
	last.load.add()
	var moves atomic.Int64
	stop := make(chan bool)
	done := make(chan bool)
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			first.load.add()
			last.load.sub()
			last.load.add()
			first.load.sub()
			moves.Add(1)
		}
	}()
	for counts := 0; counts < 1000 || moves.Load() < 1000; counts++ {
		if n := rt.others(); n < 1 {
			t.Errorf("%d tasks in count %d", n, counts)
			break
		}
	}
	close(stop)
	<-done
	last.load.sub()
	if n := rt.others(); n != 0 {
		t.Errorf("%d tasks at the end", n)
	}
}

func TestTaskCount(t *testing.T) {
	var c tally
	for range 1000 {
		c.add()
	}
	for range 999 {
		c.sub()
	}
	if n := c.Load(); n != 1 {
		t.Errorf("%d tasks, want 1", n)
	}
	before := c.word.Load()
	c.add()
	c.sub()
	if c.Load() != 1 || c.word.Load() == before {
		t.Error("a task that came and went leaves no trace")
	}
}
