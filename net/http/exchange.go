package http

import (
	"context"
	"sync"
	"time"

	stdnet "net"
)

// An exchange is a request and its response, on the server.
type exchange struct {
	conn *conn
	req  *Request
	body *body // nil if there is none
	ctx  requestContext
	res  response
}

var blank Request

func newExchange(c *conn) *exchange {
	x := &exchange{conn: c}
	x.ctx.x = x
	x.res.x = x
	x.res.length = -1
	x.req = blank.WithContext(&x.ctx)
	return x
}

// serve calls the handler and sends the rest of what it answers. It reports whether
// the connection goes on.
func (x *exchange) serve() bool {
	c, s := x.conn, x.conn.server
	if s.ReadTimeout > 0 {
		_ = x.res.SetReadDeadline(c.whole)
	} else {
		c.setReadDeadline(0)
	}
	if s.WriteTimeout > 0 {
		_ = c.rwc.SetWriteDeadline(time.Now().Add(s.WriteTimeout))
	}
	if x.body == nil {
		x.ctx.bodyEnded()
	}
	returned := x.handle()
	x.res.done = true
	if !x.retire() || !returned || c.hijacked {
		return false
	}
	x.res.finish()
	c.endWatch()
	if x.req.MultipartForm != nil {
		_ = x.req.MultipartForm.RemoveAll()
	}
	if s.WriteTimeout > 0 {
		_ = c.rwc.SetWriteDeadline(time.Time{})
	}
	if x.res.reusable() {
		return true
	}
	if x.body != nil && !x.body.ended.Load() && c.out.err == nil {
		c.linger()
	}
	return false
}

// retire takes the body from others who may still read it, beside a handler that has
// returned. It reports false if that failed, since the task was killed.
func (x *exchange) retire() bool {
	b := x.body
	if b == nil || b.ended.Load() {
		return true
	}
	if !b.turn.TryLock() {
		_ = x.res.SetReadDeadline(aLongTimeAgo)
		if b.turn.LockUntil(0) != nil {
			x.conn.shared = true
			return false
		}
	}
	b.closed = true
	b.turn.Unlock()
	return true
}

// handle calls the handler. It reports false if that panicked.
func (x *exchange) handle() (returned bool) {
	defer x.conn.contain()
	defer x.ctx.end()
	x.conn.server.serveHTTP(&x.res, x.req)
	return true
}

// A requestContext is the context of a request: it ends with the handler, when the
// client closes the connection, and when the connection's task is killed. All it needs
// for that is made when somebody asks for it. From then on a task reads from the
// connection, ahead of the server.
type requestContext struct {
	x *exchange

	mu      sync.Mutex // guards the rest
	inner   context.Context
	cancel  context.CancelCauseFunc
	release func() bool // from the task's context
	drained bool        // the request's body is at its end, and the connection the server's
	over    bool        // the handler has returned
}

// Deadline returns that of the server's BaseContext or ConnContext.
func (r *requestContext) Deadline() (time.Time, bool) { return r.x.conn.base.Deadline() }

// Done may be called by any task or goroutine.
func (r *requestContext) Done() <-chan struct{} { return r.begin().Done() }

func (r *requestContext) Err() error { return r.begin().Err() }

// Value knows ServerContextKey, whose value is our *Server, and LocalAddrContextKey.
func (r *requestContext) Value(key any) any {
	switch key {
	case ServerContextKey:
		return r.x.conn.server
	case LocalAddrContextKey:
		return r.localAddr()
	}
	r.mu.Lock()
	inner := r.inner
	r.mu.Unlock()
	if inner != nil {
		return inner.Value(key)
	}
	return r.x.conn.base.Value(key)
}

func (r *requestContext) localAddr() stdnet.Addr { return r.x.conn.rwc.LocalAddr() }

// begin makes the context proper.
func (r *requestContext) begin() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inner == nil {
		r.inner, r.cancel = context.WithCancelCause(r.x.conn.base)
		if r.over {
			r.cancel(nil)
			return r.inner
		}
		killed := r.x.conn.task.Context()
		r.release = context.AfterFunc(killed, func() { r.cancel(context.Cause(killed)) })
		if r.drained {
			r.x.conn.watch(r.cancel)
		}
	}
	return r.inner
}

// bodyEnded is called when the connection's reader is free.
func (r *requestContext) bodyEnded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drained = true
	if r.inner != nil && !r.over {
		r.x.conn.watch(r.cancel)
	}
}

// taken is called when the handler takes the connection.
func (r *requestContext) taken() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drained = false
}

// fail is called when the connection has failed.
func (r *requestContext) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inner != nil {
		r.cancel(err)
	}
}

// end is called when the handler has returned.
func (r *requestContext) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	if r.inner != nil {
		r.release()
		r.cancel(nil)
	}
}
