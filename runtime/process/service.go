package process

import (
	"sync"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process/internal/codec"
)

// A Service is a function of one process, its owner, that others call: an object of one's
// own making, as Dict and Lock are ready-made ones. NewService makes one; what it keeps in
// memory is the owner's alone, and what a process held that has died it can take back.
//
// A handle may be sent to other processes, where it is usually a field of a process's
// argument. Its methods may be called from any task or goroutine.
type Service[Q, R any] struct{ address }

// A Client is a process that uses a Service, as the service sees it: a connection of that
// process. Two Clients that are equal are the same.
type Client struct{ c *client }

// NewService makes a service of the calling process, which calls serve for each request
// and answers with what that returns. gone, unless nil, is called once for a client that
// has died or ended, after all that it had asked for was served; the owner itself, which
// can be a client too, is never gone.
//
// serve and gone are called one at a time, those of one client in the order in which it
// has asked, and must not wait: they are called while messages are taken in. A panic in
// serve is the error of the one who called.
func NewService[Q, R any](serve func(from Client, q Q) (R, error), gone func(from Client)) *Service[Q, R] {
	s := &service[Q, R]{fn: serve, left: gone, in: codec.For[Q](), out: codec.For[R](), clients: make(map[Client]bool)}
	return &Service[Q, R]{address{process: self.id, object: objects.add(s)}}
}

// Call makes a request and waits for the answer. The error is that of the service, as a
// *RemoteError; an *EncodeError; ErrGone if the owner has ended or closed the service; or
// that of an interrupt, and then it may have been served.
func (s *Service[Q, R]) Call(q Q) (R, error) { return s.CallUntil(0, q, nil) }

// CallUntil is Call that gives up at deadline with runtime.ErrTimeout. The zero deadline
// means none. Who gives up, also by an interrupt, may have to undo what was done for him:
// late, unless nil, is called with the answer if one comes all the same. It must not wait.
func (s *Service[Q, R]) CallUntil(deadline runtime.Instant, q Q, late func(R)) (R, error) {
	var zero R
	b, err := encode("request", q)
	if err != nil {
		return zero, err
	}
	o := outgoing{op: serviceCall, reason: "answer of a service", deadline: deadline}
	if late != nil {
		o.late = func(r reply) {
			closeAll(r.fds)
			if v, err := decode[R]("answer", r.body); err == nil && r.gone() == nil && r.err() == nil {
				late(v)
			}
		}
	}
	if b, err = s.result(o, b); err != nil {
		return zero, err
	}
	return decode[R]("answer", b)
}

// Tell makes a request without an answer. It does not wait if this process is a child of
// the owner, or has called before. That it returns nil does not mean that the owner has
// heard it.
func (s *Service[Q, R]) Tell(q Q) error {
	b, err := encode("request", q)
	if err != nil {
		return err
	}
	if s.local() || links.get(s.process) != nil {
		s.undo(serviceCall, b)
		return nil
	}
	return s.tell(0, serviceCall, b)
}

// Close ends the service: whoever calls it later gets ErrGone.
func (s *Service[Q, R]) Close() error { return s.remove() }

const serviceCall = op(1)

// service is the object behind Service.
type service[Q, R any] struct {
	// immutable
	fn   func(Client, Q) (R, error)
	left func(Client)
	in   codec.Codec[Q]
	out  codec.Codec[R]

	mu      sync.Mutex      // held for a call
	clients map[Client]bool // mu guards: those that have called
}

func (s *service[Q, R]) serve(r *request) {
	var q Q
	if err := s.in.Decode(r.body, &q); err != nil {
		r.reply(statusFailed, encodeError(&EncodeError{What: "request", Err: err}))
		return
	}
	v, err := s.call(Client{r.from}, q)
	var b []byte
	if err == nil {
		if b, err = s.out.Append(nil, v); err != nil {
			err = &EncodeError{What: "answer", Err: err}
		}
	}
	if err != nil {
		r.reply(statusFailed, encodeError(err))
		return
	}
	r.reply(statusOK, b)
}

func (s *service[Q, R]) call(from Client, q Q) (v R, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	panicked := true
	defer func() {
		if panicked {
			err = panicError(recover())
		}
	}()
	s.clients[from] = true
	v, err = s.fn(from, q)
	panicked = false
	return v, err
}

func (s *service[Q, R]) cancel(*client, uint64) {}

func (s *service[Q, R]) gone(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := Client{c}
	known := s.clients[from]
	delete(s.clients, from)
	if known && s.left != nil {
		s.left(from)
	}
}

func (s *service[Q, R]) close() {}
