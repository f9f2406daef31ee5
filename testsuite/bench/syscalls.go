package main

import "context"

// A syscallCounter counts the system calls of all threads of a process from when start returns until
// stop is called.
type syscallCounter interface {
	// probe reports why it cannot work here, if so.
	probe(ctx context.Context) error
	start(ctx context.Context, pid int) (stop func() (int, error), err error)
	String() string
}

// findCounter returns the counter of least disturbance that works here, or nil.
func findCounter(ctx context.Context) syscallCounter {
	for _, c := range []syscallCounter{perfCounter{}, straceCounter{}} {
		if c.probe(ctx) == nil {
			return c
		}
	}
	return nil
}

// countSyscalls loads the pair's server once more and returns system calls per request.
func (b *bench) countSyscalls(ctx context.Context, p *pair) (float64, error) {
	stop, err := b.counter.start(ctx, p.server.pid())
	if err != nil {
		return 0, err
	}
	report, err := p.run(0, b.scale.counting)
	calls, countErr := stop()
	if err != nil {
		return 0, err
	}
	return float64(calls) / float64(report.Total), countErr
}
