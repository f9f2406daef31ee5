package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// experiments are all rows of the table with their bars.
var experiments = slices.Concat([]experiment{
	microExperiment("yield 2",
		row{"yield among 2", "ns/switch", "ns", ratioAtMost(0.6)}),
	microExperiment("yield 1000",
		row{"yield among 1,000", "ns/switch", "ns", ratioAtMost(0.6)}),
	microExperiment("token",
		row{"token there and back", "ns/trip", "ns", ratioAtMost(0.6)}),
	microExperiment("spawn",
		row{"spawn and finish, by the 100", "ns/task", "ns", ratioAtMost(1)},
		row{"spawn, allocations", "allocs/task", "allocs", valueAtMost(2)}),
	microExperiment("spawn one",
		row{"spawn and finish, one by one", "ns/task", "ns", bar{}}),
	microExperiment("spawn 10000",
		row{"spawn 1,000,000 by the 10,000", "ns/task", "ns", ratioAtMost(1)}),
	microExperiment("sleep",
		row{"10,000 sleep for 1 ms, CPU", "ns/sleep", "ns", ratioAtMost(0.8)}),
	microExperiment("park",
		row{"100,000 parked, in use", "B/task", "bytes", valueAtMost(3200)},
		row{"100,000 parked, resident", "B/task", "resident", bar{}}),
}, waitExperiments(), []experiment{
	echoExperiment(1),
	echoExperiment(50),
	echoExperiment(500),
	echoExperiment(5000),
	echoAgainst(50, gnetName, ratioAtLeast(1)),
	echoAgainst(500, gnetName, ratioAtLeast(1)),
	echoAgainst(5000, gnetName, ratioAtLeast(1)),
	echoAgainst(500, netpollName, bar{}),
	idleExperiment(10000),
	serviceExperiment(receiveService, row{"receive in bulk", "MB/CPU s", "megas", ratioAtLeast(0.95)}),
	serviceExperiment(sendService, row{"send in bulk", "MB/CPU s", "megas", ratioAtLeast(0.95)}),
	serviceExperiment(proxyService, row{"proxy by splice", "MB/CPU s", "megas", ratioAtLeast(1)}),
	proxyAgainstCopy(),
	serviceExperiment(acceptService, row{"accept and close", "connections/CPU s", "units", ratioAtLeast(1)}),
	serviceExperiment(connectService, row{"connect and close", "connections/CPU s", "units", ratioAtLeast(1)}),
	serviceExperiment(handService, row{"TLS handshakes", "handshakes/CPU s", "units", ratioAtLeast(1)}),
	serviceExperiment(secretService, row{"receive over TLS", "MB/CPU s", "megas", ratioAtLeast(1)}),
	serviceExperiment(udpService, row{"UDP echo", "datagrams/CPU s", "units", ratioAtLeast(1)}),
	serviceExperiment(batchService, row{"UDP echo in batches", "datagrams/CPU s", "units", ratioAtLeast(1.3)}),
})

// microExperiment measures a micro in a child, on one CPU.
func microExperiment(name string, rows ...row) experiment {
	return microExperimentOn(func(m machine) []int { return []int{m.server} }, name, rows...)
}

// microExperimentOn is microExperiment on the CPUs of choice.
func microExperimentOn(cpus func(machine) []int, name string, rows ...row) experiment {
	return experiment{
		name:   name,
		sides:  contenders,
		rounds: func(s scale) int { return s.microRounds },
		measure: func(ctx context.Context, b *bench, side string, _ int) (figures, error) {
			c, err := startSelf(ctx, cpus(b.machine), childLimit, "-micro", name, "-engine", side)
			if err != nil {
				return nil, err
			}
			answer, err := c.line()
			if err != nil {
				return nil, err
			}
			c.stop()
			var f figures
			if err := json.Unmarshal([]byte(answer), &f); err != nil {
				return nil, fmt.Errorf("figures %q: %w", answer, err)
			}
			return f, nil
		},
		rows: rows,
	}
}

// echoExperiment loads an echo server on a number of connections.
func echoExperiment(conns int) experiment {
	name := "echo on " + grouped(conns)
	calls := valueAtMost(2.1)
	if conns < 50 {
		calls = bar{} // each request wakes the server, with nothing to share that with
	}
	return experiment{
		name:   name,
		sides:  contendersAndReference,
		rounds: func(s scale) int { return s.echoRounds },
		measure: func(ctx context.Context, b *bench, side string, round int) (figures, error) {
			p, err := b.startPair(ctx, side, conns)
			if err != nil {
				return nil, err
			}
			defer p.stop()
			report, err := p.run(b.scale.warm, b.scale.window)
			if err != nil {
				return nil, err
			}
			f := figures{
				"requests": float64(report.Requests) / report.ServerCPU.Seconds(),
				"busy":     100 * report.ServerCPU.Seconds() / report.Elapsed.Seconds(),
			}
			// Counted once: the number hardly varies, and it is no measure of speed.
			if round == 0 && b.counter != nil {
				if f["syscalls"], err = b.countSyscalls(ctx, p); err != nil {
					return nil, err
				}
			}
			return f, nil
		},
		rows: []row{
			{name + " connections", "requests/CPU s", "requests", ratioAtLeast(1.1)},
			{name + ", system calls", "calls/request", "syscalls", calls},
			{name + ", server busy", "% of its CPU", "busy", bar{}},
		},
	}
}

// echoAgainst has another server than that of goroutines as the baseline.
func echoAgainst(conns int, other string, of bar) experiment {
	e := echoExperiment(conns)
	e.name += ", " + other
	e.sides, e.against = []string{weftName, other}, other
	e.rows = []row{{e.name, "requests/CPU s", "requests", of}}
	return e
}

// serviceExperiment drives another service than echo.
func serviceExperiment(s service, r row) experiment {
	return experiment{
		name:   r.name,
		sides:  contenders,
		rounds: func(s scale) int { return s.echoRounds },
		measure: func(ctx context.Context, b *bench, side string, _ int) (figures, error) {
			return b.drive(ctx, side, s)
		},
		rows: []row{r},
	}
}

// proxyAgainstCopy has the same proxy as the baseline, which copies through a buffer.
func proxyAgainstCopy() experiment {
	const copies = "through a buffer"
	e := serviceExperiment(proxyService, row{"proxy by splice, " + copies, "MB/CPU s", "megas", ratioAtLeast(1.5)})
	e.sides, e.against = []string{weftName, copies}, copies
	e.measure = func(ctx context.Context, b *bench, side string, _ int) (figures, error) {
		if side == copies {
			return b.drive(ctx, weftName, copyService)
		}
		return b.drive(ctx, side, proxyService)
	}
	return e
}

// drive measures a service of one side.
func (b *bench) drive(ctx context.Context, side string, s service) (figures, error) {
	p, err := b.startPairOf(ctx, side, "-service", string(s))
	if err != nil {
		return nil, err
	}
	defer p.stop()
	report, err := p.run(b.scale.warm, b.scale.window)
	if err != nil {
		return nil, err
	}
	units := float64(report.Requests) / report.ServerCPU.Seconds()
	return figures{"units": units, "megas": units / 1e6}, nil
}

// idleExperiment holds connections on which nothing happens.
func idleExperiment(conns int) experiment {
	name := number(float64(conns)) + " idle"
	return experiment{
		name:   name,
		sides:  contenders,
		rounds: func(s scale) int { return s.idleRounds },
		measure: func(ctx context.Context, b *bench, side string, _ int) (figures, error) {
			p, err := b.startPair(ctx, side, conns)
			if err != nil {
				return nil, err
			}
			defer p.stop()
			time.Sleep(b.scale.settle)
			before, err := cpuTime(p.server.pid())
			if err != nil {
				return nil, err
			}
			start := time.Now()
			time.Sleep(b.scale.idle)
			after, err := cpuTime(p.server.pid())
			if err != nil {
				return nil, err
			}
			elapsed := time.Since(start)
			resident, err := residentBytes(p.server.pid())
			if err != nil {
				return nil, err
			}
			return figures{
				"busy":   100 * (after - before).Seconds() / elapsed.Seconds(),
				"memory": resident / float64(conns),
			}, nil
		},
		rows: []row{
			// Prints as 0.0 %: the rest is timers of Go's runtime.
			{name + " connections, CPU", "%", "busy", valueAtMost(0.05)},
			{name + " connections, memory", "B/connection", "memory", ratioAtMost(1)},
		},
	}
}

// grouped writes a count with commas.
func grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}
