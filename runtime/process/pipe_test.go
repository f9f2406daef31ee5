package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

var (
	echo = Register("test echo", func(c *Conn[[]byte]) (int, error) {
		n := 0
		for message := range c.All() {
			if err := c.Send(message); err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	})
	sendAndDie = Register("test send and die", func(a sendArgs) (int, error) {
		for i := range a.N {
			if err := a.Up.Send(bytes.Repeat([]byte{byte(i)}, a.Size)); err != nil {
				return i, err
			}
		}
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		return 0, nil
	})
	recvOne = Register("test receive one", func(r *Receiver[int]) (int, error) { return r.Recv() })
)

type sendArgs struct {
	Up      *Sender[[]byte]
	N, Size int
}

// TestPipe: one send is one receive, of whatever size, between processes.
func TestPipe(t *testing.T) {
	inTask(t, func() {
		ours, theirs, err := Pipe[[]byte]()
		check(t, err)
		p := ok(Start(echo, theirs))
		wantErr(t, "an end that has moved", theirs.Send(nil), ErrPipeClosed)
		wantErr(t, "close of an end that has moved", theirs.Close(), ErrPipeClosed)
		sizes := []int{0, 1, 1000, 70_000, 3_000_000, 5}
		sender := runtime.Async(func() (int, error) {
			for i, n := range sizes {
				if err := ours.Send(bytes.Repeat([]byte{byte(i)}, n)); err != nil {
					return i, err
				}
			}
			return 0, nil
		})
		for i, n := range sizes {
			got := ok(ours.Recv())
			if !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, n)) {
				t.Errorf("message %d: %d bytes, want %d", i, len(got), n)
			}
		}
		ok(sender.Get())
		check(t, ours.Out.Close())
		want(t, "messages", ok(p.Result()), len(sizes))
		_, err = ours.Recv()
		wantErr(t, "after the other's end", err, io.EOF)
		check(t, ours.In.Close())
	})
}

// TestPipeTypes: values of all kinds, in one process.
func TestPipeTypes(t *testing.T) {
	type value struct {
		Name string
		Map  map[string][]float64
		Any  any
	}
	inTask(t, func() {
		r, w, err := OneWay[*value]()
		check(t, err)
		sent := &value{"n", map[string][]float64{"a": {1, 2}}, "x"}
		check(t, w.Send(sent))
		check(t, w.Send(nil))
		got := ok(r.Recv())
		if got == sent || got.Name != "n" || got.Map["a"][1] != 2 || got.Any != "x" {
			t.Errorf("got %v", got)
		}
		if ok(r.Recv()) != nil {
			t.Error("nil became something")
		}
		_, _ = r.Close(), w.Close()

		ra, wa, err := OneWay[any]()
		check(t, err)
		err = wa.Send(func() {})
		var encode *EncodeError
		if !errors.As(err, &encode) {
			t.Errorf("a function: %v", err)
		}
		check(t, wa.Send(1)) // the pipe is not harmed
		if v := ok(ra.Recv()); v != int64(1) {
			t.Errorf("got %v", v)
		}
		_, _ = ra.Close(), wa.Close()
	})
}

// TestSenderKilled: what a process sent before it was killed arrives, then the end of file.
func TestSenderKilled(t *testing.T) {
	inTask(t, func() {
		r, w, err := OneWay[[]byte]()
		check(t, err)
		p := ok(Start(sendAndDie, sendArgs{w, 100, 1000}))
		check(t, p.Join())
		for i := range 100 {
			if got := ok(r.Recv()); len(got) != 1000 || got[0] != byte(i) {
				t.Fatalf("message %d: %d bytes", i, len(got))
			}
		}
		_, err = r.Recv()
		wantErr(t, "end", err, io.EOF)
		check(t, r.Close())
	})
}

// TestReceiverKilled: Send fails once the receiver has died, also one that waits for room.
func TestReceiverKilled(t *testing.T) {
	inTask(t, func() {
		r, w, err := OneWay[[]byte]()
		check(t, err)
		p := ok(Start(holdsReceiver, r))
		sender := runtime.Async(func() (int, error) {
			for n := 0; ; n++ {
				if err := w.Send(make([]byte, 100_000)); err != nil {
					return n, err
				}
			}
		})
		runtimetest.Eventually(t, "the sender's wait", func() bool { return waitsFor(&sender.Task, "descriptor readable") })
		check(t, p.Kill())
		_, err = sender.Get()
		wantErr(t, "send", err, unix.EPIPE)
		check(t, p.Join())
		check(t, w.Close())
	})
}

var holdsReceiver = Register("test hold a receiver", func(*Receiver[[]byte]) (int, error) { forever(); return 0, nil })

func waitsFor(task *runtime.Task, reason string) bool {
	for _, info := range runtime.Default().Tasks() {
		if info.Task == task {
			return info.Reason == reason
		}
	}
	return false
}

// TestUnclaimedEnd: ends in the argument of a process that dies before it takes them are
// closed.
func TestUnclaimedEnd(t *testing.T) {
	inTask(t, func() {
		r, w, err := OneWay[[]byte]()
		check(t, err)
		p := ok(Start(sendAndDie, sendArgs{w, 1 << 30, 1}))
		check(t, p.Kill())
		for err = nil; err == nil; {
			_, err = r.Recv()
		}
		wantErr(t, "end", err, io.EOF)
		check(t, p.Join())
		check(t, r.Close())
	})
}

// TestEndThroughPipe: a pipe end goes through a pipe to a running process.
func TestEndThroughPipe(t *testing.T) {
	inTask(t, func() {
		r, w, err := OneWay[*Conn[[]byte]]()
		check(t, err)
		p := ok(Start(echoOf, r))
		ours, theirs, err := Pipe[[]byte]()
		check(t, err)
		check(t, w.Send(theirs))
		check(t, ours.Send([]byte("hello")))
		want(t, "echo", string(ok(ours.Recv())), "hello")
		check(t, ours.Out.Close())
		want(t, "messages", ok(p.Result()), 1)
		_, _ = ours.In.Close(), w.Close()
	})
}

var echoOf = Register("test echo of", func(r *Receiver[*Conn[[]byte]]) (int, error) {
	c, err := r.Recv()
	if err != nil {
		return 0, err
	}
	return echo.fn(c)
})

// TestEndInUse: an end can't move while it is in use, nor inside an interface, and is not
// harmed by the attempt.
func TestEndInUse(t *testing.T) {
	inTask(t, func() {
		r, w, err := OneWay[int]()
		check(t, err)
		reader := runtime.Async(r.Recv)
		runtime.Yield()
		_, err = Start(recvOne, r)
		wantErr(t, "in use", err, errInUse)
		_, err = Start(takesAny, any(r))
		if err == nil {
			t.Error("an end in an interface was sent")
		}
		check(t, w.Send(7))
		want(t, "received", ok(reader.Get()), 7)
		check(t, w.Send(8))
		p := ok(Start(recvOne, r))
		want(t, "received elsewhere", ok(p.Result()), 8)
		check(t, w.Close())
	})
}

// TestPipeWaits: deadlines, polls, closing and kills.
func TestPipeWaits(t *testing.T) {
	inTask(t, func() {
		r, w, err := OneWay[int]()
		check(t, err)
		_, err = r.RecvUntil(soon())
		wantErr(t, "timeout", err, runtime.ErrTimeout)
		_, there, err := r.TryRecv()
		check(t, err)
		want(t, "there", there, false)
		wantErr(t, "wait", r.Wait(soon()), runtime.ErrTimeout)

		cancel := r.OnReady(func() { t.Error("called") })
		want(t, "canceled", cancel(), true)
		done := make(chan struct{})
		r.OnReady(func() { close(done) })
		check(t, w.Send(1))
		_ = runtime.Offload(func() { <-done })
		check(t, r.Wait(0))
		v, there, err := r.TryRecv()
		check(t, err)
		want(t, "there", there, true)
		want(t, "value", v, 1)

		task := runtime.Async(r.Recv)
		runtime.Yield()
		task.Kill(nil)
		_, err = task.Get()
		wantErr(t, "killed", err, runtime.ErrKilled)

		task = runtime.Async(r.Recv)
		second := runtime.Async(r.Recv)
		runtime.Yield()
		check(t, r.Close())
		for _, task := range []*runtime.Future[int]{task, second} {
			_, err = task.Get()
			wantErr(t, "closed", err, ErrPipeClosed)
		}
		wantErr(t, "send", w.Send(1), unix.EPIPE)
		check(t, w.Close())
		wantErr(t, "second close", w.Close(), ErrPipeClosed)
		wantErr(t, "send", w.Send(1), ErrPipeClosed)
	})
}

// TestWaitForPipes: multiprocessing.connection.wait.
func TestWaitForPipes(t *testing.T) {
	inTask(t, func() {
		r1, w1, err := OneWay[int]()
		check(t, err)
		r2, w2, err := OneWay[int]()
		check(t, err)
		check(t, w2.Send(5))
		ready := ok(runtime.Wait(1, 0, r1, r2))
		if len(ready) != 1 || ready[0] != r2 {
			t.Errorf("ready: %v", ready)
		}
		for _, c := range []io.Closer{r1, w1, r2, w2} {
			check(t, c.Close())
		}
	})
}

// TestPipeFromGoroutines sends from a goroutine to a goroutine, through a child.
func TestPipeFromGoroutines(t *testing.T) {
	ours, theirs, err := Pipe[[]byte]()
	check(t, err)
	p := ok(Start(echo, theirs))
	go func() {
		for i := range 1000 {
			_ = ours.Send([]byte{byte(i)})
		}
		_ = ours.Out.Close()
	}()
	for i := range 1000 {
		if got := ok(ours.Recv()); len(got) != 1 || got[0] != byte(i) {
			t.Fatalf("message %d: %v", i, got)
		}
	}
	want(t, "messages", ok(p.Result()), 1000)
	check(t, ours.In.Close())
	inTask(t, func() {})
}
