package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// A counter counts what each of its clients has taken.
type counter struct {
	*Service[int, int]
	mu    sync.Mutex
	taken map[Client]int
	gone  []int // what those had that are gone
}

// halt stops a process, and waits until all its threads are.
func halt(t *testing.T, p *Process) {
	t.Helper()
	check(t, p.Signal(unix.SIGSTOP))
	runtimetest.Eventually(t, "all threads are stopped", func() bool {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.PID()))
		for _, file := range files {
			stat, err := os.ReadFile(file)
			if state := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:]); err != nil || state[0] != 'T' {
				return false
			}
		}
		return len(files) > 0
	})
}

func newCounter() *counter {
	c := &counter{taken: make(map[Client]int)}
	c.Service = NewService(func(from Client, n int) (int, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case n == 0:
			panic("nothing")
		case n < 0:
			return 0, fmt.Errorf("%d: %w", n, errKnown)
		}
		c.taken[from] += n
		return c.taken[from], nil
	}, func(from Client) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.gone = append(c.gone, c.taken[from])
		delete(c.taken, from)
	})
	return c
}

func (c *counter) left() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]int(nil), c.gone...)
}

var (
	takes = Register("test take", func(s *Service[int, int]) (int, error) {
		for n := range 10 {
			if err := s.Tell(n + 1); err != nil {
				return 0, err
			}
		}
		return s.Call(100) // after all that was told
	})
	takesAndDies = Register("test take and die", func(s *Service[int, int]) (int, error) {
		if _, err := s.Call(7); err != nil {
			return 0, err
		}
		_ = unix.Kill(unix.Getpid(), unix.SIGKILL)
		forever()
		return 0, nil
	})
	// offers sends a service of its own, until the parent has had enough.
	offers = Register("test offer", func(c *Conn[*Service[int, int]]) (int, error) {
		s := NewService(func(_ Client, n int) (int, error) { return 2 * n, nil }, nil)
		if err := c.Send(s); err != nil {
			return 0, err
		}
		_, err := c.Recv()
		return 0, err
	})
	// asks calls a service that is neither its own nor its parent's.
	asks = Register("test ask", func(s *Service[int, int]) (int, error) { return s.Call(21) })
)

func TestService(t *testing.T) {
	inTask(t, func() {
		c := newCounter()
		want(t, "call of the owner", ok(c.Call(3)), 3)
		want(t, "sum of what a child has told and asked", ok(ok(Start(takes, c.Service)).Result()), 155)
		want(t, "sum of what the owner has taken", ok(c.Call(3)), 6)
		_, err := c.Call(-1)
		wantErr(t, "error of the service", err, errKnown)
		var remote *RemoteError
		if _, err := c.Call(0); !errors.As(err, &remote) || !remote.Panic {
			t.Errorf("panic of the service: %v", err)
		}
		runtimetest.Eventually(t, "the child's departure", func() bool { return fmt.Sprint(c.left()) == "[155]" })
		check(t, c.Close())
		_, err = c.Call(1)
		wantErr(t, "call of a closed service", err, ErrGone)
		wantErr(t, "second close", c.Close(), ErrGone)
	})
}

// What a process had that was killed is taken back, once.
func TestServiceClientDies(t *testing.T) {
	inTask(t, func() {
		c := newCounter()
		defer func() { _ = c.Close() }()
		var died *WorkerDiedError
		if _, err := ok(Start(takesAndDies, c.Service)).Result(); !errors.As(err, &died) {
			t.Errorf("%v", err)
		}
		// The process has ended, and all it said was heard.
		want(t, "what was taken back", fmt.Sprint(c.left()), "[7]")
	})
}

// A service of a child is called by its parent and its sister.
func TestServiceOfChild(t *testing.T) {
	inTask(t, func() {
		ours, theirs, err := Pipe[*Service[int, int]]()
		check(t, err)
		p := ok(Start(offers, theirs))
		s := ok(ours.Recv())
		check(t, s.Tell(1))
		want(t, "answer", ok(s.Call(4)), 8)
		want(t, "answer to a sister", ok(ok(Start(asks, s)).Result()), 42)
		check(t, ours.Close())
		check(t, p.Join())
		_, err = s.Call(1)
		wantErr(t, "call after the owner's end", err, ErrGone)
	})
}

// Requests whose answers nobody waits for, to oneself and to another process.
func TestServiceBegin(t *testing.T) {
	inTask(t, func() {
		c := newCounter()
		var own event.Result[int]
		check(t, c.Begin(5, func(n int, err error) { own.Set(n) }))
		want(t, "answer of its own", ok(own.Get()), 5)
		check(t, c.Close())

		ours, theirs, err := Pipe[*Service[int, int]]()
		check(t, err)
		p := ok(Start(offers, theirs, Calm()))
		s := ok(ours.Recv())
		const n = 1000
		var last event.Result[int]
		next := 0
		for i := range n {
			check(t, s.Begin(i, func(v int, err error) {
				if v != 2*next || err != nil {
					t.Errorf("answer %d: %d, %v", next, v, err)
				}
				if next++; next == n {
					last.Set(v)
				}
			}))
		}
		want(t, "last answer", ok(last.Get()), 2*(n-1))
		halt(t, &p.Process)
		var gone event.Result[int]
		check(t, s.Begin(1, func(_ int, err error) { gone.Fail(err) }))
		check(t, p.Kill())
		_, err = gone.Get()
		wantErr(t, "answer of a process that was killed", err, ErrGone)
		check(t, p.Join())
		wantErr(t, "request to it", s.Begin(1, func(int, error) { t.Error("answer of nobody") }), ErrGone)
		check(t, ours.Close())
	})
}

// Who waits for a process that does not answer gives up, and the next answer is not that
// which comes late.
func TestServiceUntil(t *testing.T) {
	inTask(t, func() {
		ours, theirs, err := Pipe[*Service[int, int]]()
		check(t, err)
		p := ok(Start(offers, theirs))
		s := ok(ours.Recv())
		want(t, "answer", ok(s.Call(4)), 8)
		halt(t, &p.Process)
		_, err = s.CallUntil(5, soon())
		wantErr(t, "call of a process that is stopped", err, runtime.ErrTimeout)
		check(t, p.Signal(unix.SIGCONT))
		want(t, "next answer", ok(s.Call(6)), 12)
		check(t, ours.Close())
		check(t, p.Join())
	})
}
