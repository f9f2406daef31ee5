package runtimetest

import (
	goruntime "runtime"
	"testing"

	"github.com/weft-go/weft/runtime"
)

// Bench runs fn as a task of a runtime with the given number of workers, at as
// many for GOMAXPROCS, and reports allocations.
func Bench(b *testing.B, workers int, fn func()) {
	b.Helper()
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(workers))
	rt, err := runtime.New(runtime.Config{Workers: workers})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rt.Stop(b.Context()) }()
	b.ReportAllocs()
	if err := rt.Run(func() error { fn(); return nil }); err != nil {
		b.Fatal(err)
	}
}

// BenchTwo is Bench of two tasks, of the first and the last worker. Only what
// they do is timed.
func BenchTwo(b *testing.B, workers int, first, second func()) {
	b.Helper()
	Bench(b, workers, func() {
		ws := runtime.Current().Runtime().Workers()
		b.ResetTimer()
		tasks := []*runtime.Task{ws[0].Spawn(first), ws[workers-1].Spawn(second)}
		_, _ = tasks[0].Join(), tasks[1].Join()
	})
}
