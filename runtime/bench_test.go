package runtime_test

import (
	goruntime "runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func BenchmarkYield(b *testing.B) {
	for _, n := range []int{2, 100, 1000} {
		b.Run(sizeName(n)+"/weft", func(b *testing.B) {
			runtimetest.Bench(b, 1, func() {
				rounds := b.N/n + 1
				var tasks []*runtime.Task
				for range n {
					tasks = append(tasks, runtime.Spawn(func() {
						for range rounds {
							runtime.Yield()
						}
					}))
				}
				b.ResetTimer()
				for _, t := range tasks {
					_ = t.Join()
				}
			})
		})
		b.Run(sizeName(n)+"/goroutines", func(b *testing.B) {
			defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
			rounds := b.N/n + 1
			var wg sync.WaitGroup
			for range n {
				wg.Go(func() {
					for range rounds {
						goruntime.Gosched()
					}
				})
			}
			b.ResetTimer()
			wg.Wait()
		})
	}
}

func sizeName(n int) string {
	return strconv.Itoa(n)
}

func BenchmarkToken(b *testing.B) {
	b.Run("weft", func(b *testing.B) {
		runtimetest.Bench(b, 1, func() {
			var ping, pong runtime.Waiter
			other := runtime.Spawn(func() {
				for range b.N {
					ping = runtime.NewWaiter()
					pong.Ready()
					_ = ping.Park("ping")
				}
				pong.Ready()
			})
			pong = runtime.NewWaiter()
			_ = pong.Park("pong")
			for range b.N - 1 {
				pong = runtime.NewWaiter()
				ping.Ready()
				_ = pong.Park("pong")
			}
			pong = runtime.NewWaiter()
			ping.Ready()
			_ = pong.Park("pong")
			_ = other.Join()
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		ping, pong := make(chan struct{}), make(chan struct{})
		go func() {
			for range ping {
				pong <- struct{}{}
			}
		}()
		for range b.N {
			ping <- struct{}{}
			<-pong
		}
		close(ping)
	})
}

func BenchmarkSpawn(b *testing.B) {
	const batch = 100
	b.Run("weft", func(b *testing.B) {
		runtimetest.Bench(b, 1, func() {
			n := 0
			for i := 0; i < b.N; i += batch {
				var last *runtime.Task
				for range batch {
					last = runtime.Spawn(func() { n++ })
				}
				_ = last.Join()
			}
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		b.ReportAllocs()
		n := 0
		var wg sync.WaitGroup
		for i := 0; i < b.N; i += batch {
			wg.Add(batch)
			for range batch {
				go func() { n++; wg.Done() }()
			}
			wg.Wait()
		}
	})
}

func BenchmarkOffload(b *testing.B) {
	b.Run("weft", func(b *testing.B) {
		runtimetest.Bench(b, 1, func() {
			n := 0
			for range b.N {
				_ = runtime.Offload(func() { n++ })
			}
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		n := 0
		for range b.N {
			done := make(chan struct{})
			go func() { n++; close(done) }()
			<-done
		}
	})
}
