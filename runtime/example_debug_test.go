package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// The task waits in a Go lock, and so holds up its worker.
func ExampleBlocked() {
	var mu sync.Mutex
	mu.Lock()
	rt, err := runtime.New(runtime.Config{
		Workers:     1,
		MaxBlocking: 10 * time.Millisecond,
		OnBlocked: func(b runtime.Blocked) {
			fmt.Println(b.WaitsIn, strings.Contains(b.Stack, "ExampleBlocked"))
			mu.Unlock()
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = rt.Run(func() error { mu.Lock(); return nil })
	_ = rt.Stop(context.Background())
	// Output: sync.Mutex.Lock true
}

func ExampleTaskInfo() {
	runtimetest.Example(func() {
		runtime.Spawn(func() { runtime.Sleep(time.Hour) })
		runtime.Yield()
		runtime.Spawn(func() {})
		for _, info := range runtime.Current().Runtime().Tasks() {
			fmt.Printf("%v %q\n", info.State, info.Reason)
		}
	})
	// Output:
	// is running ""
	// waits "sleep"
	// has not started ""
}

func ExampleAssertYields() {
	runtimetest.Example(func() {
		err := runtime.AssertYields(func() error {
			for range 1000 {
				// a loop that forgot to Yield
			}
			return nil
		})
		fmt.Println(errors.Is(err, runtime.ErrNotYielded))
		fmt.Println(runtime.AssertYields(func() error { runtime.Yield(); return nil }))
	})
	// Output:
	// true
	// <nil>
}

// A server ends gracefully on the first signal.
func ExampleSignals() {
	runtimetest.Example(func() {
		serve := runtime.Spawn(func() {
			defer fmt.Println("connections closed")
			for {
				runtime.Sleep(time.Millisecond) // accept, serve …
			}
		})
		quit := runtime.Signals(syscall.SIGUSR1) // os.Interrupt, syscall.SIGTERM
		defer quit.Stop()
		_ = syscall.Kill(os.Getpid(), syscall.SIGUSR1) // somebody presses ^C

		sig, err := quit.Wait()
		fmt.Println(sig, err)
		serve.Kill(errors.New("signal"))
		fmt.Println(serve.Join())
	})
	// Output:
	// user defined signal 1 <nil>
	// connections closed
	// runtime: task killed: signal
}

// The signal ends a task, as signal.NotifyContext ends a context.
func ExampleOnSignal() {
	runtimetest.Example(func() {
		server := runtime.Spawn(func() { runtime.Sleep(time.Hour) })
		stop := runtime.OnSignal(syscall.SIGUSR1, func() {
			fmt.Println("closing")
			server.Kill(context.Canceled)
		})
		defer stop()
		_ = syscall.Kill(os.Getpid(), syscall.SIGUSR1)
		fmt.Println(server.Join())
	})
	// Output:
	// closing
	// runtime: task killed: context canceled
}
