package process

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"
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
	// do makes the next call, and keeps its result.
	do() error
	// keep makes the result of the last call one of the results.
	keep()
	// results returns the encoded results that were kept, and how many, or the error
	// of the first of them if that can't be encoded, with n = 1.
	results() (b []byte, n int, err error)
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
		runtime.Default().Spawn(runBatches)
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
	inJob  bool

	mu    sync.Mutex // held for the time of an encoding
	kept  int        // mu guards this and the rest: results that were not sent
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
	}
	if b.inJob {
		b.inJob = false
		b.fail(runtime.ErrGoexit)
	}
	for b.lease.take() {
		b.inJob = true
		err := b.jobs.do()
		b.inJob = false
		if err != nil {
			b.fail(err)
			continue
		}
		b.mu.Lock()
		b.jobs.keep()
		if b.kept++; b.kept == 1 {
			b.arm()
		}
		b.mu.Unlock()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
	}
	b.sendLocked()
	b.answer.reply(statusOK)
}

// arm sees to it that results don't wait for a job that takes long. mu is held.
func (b *batch) arm() {
	if b.timer != nil {
		b.timer.Reset(resultDelay)
		return
	}
	b.timer = time.AfterFunc(resultDelay, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.sendLocked()
	})
}

// sendLocked sends the results that were kept. mu is held.
func (b *batch) sendLocked() {
	for b.kept > 0 {
		results, n, err := b.jobs.results()
		if err != nil {
			b.answer.reply(statusMore, make([]byte, 4), encodeError(err))
		} else {
			b.answer.reply(statusMore, binary.LittleEndian.AppendUint32(nil, uint32(n)), results)
		}
		b.kept -= n
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
	last R
	done []R // kept
}

func (f *Func[A, R]) jobs(b []byte, n int) jobs {
	j := &typedJobs[A, R]{f: f, args: make([]A, n)}
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

func (j *typedJobs[A, R]) do() error {
	i := j.next
	j.next++
	if err := j.bad[i]; err != nil {
		return err
	}
	var err error
	j.last, err = j.f.run(j.args[i])
	return err
}

func (j *typedJobs[A, R]) keep() { j.done = append(j.done, j.last) }

func (j *typedJobs[A, R]) results() ([]byte, int, error) {
	done := j.done
	b, err := j.f.results.AppendAll(nil, done)
	var item *codec.ItemError
	if errors.As(err, &item) {
		if item.Index == 0 {
			j.done = done[1:]
			return nil, 1, &EncodeError{What: j.f.what("result"), Err: item.Err}
		}
		done = done[:item.Index]
		b, err = j.f.results.AppendAll(nil, done)
	}
	if err != nil {
		j.done = j.done[:0]
		return nil, len(done), &EncodeError{What: j.f.what("result"), Err: err}
	}
	if len(done) == len(j.done) {
		j.done = j.done[:0]
	} else {
		j.done = j.done[len(done):]
	}
	return b, len(done), nil
}

// unknownJobs are those of a function that is not registered in this process.
type unknownJobs struct{ err error }

func (j *unknownJobs) do() error                     { return j.err }
func (j *unknownJobs) keep()                         {}
func (j *unknownJobs) results() ([]byte, int, error) { return nil, 0, nil }
