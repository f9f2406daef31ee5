package process

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process/internal/codec"
)

// A request rootJobs asks a worker to call a function for each of a number of arguments:
//
//	number of arguments, word of the lease: 4 bytes each
//	name of the function, with its length
//	the arguments, as AppendAll has them
//
// The replies, all but the last with statusMore, are in the order of the arguments:
//
//	number of results that come first: 4 bytes; the results, with their length
//	or 0, and the error of one job
//
// A job belongs to the worker once it has taken it from the lease: before, another worker
// may get it.

// resultDelay is how long the result of a short job may wait for those of the next ones.
const resultDelay = time.Millisecond

// jobs are calls of one function, made one after the other.
type jobs interface {
	// do makes calls, as long as b's lease has some, until one fails. It tells b of each
	// result.
	do(b *batch) error
	// results returns the encoded results of the calls from..to-1 that have not failed;
	// or, if the first of them can't be encoded, its error, with n = 1.
	results(from, to int) (b []byte, n int, err error)
}

// worker is what a process that does jobs has to do.
var worker struct {
	mu      sync.Mutex // held for a few instructions
	batches []*batch   // mu guards this and the rest
	running bool
}

// serveJobs queues a batch. They are run one after the other.
func serveJobs(r *request) {
	if len(r.body) < 8 || r.from.link == nil {
		r.reply(statusGone)
		return
	}
	n := int(binary.LittleEndian.Uint32(r.body))
	own := lease{page: r.from.link.borrowing, word: int(binary.LittleEndian.Uint32(r.body[4:]))}
	name, args, ok := codec.Cut(r.body[8:])
	if !ok {
		r.reply(statusGone)
		return
	}
	b := &batch{answer: r.answer(), lease: own, name: string(name), args: append([]byte(nil), args...), n: n}
	worker.mu.Lock()
	defer worker.mu.Unlock()
	worker.batches = append(worker.batches, b)
	if !worker.running {
		worker.running = true
		r.from.link.elsewhere().Spawn(runBatches)
	}
}

// runBatches is a task that runs the batches there are. When a job calls Goexit, which ends
// the task, another one goes on.
func runBatches() {
	over := false
	defer func() {
		if !over {
			runtime.Default().Spawn(runBatches)
		}
	}()
	for {
		worker.mu.Lock()
		if len(worker.batches) == 0 {
			worker.running, over = false, true
			worker.mu.Unlock()
			return
		}
		b := worker.batches[0]
		worker.mu.Unlock()
		b.run()
		worker.mu.Lock()
		worker.batches = slices.Delete(worker.batches, 0, 1)
		worker.mu.Unlock()
	}
}

// A batch is a run of jobs.
type batch struct {
	answer answer
	lease  lease
	name   string
	args   []byte
	n      int
	jobs   jobs // nil before the first
	inJobs bool // they have not returned

	kept atomic.Int64 // results there are; written by the batch's task

	mu    sync.Mutex // held for the time of an encoding
	sent  int        // mu guards this and the rest: of kept
	timer *time.Timer
}

// run does the jobs of the batch that nobody else takes. Called again after a job that has
// called Goexit, it goes on.
func (b *batch) run() {
	if b.jobs == nil {
		if f, err := functionOf(b.name); err == nil {
			b.jobs = f.jobs(b.args, b.n)
		} else {
			b.jobs = &unknownJobs{err: err}
		}
		// Results don't wait for a job that takes long.
		b.mu.Lock()
		b.timer = time.AfterFunc(resultDelay, b.sendSome)
		b.mu.Unlock()
	}
	if b.inJobs {
		b.inJobs = false
		b.fail(runtime.ErrGoexit)
	}
	for {
		b.inJobs = true
		err := b.jobs.do(b)
		b.inJobs = false
		if err == nil {
			break
		}
		b.fail(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timer.Stop()
	b.timer = nil
	b.sendLocked()
	b.answer.reply(statusOK)
}

// sendSome is called every now and then.
func (b *batch) sendSome() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil { // else it has ended
		b.sendLocked()
		b.timer.Reset(resultDelay)
	}
}

// sendLocked sends the results that were kept. mu is held.
func (b *batch) sendLocked() {
	for to := int(b.kept.Load()); b.sent < to; {
		results, n, err := b.jobs.results(b.sent, to)
		if err != nil {
			b.answer.reply(statusMore, make([]byte, 4), encodeError(err))
		} else {
			b.answer.reply(statusMore, binary.LittleEndian.AppendUint32(nil, uint32(n)), results)
		}
		b.sent += n
	}
}

// fail sends the error of one job.
func (b *batch) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sendLocked()
	b.answer.reply(statusMore, make([]byte, 4), encodeError(err))
}

// typedJobs are jobs of a Func.
type typedJobs[A, R any] struct {
	f    *Func[A, R]
	args []A
	bad  map[int]error // arguments that could not be decoded
	next int
	done []R // results of the jobs that have not failed; there is room for all
}

func (f *Func[A, R]) jobs(b []byte, n int) jobs {
	j := &typedJobs[A, R]{f: f, args: make([]A, n), done: make([]R, n)}
	if f.args.DecodeAll(b, j.args) != nil {
		j.bad = make(map[int]error)
		clear(j.args)
		for i := range j.args {
			one, err := f.args.Split(b, i, 1)
			if err == nil {
				err = f.args.DecodeAll(one, j.args[i:i+1])
			}
			if err != nil {
				j.bad[i] = &EncodeError{What: f.what("argument"), Err: err}
			}
		}
	}
	return j
}

func (j *typedJobs[A, R]) do(b *batch) (err error) {
	inJob := false
	defer func() {
		if inJob {
			err = panicError(recover())
		}
	}()
	kept := b.kept.Load()
	for b.lease.take() {
		i := j.next
		j.next++
		if j.bad != nil && j.bad[i] != nil {
			return j.bad[i]
		}
		inJob = true
		result, err := j.f.fn(j.args[i])
		inJob = false
		if err != nil {
			return err
		}
		j.done[kept] = result
		kept++
		b.kept.Store(kept) // after the result itself: others read it then
	}
	return nil
}

func (j *typedJobs[A, R]) results(from, to int) ([]byte, int, error) {
	done := j.done[from:to]
	b, err := j.f.results.AppendAll(nil, done)
	var item *codec.ItemError
	if errors.As(err, &item) && item.Index > 0 {
		done = done[:item.Index]
		b, err = j.f.results.AppendAll(nil, done)
	}
	if err != nil {
		if errors.As(err, &item) {
			err = item.Err
		}
		return nil, 1, &EncodeError{What: j.f.what("result"), Err: err}
	}
	clear(done) // nobody needs them any more
	return b, len(done), nil
}

// unknownJobs are those of a function that is not registered in this process.
type unknownJobs struct{ err error }

func (j *unknownJobs) do(b *batch) error {
	if !b.lease.take() {
		return nil
	}
	return j.err
}

func (j *unknownJobs) results(int, int) ([]byte, int, error) { return nil, 0, nil }
