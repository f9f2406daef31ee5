package poll

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime/internal/reactor"
	"github.com/weft-go/weft/runtime/runtimetest"
)

var (
	past   = time.Unix(1, 0)
	future = time.Now().Add(time.Hour)
)

// operations are those with a deadline, on a descriptor where they wait.
func operations(fd *FD) map[reactor.Direction][]func() (int, error) {
	return map[reactor.Direction][]func() (int, error){
		dirRead: {
			func() (int, error) { return fd.Read(make([]byte, 1)) },
			func() (int, error) { return 0, fd.RawRead(func(uintptr) bool { return false }) },
		},
		dirWrite: {
			func() (int, error) { return fd.Write(make([]byte, 1)) },
			func() (int, error) { return 0, fd.WaitWrite() },
			func() (int, error) { return 0, fd.RawWrite(func(uintptr) bool { return false }) },
			func() (int, error) {
				n, _, err := fd.SendFile(func(func(uintptr)) error { t := errors.New("called"); return t }, 1)
				return int(n), err
			},
		},
	}
}

// set sets the deadline of dir, or of both, by either method.
func set(t *testing.T, fd *FD, dir reactor.Direction, both bool, when time.Time) {
	t.Helper()
	err := fd.SetReadDeadline
	switch {
	case both:
		err = fd.SetDeadline
	case dir == dirWrite:
		err = fd.SetWriteDeadline
	}
	if err := err(when); err != nil {
		t.Error(err)
	}
}

// TestDeadlinePassed: with a deadline in the past no operation does anything,
// though it could, until the deadline is set anew.
func TestDeadlinePassed(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		fd, peer := socketPair(t)
		if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		for dir, ops := range operations(fd) {
			for _, both := range []bool{false, true} {
				set(t, fd, dir, both, past)
				for i, op := range ops {
					if res := <-p.call(op); res.n != 0 || !errors.Is(res.err, os.ErrDeadlineExceeded) {
						t.Errorf("%s %d: %v", waitReasons[dir], i, res)
					}
				}
				set(t, fd, dir, both, time.Time{})
			}
		}
		if res := <-p.call(func() (int, error) { return fd.Read(make([]byte, 2)) }); res != (result{1, nil}) {
			t.Errorf("Read = %v", res)
		}
		if res := <-p.call(func() (int, error) { return fd.Write(make([]byte, 2)) }); res != (result{2, nil}) {
			t.Errorf("Write = %v", res)
		}
		idle(t, fd)
	})
}

// TestDeadlineWhileParked: a deadline set, moved and removed while an operation
// waits counts for that one.
func TestDeadlineWhileParked(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for _, p := range places(rt) {
		for _, setter := range places(rt) {
			t.Run(p.name+"/"+setter.name, func(t *testing.T) {
				fd, _ := socketPair(t)
				total := fill(t, fd)
				for dir, ops := range operations(fd) {
					for i, op := range ops {
						if dir == dirWrite && (i == 1 || i == 3) {
							continue // WaitWrite returns, SendFile needs a file to wait
						}
						for _, both := range []bool{false, true} {
							for _, steps := range [][]time.Time{
								{past},
								{future, past},
								{future.Add(time.Hour), future, past},
								{future, time.Time{}, past},
								{future, future, future.Add(time.Hour), past},
								{time.Now().Add(time.Millisecond)},
								{future, time.Now().Add(time.Millisecond)},
							} {
								c := p.call(op)
								for _, when := range steps {
									parked(t, fd, dir)
									<-setter.call(func() (int, error) { set(t, fd, dir, both, when); return 0, nil })
								}
								if res := <-c; res.n != 0 || !errors.Is(res.err, os.ErrDeadlineExceeded) {
									t.Errorf("%s %d: %v", waitReasons[dir], i, res)
								}
								set(t, fd, dir, true, time.Time{})
							}
						}
					}
				}
				_ = total
				idle(t, fd)
			})
		}
	}
}

// TestDeadlineLater: a deadline that is put off, or removed, does not end the
// operation.
func TestDeadlineLater(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b place) {
		for _, later := range []time.Time{{}, future} {
			fd, peer := socketPair(t)
			set(t, fd, dirRead, false, time.Now().Add(time.Minute))
			c := a.call(func() (int, error) { return fd.Read(make([]byte, 1)) })
			parked(t, fd, dirRead)
			<-b.call(func() (int, error) { set(t, fd, dirRead, false, later); return 0, nil })
			parked(t, fd, dirRead)
			if _, err := peer.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if res := <-c; res != (result{1, nil}) {
				t.Errorf("Read = %v", res)
			}
		}
	})
}

// TestDeadlinesAreSeparate: the deadline of one direction leaves the other
// alone.
func TestDeadlinesAreSeparate(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		fd, peer := socketPair(t)
		set(t, fd, dirRead, false, past)
		if res := <-p.call(func() (int, error) { return fd.Write([]byte("x")) }); res != (result{1, nil}) {
			t.Errorf("Write = %v", res)
		}
		set(t, fd, dirRead, false, time.Time{})
		set(t, fd, dirWrite, false, past)
		c := p.call(func() (int, error) { return fd.Read(make([]byte, 1)) })
		parked(t, fd, dirRead)
		set(t, fd, dirWrite, false, future)
		set(t, fd, dirWrite, false, past)
		if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if res := <-c; res != (result{1, nil}) {
			t.Errorf("Read = %v", res)
		}
	})
}

// TestDeadlineAndQueue: a deadline ends the one who waits for data, and then
// each of those behind.
func TestDeadlineAndQueue(t *testing.T) {
	rt := runtimetest.New(t, 2)
	fd, _ := socketPair(t)
	var all []<-chan result
	for i := range 6 {
		all = append(all, places(rt)[i%3].call(func() (int, error) { return fd.Read(make([]byte, 1)) }))
		if i == 0 {
			parked(t, fd, dirRead)
		} else {
			queued(t, fd, dirRead, i)
		}
	}
	set(t, fd, dirRead, false, past)
	for i, c := range all {
		if res := <-c; !errors.Is(res.err, os.ErrDeadlineExceeded) {
			t.Errorf("reader %d: %v", i, res)
		}
	}
	idle(t, fd)
}

// TestDeadlinePartialWrite: what was written before the deadline is told.
func TestDeadlinePartialWrite(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		fd, peer := socketPair(t)
		c := p.call(func() (int, error) { return fd.Write(make([]byte, 64<<20)) })
		parked(t, fd, dirWrite)
		set(t, fd, dirWrite, false, past)
		res := <-c
		if res.n == 0 || res.n == 64<<20 || !errors.Is(res.err, os.ErrDeadlineExceeded) {
			t.Errorf("Write = %v", res)
		}
		if err := fd.Close(); err != nil {
			t.Fatal(err)
		}
		n := 0
		buf := make([]byte, 1<<16)
		for {
			m, err := peer.Read(buf)
			if n += m; err != nil {
				break
			}
		}
		if n != res.n {
			t.Errorf("Write told %d, the peer got %d", res.n, n)
		}
	})
}

func TestDeadlineAfterClose(t *testing.T) {
	fd, _ := socketPair(t)
	if err := fd.Close(); err != nil {
		t.Fatal(err)
	}
	for _, set := range []func(time.Time) error{fd.SetDeadline, fd.SetReadDeadline, fd.SetWriteDeadline} {
		if err := set(future); err != ErrClosed {
			t.Error(err)
		}
	}
}

// TestDeadlineError: the error is the standard library's own.
func TestDeadlineError(t *testing.T) {
	fd, _ := socketPair(t)
	set(t, fd, dirRead, false, past)
	_, err := fd.Read(make([]byte, 1))
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() || fmt.Sprint(err) != "i/o timeout" {
		t.Error(err)
	}
}
