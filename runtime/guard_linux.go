//go:build linux && (amd64 || arm64) && !race

package runtime

import (
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const guardsBias = true

// Commands of membarrier(2).
const (
	membarrierPrivateExpedited         = 1 << 3
	membarrierRegisterPrivateExpedited = 1 << 4
)

// registered is set once the kernel has entered the process for membarrier.
var registered atomic.Bool

// register does that, in the background: it takes the kernel some milliseconds.
var register = sync.OnceFunc(func() {
	go func() {
		_, _, err := unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierRegisterPrivateExpedited, 0, 0)
		registered.Store(err == 0)
	}()
})

// mayBias reports whether guards may be biased.
func mayBias() bool {
	if !registered.Load() {
		register()
		return false
	}
	return true
}

// membarrier makes every thread of the process execute a memory barrier, about
// 10 microseconds.
func membarrier() {
	if _, _, err := unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierPrivateExpedited, 0, 0); err != 0 {
		panic("runtime: membarrier: " + err.Error())
	}
}

// pause lets the thread that is in a guard go on.
func pause() {
	goruntime.Gosched()
	time.Sleep(time.Microsecond)
}
