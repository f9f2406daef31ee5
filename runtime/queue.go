package runtime

import "sync/atomic"

// runQueue is a worker's own queue of tasks that are ready, first in first
// out, linked through Task.qnext: a task is in at most one queue, since each
// of its waits ends once.
type runQueue struct {
	head, tail *Task
}

func (q *runQueue) push(t *Task) {
	t.qnext = nil
	if q.tail == nil {
		q.head = t
	} else {
		q.tail.qnext = t
	}
	q.tail = t
}

func (q *runQueue) pop() *Task {
	t := q.head
	if t == nil {
		return nil
	}
	if q.head = t.qnext; q.head == nil {
		q.tail = nil
	}
	t.qnext = nil
	return t
}

// injector is the queue by which other threads hand tasks to a worker: a
// lock-free stack that its owner takes as a whole and reverses.
type injector struct {
	head atomic.Pointer[Task]
}

func (j *injector) push(t *Task) {
	for {
		head := j.head.Load()
		t.qnext = head
		if j.head.CompareAndSwap(head, t) {
			return
		}
	}
}

func (j *injector) empty() bool { return j.head.Load() == nil }

// drain moves everything to q, oldest first.
func (j *injector) drain(q *runQueue) {
	if j.empty() {
		return
	}
	var first *Task
	for t := j.head.Swap(nil); t != nil; {
		next := t.qnext
		t.qnext = first
		first = t
		t = next
	}
	for t := first; t != nil; {
		next := t.qnext
		q.push(t)
		t = next
	}
}
