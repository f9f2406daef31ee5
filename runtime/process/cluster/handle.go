package cluster

import (
	"encoding/json"
	"errors"
	"sync"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process/internal/far"
)

// ErrNoCluster is returned by calls on a handle of a queue that was received by a process which has no
// Cluster open, or several, none of which is known to be the right one.
var ErrNoCluster = errors.New("cluster: a queue of a cluster to which this process has no connection")

// A handle is what a queue is sent as.
type handle struct {
	Cluster string
	Name    string
	Spec    far.Spec
}

// Handle is what MarshalBinary of the process.Queue needs.
func (q *queue) Handle() []byte {
	return handle{Cluster: q.c.key(), Name: q.name, Spec: q.spec}.encode()
}

func (h handle) encode() []byte {
	b, _ := json.Marshal(h) // strings and numbers
	return b
}

// A reference is a queue that was received. It is looked for when it is first used: the process may
// have no connection yet.
type reference struct {
	handle handle

	mu sync.Mutex // held for a few instructions
	q  *queue     // mu guards it
}

func init() {
	far.OpenQueue = func(b []byte) (far.Queue, error) {
		r := new(reference)
		return r, json.Unmarshal(b, &r.handle)
	}
}

func (r *reference) queue() (*queue, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.q != nil {
		return r.q, nil
	}
	c := opened.find(r.handle.Cluster)
	if c == nil {
		return nil, ErrNoCluster
	}
	var err error
	r.q, err = c.queueOf(r.handle.Name, r.handle.Spec)
	return r.q, err
}

func (r *reference) Handle() []byte { return r.handle.encode() }

func (r *reference) Put(item []byte, wait bool, deadline runtime.Instant) error {
	return r.do(func(q *queue) error { return q.Put(item, wait, deadline) })
}

func (r *reference) Get(wait bool, deadline runtime.Instant) (item []byte, err error) {
	err = r.do(func(q *queue) error {
		item, err = q.Get(wait, deadline)
		return err
	})
	return item, err
}

func (r *reference) Len() (n int, err error) {
	err = r.do(func(q *queue) error {
		n, err = q.Len()
		return err
	})
	return n, err
}

func (r *reference) Unfinished() (n int, err error) {
	err = r.do(func(q *queue) error {
		n, err = q.Unfinished()
		return err
	})
	return n, err
}

func (r *reference) JoinUntil(deadline runtime.Instant) error {
	return r.do(func(q *queue) error { return q.JoinUntil(deadline) })
}

func (r *reference) Settle() error { return r.do((*queue).Settle) }
func (r *reference) Done() error   { return r.do((*queue).Done) }
func (r *reference) Close() error  { return r.do((*queue).Close) }
func (r *reference) Remove() error { return r.do((*queue).Remove) }

func (r *reference) do(fn func(*queue) error) error {
	q, err := r.queue()
	if err != nil {
		return err
	}
	return fn(q)
}
