package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// programEnv names a program that the test binary is to be.
const programEnv = "WEFT_TEST_PROGRAM"

// programs are main functions of their own.
var programs = map[string]func(){
	// One that leaves a daemon and another process behind.
	"main": func() {
		Main(func() {
			daemon := ok(Start(waits, struct{}{}, Daemon()))
			ok(Start(printsLater, "the other process\n"))
			fmt.Println(daemon.PID())
			fmt.Println("main has returned")
		})
	},
	// One whose main panics.
	"panic": func() {
		Main(func() {
			fmt.Println(ok(Start(waits, struct{}{}, Daemon())).PID())
			panic("in main")
		})
	},
	// One that has forgotten Init, and would start itself for ever.
	"forgetful": func() {
		runtime.Main(func() {
			_, err := Start(double, 1)
			fmt.Println(err)
		})
	},
}

var printsLater = Register("test print later", func(text string) (int, error) {
	runtime.Sleep(20 * time.Millisecond)
	_, err := os.Stdout.WriteString(text)
	return 0, err
})

func runProgram(t *testing.T, name string) (lines []string, code int) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "an argument")
	cmd.Env = append(os.Environ(), programEnv+"="+name)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), cmd.ProcessState.ExitCode()
}

// TestProgram: Main waits for the processes that are left, and kills the daemons.
func TestProgram(t *testing.T) {
	lines, code := runProgram(t, "main")
	want(t, "exit status", code, 0)
	if len(lines) != 3 || lines[1] != "main has returned" || lines[2] != "the other process" {
		t.Fatalf("printed %q", lines)
	}
	pid := ok(strconv.Atoi(lines[0]))
	runtimetest.Eventually(t, "the daemon's end", func() bool { return !exists(pid) })
}

func TestProgramPanics(t *testing.T) {
	lines, code := runProgram(t, "panic")
	want(t, "exit status", code, 2)
	pid := ok(strconv.Atoi(lines[0]))
	runtimetest.Eventually(t, "the daemon's end", func() bool { return !exists(pid) })
}

func TestProgramWithoutInit(t *testing.T) {
	lines, code := runProgram(t, "forgetful")
	want(t, "exit status", code, 0)
	want(t, "output", lines[0], ErrNotInitialised.Error())
}

// TestMarkerByHand: the variable that makes a child, set by somebody else, is an error, not a
// strange program.
func TestMarkerByHand(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), marker+"=77,78,79,80:0")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), marker+" is set") {
		t.Errorf("%v: %s", err, out)
	}
}
