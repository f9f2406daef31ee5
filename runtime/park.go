package runtime

import (
	"sync"
	"time"
)

// No wake is lost. The argument, for a task on worker W:
//
//  1. A wait begins (waiting) before the task tells anyone about it, so a
//     party that wants to end it finds it begun.
//  2. Whoever claims it queues the task, once: on W's run queue if it runs on
//     W, else in W's injector. It may do so before the task has parked: the
//     task is the running one until then, and W dequeues nothing but by the
//     running party, so the task meets its own entry at the earliest in park,
//     and goes on.
//  3. W does not sleep over a filled injector. Before it lets netpoll wait it
//     sets asleep and then looks at the injector; a foreign waker first pushes
//     and then looks at asleep. One of the two sees the other's write: either W
//     takes the task, or the waker writes the eventfd. Exactly one waker, the
//     one that swaps asleep to false, makes that system call.

// ParkUntil is Park with a deadline: when it passes first, the result is
// ErrTimeout. The zero deadline means none.
//
// It is the one place where a task gives up its worker to wait, and one
// function, for the sake of its speed and of the tasks' stacks.
func (w Waiter) ParkUntil(reason string, deadline Instant) error {
	cell := w.cell
	if cell == nil {
		return ErrNotInTask
	}
	t := cell.task
	if t == nil {
		return cell.ofGoroutine().park(w.gen&genMask, deadline)
	}
	worker := t.w
	if t.interrupted || deadline != 0 {
		if err := t.beforePark(w.gen, deadline); err != nil {
			return err
		}
	}
	if w.gen&(externalBit|shieldedBit) != 0 {
		worker.flagged(t, w.gen, 1)
	}
	t.reason = reason
	co := t.co
	if to := worker.pick(); to != &co.party {
		leave(&co.party, to).Swap()
		if worker.forward != nil {
			settle(worker, &co.party)
		}
	}
	t.reason = ""
	if w.gen&(externalBit|shieldedBit) != 0 {
		worker.flagged(t, w.gen, -1)
	}
	if deadline != 0 {
		worker.timers.stop(co.deadline)
		co.deadline.task = nil
	}
	return t.end()
}

// beforePark ends the wait at once, and returns why, if an interrupt or the
// deadline is due; else it starts the timer.
func (t *Task) beforePark(gen uint64, deadline Instant) error {
	if t.interrupted && gen&shieldedBit == 0 {
		if t.mustUnwind() && t.claim(gen&genMask) {
			_ = t.end() // no wait is left behind
			again := &unwind{t.extra().kill}
			if gen&returnsBit != 0 {
				return again
			}
			panic(again)
		}
		err := t.interruption()
		if err == nil {
			t.interrupted = t.unwound
		} else if t.claim(gen & genMask) {
			t.delivered(err)
			_ = t.end()
			return err
		}
	}
	if deadline != 0 {
		if gen&futureBit == 0 && deadline <= Now() && t.claim(gen&genMask) {
			_ = t.end()
			return ErrTimeout
		}
		co := t.co
		if co.deadline == nil {
			co.deadline = &timer{fire: fireDeadline}
		}
		co.deadline.task = t
		t.w.timers.start(co.deadline, deadline)
	}
	return nil
}

// flagged begins (by 1) or ends (by -1) a wait with flags.
func (w *worker) flagged(t *Task, flags uint64, by int) {
	if flags&externalBit != 0 {
		w.externals += by
	}
	if flags&shieldedBit != 0 {
		t.shielded = by > 0
	}
}

// fireDeadline ends the wait of a task whose deadline passed.
func fireDeadline(tm *timer) { tm.task.interrupt(ErrTimeout) }

// interrupt ends the present wait of t with err, if there is one, and returns its
// generation. On t's worker only.
func (t *Task) interrupt(err error) (gen uint64, ok bool) {
	gen, ok = t.waiting()
	if !ok || !t.claim(gen) {
		return 0, false
	}
	t.outcome = err
	t.w.runq.push(t)
	return gen, true
}

// Yield lets every other task of the worker that is ready run first, and gives
// I/O and timers their turn. From a plain goroutine it is Gosched. It does
// not return if the task was killed: see Task.Kill.
func Yield() {
	co := current()
	if co == nil || co.task == nil {
		yieldGoroutine(co)
		return
	}
	t, w := co.task, co.w
	w.runq.push(t)
	if to := w.pick(); to != &co.party {
		leave(&co.party, to).Swap()
		if w.forward != nil {
			settle(w, &co.party)
		}
	}
	if t.interrupted {
		t.raisePending()
	}
}

// Sleep parks the calling task, or blocks the calling goroutine, for d; d <= 0
// is Yield. It does not return if the task is killed, or an enclosing
// WithTimeout expires: it unwinds the task then.
func Sleep(d time.Duration) {
	if d <= 0 {
		Yield()
		return
	}
	co := current()
	if co == nil {
		time.Sleep(d)
		return
	}
	if co.task == nil {
		panic("runtime: Sleep on the hub of a worker")
	}
	t := co.task
	w := Waiter{&t.waitCell, t.begin() | futureBit}
	if err := w.ParkUntil("sleep", Now().Add(d)); err != ErrTimeout {
		t.raise(err)
	}
}

// goroutineCells are the wait cells of plain goroutines. Cells are reused, and
// their generations make old Waiters harmless.
var goroutineCells = sync.Pool{New: func() any {
	return &goroutineCell{gate: make(chan struct{}, 1)}
}}

// park blocks the calling goroutine on its cell.
func (c *goroutineCell) park(gen uint64, deadline Instant) error {
	defer goroutineCells.Put(c)
	if deadline == 0 {
		<-c.gate
		return c.end()
	}
	timer := time.NewTimer(deadline.Sub(Now()))
	defer timer.Stop()
	select {
	case <-c.gate:
		return c.end()
	case <-timer.C:
	}
	if c.claim(gen) {
		_ = c.end()
		return ErrTimeout
	}
	<-c.gate // ended otherwise at the same instant
	return c.end()
}
