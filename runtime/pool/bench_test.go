package pool_test

import (
	goruntime "runtime"
	"sync"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
)

// bench runs fn as a task of a one-worker runtime at GOMAXPROCS=1.
func bench(b *testing.B, fn func()) {
	b.Helper()
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	rt, err := runtime.New(runtime.Config{Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rt.Stop(b.Context()) }()
	b.ReportAllocs()
	if err := rt.Run(func() error { fn(); return nil }); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSpawn runs tasks in ten slots. The goroutines have a channel of
// ten for a semaphore.
func BenchmarkSpawn(b *testing.B) {
	b.Run("weft", func(b *testing.B) {
		bench(b, func() {
			p := pool.New(10)
			for range b.N {
				_, _ = p.Spawn(runtime.Yield)
			}
			_ = p.Join()
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		b.ReportAllocs()
		slots := make(chan struct{}, 10)
		var wg sync.WaitGroup
		for range b.N {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				goruntime.Gosched()
			})
		}
		wg.Wait()
	})
}

// BenchmarkIMap has ten calls at once, and a bound of ten. The goroutines are one
// for each call, with a channel of results, each a channel, in their order.
func BenchmarkIMap(b *testing.B) {
	b.Run("weft", func(b *testing.B) {
		bench(b, func() {
			sum := 0
			for v := range pool.IMap(pool.New(10), 10, numbers(b.N), func(i int) (int, error) { return i, nil }) {
				sum += v
			}
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		b.ReportAllocs()
		results := make(chan chan int, 10)
		go func() {
			for i := range b.N {
				result := make(chan int, 1)
				results <- result
				go func() { result <- i }()
			}
			close(results)
		}()
		sum := 0
		for result := range results {
			sum += <-result
		}
	})
}
