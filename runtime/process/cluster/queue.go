package cluster

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/process"
	"github.com/weft-go/weft/runtime/process/internal/far"
	taskqueue "github.com/weft-go/weft/runtime/queue"
)

// A queue has a stream, from which an item is removed when it is acknowledged, and one consumer,
// which all that take share. Its subject is weft.queue.NAME. Closing takes the subject away from the
// stream: what was acknowledged before is in the queue, and nothing that comes later.
//
// What those who wait should know of, they are told by a message to weft.queue.NAME.note, which is in
// no stream and may get lost: so they look for themselves every now and then, too.

func queueStream(name string) string   { return "weft-queue-" + name }
func queueSubject(name string) string  { return "weft.queue." + name }
func noteSubject(name string) string   { return "weft.queue." + name + ".note" }
func closedSubject(name string) string { return "weft.queue." + name + ".closed" }

// What a stream's metadata say of its queue.
const (
	metaItem     = "weft.item"
	metaJoinable = "weft.joinable"
	metaClosed   = "weft.closed"
)

const takersName = "takers"

// lookEvery is how often one who waits looks for what it may not have heard of.
const lookEvery = 250 * time.Millisecond

// A queue is the far side of a process.Queue. All handles of one process share it.
type queue struct {
	// immutable
	c    *Cluster
	name string
	spec far.Spec

	full   atomic.Bool // it was, when somebody here last put
	turn   lock.Mutex  // held by who waits for room
	room   event.Event // there may be room
	change event.Event // some items may be done
	once   sync.Once   // start

	wake chan struct{} // for fetch, of capacity 1: somebody waits for an item
	look chan struct{} // for watch, likewise: something may have happened
	stop chan struct{} // closed at the end of this side

	mu      sync.Mutex // held for a few instructions
	stream  jetstream.Stream
	getters []*getter                 // in the order they came
	asking  jetstream.MessagesContext // fetch's
	fetched chan struct{}             // closed at the end of fetch; nil if that was not started
	leases  []*leased                 // in the order they were taken
	lease   time.Duration
	beating bool                   // beat runs
	watched map[*runtime.Task]bool // tasks whose end we will hear of
	closed  bool                   // the queue is
	end     error                  // this side has ended; what to return
}

// newQueue makes a queue without I/O. c.mu is held.
func newQueue(c *Cluster, name string, spec far.Spec) *queue {
	q := &queue{
		c: c, name: name, spec: spec, lease: c.config.Lease, watched: make(map[*runtime.Task]bool),
		wake: make(chan struct{}, 1), look: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	c.queues[name] = q
	return q
}

// openQueue makes a queue, or finds it.
func (c *Cluster) openQueue(name string, spec far.Spec) (far.Queue, error) {
	config := jetstream.StreamConfig{
		Name:      queueStream(name),
		Subjects:  []string{queueSubject(name)},
		Retention: jetstream.WorkQueuePolicy,
		Discard:   jetstream.DiscardNew,
		MaxMsgs:   int64(spec.Max),
		Metadata:  map[string]string{metaItem: spec.Item, metaJoinable: strconv.FormatBool(spec.Joinable)},
	}
	if spec.Max == 0 {
		config.MaxMsgs = -1
	}
	s, err := c.stream(config)
	if err != nil {
		return nil, err
	}
	info := s.CachedInfo()
	if info.Config.MaxMsgs != config.MaxMsgs || info.Config.Metadata[metaItem] != spec.Item ||
		info.Config.Metadata[metaJoinable] != config.Metadata[metaJoinable] {
		return nil, ErrOtherQueue
	}
	return c.queueOf(name, spec)
}

// queueOf returns what all handles of this process share.
func (c *Cluster) queueOf(name string, spec far.Spec) (*queue, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch q := c.queues[name]; {
	case c.closed:
		return nil, ErrClosed
	case q == nil:
		return newQueue(c, name, spec), nil
	case q.spec != spec:
		return nil, ErrOtherQueue // it was removed and made anew; this process has a handle of the old one
	default:
		return q, nil
	}
}

// info asks for the state of the queue. The error is process.ErrGone if there is no such queue.
func (q *queue) info() (*jetstream.StreamInfo, error) {
	if err := q.ended(); err != nil {
		return nil, err
	}
	info, err := ask(q.c, func(ctx context.Context) (*jetstream.StreamInfo, error) {
		s, err := q.streamOf(ctx)
		if err != nil {
			return nil, err
		}
		return s.Info(ctx)
	})
	if err == nil {
		q.mu.Lock()
		q.closed = info.Config.Metadata[metaClosed] != "" // or no longer: removed by others, and made anew
		q.mu.Unlock()
	}
	return info, q.c.goneIs(err)
}

// goneIs translates the errors by which servers say that something does not exist.
func (c *Cluster) goneIs(err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound) {
		return process.ErrGone
	}
	return err
}

func (q *queue) streamOf(ctx context.Context) (jetstream.Stream, error) {
	q.mu.Lock()
	s := q.stream
	q.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := q.c.js.Stream(ctx, queueStream(q.name))
	if err == nil {
		q.mu.Lock()
		q.stream = s
		q.mu.Unlock()
	}
	return s, err
}

// ended returns the error of calls after the end of this side.
func (q *queue) ended() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.end
}

// Put adds an item.
func (q *queue) Put(item []byte, wait bool, deadline runtime.Instant) error {
	if err := q.ended(); err != nil {
		return err
	}
	if err := q.c.check(len(item)); err != nil {
		return &process.EncodeError{What: "item", Err: err}
	}
	if q.spec.Max == 0 || !q.full.Load() || !wait {
		err := q.putOnce(item, deadline)
		if !errors.Is(err, taskqueue.ErrFull) || !wait {
			return err
		}
	}
	// Those that wait for room try one after the other.
	if err := q.turn.LockUntil(deadline); err != nil {
		return err
	}
	defer q.turn.Unlock()
	q.start()
	for {
		q.room.Clear()
		err := q.putOnce(item, deadline)
		if !errors.Is(err, taskqueue.ErrFull) {
			return err
		}
		if err := waitOrLook(&q.room, deadline); err != nil {
			return err
		}
	}
}

// waitOrLook waits for an event, or until it is time to look. The error is that of an interrupt, or
// of the deadline.
func waitOrLook(e *event.Event, deadline runtime.Instant) error {
	look := runtime.Now().Add(lookEvery)
	last := deadline != 0 && deadline < look
	if last {
		look = deadline
	}
	err := e.WaitUntil(look)
	if err == runtime.ErrTimeout && !last { // a *runtime.Timeout is an interrupt
		return nil
	}
	return err
}

// putOnce adds an item if there is room.
func (q *queue) putOnce(item []byte, deadline runtime.Instant) error {
	var done event.Result[struct{}]
	q.c.publish(&publication{
		subject: queueSubject(q.name),
		id:      nuid.Next(),
		data:    item,
		then: func(err error) {
			if err != nil {
				done.Fail(err)
			} else {
				done.Set(struct{}{})
			}
		},
		absent: q.absent,
	})
	_, err := done.GetUntil(deadline)
	var refused *jetstream.APIError
	if q.spec.Max > 0 && errors.As(err, &refused) && refused.ErrorCode == codeStoreFailed {
		// The servers have this number for all that keeps an item from being stored, but for one that
		// there are no resources for. A full queue is what we know of.
		err = taskqueue.ErrFull
	}
	q.full.Store(err == taskqueue.ErrFull)
	return err
}

// absent says why no stream takes an item. It blocks.
func (q *queue) absent() error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	s, err := q.c.js.Stream(ctx, queueStream(q.name))
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return process.ErrGone
	case err == nil && s.CachedInfo().Config.Metadata[metaClosed] != "":
		return taskqueue.ErrClosed
	}
	return nil
}

// Len returns the number of items that are not acknowledged, but for those that this process has. Which
// others are being held, and which will be given to another one, the servers don't say.
func (q *queue) Len() (int, error) {
	n, err := q.Unfinished()
	q.mu.Lock()
	defer q.mu.Unlock()
	return max(n-len(q.leases), 0), err
}

// Unfinished returns the number of items that were not acknowledged.
func (q *queue) Unfinished() (int, error) {
	info, err := q.info()
	if err != nil {
		return 0, err
	}
	return int(info.State.Msgs), nil
}

// JoinUntil waits until all items are acknowledged.
func (q *queue) JoinUntil(deadline runtime.Instant) error {
	q.start()
	for {
		q.change.Clear()
		n, err := q.Unfinished()
		if err != nil || n == 0 {
			return err
		}
		if err := waitOrLook(&q.change, deadline); err != nil {
			return err
		}
	}
}

// Close closes the queue.
func (q *queue) Close() error {
	err := order(q.c, func(ctx context.Context) error {
		s, err := q.c.js.Stream(ctx, queueStream(q.name))
		if err != nil {
			return err
		}
		config := s.CachedInfo().Config
		if config.Metadata[metaClosed] != "" {
			return taskqueue.ErrClosed
		}
		config.Subjects = []string{closedSubject(q.name)}
		config.Metadata[metaClosed] = "true"
		_, err = q.c.js.UpdateStream(ctx, config)
		return err
	})
	if err == nil {
		q.note()
	}
	return q.c.goneIs(err)
}

// Remove ends the queue.
func (q *queue) Remove() error {
	err := q.c.goneIs(order(q.c, func(ctx context.Context) error { return q.c.js.DeleteStream(ctx, queueStream(q.name)) }))
	if err == nil {
		q.note()
	}
	q.c.mu.Lock()
	if q.c.queues[q.name] == q {
		delete(q.c.queues, q.name)
	}
	q.c.mu.Unlock()
	q.endWith(process.ErrGone, holder{})
	return err
}

// note tells those that wait to look.
func (q *queue) note() { q.c.tell(noteSubject(q.name), nil) }
