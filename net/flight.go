package net

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime"
)

// lookups are the lookups of a Resolver: those under way, and for a while the
// answers of those that were.
//
// Each lookup, a flight, has a goroutine of its own, as in the standard library;
// who asks the same meanwhile joins it. The offload pool would be the wrong place:
// lookups of a name server that does not answer take seconds, and would keep the
// pool from files.
type lookups struct {
	mu             sync.Mutex // held for a few instructions
	flights        map[lookupKey]*flight
	answers        map[lookupKey]*answer
	oldest, newest *answer // those that were kept, in the order of their ends
	kept           int     // how many they are
}

// lookupKey is what was asked.
type lookupKey struct {
	kind string // of record, with the network
	name string
}

// answer is the result of a lookup that succeeded.
type answer struct {
	key   lookupKey
	value any
	until runtime.Instant
	newer *answer
}

// flight is a lookup under way.
type flight struct {
	key    lookupKey
	ttl    time.Duration
	cancel context.CancelFunc

	// The lookups' mu guards:
	waiters []runtime.Waiter
	joined  bool // by a second one
	landed  bool
	value   any
	err     error
}

// maxAnswers bounds the answers that a Resolver keeps.
const maxAnswers = 1024

// do returns the answer to key, which others may share: kept, of a flight that is
// under way, or of a new one that calls ask. It keeps a new one for ttl. It waits
// until ctx is done at most. shared says whether others do share it.
func (l *lookups) do(ctx context.Context, key lookupKey, ttl time.Duration, ask func(context.Context) (any, error)) (value any, shared bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, lookupError(contextError(err), key.name)
	}
	l.mu.Lock()
	if a := l.answers[key]; a != nil && ttl > 0 && runtime.Now() < a.until {
		l.mu.Unlock()
		return a.value, true, nil
	}
	f := l.flights[key]
	if f != nil {
		f.joined = true
	} else {
		f = &flight{key: key, ttl: ttl}
		if l.flights == nil {
			l.flights = make(map[lookupKey]*flight)
		}
		l.flights[key] = f
		var own context.Context
		own, f.cancel = context.WithCancel(lookupContext{context.WithoutCancel(ctx)})
		go l.fly(own, f, ask)
	}
	w := runtime.NewWaiter().External()
	f.waiters = append(f.waiters, w)
	l.mu.Unlock()

	defer l.leave(f, w)
	stop := context.AfterFunc(ctx, func() { w.Ready() })
	defer stop()
	err = w.Park("lookup")
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case f.landed:
		return f.value, f.joined, f.err
	case err == nil:
		err = contextError(ctx.Err())
	}
	return nil, f.joined, lookupError(err, key.name)
}

// leave is called by who waits no more. A flight that nobody waits for is
// canceled, and not joined any more.
func (l *lookups) leave(f *flight, w runtime.Waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.landed {
		return
	}
	if i := slices.Index(f.waiters, w); i >= 0 {
		f.waiters = slices.Delete(f.waiters, i, i+1)
	}
	if len(f.waiters) == 0 {
		l.forget(f)
		f.cancel()
	}
}

// forget makes f be joined no more. mu is held.
func (l *lookups) forget(f *flight) {
	if l.flights[f.key] == f {
		delete(l.flights, f.key)
	}
}

// fly is a flight's goroutine.
func (l *lookups) fly(ctx context.Context, f *flight, ask func(context.Context) (any, error)) {
	var value any
	err := runtime.ErrGoexit
	defer func() {
		if r := recover(); r != nil { // of Resolver.Dial, say
			err = &runtime.PanicError{Value: r, Stack: debug.Stack()}
		}
		f.cancel()
		l.land(f, value, err)
	}()
	value, err = ask(ctx)
}

func (l *lookups) land(f *flight, value any, err error) {
	l.mu.Lock()
	l.forget(f)
	f.landed, f.value, f.err = true, value, err
	if err == nil && f.ttl > 0 {
		l.keep(&answer{key: f.key, value: value, until: runtime.Now().Add(f.ttl)})
	}
	waiters := f.waiters
	f.waiters = nil
	l.mu.Unlock()
	for _, w := range waiters {
		w.Ready()
	}
}

// keep keeps a, and drops those that are too old or too many. mu is held.
func (l *lookups) keep(a *answer) {
	if l.answers == nil {
		l.answers = make(map[lookupKey]*answer)
	}
	l.answers[a.key] = a
	if l.newest == nil {
		l.oldest = a
	} else {
		l.newest.newer = a
	}
	l.newest = a
	l.kept++
	now := runtime.Now()
	for l.oldest != nil && (l.kept > maxAnswers || l.oldest.until <= now) {
		old := l.oldest
		if l.answers[old.key] == old { // not one in its place
			delete(l.answers, old.key)
		}
		l.oldest = old.newer
		l.kept--
	}
	if l.oldest == nil {
		l.newest = nil
	}
}

// lookupError is the error of a lookup that err ended.
func lookupError(err error, name string) error {
	e := &DNSError{UnwrapErr: err, Err: err.Error(), Name: name}
	if ne, ok := err.(Error); ok {
		e.IsTimeout, e.IsTemporary = ne.Timeout(), ne.Temporary()
	}
	return e
}
