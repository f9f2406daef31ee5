package waitlist_test

import (
	"errors"
	goruntime "runtime"
	"slices"
	"sync"
	"testing"
	"weak"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
	"github.com/weft-go/weft/runtime/runtimetest"
	"pgregory.net/rapid"
)

// past is a deadline that has passed.
const past = runtime.Instant(1)

// guarded is a list with its mutex.
type guarded struct {
	mu   waitlist.Mutex
	list waitlist.List[int]
}

func (b *guarded) wait(v int, deadline runtime.Instant) (int, error) {
	c := b.mu.Lock()
	return b.list.Wait(&b.mu, c.NewWaiter(), v, "test", deadline)
}

func (b *guarded) length() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list.Check()
	return b.list.Len()
}

// TestLinks compares a list with a slice, after random operations.
func TestLinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l waitlist.List[int]
		var model []*waitlist.Node[int]
		for i := range rapid.IntRange(1, 50).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				model = append(model, l.Push(runtime.Waiter{}, i))
			case 2:
				if n := l.Pop(); len(model) > 0 {
					if n != model[0] || l.Remove(n) {
						t.Fatal("Pop")
					}
					model = model[1:]
				} else if n != nil {
					t.Fatal("Pop of an empty list")
				}
			case 3:
				if len(model) > 0 {
					at := rapid.IntRange(0, len(model)-1).Draw(t, "at")
					if !l.Remove(model[at]) || l.Remove(model[at]) {
						t.Fatal("Remove")
					}
					model = slices.Delete(model, at, at+1)
				}
			}
			l.Check()
			if l.Len() != len(model) || l.Empty() != (len(model) == 0) {
				t.Fatalf("length %d, want %d", l.Len(), len(model))
			}
			if len(model) > 0 && l.First() != model[0] {
				t.Fatal("First")
			}
		}
	})
}

// TestValue: the waiting party sees what the one who took it out has written.
func TestValue(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var b guarded
		var got int
		var err error
		task := runtime.Spawn(func() { got, err = b.wait(1, 0) })
		runtime.Yield()
		c := b.mu.Lock()
		n := b.list.Pop()
		if n.Value != 1 {
			t.Errorf("brought %d", n.Value)
		}
		n.Value = 2
		if !b.list.Ready(c, n) {
			t.Error("it does not wait")
		}
		b.mu.Unlock()
		_ = task.Join()
		if got != 2 || err != nil {
			t.Error(got, err)
		}
	})
}

// TestNoneIsLeft: however a wait ends, the party is listed no more; also when a
// task swallows a kill, and its next wait unwinds it by a panic.
func TestNoneIsLeft(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var b guarded
		if _, err := b.wait(0, past); err != runtime.ErrTimeout {
			t.Error(err)
		}
		swallows := func() {
			defer func() { _ = recover() }()
			runtime.Sleep(1 << 40)
		}
		var killed error
		returned := false
		tasks := []*runtime.Task{
			runtime.Spawn(func() { _, killed = b.wait(0, 0) }),
			runtime.Spawn(func() {
				swallows()
				_, _ = b.wait(0, 0)
				returned = true
			}),
		}
		runtime.Yield()
		if n := b.length(); n != 1 {
			t.Errorf("%d are listed", n)
		}
		for _, task := range tasks {
			task.Kill(nil)
			_ = task.Join()
		}
		if !errors.Is(killed, runtime.ErrKilled) || returned {
			t.Error(killed, returned)
		}
		if n := b.length(); n != 0 {
			t.Errorf("%d are listed", n)
		}
		var onHub error
		runtime.CurrentWorker().Post(func() { _, onHub = b.wait(0, 0) })
		runtimetest.Eventually(t, "the hub's turn", func() bool { return onHub != nil })
		if onHub != runtime.ErrNotInTask || b.length() != 0 {
			t.Error(onHub)
		}
	})
}

// TestWakeFirst passes over those whose wait has ended.
func TestWakeFirst(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var b guarded
		var woken []int
		var tasks []*runtime.Task
		for i := range 4 {
			tasks = append(tasks, runtime.Spawn(func() {
				if _, err := b.wait(0, 0); err == nil {
					woken = append(woken, i)
				}
			}))
		}
		runtime.Yield()
		tasks[0].Kill(nil)
		c := b.mu.Lock()
		if !b.list.WakeFirst(c) || b.list.Len() != 2 {
			t.Errorf("%d are listed", b.list.Len())
		}
		b.list.WakeAll(c)
		if b.list.WakeFirst(c) {
			t.Error("woke one of none")
		}
		b.mu.Unlock()
		for _, task := range tasks {
			_ = task.Join()
		}
		if !slices.Equal(woken, []int{1, 2, 3}) {
			t.Errorf("woken: %v", woken)
		}
	})
}

// TestReuse: waiting allocates nothing in the long run, and after many have
// waited at once not all of their nodes are kept.
func TestReuse(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var b guarded
		round := func() { _, _ = b.wait(0, past) }
		round()
		if n := testing.AllocsPerRun(100, round); n != 0 && !raceEnabled {
			t.Errorf("a wait allocates %v times", n)
		}
		const many = waitlist.MaxKept + 100
		for range 2 {
			var tasks []*runtime.Task
			for range many {
				tasks = append(tasks, runtime.Spawn(func() { _, _ = b.wait(0, 0) }))
			}
			for b.length() < many {
				runtime.Yield()
			}
			b.list.WakeAll(b.mu.Lock())
			b.mu.Unlock()
			for _, task := range tasks {
				_ = task.Join()
			}
			if n := b.list.Spares(); n != waitlist.MaxKept {
				t.Errorf("%d nodes are spare", n)
			}
		}
	})
}

// TestValuesAreLetGo: a node that is kept does not hold its value.
func TestValuesAreLetGo(t *testing.T) {
	var mu waitlist.Mutex
	var l waitlist.List[*[100]int]
	ref := func() weak.Pointer[[100]int] {
		v := new([100]int)
		c := mu.Lock()
		_, _ = l.Wait(&mu, c.NewWaiter(), v, "test", past)
		return weak.Make(v)
	}()
	goruntime.GC()
	if ref.Value() != nil {
		t.Error("the list keeps a value")
	}
	goruntime.KeepAlive(&l)
}

// TestStress: goroutines and tasks wait, give up and are woken at once.
func TestStress(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var b guarded
	var wg sync.WaitGroup
	over := make(chan struct{})
	work := func(i int) {
		defer wg.Done()
		for j := range 300 {
			deadline := past
			if (i+j)%3 > 0 {
				deadline = runtime.Now().Add(1 << 14)
			}
			if v, err := b.wait(i, deadline); err == nil && v != -i {
				t.Errorf("party %d found %d", i, v)
			}
		}
	}
	for i := range 9 {
		wg.Add(1)
		if i%3 == 0 {
			go work(i)
		} else {
			rt.Spawn(func() { work(i) })
		}
	}
	go func() { wg.Wait(); close(over) }()
	for {
		select {
		case <-over:
			if n := b.length(); n != 0 {
				t.Errorf("%d are listed", n)
			}
			return
		default:
			c := b.mu.Lock()
			if n := b.list.Pop(); n != nil {
				n.Value = -n.Value
				b.list.Ready(c, n)
			}
			b.mu.Unlock()
			goruntime.Gosched()
		}
	}
}
