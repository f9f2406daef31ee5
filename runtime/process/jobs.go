package process

import (
	"encoding/binary"
	"errors"
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

// resultDelay is how long the result of a short job may wait for the next ones.
const resultDelay = time.Millisecond

// serveJobs is the worker's side.
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
	b := &batch{answer: r.answer(), lease: own}
	f, err := functionOf(string(name))
	if err == nil {
		b.jobs = f.jobs(append([]byte(nil), args...), n)
	} else {
		b.jobs = &unknownJobs{err: err}
	}
	b.left = n
	runtime.Spawn(b.run)
}

// jobs are calls of one function, made one after the other.
type jobs interface {
	// do makes the next call, and keeps its result.
	do() error
	// results returns the encoded results that were kept, and how many, or the error
	// of the first of them if that can't be encoded, with n = 1.
	results() (b []byte, n int, err error)
}

// A batch is a run of jobs.
type batch struct {
	answer answer
	lease  lease
	jobs   jobs
	left   int // jobs that were not begun

	kept  int // results that were not sent
	began runtime.Instant
}

// run is a task that does the jobs of the batch that nobody else takes.
func (b *batch) run() {
	inJob := false
	defer func() {
		if inJob { // it has called Goexit, which ends this task
			b.send()
			b.fail(runtime.ErrGoexit)
			runtime.Default().Spawn(b.run)
		}
	}()
	b.began = runtime.Now()
	step, next := 1, 1 // jobs between two looks at the clock
	for b.left > 0 && b.lease.take() {
		b.left--
		inJob = true
		err := b.jobs.do()
		inJob = false
		if err != nil {
			b.send()
			b.fail(err)
			continue
		}
		b.kept++
		if next--; next == 0 {
			if now := runtime.Now(); now.Sub(b.began) > resultDelay {
				b.send()
				b.began, step = now, max(step/2, 1)
			} else if now.Sub(b.began) < resultDelay/8 {
				step *= 2
			}
			next = step
		}
	}
	b.send()
	b.answer.reply(statusOK)
}

// send sends the results that were kept.
func (b *batch) send() {
	for b.kept > 0 {
		results, n, err := b.jobs.results()
		if err != nil {
			b.fail(err)
		} else {
			b.answer.reply(statusMore, binary.LittleEndian.AppendUint32(nil, uint32(n)), results)
		}
		b.kept -= n
	}
}

// fail sends the error of one job.
func (b *batch) fail(err error) {
	b.answer.reply(statusMore, make([]byte, 4), encodeError(err))
}

// typedJobs are jobs of a Func.
type typedJobs[A, R any] struct {
	f    *Func[A, R]
	args []A
	bad  map[int]error // arguments that could not be decoded
	next int
	done []R
}

func (f *Func[A, R]) jobs(b []byte, n int) jobs {
	j := &typedJobs[A, R]{f: f, args: make([]A, n), done: make([]R, 0, n)}
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
	result, err := j.f.run(j.args[i])
	if err != nil {
		return err
	}
	j.done = append(j.done, result)
	return nil
}

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
func (j *unknownJobs) results() ([]byte, int, error) { return nil, 0, nil }
