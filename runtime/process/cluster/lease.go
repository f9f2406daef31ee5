package cluster

import (
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/petermattis/goid"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
)

// A holder is who has taken an item: a task, or a goroutine.
type holder struct {
	task      *runtime.Task
	goroutine int64
}

func currentHolder() holder {
	if t := runtime.Current(); t != nil {
		return holder{task: t}
	}
	return holder{goroutine: goid.Get()}
}

// A leased is an item that was taken and not acknowledged.
type leased struct {
	msg jetstream.Msg
	by  holder
}

// hold notes that an item was taken.
func (q *queue) hold(me holder, msg jetstream.Msg) {
	q.mu.Lock()
	if q.end != nil {
		q.mu.Unlock()
		q.giveBack(msg)
		return
	}
	beat := !q.beating
	q.beating = true
	q.leases = append(q.leases, &leased{msg, me})
	watch := me.task != nil && !q.watched[me.task]
	if watch {
		q.watched[me.task] = true
	}
	q.mu.Unlock()
	if beat {
		go q.beat()
	}
	if watch {
		me.task.OnDone(q.taskEnded)
	}
}

// beat is a goroutine that says which items are being held, as long as there are any.
func (q *queue) beat() {
	q.mu.Lock()
	every := beatEvery(q.lease)
	q.mu.Unlock()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-q.stop:
			return
		case <-tick.C:
		}
		q.mu.Lock()
		leases := slices.Clone(q.leases)
		q.beating = len(leases) > 0
		q.mu.Unlock()
		if len(leases) == 0 {
			return
		}
		for _, l := range leases {
			q.c.outbox.post(func() { _ = l.msg.InProgress() })
		}
	}
}

// leasesOf takes out the items that a holder has.
func (q *queue) leasesOf(by holder) (all []*leased) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leases = slices.DeleteFunc(q.leases, func(l *leased) bool {
		if l.by != by {
			return false
		}
		all = append(all, l)
		return true
	})
	return all
}

// acknowledge acknowledges items. An acknowledgement that gets lost makes the item come again.
func (q *queue) acknowledge(leases []*leased) {
	for _, l := range leases {
		q.c.outbox.post(func() { _ = l.msg.Ack() })
	}
	if len(leases) > 0 && q.spec.Max > 0 {
		q.note()
	}
}

// Settle acknowledges what the caller has taken, and waits until the servers know.
func (q *queue) Settle() error {
	if err := q.ended(); err != nil {
		return err
	}
	if q.spec.Joinable {
		return nil
	}
	for _, l := range q.leasesOf(currentHolder()) {
		if err := q.confirm(l); err != nil {
			return err
		}
	}
	return nil
}

// confirm acknowledges an item, and waits until the servers know.
func (q *queue) confirm(l *leased) error {
	err := order(q.c, l.msg.DoubleAck)
	if err == nil && (q.spec.Max > 0 || q.spec.Joinable) {
		q.note()
	}
	return err
}

// Done acknowledges the item that the caller took first, or else that which this process did.
func (q *queue) Done() error {
	if err := q.ended(); err != nil {
		return err
	}
	me := currentHolder()
	q.mu.Lock()
	i := slices.IndexFunc(q.leases, func(l *leased) bool { return l.by == me })
	if i < 0 {
		i = 0
	}
	if len(q.leases) == 0 {
		q.mu.Unlock()
		return lock.ErrOverRelease
	}
	l := q.leases[i]
	q.leases = slices.Delete(q.leases, i, i+1)
	q.mu.Unlock()
	return q.confirm(l)
}

// taskEnded is called at the end of a task that has taken something. What one that was killed, or
// panicked, has in hand is for others.
func (q *queue) taskEnded(t *runtime.Task) {
	q.mu.Lock()
	delete(q.watched, t)
	q.mu.Unlock()
	switch {
	case t.Failed():
		for _, l := range q.leasesOf(holder{task: t}) {
			q.giveBack(l.msg)
		}
	case !q.spec.Joinable:
		q.acknowledge(q.leasesOf(holder{task: t}))
	}
}
