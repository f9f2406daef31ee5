package http

import (
	"container/list"
	"context"
	"net/http/httptrace"
	"slices"
	"time"

	"github.com/weft-go/weft/runtime"
)

// A host is what is known of the connections with one key. Transport.mu guards it.
type host struct {
	idle    []*clientConn // the last one is taken first
	total   int           // connections in any state, and dials
	waiters []*waiter
}

// A waiter is a request that waits because there are too many connections.
type waiter struct {
	w runtime.Waiter
	// What it gets, before w is ready: a connection, or the right to dial.
	conn *clientConn
	dial bool
}

// acquire returns a connection for the caller alone.
func (t *Transport) acquire(ctx context.Context, r *route, trace *httptrace.ClientTrace) (*clientConn, error) {
	if trace.GetConn != nil {
		trace.GetConn(r.address)
	}
	key := r.key()
	c, err := t.take(ctx, key)
	if err != nil {
		return nil, err
	}
	if c == nil {
		if c, err = t.dialConn(ctx, r, key, trace); err != nil {
			return nil, err
		}
	}
	if trace.GotConn != nil {
		info := httptrace.GotConnInfo{Conn: c.conn, Reused: c.reused, WasIdle: c.reused}
		if c.reused {
			info.IdleTime = time.Since(c.since)
		}
		trace.GotConn(info)
	}
	return c, nil
}

// dialConn dials, with the right of take to do so.
func (t *Transport) dialConn(ctx context.Context, r *route, key hostKey, trace *httptrace.ClientTrace) (c *clientConn, err error) {
	defer func() {
		if c == nil {
			t.gone(key)
		}
	}()
	return t.connect(ctx, r, key, trace)
}

// take returns an idle connection, or nil and the right to dial one.
func (t *Transport) take(ctx context.Context, key hostKey) (*clientConn, error) {
	for {
		c, wait := t.takeNow(key)
		if wait != nil {
			var err error
			if c, err = t.await(ctx, key, wait); err != nil {
				return nil, err
			}
		}
		if c == nil || c.alive() {
			return c, nil
		}
		c.close()
	}
}

func (t *Transport) takeNow(key hostKey) (*clientConn, *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shut = false
	h := t.hosts[key]
	if h == nil {
		if t.hosts == nil {
			t.hosts = make(map[hostKey]*host)
		}
		h = new(host)
		t.hosts[key] = h
	}
	if n := len(h.idle); n > 0 {
		c := h.idle[n-1]
		t.unlist(c)
		return c, nil
	}
	if t.MaxConnsPerHost > 0 && h.total >= t.MaxConnsPerHost {
		w := &waiter{w: runtime.NewWaiter()}
		h.waiters = append(h.waiters, w)
		return nil, w
	}
	h.total++
	return nil, nil
}

// await waits for its turn.
func (t *Transport) await(ctx context.Context, key hostKey, wait *waiter) (c *clientConn, err error) {
	done := false
	defer func() { // Park may unwind
		if done {
			return
		}
		t.mu.Lock()
		h := t.hosts[key]
		h.waiters = slices.DeleteFunc(h.waiters, func(w *waiter) bool { return w == wait })
		c, dial := wait.conn, wait.dial
		t.mu.Unlock()
		switch {
		case c != nil:
			t.put(c)
		case dial:
			t.gone(key)
		}
	}()
	w := wait.w
	if ctx.Done() != nil {
		w = w.External()
		defer context.AfterFunc(ctx, func() { wait.w.Ready() })()
	}
	if err := w.Park("connection to " + key.address); err != nil {
		return nil, err
	}
	t.mu.Lock()
	c, done = wait.conn, wait.conn != nil || wait.dial
	t.mu.Unlock()
	if !done {
		return nil, context.Cause(ctx)
	}
	return c, nil
}

// put gives back a connection that can be used again, or closes it.
func (t *Transport) put(c *clientConn) {
	t.mu.Lock()
	h := t.hosts[c.key]
	for len(h.waiters) > 0 {
		w := h.waiters[0]
		h.waiters = h.waiters[1:]
		w.conn = c
		if w.w.Ready() {
			t.mu.Unlock()
			return
		}
		w.conn = nil
	}
	perHost := t.MaxIdleConnsPerHost
	if perHost == 0 {
		perHost = DefaultMaxIdleConnsPerHost
	}
	if t.shut || t.DisableKeepAlives || len(h.idle) >= perHost {
		t.mu.Unlock()
		c.close()
		return
	}
	c.since = time.Now()
	h.idle = append(h.idle, c)
	c.place = t.idle.PushFront(c)
	var oldest *clientConn
	if t.MaxIdleConns > 0 && t.idle.Len() > t.MaxIdleConns {
		oldest = t.idle.Back().Value.(*clientConn)
		t.unlist(oldest)
	}
	if t.IdleConnTimeout > 0 && t.sweeps == nil {
		t.sweeps = time.AfterFunc(t.IdleConnTimeout, t.sweep)
	}
	t.mu.Unlock()
	if oldest != nil {
		oldest.close()
	}
}

// unlist takes an idle connection out of the lists. The caller holds mu.
func (t *Transport) unlist(c *clientConn) {
	h := t.hosts[c.key]
	h.idle = slices.DeleteFunc(h.idle, func(other *clientConn) bool { return other == c })
	t.idle.Remove(c.place)
	c.place = nil
}

// gone is called when there is one connection less, or a dial has failed.
func (t *Transport) gone(key hostKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hosts[key]
	for len(h.waiters) > 0 {
		w := h.waiters[0]
		h.waiters = h.waiters[1:]
		w.dial = true
		if w.w.Ready() {
			return
		}
		w.dial = false
	}
	if h.total--; h.total == 0 {
		delete(t.hosts, key)
	}
}

// sweep closes what has been idle for too long, on a timer's goroutine.
func (t *Transport) sweep() {
	now := time.Now()
	var old []*clientConn
	t.mu.Lock()
	t.sweeps = nil
	for e := t.idle.Back(); e != nil; e = t.idle.Back() {
		c := e.Value.(*clientConn)
		if left := c.since.Add(t.IdleConnTimeout).Sub(now); left > 0 {
			t.sweeps = time.AfterFunc(left, t.sweep)
			break
		}
		t.unlist(c)
		old = append(old, c)
	}
	t.mu.Unlock()
	for _, c := range old {
		c.close()
	}
}

// CloseIdleConnections closes the connections that are idle, and those in use when
// they become so before the next request. It parks for an instant at most.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	t.shut = true
	var all []*clientConn
	var next *list.Element
	for e := t.idle.Front(); e != nil; e = next {
		next = e.Next()
		c := e.Value.(*clientConn)
		t.unlist(c)
		all = append(all, c)
	}
	if t.sweeps != nil {
		t.sweeps.Stop()
		t.sweeps = nil
	}
	t.mu.Unlock()
	for _, c := range all {
		c.close()
	}
}
