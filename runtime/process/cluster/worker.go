package cluster

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/process"
	"github.com/weft-go/weft/runtime/process/internal/far"
)

// A workerStart is what a worker process is told.
type workerStart struct {
	Config Config
	Pool   string
	Start  far.Start

	Ready *process.Sender[readiness] // gets one message
	Stop  *process.Receiver[bool]    // its end says: end after the job at hand
}

// A readiness says how an initializer has ended.
type readiness struct {
	Err []byte // a RemoteError, or empty
}

// work is the function of a worker process.
var work = process.Register("weft cluster worker", func(start workerStart) (struct{}, error) {
	if err := far.Initialise(start.Start); err != nil {
		return struct{}{}, start.Ready.Send(readiness{Err: far.EncodeError(err)})
	}
	// It is no fault of the worker's if no server can be reached now.
	c, err := Open(start.Config)
	for err != nil {
		runtime.Sleep(time.Second)
		c, err = Open(start.Config)
	}
	_, consumer, err := c.poolStreams(start.Pool)
	if err != nil {
		return struct{}{}, err
	}
	w := &worker{c: c, pool: start.Pool, lease: leaseOf(consumer), jobsLeft: start.Start.JobsEach, seen: make(map[string]time.Time)}
	if err := w.open(consumer); err != nil {
		return struct{}{}, err
	}
	if err := start.Ready.Send(readiness{}); err != nil {
		return struct{}{}, err
	}
	runtime.Spawn(func() {
		if _, err := start.Stop.Recv(); errors.Is(err, io.EOF) {
			w.stop()
		}
	})
	go w.serve()
	if err := w.over.Wait(); err != nil {
		return struct{}{}, err
	}
	return struct{}{}, c.Close()
})

// A worker does jobs, one at a time. Its process does nothing else.
type worker struct {
	// immutable
	c        *Cluster
	pool     string
	lease    time.Duration
	messages jetstream.MessagesContext
	cancel   *nats.Subscription
	over     event.Event // it has ended

	// serve's
	jobsLeft int                  // until it ends; 0: no limit
	seen     map[string]time.Time // when a pool was last known to be there

	sending sync.WaitGroup // results on their way

	mu       sync.Mutex // held for a few instructions
	held     map[jetstream.Msg]bool
	task     *runtime.Task // of the job at hand, and its pool
	taskFor  string
	canceled map[string]bool // pools that have ended
	stopped  bool            // mu guards these
}

// mostPools is of how many pools a worker remembers something.
const mostPools = 1000

func (w *worker) open(consumer jetstream.Consumer) (err error) {
	w.held, w.canceled = make(map[jetstream.Msg]bool), make(map[string]bool)
	if w.cancel, err = w.c.nc.Subscribe(cancelSubject(w.pool), w.hearCancel); err != nil {
		return err
	}
	// One at a time: a worker that dies takes no other jobs with it, and their attempts.
	w.messages, err = messages(consumer, 1)
	return err
}

// stop makes the worker end after the job at hand.
func (w *worker) stop() {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.messages.Drain()
}

// serve is a goroutine that takes jobs.
func (w *worker) serve() {
	stopBeating := make(chan struct{})
	go w.beat(stopBeating)
	for {
		msg, err := w.messages.Next()
		switch {
		case err == nil:
			w.take(msg)
			continue
		case errors.Is(err, jetstream.ErrNoHeartbeat) && !w.c.lost(poolStream(w.pool), workersName):
			continue
		}
		// It was told to stop, and nothing will come any more. Or the pool was removed; the worker's
		// replacement makes it anew.
		w.messages.Stop()
		break
	}
	w.sending.Wait()
	close(stopBeating)
	_ = w.cancel.Unsubscribe()
	w.over.Set()
}

// beat is a goroutine that says which jobs the worker has, also while one of them keeps all
// its threads busy.
func (w *worker) beat(stop chan struct{}) {
	tick := time.NewTicker(beatEvery(w.lease))
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		w.mu.Lock()
		for msg := range w.held {
			w.c.outbox.post(func() { _ = msg.InProgress() })
		}
		w.mu.Unlock()
	}
}

// take does a job.
func (w *worker) take(msg jetstream.Msg) {
	w.mu.Lock()
	stopped := w.stopped
	if !stopped {
		w.held[msg] = true
	}
	w.mu.Unlock()
	if stopped {
		w.release(msg, jetstream.Msg.Nak)
		return
	}
	id, group, ok := jobOf(msg.Subject())
	meta, err := msg.Metadata()
	if !ok || err != nil || !w.wanted(id) {
		w.release(msg, jetstream.Msg.Term)
		return
	}
	job := group + "." + msg.Headers().Get(headerJob)
	if attempts := int(meta.NumDelivered) - 1; attempts >= w.c.config.Attempts {
		w.answer(msg, id, job, kindAttempts, []byte(strconv.Itoa(attempts)))
		return
	}
	result, err, canceled := w.run(msg, id)
	switch {
	case canceled:
		w.release(msg, jetstream.Msg.Term)
	case err != nil:
		w.answer(msg, id, job, kindError, far.EncodeError(err))
	default:
		w.answer(msg, id, job, kindResult, result)
	}
	if w.jobsLeft > 0 {
		if w.jobsLeft--; w.jobsLeft == 0 {
			w.stop()
		}
	}
}

// jobOf takes the subject of a job apart.
func jobOf(subject string) (id, group string, ok bool) {
	parts := strings.Split(subject, ".")
	if len(parts) != 6 {
		return "", "", false
	}
	return parts[4], parts[5], true
}

// wanted reports whether somebody waits for the results of a pool's jobs. It asks now and then.
func (w *worker) wanted(id string) bool {
	if at, ok := w.seen[id]; ok && time.Since(at) < w.c.config.Forget/2 {
		return true
	}
	_, err := askUntil(w.c, time.Now().Add(endPatience), func(ctx context.Context) (jetstream.Consumer, error) {
		return w.c.js.Consumer(ctx, poolStream(w.pool), id)
	})
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		delete(w.seen, id)
		return false
	}
	if len(w.seen) == mostPools {
		clear(w.seen)
	}
	w.seen[id] = time.Now()
	return true
}

// run calls the function of a job, in a task of its own. It blocks until that has ended.
func (w *worker) run(msg jetstream.Msg, id string) (result []byte, err error, canceled bool) {
	name := msg.Headers().Get(headerFunc)
	err = runtime.ErrGoexit // if the function does not return
	task := runtime.NewTask(func() { result, err = far.Call(name, msg.Data()) })
	w.mu.Lock()
	if w.canceled[id] {
		w.mu.Unlock()
		return nil, nil, true
	}
	w.task, w.taskFor = task, id
	w.mu.Unlock()
	task.Start()
	_ = task.Join()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.task = nil
	return result, err, w.canceled[id]
}

// hearCancel is called when a pool has ended.
func (w *worker) hearCancel(msg *nats.Msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.canceled) == mostPools {
		clear(w.canceled)
	}
	w.canceled[string(msg.Data)] = true
	if w.task != nil && w.taskFor == string(msg.Data) {
		w.task.Kill(process.ErrTerminated)
	}
}

// answer sends a result, and acknowledges the job when the servers have that.
func (w *worker) answer(msg jetstream.Msg, id, job, kind string, body []byte) {
	if err := w.c.check(len(body)); err != nil {
		kind, body = kindError, far.EncodeError(&process.EncodeError{What: "result of " + msg.Headers().Get(headerFunc), Err: err})
	}
	w.sending.Add(1)
	w.c.publish(&publication{
		subject: resultSubject(w.pool, id),
		id:      "result." + id + "." + job,
		header:  nats.Header{headerJob: {job}, headerKind: {kind}},
		data:    body,
		then: func(err error) {
			if err == nil {
				w.release(msg, jetstream.Msg.Ack)
			} else {
				w.release(msg, jetstream.Msg.Nak)
			}
			w.sending.Done()
		},
		absent: func() error { return w.c.absent(poolStream(w.pool)) },
	})
}

// release gives a job back, in some way.
func (w *worker) release(msg jetstream.Msg, how func(jetstream.Msg) error) {
	w.mu.Lock()
	delete(w.held, msg)
	w.mu.Unlock()
	w.c.outbox.post(func() { _ = how(msg) })
}
