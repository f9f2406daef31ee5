package cluster

import "sync"

// An outbox calls functions one after the other in a goroutine: whatever writes to the
// connection may have to wait for the network, which tasks must not.
type outbox struct {
	mu    sync.Mutex // held for a few instructions
	list  []func()   // mu guards this and the rest
	ended bool
	wake  chan struct{} // something is in the list; of capacity 1
	done  chan struct{} // the goroutine has ended
}

func newOutbox() *outbox {
	o := &outbox{wake: make(chan struct{}, 1), done: make(chan struct{})}
	go o.run()
	return o
}

// post makes fn be called. It does not wait. After end it reports false.
func (o *outbox) post(fn func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return false
	}
	o.list = append(o.list, fn)
	o.wakeLocked()
	return true
}

func (o *outbox) wakeLocked() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) run() {
	defer close(o.done)
	for range o.wake {
		o.mu.Lock()
		list, ended := o.list, o.ended
		o.list = nil
		o.mu.Unlock()
		for _, fn := range list {
			fn()
		}
		if ended {
			return
		}
	}
}

// end waits until all that was posted is done. It blocks.
func (o *outbox) end() {
	o.mu.Lock()
	o.ended = true
	o.wakeLocked()
	o.mu.Unlock()
	<-o.done
}
