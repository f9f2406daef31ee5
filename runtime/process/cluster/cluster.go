package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
	"github.com/weft-go/weft/runtime/process/internal/far"
)

// A Cluster is a connection to servers that keep jobs and items: see Open. Its methods may be
// called from any task or goroutine; those that return an error park until the servers have
// answered.
type Cluster struct {
	// immutable
	config   Config // with the defaults, and the URL of a server of our own
	nc       *nats.Conn
	js       jetstream.JetStream
	out      *publisher
	outbox   *outbox
	embedded *embedded // nil: the servers are others
	release  func()    // of the runtime, which can't see what will wake its tasks

	mu      sync.Mutex // held for a few instructions
	queues  map[string]*queue
	pools   map[*pool]bool
	workers map[*Workers]bool
	closed  bool // mu guards these
}

const (
	// openPatience is how long servers have to answer Open, and to answer a request later: a
	// cluster that elects a leader takes up to ten seconds.
	openPatience  = 30 * time.Second
	askPatience   = 30 * time.Second
	askTimeout    = 3 * time.Second
	absentPause   = 200 * time.Millisecond
	drainPatience = time.Second
	noJetStreamIn = time.Second // as this may be so while a server starts
)

// Open connects to the servers of config, or starts one in this process. It parks until one of
// them has answered. End with Close.
func Open(config Config) (*Cluster, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	return runtime.Await(func() (*Cluster, error) { return open(config, time.Now().Add(openPatience)) })
}

// open is Open of a complete config. It blocks.
func open(config Config, deadline time.Time) (_ *Cluster, err error) {
	c := &Cluster{
		config: config, release: func() {},
		queues: make(map[string]*queue), pools: make(map[*pool]bool), workers: make(map[*Workers]bool),
	}
	defer func() {
		if err != nil {
			c.shut()
		}
	}()
	if config.URL == "" {
		if c.embedded, err = startEmbedded(config.Dir); err != nil {
			return nil, err
		}
		c.config.URL, c.config.InMemory = c.embedded.url, config.Dir == ""
	}
	for {
		c.nc, err = nats.Connect(c.config.URL, c.config.options(c.onError)...)
		if err == nil {
			break
		}
		if !errors.Is(err, nats.ErrNoServers) && !errors.Is(err, nats.ErrTimeout) || !time.Now().Before(deadline) {
			return nil, err
		}
		time.Sleep(absentPause) // they may be about to start
	}
	if c.js, err = jetstream.New(c.nc); err != nil {
		return nil, err
	}
	if c.out, err = newPublisher(c.nc); err != nil {
		return nil, err
	}
	c.outbox = newOutbox()
	began := time.Now()
	_, err = askUntil(c, deadline, func(ctx context.Context) (*jetstream.AccountInfo, error) {
		info, err := c.js.AccountInfo(ctx)
		if errors.Is(err, jetstream.ErrJetStreamNotEnabled) && time.Since(began) < noJetStreamIn {
			err = nats.ErrNoResponders
		}
		return info, err
	})
	if err != nil {
		return nil, err
	}
	c.release = runtime.Hold()
	opened.add(c)
	return c, nil
}

// onError is called with errors of the connection that belong to no call. A message that was not
// allowed is answered by nothing else.
func (c *Cluster) onError(err error) {
	if errors.Is(err, nats.ErrPermissionViolation) && c.out != nil {
		c.out.forbidden(err)
	}
}

// URL returns where the servers are, for other programs to Open: of the server in this process,
// too. There is a password in it.
func (c *Cluster) URL() string { return c.config.URL }

// Close ends the connection, and the server that Open has started. Pools and Workers that have not
// ended are terminated, their jobs fail with ErrClosed. Items that were taken and not acknowledged
// go to others, but for those that the calling task has: see process.Queue.Get in the package's doc.
// A second Close does nothing.
func (c *Cluster) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	queues := slices.Collect(maps.Values(c.queues))
	pools := slices.Collect(maps.Keys(c.pools))
	workers := slices.Collect(maps.Keys(c.workers))
	c.mu.Unlock()
	opened.remove(c)
	for _, p := range pools {
		p.stop(ErrClosed)
	}
	for _, w := range workers {
		w.Terminate()
	}
	me := currentHolder()
	for _, q := range queues {
		q.endWith(ErrClosed, me)
	}
	var err error
	for _, p := range pools {
		err = errors.Join(err, p.over.Wait())
	}
	for _, w := range workers {
		err = errors.Join(err, w.Join())
	}
	return errors.Join(err, runtime.OffloadShielded(func() {
		for _, q := range queues {
			q.drained()
		}
		c.shut()
	}))
}

// shut gives up what open has opened. It blocks.
func (c *Cluster) shut() {
	if c.outbox != nil {
		c.outbox.end()
	}
	if c.out != nil {
		c.out.close()
	}
	if c.nc != nil {
		if c.nc.IsConnected() {
			_ = c.nc.FlushTimeout(dialTimeout) // acknowledgements; what is not sent will come again
		}
		c.nc.Close()
	}
	if c.embedded != nil {
		c.embedded.stop()
	}
	c.release()
}

// publish sends a message, from anywhere.
func (c *Cluster) publish(m *publication) {
	if !c.outbox.post(func() { c.out.send(m) }) {
		m.then(ErrClosed)
	}
}

// tell says something to whoever hears it, if anybody does.
func (c *Cluster) tell(subject string, data []byte) {
	c.outbox.post(func() { _ = c.nc.Publish(subject, data) })
}

// check returns an error if a message of so many bytes is too large.
func (c *Cluster) check(size int) error {
	// The header counts, too.
	const header = 512
	if most := c.nc.MaxPayload(); int64(size)+header > most {
		return &SizeError{Size: int64(size), Max: most - header}
	}
	return nil
}

// ask makes a request of the servers, until it is answered. It parks, or blocks a goroutine.
func ask[T any](c *Cluster, fn func(ctx context.Context) (T, error)) (T, error) {
	return runtime.Await(func() (T, error) { return askUntil(c, time.Now().Add(askPatience), fn) })
}

// askUntil is ask that blocks.
func askUntil[T any](c *Cluster, deadline time.Time, fn func(ctx context.Context) (T, error)) (T, error) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
		v, err := fn(ctx)
		cancel()
		if c.nc.IsClosed() {
			return v, ErrClosed
		}
		if err == nil || !transient(err) || !time.Now().Before(deadline) {
			return v, err
		}
		time.Sleep(absentPause)
	}
}

// order is ask for requests without an answer.
func order(c *Cluster, fn func(ctx context.Context) error) error {
	_, err := ask(c, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) })
	return err
}

// Pool is an option of process.NewPool: the pool's jobs go to the cluster, where this pool's
// workers do them and those of all other pools of that name, and all Workers. It panics if the
// name has anything but letters, digits, - and _.
func (c *Cluster) Pool(name string) process.PoolOption { return c.option(name, true) }

// Remote is Pool, but no workers are started here: jobs wait until there are others. The number that
// NewPool is given is of no matter then.
func (c *Cluster) Remote(name string) process.PoolOption { return c.option(name, false) }

func (c *Cluster) option(name string, workers bool) process.PoolOption {
	checkName(name)
	return far.PoolOption(func(s far.Start) (far.Pool, error) {
		if !workers {
			s.Workers = 0
		}
		return c.openPool(name, s)
	}).(process.PoolOption)
}

// Queue is the place of the queue of that name, for process.NewQueue, NewSimpleQueue and
// NewJoinable: these make it, or return the one there is, if that has the same bound, kind and type
// of items; else their error is ErrOtherQueue. It stays until Remove. Other objects have no place
// in a cluster: process.ErrQueuesOnly. Queue panics if the name has anything but letters, digits, -
// and _.
func (c *Cluster) Queue(name string) process.Place {
	checkName(name)
	return far.Place(func(s far.Spec) (far.Queue, error) { return c.openQueue(name, s) }).(process.Place)
}

// RemovePool makes the servers forget all there is of a pool: jobs that are left will not be done,
// and pools of that name, everywhere, must have ended before.
func (c *Cluster) RemovePool(name string) error {
	checkName(name)
	err := order(c, func(ctx context.Context) error { return c.js.DeleteStream(ctx, poolStream(name)) })
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	return err
}

// clusters are those that are open in this process, the oldest first.
type clusters struct {
	mu   sync.Mutex // held for a few instructions
	list []*Cluster
}

var opened clusters

func (all *clusters) add(c *Cluster) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.list = append(all.list, c)
}

func (all *clusters) remove(c *Cluster) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.list = slices.DeleteFunc(all.list, func(other *Cluster) bool { return other == c })
}

// find returns the one whose servers have that key; or the only one there is.
func (all *clusters) find(key string) *Cluster {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, c := range all.list {
		if c.key() == key {
			return c
		}
	}
	if len(all.list) == 1 {
		return all.list[0]
	}
	return nil
}

// key is by what handles of queues say which cluster it is.
func (c *Cluster) key() string {
	if name := c.nc.ConnectedClusterName(); name != "" {
		return name
	}
	return c.nc.ConnectedServerName()
}
