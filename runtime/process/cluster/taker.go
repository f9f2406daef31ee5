package cluster

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/process"
	taskqueue "github.com/weft-go/weft/runtime/queue"
)

// A getter waits for an item.
type getter struct{ item event.Result[jetstream.Msg] }

// Get takes the next item.
func (q *queue) Get(wait bool, deadline runtime.Instant) ([]byte, error) {
	if err := q.ended(); err != nil {
		return nil, err
	}
	me := currentHolder()
	if !q.spec.Joinable {
		q.acknowledge(q.leasesOf(me))
	}
	var msg jetstream.Msg
	var err error
	if wait {
		msg, err = q.await(deadline)
	} else {
		msg, err = q.tryGet()
	}
	if err != nil {
		return nil, err
	}
	q.hold(me, msg)
	return msg.Data(), nil
}

// await waits for an item.
func (q *queue) await(deadline runtime.Instant) (jetstream.Msg, error) {
	g := new(getter)
	q.mu.Lock()
	if q.end != nil {
		defer q.mu.Unlock()
		return nil, q.end
	}
	q.getters = append(q.getters, g)
	q.mu.Unlock()
	q.start()
	signal(q.wake)
	msg, err := g.item.GetUntil(deadline)
	if err != nil {
		q.mu.Lock()
		q.getters = slices.DeleteFunc(q.getters, func(other *getter) bool { return other == g })
		q.mu.Unlock()
		if late, lateErr := g.item.TryGet(); lateErr == nil {
			q.giveBack(late) // both at the same instant
		}
	}
	return msg, err
}

// signal puts a token into a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// waiting reports whether somebody waits for an item.
func (q *queue) waiting() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.getters) > 0
}

// tryGet takes an item if there is one.
func (q *queue) tryGet() (msg jetstream.Msg, err error) {
	// Shielded, so that an item that comes belongs to somebody.
	offloadErr := runtime.OffloadShielded(func() {
		var consumer jetstream.Consumer
		if consumer, err = q.takers(); err != nil {
			return
		}
		msg, err = askUntil(q.c, time.Now().Add(askPatience), func(ctx context.Context) (jetstream.Msg, error) {
			batch, err := consumer.FetchNoWait(1)
			if err != nil {
				return nil, err
			}
			for msg := range batch.Messages() {
				return msg, nil
			}
			if err := batch.Error(); err != nil {
				return nil, err
			}
			info, err := consumer.Info(ctx)
			if err == nil && info.NumPending > 0 {
				err = nats.ErrTimeout // there was no answer
			}
			return nil, err
		})
	})
	switch {
	case msg != nil:
		return msg, nil
	case err == nil:
		err = offloadErr
	}
	if err == nil {
		// Only now, as it is a request of its own.
		if info, infoErr := q.info(); infoErr != nil {
			err = infoErr
		} else if q.isClosed() && info.State.Msgs == 0 {
			err = taskqueue.ErrClosed
		} else {
			err = taskqueue.ErrEmpty
		}
	}
	return nil, q.c.goneIs(err)
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// takers returns the consumer of all that take items. It blocks.
func (q *queue) takers() (jetstream.Consumer, error) {
	s, err := askUntil(q.c, time.Now().Add(askPatience), q.streamOf)
	if err != nil {
		return nil, q.c.goneIs(err)
	}
	consumer, err := q.c.consumer(s, jetstream.ConsumerConfig{Durable: takersName, AckWait: q.c.config.Lease})
	if err != nil {
		return nil, q.c.goneIs(err)
	}
	q.mu.Lock()
	q.lease = leaseOf(consumer)
	q.mu.Unlock()
	return consumer, nil
}

// start starts the goroutines that serve those that wait.
func (q *queue) start() {
	q.once.Do(func() {
		q.mu.Lock()
		q.fetched = make(chan struct{})
		q.mu.Unlock()
		go q.fetch()
		go q.watch()
	})
}

// fetch is a goroutine that takes items for those that wait, as many as there are of these. When nobody
// waits any more its last request stays with the servers, and what they send is given back: an item that was
// sent and not heard of would be another one's only after a lease.
func (q *queue) fetch() {
	defer close(q.fetched)
	var messages jetstream.MessagesContext
	for {
		select {
		case <-q.stop:
			return
		case <-q.wake:
		}
		for q.waiting() || messages != nil && q.ended() != nil {
			if messages == nil {
				var err error
				if messages, err = q.iterate(); transient(err) {
					continue // it has waited
				} else if err != nil {
					q.failGetters(err)
					break
				}
			}
			msg, err := messages.Next()
			switch {
			case err == nil:
				q.hand(msg)
			case errors.Is(err, jetstream.ErrNoHeartbeat) && !q.c.lost(queueStream(q.name), takersName):
				signal(q.look)
			default: // this side has ended; or the consumer is gone, with the queue
				messages.Stop()
				messages = nil
				signal(q.look)
			}
		}
	}
}

// iterate begins to ask for items.
func (q *queue) iterate() (jetstream.MessagesContext, error) {
	consumer, err := q.takers()
	if err != nil {
		return nil, err
	}
	m, err := messages(consumer, 1)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asking = m
	if q.end != nil {
		m.Drain()
	}
	return m, nil
}

// hand gives an item to who waits for one.
func (q *queue) hand(msg jetstream.Msg) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.getters) == 0 {
		q.giveBack(msg)
		return
	}
	g := q.getters[0]
	q.getters = slices.Delete(q.getters, 0, 1)
	g.item.Set(msg)
}

// giveBack lets another one have an item, at once.
func (q *queue) giveBack(msg jetstream.Msg) { q.c.outbox.post(func() { _ = msg.Nak() }) }

// failGetters ends all waits for an item.
func (q *queue) failGetters(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, g := range q.getters {
		g.item.Fail(err)
	}
	q.getters = nil
}

// watch is a goroutine that hears what happens to the queue, and says so to those that wait for an
// item: that it is closed and empty, or gone.
func (q *queue) watch() {
	notes, err := q.c.nc.Subscribe(noteSubject(q.name), func(*nats.Msg) {
		q.room.Set()
		q.change.Set()
		signal(q.look)
	})
	if err == nil {
		defer func() { _ = notes.Unsubscribe() }()
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var looked time.Time
	for {
		noted := false
		select {
		case <-q.stop:
			return
		case <-tick.C:
		case <-q.look:
			noted = true
		}
		if !q.waiting() || !noted && !q.isClosed() && time.Since(looked) < lookSeldom {
			continue
		}
		looked = time.Now()
		info, err := q.info()
		switch {
		case errors.Is(err, process.ErrGone):
			q.failGetters(err)
		case err == nil && q.isClosed() && info.State.Msgs == 0:
			q.failGetters(taskqueue.ErrClosed)
		}
	}
}

// lookSeldom is how often a queue is looked at that is not known to be closed.
const lookSeldom = 2 * time.Second

// endWith ends this side of the queue. What me has taken is acknowledged, what others have is given
// back.
func (q *queue) endWith(err error, me holder) {
	q.acknowledge(q.leasesOf(me))
	q.mu.Lock()
	if q.end != nil {
		q.mu.Unlock()
		return
	}
	q.end = err
	left := q.leases
	q.leases = nil
	if q.asking != nil {
		q.asking.Drain() // what comes yet is given back
	}
	q.mu.Unlock()
	close(q.stop)
	for _, l := range left {
		q.giveBack(l.msg)
	}
	q.failGetters(err)
	q.room.Set()
	q.change.Set()
}

// drained waits until nothing will come any more, after endWith. It blocks, though not for long.
func (q *queue) drained() {
	q.mu.Lock()
	fetched := q.fetched
	q.mu.Unlock()
	if fetched != nil {
		select {
		case <-fetched:
		case <-time.After(drainPatience): // no server answers
		}
	}
}
