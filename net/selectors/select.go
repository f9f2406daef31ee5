package selectors

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/poll"
)

// Select waits until some registered descriptors are ready, for timeout at most,
// and returns them, each with what it is ready for. After the timeout, which is
// never cut short, it returns none and no error. A timeout <= 0 means not to wait;
// runtime.Forever means none. With nothing registered it waits all the same:
// another task may register something. When it fails for want of a descriptor
// or memory, which it needs to be rid of a closed file, it still returns what is
// ready.
//
// In a task it parks, and every Select, whatever its timeout, first lets the
// worker's other tasks run: a loop that always finds something does not shut
// them out. A killed task gets the kill's error. A goroutine is blocked. One
// Select of a Selector waits at a time, another gets ErrBusy. On the hub, where
// nothing may wait, it returns runtime.ErrNotInTask instead of waiting.
func (s *Selector[T]) Select(timeout time.Duration) ([]Ready[T], error) {
	var deadline time.Time
	if 0 < timeout && timeout < runtime.Forever {
		deadline = time.Now().Add(timeout)
	}
	return s.selectUntil(context.Background(), deadline, timeout > 0)
}

// SelectContext is Select without a timeout that returns ctx's error when ctx is
// done.
func (s *Selector[T]) SelectContext(ctx context.Context) ([]Ready[T], error) {
	return s.selectUntil(ctx, time.Time{}, true)
}

func (s *Selector[T]) selectUntil(ctx context.Context, deadline time.Time, wait bool) ([]Ready[T], error) {
	if err := turn(); err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ready, err := s.probe()
		if len(ready) > 0 || err != nil || !wait {
			return ready, err
		}
		switch err := s.await(ctx, deadline); err {
		case nil:
		case os.ErrDeadlineExceeded: // as it is: an enclosing WithTimeout's error is its own
			return nil, ctx.Err()
		default:
			return nil, err
		}
	}
}

// await waits until the epoll descriptor is readable, or may be.
func (s *Selector[T]) await(ctx context.Context, deadline time.Time) error {
	if !s.waits.CompareAndSwap(false, true) {
		return ErrBusy
	}
	defer s.waits.Store(false)
	fd := s.fd.Load()
	if fd == nil {
		return ErrClosed
	}
	if err := fd.SetReadDeadline(deadline); err == nil {
		defer expireWith(ctx, fd)()
		waited := false
		err = fd.RawRead(func(uintptr) bool {
			again := waited
			waited = true
			return again // what is there was looked for before
		})
		if err != poll.ErrClosed {
			return err
		}
	}
	if s.fd.Load() == nil {
		return ErrClosed
	}
	return nil // replaced by another Select, that did not wait
}

// expireWith makes the end of ctx end a wait of fd's by its deadline, until stop
// is called: the deadline of the next wait is that one's own.
func expireWith(ctx context.Context, fd *poll.FD) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	var mu sync.Mutex // held for a moment only
	stopped := false
	cancel := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			_ = fd.SetReadDeadline(time.Unix(1, 0))
		}
	})
	return func() {
		cancel()
		mu.Lock()
		stopped = true
		mu.Unlock()
	}
}

// turn lets the worker's other tasks run, or returns the error of an interrupt
// that is due.
func turn() error {
	const reason = "select: its turn"
	if runtime.Current() == nil {
		return nil
	}
	if err := runtime.NewWaiter().ParkUntil(reason, runtime.Now()); err != runtime.ErrTimeout {
		return err
	}
	w := runtime.NewWaiter()
	w.Ready()
	return w.Park(reason)
}
