// Package far is what package process and an engine beside its own (package cluster) know of
// each other. An engine imports process, not the other way round, so that programs without it
// don't link its libraries; hence the variables.
package far

import "github.com/weft-go/weft/runtime"

// Jobs are a number of calls of one function.
type Jobs interface {
	// Func is the name of the function.
	Func() string
	Len() int
	// Arg returns the encoded argument of a job.
	Arg(i int) []byte
	// Deliver settles a job, with what Call has returned or an error. It is called once for
	// each, does not wait, and may be called from anywhere.
	Deliver(i int, result []byte, err error)
}

// A Worker is a process that does jobs: a *process.Process.
type Worker interface{ PID() int }

// A Pool runs the jobs of a process.Pool. What its methods promise is said there.
type Pool interface {
	// Submit takes jobs over, one or more. It does not wait.
	Submit(Jobs) error
	// Drop fails the jobs that are not settled.
	Drop(Jobs, error)
	Close()
	Terminate()
	JoinUntil(runtime.Instant) error
	Workers() []Worker
}

// A Start says how workers are to be: what a process.PoolOption is about.
type Start struct {
	Workers  int    // how many processes
	Init     string // name of the function that each calls first, or empty
	Arg      []byte // its argument
	JobsEach int    // after so many a worker is replaced; 0: no limit
}

// A Spec says which queue it is to be.
type Spec struct {
	Max      int    // items; 0: no bound
	Joinable bool   // an item is acknowledged by Done
	Item     string // type of the items
}

// A Queue is what is behind a process.Queue. What its methods promise is said there, and in
// the engine's package.
type Queue interface {
	Put(item []byte, wait bool, deadline runtime.Instant) error
	Get(wait bool, deadline runtime.Instant) ([]byte, error)
	// Settle acknowledges the items that the calling task has taken.
	Settle() error
	Done() error
	Len() (int, error)
	Unfinished() (int, error)
	JoinUntil(runtime.Instant) error
	Close() error
	Remove() error
	// Handle returns what OpenQueue makes the queue of, in any process.
	Handle() []byte
}

// Package process sets these.
var (
	// PoolOption returns a process.PoolOption that makes the pool be one of open's.
	PoolOption func(open func(Start) (Pool, error)) any
	// Place returns a process.Place where a queue is what open returns.
	Place func(open func(Spec) (Queue, error)) any
	// StartOf returns what a []process.PoolOption asks for.
	StartOf func(workers int, options any) (Start, error)

	// Call calls a registered function with an encoded argument.
	Call func(name string, arg []byte) (result []byte, err error)
	// Initialise calls what a Start has as its Init.
	Initialise func(Start) error
	// EncodeError and DecodeError turn errors into bytes, and into a *process.RemoteError.
	EncodeError func(error) []byte
	DecodeError func([]byte) error
)

// OpenQueue returns the queue of a handle that came from another process, without I/O. An engine
// sets it.
var OpenQueue func(handle []byte) (Queue, error)
