package net_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestLookupCache: within CacheTTL the name server is asked once, after it again;
// whoever gets an answer may change it; without a cache each lookup asks; errors
// are not kept.
func TestLookupCache(t *testing.T) {
	s := serveNames(t, hostRecords())
	runs := 0
	ours(t, func(t *testing.T, n implementation) {
		ctx := t.Context()
		asked := s.count("a both.test.")
		r := s.resolver()
		r.CacheTTL = time.Hour
		for range 3 {
			ips, err := r.LookupIPAddr(ctx, "both.test")
			if err != nil || len(ips) != 3 || !slices.ContainsFunc(ips, func(ip stdnet.IPAddr) bool { return ip.String() == "127.0.0.2" }) {
				t.Fatalf("%v, %v", ips, err)
			}
			for i := range ips { // must not harm the next
				clear(ips[i].IP)
			}
			mx, err := r.LookupMX(ctx, "good.test")
			if err != nil || len(mx) != 1 || mx[0].Host != "mail.test." {
				t.Fatalf("%v, %v", mx, err)
			}
			mx[0].Host = "changed"
		}
		if now := s.count("a both.test."); now != asked+1 {
			t.Errorf("asked %d times", now-asked)
		}

		r = s.resolver()
		r.CacheTTL = time.Nanosecond // over at once
		asked = s.count("a four.test.")
		for range 3 {
			if _, err := r.LookupHost(ctx, "four.test"); err != nil {
				t.Fatal(err)
			}
		}
		r = s.resolver()
		r.CacheTTL = -1
		for range 3 {
			if _, err := r.LookupHost(ctx, "four.test"); err != nil {
				t.Fatal(err)
			}
		}
		if now := s.count("a four.test."); now != asked+6 {
			t.Errorf("asked %d times", now-asked)
		}

		r = s.resolver()
		r.CacheTTL = time.Hour
		runs++
		name := fmt.Sprintf("late%d.test", runs)
		if _, err := r.LookupHost(ctx, name); err == nil {
			t.Error("no error")
		}
		s.set("a "+name+".", "127.0.0.7")
		if addrs, err := r.LookupHost(ctx, name); err != nil || !slices.Equal(addrs, []string{"127.0.0.7"}) {
			t.Errorf("after an error: %v, %v", addrs, err)
		}
	})
}

// TestLookupShared: whoever asks what is being looked up already waits for that,
// tasks of two workers and goroutines; each has its own end.
func TestLookupShared(t *testing.T) {
	s := serveNames(t, hostRecords())
	rt := runtimetest.New(t, 2)
	release := s.hold()
	r := s.resolver()
	var good, canceled atomic.Int32
	ctx, cancel := context.WithCancel(t.Context())
	ask := func(ctx context.Context) {
		addrs, err := r.LookupHost(ctx, "four.test")
		switch {
		case err == nil && slices.Equal(addrs, []string{"127.0.0.4"}):
			good.Add(1)
		case errors.Is(err, context.Canceled):
			canceled.Add(1)
		default:
			t.Errorf("%v, %v", addrs, err)
		}
	}
	const each = 100
	var tasks []*runtime.Task
	done := make(chan struct{}, each)
	for i := range each {
		tasks = append(tasks, rt.Workers()[i%2].Spawn(func() { ask(t.Context()) }), rt.Workers()[i%2].Spawn(func() { ask(ctx) }))
		go func() { ask(t.Context()); done <- struct{}{} }()
	}
	waiting(t, rt, "lookup", 2*each)
	cancel()
	runtimetest.Eventually(t, "the end of those whose context has ended", func() bool { return canceled.Load() == each })
	release()
	for _, task := range tasks {
		_ = task.Join()
	}
	for range each {
		<-done
	}
	if good.Load() != 2*each {
		t.Errorf("%d answers", good.Load())
	}
	// Goroutines that came late were served from the cache.
	if n := s.count("a four.test."); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestLookupEnds: the end of a context, a kill and a timeout end a lookup at once,
// though the name server does not answer. It is canceled then, and the next caller
// begins a new one.
func TestLookupEnds(t *testing.T) {
	s := serveNames(t, hostRecords())
	release := s.hold()
	defer release()
	rt := runtimetest.New(t, 1)
	r := s.resolver()
	lookups := map[string]func(ctx context.Context) error{
		"host": func(ctx context.Context) error { _, err := r.LookupHost(ctx, "four.test"); return err },
		"ip4":  func(ctx context.Context) error { _, err := r.LookupIP(ctx, "ip4", "four.test"); return err },
		"mx":   func(ctx context.Context) error { _, err := r.LookupMX(ctx, "good.test"); return err },
		"txt":  func(ctx context.Context) error { _, err := r.LookupTXT(ctx, "both.test"); return err },
		"dial": func(ctx context.Context) error {
			d := net.Dialer{Resolver: r}
			_, err := d.DialContext(ctx, "tcp", "four.test:1")
			return err
		},
	}
	isDNS := func(err error) bool {
		var dns *stdnet.DNSError
		return errors.As(err, &dns)
	}
	for name, lookup := range lookups {
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		task := rt.Spawn(func() { err = lookup(ctx) })
		waiting(t, rt, "lookup", 1)
		cancel()
		_ = task.Join()
		if !errors.Is(err, context.Canceled) || !isDNS(err) || !strings.HasSuffix(err.Error(), ": operation was canceled") {
			t.Errorf("%s canceled: %v", name, err)
		}

		cause := errors.New("cause")
		task = rt.Spawn(func() { err = lookup(t.Context()) })
		waiting(t, rt, "lookup", 1)
		task.Kill(cause)
		_ = task.Join()
		if !errors.Is(err, runtime.ErrKilled) || !errors.Is(err, cause) || !isDNS(err) {
			t.Errorf("%s killed: %v", name, err)
		}

		runtimetest.RunOn(t, rt, func() {
			err = runtime.WithTimeout(time.Millisecond, func() error { return lookup(t.Context()) })
		})
		var ne stdnet.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() || !isDNS(err) {
			t.Errorf("%s timed out: %v", name, err)
		}

		ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		err = lookup(ctx) // on this goroutine
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() || !isDNS(err) {
			t.Errorf("%s at its deadline: %v", name, err)
		}
	}
	release()
	for name, lookup := range lookups {
		if name == "dial" {
			continue
		}
		if err := lookup(t.Context()); err != nil {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}
}

// TestLookupAbandoned: a lookup ends when the last one that waits for it goes, and
// not before.
func TestLookupAbandoned(t *testing.T) {
	rt := runtimetest.New(t, 2)
	dialing, ended := make(chan struct{}), make(chan struct{})
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (stdnet.Conn, error) {
		close(dialing)
		<-ctx.Done()
		if !errors.Is(ctx.Err(), context.Canceled) { // not the standard library's own timeout
			t.Error(ctx.Err())
		}
		close(ended)
		<-t.Context().Done() // so that the standard library does not try again
		return nil, ctx.Err()
	}}
	var tasks []*runtime.Task
	for i := range 2 {
		tasks = append(tasks, rt.Workers()[i].Spawn(func() {
			if _, err := r.LookupTXT(t.Context(), "four.test"); !errors.Is(err, runtime.ErrKilled) {
				t.Error(err)
			}
		}))
	}
	waiting(t, rt, "lookup", 2)
	<-dialing
	for i, task := range tasks {
		select {
		case <-ended:
			t.Errorf("ended after %d kills", i)
		default:
		}
		task.Kill(nil)
		_ = task.Join()
	}
	select {
	case <-ended:
	case <-time.After(runtimetest.Patience):
		t.Error("it goes on though nobody waits")
	}
}

// TestLookupCanceledContext: the error is the standard library's.
func TestLookupCanceledContext(t *testing.T) {
	s := serveNames(t, hostRecords())
	release := s.hold()
	defer release()
	same(t, func(t *testing.T, n implementation) (told []string) {
		r := resolverOf(n, s)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := r.LookupIPAddr(ctx, "four.test")
		told = append(told, tell("canceled", err))
		ctx, cancel = context.WithDeadline(t.Context(), time.Unix(1, 0))
		defer cancel()
		_, err = r.LookupIPAddr(ctx, "four.test")
		// Ours is this too.
		return append(told, strings.Replace(tell("deadline", err), " is os.ErrDeadlineExceeded", "", 1))
	})
}

// TestLookupContext: Dial gets the values of the context of whoever began the
// lookup, but not its end; the connections to a name server are not traced.
func TestLookupContext(t *testing.T) {
	s := serveNames(t, hostRecords())
	ours(t, func(t *testing.T, n implementation) {
		type key struct{}
		r := s.resolver()
		dials := 0
		r.Dial = func(ctx context.Context, network, address string) (stdnet.Conn, error) {
			if dials++; ctx.Value(key{}) != "value" {
				t.Errorf("value %v", ctx.Value(key{}))
			}
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > time.Minute { // the standard library's own
				t.Errorf("deadline %v, %v", deadline, ok)
			}
			return s.Dial(ctx, network, address)
		}
		ctx := httptrace.WithClientTrace(context.WithValue(t.Context(), key{}, "value"), &httptrace.ClientTrace{
			ConnectStart: func(network, address string) { t.Errorf("connect to %s", address) },
		})
		ctx, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		if _, err := r.LookupTXT(ctx, "both.test"); err != nil || dials == 0 {
			t.Errorf("%d dials, %v", dials, err)
		}
	})
}

// TestLookupManyWhileHung: lookups of a server that does not answer neither hold
// up those of another name nor keep the offload pool from its work.
func TestLookupManyWhileHung(t *testing.T) {
	hung := serveNames(t, hostRecords())
	release := hung.hold()
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OffloadLimit: 1})
	r := hung.resolver()
	const n = 50
	var tasks []*runtime.Task
	for i := range n {
		tasks = append(tasks, rt.Spawn(func() { _, _ = r.LookupHost(t.Context(), fmt.Sprint("x", i, ".test")) }))
	}
	waiting(t, rt, "lookup", n)
	runtimetest.RunOn(t, rt, func() {
		if err := runtime.Offload(func() {}); err != nil {
			t.Error(err)
		}
		if _, err := net.LookupHost("localhost"); err != nil {
			t.Error(err)
		}
	})
	release()
	for _, task := range tasks {
		_ = task.Join()
	}
}

// TestLookupPanic: a panic in Dial, or a Goexit, is the error of those that wait,
// and harms no other.
func TestLookupPanic(t *testing.T) {
	ours(t, func(t *testing.T, n implementation) {
		r := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (stdnet.Conn, error) {
			panic("no")
		}}
		// The standard library asks each address family on a goroutine of its own,
		// where nobody can recover, but TXT on the caller's.
		_, err := r.LookupTXT(t.Context(), "four.test")
		var panicked *runtime.PanicError
		if !errors.As(err, &panicked) || panicked.Value != "no" {
			t.Error(err)
		}
		r.Dial = func(context.Context, string, string) (stdnet.Conn, error) {
			goruntime.Goexit()
			return nil, nil
		}
		if _, err := r.LookupTXT(t.Context(), "four.test"); err != runtime.ErrGoexit {
			t.Error(err)
		}
	})
}

// TestCacheBound: no more than 1024 answers are kept, the last ones.
func TestCacheBound(t *testing.T) {
	records := map[string][]string{}
	const n = 1100
	name := func(i int) string { return fmt.Sprint("h", i, ".test") }
	for i := range n {
		records["txt "+name(i)+"."] = []string{"x"}
	}
	s := serveNames(t, records)
	r := s.resolver()
	r.CacheTTL = time.Hour
	for i := range n {
		if _, err := r.LookupTXT(t.Context(), name(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i, times := range map[int]int{0: 2, n - 1025: 2, n - 1000: 1, n - 1: 1} {
		if _, err := r.LookupTXT(t.Context(), name(i)); err != nil {
			t.Fatal(err)
		}
		if asked := s.count("txt " + name(i) + "."); asked != times {
			t.Errorf("name %d was asked %d times, not %d", i, asked, times)
		}
	}
}
