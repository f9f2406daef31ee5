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
func (s *Service[Q, R]) Call(q Q) (R, error) { return s.CallUntil(q, 0) }

// CallUntil is Call that gives up at deadline with runtime.ErrTimeout, and then, too, it may
// have been served. The zero deadline means none.
func (s *Service[Q, R]) CallUntil(q Q, deadline runtime.Instant) (R, error) {
	var zero R
	b, err := encode("request", q)
	if err == nil {
		b, err = s.result(outgoing{op: serviceCall, reason: "answer of a service", deadline: deadline}, b)
	}
	if err != nil {
		return zero, err
	}
	return decode[R]("answer", b)
}

// Begin makes a request and does not wait: then is called with what Call would return. It
// must not wait, either: it is called while messages are taken in, in the owner by Begin
// itself. An error of Begin says that then will not be called: an *EncodeError, or ErrGone.
//
// Begin does not connect to the owner. A process that is neither its parent nor its child
// makes a Call first, or gets ErrGone.
func (s *Service[Q, R]) Begin(q Q, then func(R, error)) error {
	b, err := encode("request", q)
	if err != nil {
		return err
	}
	return s.begin(serviceCall, func(r reply) {
		closeAll(r.fds)
		var v R
		err := r.gone()
		if err == nil {
			err = r.err()
		}
		if err == nil {
			v, err = decode[R]("answer", r.body)
		}
		then(v, err)
	}, b)
}

// Tell is Begin without an answer. That it returns nil does not mean that the owner has
// heard it.
func (s *Service[Q, R]) Tell(q Q) error {
	b, err := encode("request", q)
	if err != nil {
		return err
	}
	if !s.local() && links.get(s.process) == nil {
		return ErrGone
	}
	s.undo(serviceCall, b)
	return nil
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
