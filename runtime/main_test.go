package runtime_test

import (
	"errors"
	"os"
	"os/exec"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
)

// mainPrograms are bodies of func main, run in a process of their own.
var mainPrograms = map[string]func(){
	"returns": func() {
		runtime.Main(func() {
			runtime.Spawn(func() {
				defer println("killed and cleaned up")
				runtime.Sleep(time.Hour)
			})
			runtime.Yield()
		})
		println("after Main")
	},
	"panics": func() {
		runtime.Main(func() { panic("in the main task") })
	},
	"is stuck": func() {
		runtime.Main(func() {
			var mu lock.Mutex
			mu.Lock()
			mu.Lock()
		})
	},
	"is stuck after signals": func() {
		runtime.Main(func() {
			runtime.Signals(syscall.SIGUSR1).Stop()
			runtime.Unwind(runtime.NewWaiter().Park("a bell"))
		})
	},
	"lets another panic": func() {
		runtime.Main(func() { _ = runtime.Spawn(func() { panic("in another task") }).Join() })
		println("after Main")
	},
	// D90: what ends more than a task.
	"exits": func() {
		runtime.Main(func() {
			_ = runtime.Spawn(func() {
				defer println("deferred")
				os.Exit(3)
			}).Join()
		})
		println("after Main")
	},
	"another ends by Goexit": func() {
		runtime.Main(func() {
			if err := runtime.Spawn(goruntime.Goexit).Join(); err == runtime.ErrGoexit {
				println("ErrGoexit")
			}
		})
		println("after Main")
	},
	"ends by Goexit": func() {
		runtime.Main(goruntime.Goexit)
		println("after Main")
	},
	// What becomes of a task that locks its OS thread: see doc.go.
	"locks its thread and waits": func() {
		runtime.Main(func() {
			goruntime.LockOSThread()
			runtime.Sleep(time.Millisecond)
		})
		println("after Main")
	},
	"locks its thread and ends": func() {
		runtime.Main(goruntime.LockOSThread)
		println("after Main")
	},
	"locks its thread and offloads": func() {
		runtime.Main(func() {
			goruntime.LockOSThread()
			_ = runtime.Offload(func() {})
		})
		println("after Main")
	},
	"unlocks its thread in time": func() {
		runtime.Main(func() {
			goruntime.LockOSThread()
			w := runtime.NewWaiter()
			w.Ready()
			_ = w.Park("what is there already") // no switch
			goruntime.UnlockOSThread()
			runtime.Sleep(time.Millisecond)
		})
		println("after Main")
	},
	"locks a thread in Offload": func() {
		runtime.Main(func() {
			_ = runtime.Offload(func() {
				goruntime.LockOSThread()
				defer goruntime.UnlockOSThread()
			})
			runtime.Sleep(time.Millisecond)
		})
		println("after Main")
	},
}

// lockedThread is how the Go runtime ends a process in which a locked task is
// switched from.
var lockedThread = []string{
	"fatal error: coro: OS thread locking must match locking at coroutine creation", "main_test.go",
}

func TestMain(m *testing.M) {
	if program := mainPrograms[os.Getenv("WEFT_MAIN_PROGRAM")]; program != nil {
		program()
		os.Exit(0)
	}
	runtime.Signals(syscall.SIGUSR1).Stop() // package os/signal starts a goroutine for good
	os.Exit(m.Run())
}

func TestPrograms(t *testing.T) {
	for name, want := range map[string]struct {
		code int
		text []string
	}{
		"returns":                {0, []string{"killed and cleaned up\nafter Main"}},
		"panics":                 {2, []string{"panicked: in the main task", "main_test.go"}},
		"is stuck":               {2, []string{"every task waits for ever", "waits: lock"}},
		"is stuck after signals": {2, []string{"every task waits for ever", "waits: a bell"}},
		"lets another panic":     {0, []string{"panicked: in another task", "after Main"}},

		"exits":                  {3, nil},
		"another ends by Goexit": {0, []string{"ErrGoexit\nafter Main"}},
		"ends by Goexit":         {0, []string{"after Main"}},

		"locks its thread and waits":    {2, lockedThread},
		"locks its thread and ends":     {2, lockedThread[:1]},
		"locks its thread and offloads": {2, lockedThread},
		"unlocks its thread in time":    {0, []string{"after Main"}},
		"locks a thread in Offload":     {0, []string{"after Main"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "WEFT_MAIN_PROGRAM="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			code := 0
			if errors.As(err, &exit) {
				code = exit.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if code != want.code {
				t.Errorf("exit status %d, want %d", code, want.code)
			}
			if code != 0 && strings.Contains(string(out), "after Main") {
				t.Errorf("went on after Main:\n%s", out)
			}
			for _, text := range want.text {
				if !strings.Contains(string(out), text) {
					t.Errorf("no %q in the output:\n%s", text, out)
				}
			}
		})
	}
}
