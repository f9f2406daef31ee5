package pool_test

import (
	goruntime "runtime"
	"sync"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// BenchmarkSpawn runs tasks in ten slots. The goroutines have a channel of
// ten for a semaphore.
func BenchmarkSpawn(b *testing.B) {
	b.Run("weft", func(b *testing.B) {
		runtimetest.Bench(b, 1, func() {
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
		runtimetest.Bench(b, 1, func() {
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
