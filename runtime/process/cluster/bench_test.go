package cluster

import (
	"slices"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
)

// onServers runs a benchmark with a server in this process, and with three as processes.
func onServers(b *testing.B, fn func(b *testing.B, c *Cluster)) {
	for _, servers := range []string{"embedded", "three"} {
		b.Run(servers, func(b *testing.B) {
			config := Config{}
			if servers == "three" {
				_, config.URL = startServers(b, buildServer(b))
			}
			if err := runtime.Default().Run(func() error {
				c, err := Open(config)
				if err != nil {
					return err
				}
				fn(b, c)
				return c.Close()
			}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkPoolMap: jobs that square a number, with two workers.
func BenchmarkPoolMap(b *testing.B) {
	onServers(b, func(b *testing.B, c *Cluster) {
		p := ok(process.NewPool(2, c.Pool("p")))
		ok(process.Map(p, square, slices.Collect(count(10)))) // the workers are there
		args := slices.Collect(count(b.N))
		b.ResetTimer()
		ok(process.Map(p, square, args))
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
		p.Close()
		ok(0, p.Join())
	})
}

// BenchmarkQueue: a task puts, another one gets.
func BenchmarkQueue(b *testing.B) {
	onServers(b, func(b *testing.B, c *Cluster) {
		q := ok(process.NewQueue[int](c.Queue("q"), 0))
		b.ResetTimer()
		put := runtime.Async(func() (int, error) {
			for i := range b.N {
				if err := q.Put(i); err != nil {
					return i, err
				}
			}
			return b.N, nil
		})
		for range b.N {
			ok(q.Get())
		}
		ok(put.Get())
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
		ok(0, q.Remove())
	})
}
