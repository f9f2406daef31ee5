package poll

import (
	"errors"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestUnwound: a killed task that swallowed its unwinding is unwound again out of
// its next wait, whichever that is. The descriptor is left as after an error.
func TestUnwound(t *testing.T) {
	for name, op := range map[string]func(fd *FD) error{
		"Read":      func(fd *FD) error { _, err := fd.Read(make([]byte, 1)); return err },
		"Write":     func(fd *FD) error { _, err := fd.Write(make([]byte, 64<<20)); return err },
		"WaitWrite": func(fd *FD) error { return fd.WaitWrite() },
		"RawRead":   func(fd *FD) error { return fd.RawRead(func(uintptr) bool { return false }) },
		"queue": func(fd *FD) error {
			// The test holds the lock for reading.
			_, err := fd.Read(make([]byte, 1))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			rt := runtimetest.New(t, 1)
			fd, peer := socketPair(t)
			leave := make(chan struct{})
			if name == "queue" {
				held := make(chan struct{})
				go func() { _ = fd.RawRead(func(uintptr) bool { close(held); <-leave; return true }) }()
				<-held
			} else {
				fill(t, fd)
			}
			returned := false
			task := rt.Spawn(func() {
				defer func() { close(leave); _ = fd.Close() }()
				func() {
					defer func() { _ = recover() }()
					runtime.Sleep(time.Hour)
				}()
				_ = op(fd)
				returned = true
			})
			runtimetest.Eventually(t, "the sleep", func() bool { return len(rt.Tasks()) == 1 })
			task.Kill(nil)
			if err := task.JoinUntil(runtime.Now().Add(runtimetest.Patience)); !errors.Is(err, runtime.ErrKilled) || returned {
				t.Errorf("Join: %v, returned %v", err, returned)
			}
			gone(t, fd)
			idle(t, peer)
		})
	}
}
