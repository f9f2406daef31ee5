package greenlet_test

import (
	"iter"
	goruntime "runtime"
	"testing"

	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// BenchmarkPingPong is a round trip between two parties, there and back.
func BenchmarkPingPong(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		ping, pong := make(chan int), make(chan int)
		go func() {
			for v := range ping {
				pong <- v + 1
			}
		}()
		defer close(ping)
		b.ReportAllocs()
		for i := range b.N {
			ping <- i
			<-pong
		}
	})
	b.Run("iter.Pull", func(b *testing.B) { // what there is to gain
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		next, stop := iter.Pull(func(yield func(int) bool) {
			for v := 0; yield(v); v++ {
			}
		})
		defer stop()
		b.ReportAllocs()
		for range b.N {
			next()
		}
	})
	b.Run("parent", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		var g *ints
		g = greenlet.New(func(v int) (int, error) {
			for {
				var err error
				if v, err = g.SwitchParent(v + 1); err != nil {
					return 0, err
				}
			}
		})
		defer g.Close()
		b.ReportAllocs()
		for i := range b.N {
			_, _ = g.Switch(i)
		}
	})
	b.Run("parent in a task", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		runtimetest.Run(b, 1, func() {
			var g *ints
			g = greenlet.New(func(v int) (int, error) {
				for {
					var err error
					if v, err = g.SwitchParent(v + 1); err != nil {
						return 0, err
					}
				}
			})
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				_, _ = g.Switch(i)
			}
		})
	})
	b.Run("siblings", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		var ping, pong *ints
		ping = greenlet.New(func(int) (int, error) {
			for i := range b.N {
				if _, err := greenlet.SwitchTo(ping, pong, i); err != nil {
					return 0, err
				}
			}
			return 0, nil
		})
		pong = greenlet.New(func(v int) (int, error) {
			for {
				var err error
				if v, err = greenlet.SwitchTo(pong, ping, v+1); err != nil {
					return 0, err
				}
			}
		})
		defer pong.Close()
		b.ReportAllocs()
		_, _ = ping.Switch(0)
	})
	b.Run("generator", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
			for v := 0; ; {
				v = y.Yield(v + 1)
			}
		})
		defer g.Close()
		_, _ = g.Next()
		b.ReportAllocs()
		for i := range b.N {
			_, _ = g.Send(i)
		}
	})
}

// BenchmarkLife is making one, running it, and its end.
func BenchmarkLife(b *testing.B) {
	b.Run("goroutine", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		result := make(chan int)
		b.ReportAllocs()
		for i := range b.N {
			go func() { result <- i }()
			<-result
		}
	})
	b.Run("greenlet", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			_, _ = greenlet.New(func(v int) (int, error) { return v, nil }).Switch(i)
		}
	})
	b.Run("greenlet in a task", func(b *testing.B) {
		runtimetest.Run(b, 1, func() {
			b.ReportAllocs()
			for i := range b.N {
				_, _ = greenlet.New(func(v int) (int, error) { return v, nil }).Switch(i)
			}
		})
	})
	b.Run("generator", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_, _ = greenlet.NewGenerator(func(*greenlet.Yielder[int, int]) error { return nil }).Next()
		}
	})
}
