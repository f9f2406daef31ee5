package poll

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/reactor"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestQueueIsFIFO: readers, and writers, have their turn in the order they
// came, wherever they run.
func TestQueueIsFIFO(t *testing.T) {
	rt := runtimetest.New(t, 2)
	all := places(rt)
	for _, dir := range []reactor.Direction{dirRead, dirWrite} {
		t.Run(waitReasons[dir], func(t *testing.T) {
			fd, peer := socketPair(t)
			total := 0
			if dir == dirWrite {
				total = fill(t, fd)
			}
			const parties = 9
			var mu sync.Mutex
			var order []string
			var joins []func()
			for i := range parties {
				joins = append(joins, all[i%len(all)].start(func() {
					// Each party keeps its turn until its own byte has passed.
					buf := []byte{byte('a' + i)}
					var n int
					var err error
					if dir == dirRead {
						n, err = fd.Read(buf)
					} else {
						n, err = fd.Write(buf)
					}
					mu.Lock()
					defer mu.Unlock()
					order = append(order, fmt.Sprint(i))
					if dir == dirRead && buf[0] != byte('a'+i) {
						t.Errorf("party %d read %q", i, buf)
					}
					if n != 1 || err != nil {
						t.Errorf("party %d: %d, %v", i, n, err)
					}
				}))
				if i == 0 {
					parked(t, fd, dir)
				} else {
					queued(t, fd, dir, i)
				}
			}
			if dir == dirRead {
				for i := range parties {
					if _, err := peer.Write([]byte{byte('a' + i)}); err != nil {
						t.Fatal(err)
					}
				}
			} else {
				got := make([]byte, total+parties)
				for n := 0; n < len(got); {
					m, err := peer.Read(got[n:])
					if err != nil {
						t.Fatal(err)
					}
					n += m
				}
				if text := string(got[total:]); text != "abcdefghi" {
					t.Errorf("written in order %q", text)
				}
			}
			for _, join := range joins {
				join()
			}
			idle(t, fd)
		})
	}
}

// TestQueuedGiveUp: one that waits for its turn is killed, or times out, and
// those behind it have theirs.
func TestQueuedGiveUp(t *testing.T) {
	rt := runtimetest.New(t, 2)
	fd, peer := socketPair(t)
	var results [6]result
	var tasks [6]*runtime.Task
	for i := range tasks {
		tasks[i] = rt.Workers()[i%2].Spawn(func() {
			read := func() error {
				buf := make([]byte, 1)
				n, err := fd.Read(buf)
				results[i] = result{n, err}
				return err
			}
			if i == 3 {
				_ = runtime.WithTimeout(time.Microsecond, read)
			} else {
				_ = read()
			}
		})
		switch {
		case i == 0:
			parked(t, fd, dirRead)
		case i < 3:
			queued(t, fd, dirRead, i)
		case i == 3:
			_ = tasks[i].Join()
		default:
			queued(t, fd, dirRead, i-1)
		}
	}
	tasks[1].Kill(errors.New("one"))
	_ = tasks[1].Join()
	queued(t, fd, dirRead, 3)
	tasks[0].Kill(errors.New("the first"))
	_ = tasks[0].Join()
	queued(t, fd, dirRead, 2)
	parked(t, fd, dirRead)
	tasks[5].Kill(errors.New("the last"))
	_ = tasks[5].Join()
	if _, err := peer.Write([]byte("xy")); err != nil {
		t.Fatal(err)
	}
	for i, task := range tasks {
		_ = task.Join()
		switch res := results[i]; i {
		case 2, 4:
			if res != (result{1, nil}) {
				t.Errorf("reader %d: %v", i, res)
			}
		case 3:
			if res.n != 0 || !errors.Is(res.err, runtime.ErrTimeout) {
				t.Errorf("reader %d: %v", i, res)
			}
		default:
			if res.n != 0 || !errors.Is(res.err, runtime.ErrKilled) || !strings.Contains(res.err.Error(), ": ") {
				t.Errorf("reader %d: %v", i, res)
			}
		}
	}
	idle(t, fd)
}

// TestQueuedKilledMeanwhile: the turn comes to one that was killed just before,
// and has not run since. It passes on to the next, or to nobody.
func TestQueuedKilledMeanwhile(t *testing.T) {
	for _, survivors := range []int{0, 1} {
		rt := runtimetest.New(t, 1)
		fd, _ := socketPair(t)
		runtimetest.RunOn(t, rt, func() {
			var order []int
			var tasks []*runtime.Task
			if err := fd.RawRead(func(uintptr) bool {
				for i := range 2 + survivors {
					tasks = append(tasks, runtime.Spawn(func() {
						err := fd.RawRead(func(uintptr) bool { order = append(order, i); return true })
						if killed := i < 2; errors.Is(err, runtime.ErrKilled) != killed {
							t.Errorf("reader %d: %v", i, err)
						}
					}))
				}
				for fd.lock.queue == nil || len(fd.lock.queue[dirRead]) < len(tasks) {
					runtime.Yield()
				}
				tasks[0].Kill(nil)
				tasks[1].Kill(nil)
				return true
			}); err != nil {
				t.Error(err)
			}
			for _, task := range tasks {
				_ = task.Join()
			}
			if len(order) != survivors {
				t.Errorf("turns: %v", order)
			}
			idle(t, fd)
		})
	}
}

// TestQueueStress: many parties take the lock of a direction at once, some of
// them are killed meanwhile. Never do two hold it.
func TestQueueStress(t *testing.T) {
	rt := runtimetest.New(t, 2)
	fd, _ := socketPair(t)
	var holders [2]atomic.Int32
	var uses atomic.Int32
	use := func(dir reactor.Direction) {
		hold := func(uintptr) bool {
			uses.Add(1)
			if holders[dir].Add(1) != 1 {
				t.Error("two at once")
			}
			defer holders[dir].Add(-1)
			if runtime.Current() != nil {
				runtime.Yield() // unwinds the task if it was killed
			}
			return true
		}
		if dir == dirRead {
			_ = fd.RawRead(hold)
		} else {
			_ = fd.RawWrite(hold)
		}
	}
	var joins []func()
	var tasks []*runtime.Task
	for i := range 30 {
		work := func() {
			for j := range 50 {
				use(reactor.Direction((i + j) % 2))
			}
		}
		if i%3 == 0 {
			joins = append(joins, place{}.start(work))
			continue
		}
		tasks = append(tasks, rt.Workers()[i%2].Spawn(work))
	}
	for i, task := range tasks {
		if i%4 == 0 {
			runtimetest.Eventually(t, "progress", func() bool { return uses.Load() > int32(10*i) })
			task.Kill(nil)
		}
	}
	for _, join := range joins {
		join()
	}
	for _, task := range tasks {
		_ = task.Join()
	}
	idle(t, fd)
	if err := fd.Close(); err != nil {
		t.Error(err)
	}
	gone(t, fd)
}
