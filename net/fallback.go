package net

import (
	"context"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime"
)

// race is a dial over two lists of addresses at once (RFC 6555): each is a racer,
// a task of the caller's worker or a goroutine. The first connection wins; a
// second one is closed.
type race struct {
	mu       sync.Mutex // held for a few instructions
	finished []finish   // mu guards this and the rest: racers not looked at yet
	over     bool       // nobody will look any more
	dialer   runtime.Waiter
}

type finish struct {
	conn    Conn
	err     error
	primary bool
}

// fallbackDelay is what FallbackDelay's zero value means.
const fallbackDelay = 300 * time.Millisecond

// dialParallel gives primaries a head start over fallbacks. It returns the first
// connection, or the error of the first primary.
func (d *Dialer) dialParallel(ctx context.Context, network string, primaries, fallbacks addrList) (Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the loser gives up
	r := new(race)
	defer r.end()
	begin := func(addrs addrList, primary bool) {
		r.begin(primary, func() (Conn, error) { return d.dialSerial(ctx, network, addrs) })
	}
	delay := d.FallbackDelay
	if delay == 0 {
		delay = fallbackDelay
	}
	begin(primaries, true)
	fallbackAt := runtime.Now().Add(delay) // 0: they have begun
	var first error
	for left := 2; left > 0; {
		f, err := r.next(fallbackAt)
		switch {
		case err == runtime.ErrTimeout:
			fallbackAt = 0
			begin(fallbacks, false)
			continue
		case err != nil:
			return nil, &OpError{Op: "dial", Net: network, Source: d.LocalAddr, Addr: primaries[0], Err: err}
		case f.err == nil:
			return f.conn, nil
		}
		left--
		if f.primary {
			first = f.err
			if fallbackAt != 0 {
				fallbackAt = 0
				begin(fallbacks, false)
			}
		}
	}
	return nil, first
}

// begin starts a racer. However it ends, it finishes the race: it may panic, and on
// a runtime that is ending it does not even start.
func (r *race) begin(primary bool, dial func() (Conn, error)) {
	f := &finish{err: runtime.ErrGoexit, primary: primary}
	run := func() { f.conn, f.err = dial() }
	if runtime.Current() == nil {
		go func() {
			defer func() { r.finish(*f) }()
			run()
		}()
		return
	}
	runtime.Spawn(run).OnDone(func(t *runtime.Task) {
		if err := t.Err(); err != nil {
			f.err = err
		}
		r.finish(*f)
	})
}

// next waits for a racer to finish, until deadline.
func (r *race) next(deadline runtime.Instant) (finish, error) {
	for {
		r.mu.Lock()
		if len(r.finished) > 0 {
			f := r.finished[0]
			r.finished = r.finished[1:]
			r.mu.Unlock()
			return f, nil
		}
		w := runtime.NewWaiter().External()
		r.dialer = w
		r.mu.Unlock()
		if err := w.ParkUntil("dial", deadline); err != nil {
			return finish{}, err
		}
	}
}

func (r *race) finish(f finish) {
	r.mu.Lock()
	if r.over {
		r.mu.Unlock()
		f.close()
		return
	}
	r.finished = append(r.finished, f)
	w := r.dialer
	r.mu.Unlock()
	w.Ready()
}

// end closes the connections that came second.
func (r *race) end() {
	r.mu.Lock()
	r.over = true
	rest := r.finished
	r.finished = nil
	r.mu.Unlock()
	for _, f := range rest {
		f.close()
	}
}

func (f finish) close() {
	if f.conn != nil {
		_ = f.conn.Close()
	}
}
