package process

import (
	"fmt"
	"testing"

	"github.com/weft-go/weft/runtime"
)

var (
	benchSend = Register("bench send", func(a sendArgs) (int, error) {
		message := make([]byte, a.Size)
		for i := range a.N {
			if err := a.Up.Send(message); err != nil {
				return i, err
			}
		}
		return a.N, nil
	})
	benchPut = Register("bench put", func(a queueArgs) (int, error) {
		message := make([]byte, a.Size)
		for i := range a.N {
			if err := a.Q.Put(message); err != nil {
				return i, err
			}
		}
		return a.N, nil
	})
	benchGet = Register("bench get", func(a queueArgs) (int, error) {
		var buf []byte
		for i := range a.N {
			if err := a.Q.GetInto(&buf); err != nil {
				return i, err
			}
		}
		return a.N, nil
	})
)

type queueArgs struct {
	Q       *Queue[[]byte]
	N, Size int
}

func bench(b *testing.B, fn func()) {
	b.Helper()
	if err := runtime.Default().Run(func() error { fn(); return nil }); err != nil {
		b.Fatal(err)
	}
}

var sizes = []int{64, 64 << 10}

func BenchmarkPipe(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bench(b, func() {
				r, w, _ := OneWay[[]byte]()
				p := ok(Start(benchSend, sendArgs{w, b.N + 1, n}))
				var buf []byte
				_ = r.RecvInto(&buf)
				b.ResetTimer()
				for range b.N {
					if err := r.RecvInto(&buf); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				ok(p.Result())
				_ = r.Close()
			})
		})
	}
}

func BenchmarkPipeRoundTrip(b *testing.B) {
	bench(b, func() {
		ours, theirs, _ := Pipe[[]byte]()
		p := ok(Start(echo, theirs))
		var buf []byte
		message := make([]byte, 64)
		for i := range b.N + 1 {
			if i == 1 {
				b.ResetTimer()
			}
			_ = ours.Send(message)
			_ = ours.RecvInto(&buf)
		}
		b.StopTimer()
		_ = ours.Close()
		_ = p.Join()
	})
}

func BenchmarkQueueChildToParent(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bench(b, func() {
				q := ok(NewQueue[[]byte](Here, 0))
				p := ok(Start(benchPut, queueArgs{q, b.N + 1, n}))
				var buf []byte
				_ = q.GetInto(&buf)
				b.ResetTimer()
				for range b.N {
					if err := q.GetInto(&buf); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				ok(p.Result())
				_ = q.Remove()
			})
		})
	}
}

func BenchmarkQueueParentToChild(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bench(b, func() {
				q := ok(NewQueue[[]byte](Here, 0))
				p := ok(Start(benchGet, queueArgs{q, b.N, n}))
				message := make([]byte, n)
				b.ResetTimer()
				for range b.N {
					_ = q.Put(message)
				}
				ok(p.Result())
				b.StopTimer()
				_ = q.Remove()
			})
		})
	}
}

func BenchmarkManagerDict(b *testing.B) {
	for name, fn := range map[string]func(*Dict[string, int], int) error{
		"Set": func(d *Dict[string, int], i int) error { return d.Set("a", i) },
		"Get": func(d *Dict[string, int], _ int) error { _, err := d.Get("a"); return err },
	} {
		b.Run(name, func(b *testing.B) {
			bench(b, func() {
				m := ok(StartManager())
				d := ok(NewDict[string, int](m))
				_ = d.Set("a", 1)
				b.ResetTimer()
				for i := range b.N {
					if err := fn(d, i); err != nil {
						b.Error(err)
						return
					}
				}
				b.StopTimer()
				_ = m.Shutdown()
			})
		})
	}
}

func BenchmarkPoolMap(b *testing.B) {
	bench(b, func() {
		p := ok(NewPool(2))
		args := make([]int, 100_000)
		ok(Map(p, square, args))
		b.ResetTimer()
		for range b.N {
			ok(Map(p, square, args))
		}
		b.StopTimer()
		p.Terminate()
		_ = p.Join()
	})
}

func BenchmarkPoolApply(b *testing.B) {
	bench(b, func() {
		p := ok(NewPool(2))
		ok(Apply(p, square, 1))
		b.ResetTimer()
		for i := range b.N {
			ok(Apply(p, square, i))
		}
		b.StopTimer()
		p.Terminate()
		_ = p.Join()
	})
}

func BenchmarkPoolIMap(b *testing.B) {
	bench(b, func() {
		p := ok(NewPool(2))
		ok(Apply(p, square, 1))
		b.ResetTimer()
		for range IMap(p, 10_000, count(b.N), square) {
		}
		b.StopTimer()
		p.Terminate()
		_ = p.Join()
	})
}
