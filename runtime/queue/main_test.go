package queue_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
)

// stuck is a func main whose task waits for what never comes.
func stuck() {
	runtime.Main(func() {
		var q queue.Queue[int]
		_, err := q.Get()
		println("Get returned:", err.Error())
		os.Exit(3)
	})
}

func TestMain(m *testing.M) {
	if os.Getenv("WEFT_QUEUE_STUCK") != "" {
		stuck()
	}
	os.Exit(m.Run())
}

// TestStuckProgram runs in a process of its own, as goroutines of the test would
// count as ones that may put something.
func TestStuckProgram(t *testing.T) { // D62
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "WEFT_QUEUE_STUCK=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("the program ended with %v", err)
	}
	for _, text := range []string{"every task waits for ever", "waits: queue get"} {
		if !strings.Contains(string(out), text) {
			t.Errorf("no %q in the output:\n%s", text, out)
		}
	}
}
