package process

import (
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/process/internal/codec"
)

// rootID is the number of an object that each process has: the process itself.
const rootID = 0

var root rootObject

// rootObject does what is asked of the process.
type rootObject struct {
	begin event.Result[*beginning] // what a child is to do
	stop  event.Event              // it was asked to end
	ready event.Result[struct{}]   // a worker's initializer has returned
}

const (
	rootRun    = op(iota + 1) // from the parent, first of all: body is a beginning
	rootJobs                  // see jobs
	rootNew                   // make an object: its kind and how it is made; the reply is its number
	rootRemove                // end an object: its number
	rootStop                  // end a process that serves: a manager, a worker of a pool
	rootReady                 // the reply comes when a worker's initializer has returned
)

// A beginning is the request that says what a child is to do.
type beginning struct {
	Parent      processID
	PID         int // the parent's
	Self        processID
	Name        string
	Daemon      bool
	Calm        bool
	Func        string
	Arg         []byte
	descriptors []int
	answer      answer
}

var beginnings = codec.For[beginning]()

func (o *rootObject) serve(r *request) {
	switch r.op {
	case rootRun:
		b := new(beginning)
		if err := beginnings.Decode(r.body, b); err != nil {
			r.reply(statusFailed, encodeError(err))
			return
		}
		b.descriptors, r.fds = r.fds, nil
		b.answer = r.answer()
		// Before the next request, which may be for an object that others will look
		// for under this name.
		self.id = b.Self
		if !o.begin.Set(b) {
			closeAll(b.descriptors)
		}
	case rootJobs:
		serveJobs(r)
	case rootNew:
		o.make(r)
	case rootRemove:
		id, ok := u64Of(r.body)
		if !ok || !objects.remove(id) {
			r.reply(statusGone)
			return
		}
		r.reply(statusOK)
	case rootStop:
		o.stop.Set()
		r.reply(statusOK)
	case rootReady:
		a := r.answer()
		o.ready.OnReady(func() {
			if _, err := o.ready.TryGet(); err != nil {
				a.reply(statusFailed, encodeError(err))
			} else {
				a.reply(statusOK)
			}
		})
	default:
		r.reply(statusGone)
	}
}

// make makes an object that another process has asked for.
func (o *rootObject) make(r *request) {
	if len(r.body) == 0 {
		r.reply(statusGone)
		return
	}
	made := makeObject(r.body[0], r.body[1:])
	// Others will learn of the object, who have no link to this process.
	if made == nil || listen() != nil {
		r.reply(statusGone)
		return
	}
	r.reply(statusOK, u64(objects.add(made)))
}

func (o *rootObject) cancel(*client, uint64) {}
func (o *rootObject) gone(*client)           {}
func (o *rootObject) close()                 {}

var remoteErrors = codec.For[RemoteError]()

// encodeError encodes an error for statusFailed.
func encodeError(err error) []byte {
	b, _ := remoteErrors.Append(nil, *remote(err)) // strings and numbers can be encoded
	return b
}

func decodeError(b []byte) error {
	r := new(RemoteError)
	if err := remoteErrors.Decode(b, r); err != nil {
		return &EncodeError{What: "error of another process", Err: err}
	}
	return r
}

// err is the error of a reply.
func (r reply) err() error {
	if r.status == statusFailed {
		return decodeError(r.body)
	}
	return statusErrors[r.status]
}

var statusErrors = [...]error{
	statusOK:          nil,
	statusAbandoned:   ErrAbandoned,
	statusTimeout:     runtime.ErrTimeout,
	statusGone:        ErrGone,
	statusNotFound:    ErrNotFound,
	statusClosed:      errClosed,
	statusEmpty:       errEmpty,
	statusFull:        errFull,
	statusNotHeld:     ErrNotHeld,
	statusOverRelease: errOverRelease,
	statusBroken:      errBroken,
	statusChanged:     errChanged,
	statusRange:       ErrNotFound,
	statusFailed:      nil, // see err
	statusMore:        nil,
}
