package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be its own children, as the program is.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// tiny is enough to go through every step once.
var tiny = scale{
	microRounds: 1, echoRounds: 1, idleRounds: 1,
	warm: 10 * time.Millisecond, window: 200 * time.Millisecond, counting: 100 * time.Millisecond,
	settle: 10 * time.Millisecond, idle: 50 * time.Millisecond,
}

// TestServers measures each kind of server from end to end, in child processes.
func TestServers(t *testing.T) {
	all := []experiment{
		echoExperiment(20), echoAgainst(20, gnetName, bar{}), echoAgainst(20, netpollName, bar{}), idleExperiment(200),
		proxyAgainstCopy(),
	}
	for _, s := range []service{receiveService, sendService, proxyService, acceptService, connectService, secretService, handService, udpService, batchService} {
		all = append(all, serviceExperiment(s, row{string(s), "units", "units", bar{}}))
	}
	for _, e := range all {
		t.Run(e.name, func(t *testing.T) {
			// On a busy machine a server may get no processor time in a window
			// as short as this.
			var problems []string
			for range 5 {
				if problems = testExperiment(t, e); len(problems) == 0 {
					return
				}
			}
			t.Error(problems)
		})
	}
}

// testExperiment makes the experiment and returns what is wrong with its figures.
func testExperiment(t *testing.T, e experiment) (problems []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	m, err := thisMachine()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{machine: m, scale: tiny, reference: buildReference(ctx), counter: findCounter(ctx), progress: io.Discard}
	defer b.reference.remove()
	res := b.run(ctx, e)
	for _, side := range e.sides {
		if err := res.errs[side]; err != nil {
			if errors.Is(err, errNoCompiler) {
				t.Logf("%s: %v", side, err)
			} else {
				t.Errorf("%s: %v", side, err)
			}
			continue
		}
		for _, r := range e.rows {
			x := res.values[side][r.figure].median()
			if r.figure == "syscalls" && b.counter == nil {
				continue
			}
			if !(x >= 0) || r.figure == "requests" && x == 0 {
				problems = append(problems, fmt.Sprintf("%s, %s: %v", side, r.name, x))
			}
		}
	}
	// Two calls are the least that can be: a read and a write.
	if calls := res.values[goroutineName]["syscalls"].median(); calls < 2 || calls > 10 {
		// Not where there is none: NaN compares false.
		problems = append(problems, fmt.Sprintf("%v system calls per request", calls))
	}
	return problems
}

// TestCounters has strace and the kernel count the same server, where both can.
func TestCounters(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	m, err := thisMachine()
	if err != nil {
		t.Fatal(err)
	}
	for _, counter := range []syscallCounter{perfCounter{}, straceCounter{}} {
		if err := counter.probe(ctx); err != nil {
			t.Logf("no %v here: %v", counter, err)
			continue
		}
		b := &bench{machine: m, scale: tiny, counter: counter}
		p, err := b.startPair(ctx, goroutineName, 10)
		if err != nil {
			t.Fatal(err)
		}
		calls, err := b.countSyscalls(ctx, p)
		p.stop()
		if err != nil || calls < 2 || calls > 10 {
			t.Errorf("%v: %v calls per request, error %v", counter, calls, err)
		}
	}
}

// TestFailedSide makes sure that a side which fails is reported, asked no more, and marked.
func TestFailedSide(t *testing.T) {
	asked := map[string]int{}
	e := experiment{
		name:   "made up",
		sides:  contenders,
		rounds: func(scale) int { return 3 },
		measure: func(_ context.Context, _ *bench, side string, round int) (figures, error) {
			asked[side]++
			if side == weftName {
				return nil, errors.New("broken\nwith details")
			}
			return figures{"x": float64(round)}, nil
		},
		rows: []row{{"first", "u", "x", ratioAtMost(1)}, {"second", "u", "y", bar{}}},
	}
	b := &bench{progress: io.Discard}
	res := b.run(context.Background(), e)
	if asked[weftName] != 1 || asked[goroutineName] != 3 {
		t.Errorf("asked %v, want weft once and goroutines three times", asked)
	}
	if got := res.values[goroutineName]["x"].median(); got != 1 {
		t.Errorf("median %v, want 1", got)
	}
	tab := newTable()
	marks := res.fill(tab)
	if len(marks) != 2 || marks[0] != unmeasured || marks[1] != noBar {
		t.Errorf("marks %q, want unmeasured and none", marks)
	}
	if notes := res.notes(); len(notes) != 1 || notes[0] != "made up, weft: broken" {
		t.Errorf("notes %q", notes)
	}
}

// TestInterleaved checks the order of measurement.
func TestInterleaved(t *testing.T) {
	var order []string
	e := experiment{
		sides:  contenders,
		rounds: func(scale) int { return 2 },
		measure: func(_ context.Context, _ *bench, side string, _ int) (figures, error) {
			order = append(order, side)
			return figures{}, nil
		},
	}
	(&bench{progress: io.Discard}).run(context.Background(), e)
	if got, want := strings.Join(order, " "), "weft goroutines weft goroutines"; got != want {
		t.Errorf("order %q, want %q", got, want)
	}
}

func TestMatching(t *testing.T) {
	if got := matching(experiments, regexp.MustCompile("")); len(got) != len(experiments) {
		t.Errorf("%d of %d experiments match everything", len(got), len(experiments))
	}
	got := matching(experiments, regexp.MustCompile("^echo on 50, sys"))
	if len(got) != 1 || len(got[0].rows) != 1 || got[0].rows[0].figure != "syscalls" {
		t.Errorf("got %+v", got)
	}
	if got := matching(experiments, regexp.MustCompile("nothing of the kind")); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	names := map[string]bool{}
	for _, e := range experiments {
		for _, r := range e.rows {
			if names[r.name] {
				t.Errorf("two rows are called %q", r.name)
			}
			names[r.name] = true
		}
	}
}
