package runtime

import (
	"iter"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
)

// signalBuffer is how many signals wait for whoever takes them.
const signalBuffer = 64

// signalLoop says that package os/signal has started its goroutine.
var signalLoop atomic.Bool

// subscribe is signal.Notify with a channel of its own.
func subscribe(sigs []os.Signal) chan os.Signal {
	c := make(chan os.Signal, signalBuffer)
	signal.Notify(c, sigs...)
	signalLoop.Store(true)
	return c
}

// A SignalQueue is a subscription to signals of the operating system. Signals makes
// one; the zero value is of no use. Its methods may be called from any task or
// goroutine.
type SignalQueue struct {
	signals chan os.Signal
	stop    sync.Once

	mu      sync.Mutex
	pending []os.Signal     // mu guards: not taken yet
	waiting []*signalWaiter // mu guards: the first one first
	over    bool            // mu guards: no more will come
}

// signalWaiter is one call of Wait. Whoever readies it has set sig.
type signalWaiter struct {
	w   Waiter
	sig os.Signal
}

// Signals subscribes to the given signals, all if none is given, as signal.Notify
// does: they no longer have their usual effect, such as ending the program, until
// Stop. Each subscription gets every signal; one signal goes to one of those who
// wait in it. Up to 64 signals are kept for who does not wait yet, further ones are
// lost. The operating system itself may make one of equal signals that come in a
// row.
//
// Signals does not park, and may be called from anywhere. The subscription has a
// goroutine, and while there is one the program is not taken to be stuck
// (ErrWouldBlockForever).
func Signals(sigs ...os.Signal) *SignalQueue {
	q := &SignalQueue{signals: subscribe(sigs)}
	go q.run()
	return q
}

// run moves signals from Go's channel, on which a task must not wait, until Stop.
func (q *SignalQueue) run() {
	for sig := range q.signals {
		q.deliver(sig)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	for _, waiter := range q.waiting {
		waiter.w.Ready()
	}
	q.waiting = nil
}

// deliver hands sig to the first who still waits, or keeps it.
func (q *SignalQueue) deliver(sig os.Signal) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 {
		first := q.waiting[0]
		q.waiting = slices.Delete(q.waiting, 0, 1)
		first.sig = sig
		if first.w.Ready() {
			return
		}
	}
	if len(q.pending) < signalBuffer {
		q.pending = append(q.pending, sig)
	}
}

// Wait waits for the next signal. After Stop it returns those that came before,
// and then ErrStopped. If the caller is interrupted, Wait returns the interrupt's
// error, and takes no signal.
func (q *SignalQueue) Wait() (os.Signal, error) { return q.WaitUntil(0) }

// WaitUntil is Wait that gives up at deadline with ErrTimeout.
func (q *SignalQueue) WaitUntil(deadline Instant) (os.Signal, error) {
	q.mu.Lock()
	if len(q.pending) > 0 {
		sig := q.pending[0]
		q.pending = slices.Delete(q.pending, 0, 1)
		q.mu.Unlock()
		return sig, nil
	}
	if q.over {
		q.mu.Unlock()
		return nil, ErrStopped
	}
	waiter := &signalWaiter{w: NewWaiter().External()}
	q.waiting = append(q.waiting, waiter)
	q.mu.Unlock()
	if err := waiter.w.ParkUntil("signal", deadline); err != nil {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.waiting = slices.DeleteFunc(q.waiting, func(other *signalWaiter) bool { return other == waiter })
		return nil, err
	}
	if waiter.sig == nil {
		return nil, ErrStopped
	}
	return waiter.sig, nil
}

// All yields signals as they come, until Stop. A task that is killed, or whose
// WithTimeout expires, while it waits for one is unwound.
func (q *SignalQueue) All() iter.Seq[os.Signal] {
	return func(yield func(os.Signal) bool) {
		for {
			sig, err := q.Wait()
			if err == ErrStopped {
				return
			}
			if err != nil {
				Unwind(err)
			}
			if !yield(sig) {
				return
			}
		}
	}
}

// Stop ends the subscription: the signals have their usual effect again, unless
// others are subscribed to them. Who waits gets ErrStopped. Stop does not park; a
// second call does nothing.
func (q *SignalQueue) Stop() { q.stop.Do(func() { unsubscribe(q.signals) }) }

// unsubscribe closes the channel, after what has come.
func unsubscribe(c chan os.Signal) {
	signal.Stop(c) // nothing is sent after it returns
	close(c)
}

// OnSignal makes fn be called whenever sig comes, each time in a new task: on the
// caller's worker; from outside tasks and callbacks, on the Default runtime's least
// loaded one. So fn may wait, and then runs beside itself if the signal comes
// again. Up to 64 signals are kept while the program is too busy, further ones are
// lost.
//
// stop ends that, as the end of the runtime does: then the signal has its usual
// effect again. Signals that came before are still handled. stop may be called more
// than once. OnSignal and stop do not park, and may be called from anywhere.
func OnSignal(sig os.Signal, fn func()) (stop func()) {
	rt := callersRuntime()
	spawn := rt.Spawn
	if w := CurrentWorker(); w != nil {
		spawn = w.Spawn
	}
	c := subscribe([]os.Signal{sig})
	stop = sync.OnceFunc(func() { unsubscribe(c) })
	go func() {
		for {
			select {
			case _, ok := <-c:
				if !ok {
					return
				}
				spawn(fn)
			case <-rt.ended:
				stop()
				return
			}
		}
	}()
	return stop
}
