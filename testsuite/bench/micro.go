package main

import (
	"fmt"
	"os"
	goruntime "runtime"
	"runtime/debug"
	"time"
)

// A micro is something measured within one process, without any input or output.
type micro struct {
	name    string
	measure func(e engine) (figures, error)
}

// micros are the measurements a child can be asked for.
var micros = append([]micro{
	{"yield 2", func(e engine) (figures, error) { return measureYield(e, 2) }},
	{"yield 1000", func(e engine) (figures, error) { return measureYield(e, 1000) }},
	{"token", measureToken},
	{"spawn", func(e engine) (figures, error) { return measureSpawn(e, 100, 500_000) }},
	{"spawn one", func(e engine) (figures, error) { return measureSpawn(e, 1, 500_000) }},
	{"spawn 10000", func(e engine) (figures, error) { return measureSpawn(e, 10_000, 1_000_000) }},
	{"park", measurePark},
	{"sleep", measureSleep},
}, waitMicros()...)

const (
	switches = 2_000_000
	trips    = 500_000
	sleepers = 10_000
	sleeps   = 200
	parks    = 100_000

	// warmPart is how much of a measurement is first done unmeasured.
	warmPart = 10
)

// measureMicro runs the named measurement.
func measureMicro(name string, e engine) (figures, error) {
	for _, m := range micros {
		if m.name == name {
			return m.measure(e)
		}
	}
	return nil, fmt.Errorf("no measurement %q", name)
}

// timed calls f with a part of n to warm up, then with n, and returns nanoseconds for each of n.
func timed(n int, f func(n int) (time.Duration, error)) (float64, error) {
	if _, err := f(n / warmPart); err != nil {
		return 0, err
	}
	goruntime.GC()
	elapsed, err := f(n)
	return float64(elapsed.Nanoseconds()) / float64(n), err
}

func measureYield(e engine, tasks int) (figures, error) {
	ns, err := timed(switches, func(n int) (time.Duration, error) { return e.yield(tasks, n/tasks) })
	return figures{"ns": ns}, err
}

func measureToken(e engine) (figures, error) {
	ns, err := timed(trips, e.token)
	return figures{"ns": ns}, err
}

func measureSpawn(e engine, batch, spawns int) (figures, error) {
	var before, after goruntime.MemStats
	ns, err := timed(spawns, func(n int) (time.Duration, error) {
		goruntime.ReadMemStats(&before)
		elapsed, err := e.spawn(batch, n/batch)
		goruntime.ReadMemStats(&after)
		return elapsed, err
	})
	return figures{"ns": ns, "allocs": float64(after.Mallocs-before.Mallocs) / float64(spawns)}, err
}

// measureSleep counts processor time, of both kinds.
func measureSleep(e engine) (figures, error) {
	if err := e.sleep(sleepers, sleeps/warmPart, time.Millisecond); err != nil {
		return nil, err
	}
	goruntime.GC()
	before, err := cpuTime(os.Getpid())
	if err != nil {
		return nil, err
	}
	if err := e.sleep(sleepers, sleeps, time.Millisecond); err != nil {
		return nil, err
	}
	after, err := cpuTime(os.Getpid())
	return figures{"ns": float64((after - before).Nanoseconds()) / (sleepers * sleeps)}, err
}

func measurePark(e engine) (figures, error) {
	before, err := measureMemory()
	if err != nil {
		return nil, err
	}
	var after memory
	var afterErr error
	if err := e.park(parks, func() { after, afterErr = measureMemory() }); err != nil {
		return nil, err
	}
	return figures{
		"bytes":    (after.inUse - before.inUse) / parks,
		"resident": (after.resident - before.resident) / parks,
	}, afterErr
}

// memory is what a process uses.
type memory struct {
	inUse    float64 // by Go's own account: heap, stacks, and what the runtime keeps about them
	resident float64 // by the kernel's account
}

// measureMemory collects garbage, gives free memory back and counts what is left.
func measureMemory() (memory, error) {
	debug.FreeOSMemory()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	resident, err := residentBytes(os.Getpid())
	return memory{
		inUse:    float64(m.HeapInuse + m.StackInuse + m.MSpanInuse + m.MCacheInuse + m.BuckHashSys + m.GCSys + m.OtherSys),
		resident: resident,
	}, err
}
