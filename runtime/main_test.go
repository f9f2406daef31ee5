package runtime_test

import (
	"errors"
	"os"
	"os/exec"
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
			for _, text := range want.text {
				if !strings.Contains(string(out), text) {
					t.Errorf("no %q in the output:\n%s", text, out)
				}
			}
		})
	}
}
