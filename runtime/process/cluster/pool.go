package cluster

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/process"
	"github.com/weft-go/weft/runtime/process/internal/far"
)

// All pools of a name have one stream. Its subjects:
//
//	weft.pool.NAME.job.POOL.GROUP   a job, until a worker has acknowledged it
//	weft.pool.NAME.result.POOL      its result, until its pool has acknowledged that
//
// and, not in the stream, weft.pool.NAME.cancel, by which workers hear which pool has ended.
// POOL is the number of one process.Pool. What nobody wants is not kept: when a pool is forgotten, so
// are its results.

func poolStream(name string) string { return "weft-pool-" + name }

func jobSubject(name, id, group string) string {
	return "weft.pool." + name + ".job." + id + "." + group
}

func resultSubject(name, id string) string { return "weft.pool." + name + ".result." + id }

func cancelSubject(name string) string { return "weft.pool." + name + ".cancel" }

// The headers of jobs and results.
const (
	headerFunc = "Weft-Func" // function of a job
	headerJob  = "Weft-Job"  // number of a job in its group; of a result: group.number
	headerKind = "Weft-Kind" // of a result

	kindResult   = "result"
	kindError    = "error"    // a RemoteError
	kindAttempts = "attempts" // an AttemptsError; the body is how many
)

// workersName is the consumer that all workers share; each pool's own has its number as name.
const workersName = "workers"

// window is how many messages of a pool may be on their way at once.
const window = 1024

// A pool is the far side of a process.Pool.
type pool struct {
	// immutable
	c       *Cluster
	name    string
	id      string
	stream  jetstream.Stream
	own     jetstream.Consumer // of the results
	workers *Workers           // nil: none are started here

	room chan struct{} // a token for each message on its way
	wake chan struct{} // of capacity 1: there is something in unsent, or the end
	over event.Event   // all is done and given up

	mu      sync.Mutex // held for a few instructions
	results jetstream.MessagesContext
	groups  map[string]*group
	byJobs  map[far.Jobs]*group
	unsent  []*group
	last    int
	closed  bool
	broken  error    // no job can be done any more
	ending  bool     // finish was called
	ended   bool     // results are of no use any more
	purges  []string // groups to be purged; the first one is being, by purgeAll

	purging sync.Mutex // held by purgeAll, in a goroutine
}

// openPool makes the far side of a process.Pool.
func (c *Cluster) openPool(name string, start far.Start) (_ *pool, err error) {
	stream, _, err := c.poolStreams(name)
	if err != nil {
		return nil, err
	}
	p := &pool{
		c: c, name: name, id: nuid.Next(), stream: stream,
		room: make(chan struct{}, window), wake: make(chan struct{}, 1),
		groups: make(map[string]*group), byJobs: make(map[far.Jobs]*group),
	}
	p.own, err = c.consumer(stream, jetstream.ConsumerConfig{
		Durable: p.id, FilterSubject: resultSubject(name, p.id), AckWait: c.config.Lease, InactiveThreshold: c.config.Forget,
	})
	if err == nil {
		err = p.listen()
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	if c.closed {
		err = ErrClosed
	} else {
		c.pools[p] = true
	}
	c.mu.Unlock()
	if start.Workers > 0 {
		p.workers = c.newWorkers(name, start, p.stop)
	}
	go p.hear()
	go p.sendAll()
	if p.workers != nil {
		err = errors.Join(err, p.workers.open()) // also of a closed Cluster: they can be waited for then
	}
	if err != nil {
		p.stop(err)
		return nil, errors.Join(err, p.over.Wait())
	}
	return p, nil
}

// poolStreams returns the stream of all pools of a name, and the consumer of all workers.
func (c *Cluster) poolStreams(name string) (jetstream.Stream, jetstream.Consumer, error) {
	s, err := c.stream(jetstream.StreamConfig{
		Name:      poolStream(name),
		Subjects:  []string{jobSubject(name, "*", "*"), resultSubject(name, "*")},
		Retention: jetstream.InterestPolicy,
	})
	if err != nil {
		return nil, nil, err
	}
	consumer, err := c.consumer(s, jetstream.ConsumerConfig{
		Durable: workersName, FilterSubject: jobSubject(name, "*", "*"), AckWait: c.config.Lease,
	})
	return s, consumer, err
}

// Submit takes jobs over.
func (p *pool) Submit(jobs far.Jobs) error {
	n := jobs.Len()
	for i := range n {
		if err := p.c.check(len(jobs.Arg(i)) + len(jobs.Func())); err != nil {
			return &process.EncodeError{What: "argument of " + jobs.Func(), Err: err}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return process.ErrPoolClosed
	}
	if p.broken != nil {
		return p.broken
	}
	p.last++
	g := &group{p: p, name: strconv.Itoa(p.last), jobs: jobs, settled: make([]bool, n), left: n}
	p.groups[g.name], p.byJobs[jobs] = g, g
	p.unsent = append(p.unsent, g)
	p.wakeLocked()
	return nil
}

func (p *pool) wakeLocked() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// sendAll is a goroutine that sends the jobs.
func (p *pool) sendAll() {
	for range p.wake {
		for {
			p.mu.Lock()
			if p.ending {
				p.mu.Unlock()
				return
			}
			if len(p.unsent) == 0 {
				p.mu.Unlock()
				break
			}
			g := p.unsent[0]
			p.unsent = p.unsent[1:]
			p.mu.Unlock()
			g.send()
		}
	}
}

// absent says why nobody takes the messages of a pool.
func (p *pool) absent() error {
	return p.c.absent(poolStream(p.name))
}

// absent returns process.ErrGone if there is no such stream. It blocks.
func (c *Cluster) absent(stream string) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	if _, err := c.js.Stream(ctx, stream); errors.Is(err, jetstream.ErrStreamNotFound) {
		return process.ErrGone
	}
	return nil
}

// listen begins to ask for results.
func (p *pool) listen() error {
	results, err := messages(p.own, window)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.results != nil {
		p.results.Stop()
	}
	if p.results = results; p.ended {
		results.Stop()
	}
	return nil
}

// hear is a goroutine that takes the results.
func (p *pool) hear() {
	for {
		p.mu.Lock()
		results := p.results
		p.mu.Unlock()
		msg, err := results.Next()
		switch {
		case err == nil:
			p.take(msg)
			_ = msg.Ack() // one that gets lost brings the result again
		case errors.Is(err, jetstream.ErrMsgIteratorClosed):
			return
		case p.c.lost(poolStream(p.name), p.id): // else no server can be reached, or one of them has not heard of us yet
			p.stop(ErrForgotten)
			return
		case !errors.Is(err, jetstream.ErrNoHeartbeat):
			if err := p.listen(); err != nil {
				p.stop(err)
				return
			}
		}
	}
}

// take takes a result.
func (p *pool) take(msg jetstream.Msg) {
	header := msg.Headers()
	name, number, ok := cutJob(header.Get(headerJob))
	if !ok {
		return
	}
	p.mu.Lock()
	g := p.groups[name]
	p.mu.Unlock()
	if g == nil {
		return // another worker was faster, or nobody waits for it
	}
	switch header.Get(headerKind) {
	case kindResult:
		g.settle(number, msg.Data(), nil)
	case kindAttempts:
		attempts, _ := strconv.Atoi(string(msg.Data()))
		g.settle(number, nil, &AttemptsError{Func: g.jobs.Func(), Attempts: attempts})
	default:
		g.settle(number, nil, far.DecodeError(msg.Data()))
	}
}

// cutJob takes the value of a result's headerJob apart.
func cutJob(s string) (group string, number int, ok bool) {
	group, digits, ok := strings.Cut(s, ".")
	number, err := strconv.Atoi(digits)
	return group, number, ok && err == nil
}

// Drop fails the jobs that are left.
func (p *pool) Drop(jobs far.Jobs, err error) {
	p.mu.Lock()
	g := p.byJobs[jobs]
	p.mu.Unlock()
	if g != nil {
		g.fail(err)
	}
}

// Close lets the pool end.
func (p *pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.endLocked()
}

// Terminate ends the pool.
func (p *pool) Terminate() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop(process.ErrTerminated)
}

// stop fails all jobs, now and later, and ends the pool. It does not wait.
func (p *pool) stop(err error) {
	p.mu.Lock()
	if p.broken != nil || p.ending {
		p.mu.Unlock()
		return
	}
	p.broken = err
	groups := make([]*group, 0, len(p.groups))
	for _, g := range p.groups {
		g.dropped = true
		groups = append(groups, g)
	}
	p.unsent = nil
	p.mu.Unlock()
	for _, g := range groups {
		for i := range g.settled {
			g.settle(i, nil, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endLocked()
}

// endLocked ends the pool if there is nothing left to do. mu is held.
func (p *pool) endLocked() {
	if p.ending || p.broken == nil && !p.closed || len(p.groups) > 0 {
		return
	}
	p.ending = true
	p.wakeLocked()
	broken := p.broken
	runtime.Default().Spawn(func() { p.finish(broken) })
}

// finish is a task that gives everything up.
func (p *pool) finish(broken error) {
	// Jobs that a worker still gets, since they were dropped a moment ago, are for nobody.
	p.c.tell(cancelSubject(p.name), []byte(p.id))
	if broken != nil {
		if p.workers != nil {
			p.workers.Terminate()
		}
		if broken != ErrClosed && broken != ErrForgotten {
			_ = runtime.Offload(func() { _ = p.purge("*") })
		}
	}
	_ = runtime.Offload(p.purgeAll)
	if p.workers != nil {
		p.workers.Close()
		_ = p.workers.Join()
	}
	p.mu.Lock()
	p.results.Stop()
	p.ended = true
	p.mu.Unlock()
	if broken != ErrForgotten {
		_ = runtime.Offload(p.forget)
	}
	p.c.mu.Lock()
	delete(p.c.pools, p)
	p.c.mu.Unlock()
	p.over.Set()
}

// forget makes the servers forget the pool. If it does not get through they do so after a while
// by themselves.
func (p *pool) forget() {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	_ = p.stream.DeleteConsumer(ctx, p.id)
}

// JoinUntil waits for the end of the pool.
func (p *pool) JoinUntil(deadline runtime.Instant) error {
	p.mu.Lock()
	running := !p.closed && p.broken == nil
	p.mu.Unlock()
	if running {
		return process.ErrRunning
	}
	return p.over.WaitUntil(deadline)
}

// Workers returns the workers that were started here.
func (p *pool) Workers() []far.Worker {
	if p.workers == nil {
		return nil
	}
	return p.workers.all()
}
