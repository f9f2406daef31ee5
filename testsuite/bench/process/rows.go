package main

import (
	"iter"
	"time"

	"github.com/weft-go/weft/runtime/process"
)

// A row is one measurement: n operations.
type row struct {
	name    string
	n       int
	measure func(n int) (rate float64, err error)
}

var rows = []row{
	{"pipe-64", 1_000_000, pipe(64, false)},
	{"pipe-64-into", 1_000_000, pipe(64, true)},
	{"pipe-65536", 20_000, pipe(65536, false)},
	{"pipe-65536-into", 50_000, pipe(65536, true)},
	{"round-trip", 50_000, roundTrip},
	{"queue-from-child-64", 300_000, queueFromChild(64, false)},
	{"queue-from-child-65536", 10_000, queueFromChild(65536, false)},
	{"queue-from-child-65536-into", 20_000, queueFromChild(65536, true)},
	{"queue-to-child-64", 300_000, queueToChild(64, false)},
	{"queue-to-child-65536", 10_000, queueToChild(65536, false)},
	{"queue-to-child-65536-into", 10_000, queueToChild(65536, true)},
	{"pool-map", 100_000, poolMap},
	{"pool-imap", 100_000, poolIMap},
	{"pool-apply", 20_000, poolApply},
	{"dict-set", 50_000, dict(func(d *process.Dict[string, int], i int) error { return d.Set("a", i) })},
	{"dict-get", 50_000, dict(func(d *process.Dict[string, int], _ int) error { _, err := d.Get("a"); return err })},
}

// The functions of the children.
var (
	send = process.Register("bench send", func(a sendArgs) (int, error) {
		message := make([]byte, a.Size)
		for i := range a.N {
			if err := a.Up.Send(message); err != nil {
				return i, err
			}
		}
		return a.N, nil
	})
	echo = process.Register("bench echo", func(c *process.Conn[[]byte]) (int, error) {
		var message []byte
		for n := 0; ; n++ {
			if c.RecvInto(&message) != nil {
				return n, nil // the end
			}
			if err := c.Send(message); err != nil {
				return n, err
			}
		}
	})
	put = process.Register("bench put", func(a queueArgs) (int, error) {
		item := make([]byte, a.Size)
		for i := range a.N {
			if err := a.Q.Put(item); err != nil {
				return i, err
			}
		}
		return a.N, nil
	})
	get    = process.Register("bench get", func(a queueArgs) (int, error) { return a.N, a.take() })
	square = process.Register("bench square", func(n int) (int, error) { return n * n, nil })
)

type sendArgs struct {
	Up      *process.Sender[[]byte]
	N, Size int
}

type queueArgs struct {
	Q       *process.Queue[[]byte]
	N, Size int
	Into    bool // the same memory is used for each item
}

func (a queueArgs) take() error {
	var item []byte
	for range a.N {
		var err error
		if a.Into {
			err = a.Q.GetInto(&item)
		} else {
			_, err = a.Q.Get()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// since is the rate of n operations that began then.
func since(began time.Time, n int) float64 { return float64(n) / time.Since(began).Seconds() }

func pipe(size int, into bool) func(int) (float64, error) {
	return func(n int) (float64, error) {
		r, w, err := process.OneWay[[]byte]()
		if err != nil {
			return 0, err
		}
		defer func() { _ = r.Close() }()
		p, err := process.Start(send, sendArgs{w, n + 1, size})
		if err != nil {
			return 0, err
		}
		var message []byte
		if err := r.RecvInto(&message); err != nil {
			return 0, err
		}
		began := time.Now()
		for range n {
			if into {
				err = r.RecvInto(&message)
			} else {
				_, err = r.Recv()
			}
			if err != nil {
				return 0, err
			}
		}
		rate := since(began, n)
		_, err = p.Result()
		return rate, err
	}
}

func roundTrip(n int) (float64, error) {
	ours, theirs, err := process.Pipe[[]byte]()
	if err != nil {
		return 0, err
	}
	p, err := process.Start(echo, theirs)
	if err != nil {
		return 0, err
	}
	message := make([]byte, 64)
	var began time.Time
	for i := range n + 1 {
		if i == 1 {
			began = time.Now()
		}
		if err := ours.Send(message); err != nil {
			return 0, err
		}
		if err := ours.RecvInto(&message); err != nil {
			return 0, err
		}
	}
	rate := since(began, n)
	_ = ours.Close()
	_, err = p.Result()
	return rate, err
}

func queueFromChild(size int, into bool) func(int) (float64, error) {
	return func(n int) (float64, error) {
		q, err := process.NewQueue[[]byte](process.Here, 0)
		if err != nil {
			return 0, err
		}
		defer func() { _ = q.Remove() }()
		a := queueArgs{Q: q, N: n + 1, Size: size, Into: into}
		p, err := process.Start(put, a)
		if err != nil {
			return 0, err
		}
		if _, err := q.Get(); err != nil {
			return 0, err
		}
		a.N = n
		began := time.Now()
		if err := a.take(); err != nil {
			return 0, err
		}
		rate := since(began, n)
		_, err = p.Result()
		return rate, err
	}
}

func queueToChild(size int, into bool) func(int) (float64, error) {
	return func(n int) (float64, error) {
		q, err := process.NewQueue[[]byte](process.Here, 0)
		if err != nil {
			return 0, err
		}
		defer func() { _ = q.Remove() }()
		p, err := process.Start(get, queueArgs{Q: q, N: n, Size: size, Into: into})
		if err != nil {
			return 0, err
		}
		item := make([]byte, size)
		began := time.Now()
		for range n {
			if err := q.Put(item); err != nil {
				return 0, err
			}
		}
		_, err = p.Result()
		return since(began, n), err
	}
}

// withPool measures what fn does with a pool of two that has done something before.
func withPool(fn func(p *process.Pool) (int, error)) (float64, error) {
	p, err := process.NewPool(2)
	if err != nil {
		return 0, err
	}
	defer func() {
		p.Terminate()
		_ = p.Join()
	}()
	if _, err := process.Map(p, square, make([]int, 1000)); err != nil {
		return 0, err
	}
	began := time.Now()
	n, err := fn(p)
	return since(began, n), err
}

func poolMap(n int) (float64, error) {
	return withPool(func(p *process.Pool) (int, error) {
		args := make([]int, n)
		for i := range args {
			args[i] = i
		}
		for range 5 {
			if _, err := process.Map(p, square, args); err != nil {
				return 0, err
			}
		}
		return 5 * n, nil
	})
}

func poolIMap(n int) (float64, error) {
	return withPool(func(p *process.Pool) (int, error) {
		for _, err := range process.IMap(p, 10_000, upTo(n), square) {
			if err != nil {
				return 0, err
			}
		}
		return n, nil
	})
}

func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func poolApply(n int) (float64, error) {
	return withPool(func(p *process.Pool) (int, error) {
		for i := range n {
			if _, err := process.Apply(p, square, i); err != nil {
				return 0, err
			}
		}
		return n, nil
	})
}

func dict(fn func(*process.Dict[string, int], int) error) func(int) (float64, error) {
	return func(n int) (float64, error) {
		m, err := process.StartManager()
		if err != nil {
			return 0, err
		}
		defer func() { _ = m.Shutdown() }()
		d, err := process.NewDict[string, int](m)
		if err != nil {
			return 0, err
		}
		if err := d.Set("a", 0); err != nil {
			return 0, err
		}
		began := time.Now()
		for i := range n {
			if err := fn(d, i); err != nil {
				return 0, err
			}
		}
		return since(began, n), nil
	}
}
