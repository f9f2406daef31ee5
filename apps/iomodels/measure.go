package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// A result is what was measured of a model, or why nothing was.
type result struct {
	name     string
	err      error
	messages int
	elapsed  time.Duration
	used     usage   // cpu and switches by the messages; threads and peak at their end
	calls    float64 // system calls per message; negative if not counted
	countErr error   // why that failed, if so
}

func (r result) rate() float64     { return float64(r.messages) / r.elapsed.Seconds() }
func (r result) cpu() float64      { return float64(r.used.cpu.Nanoseconds()) / 1e3 / float64(r.messages) }
func (r result) switches() float64 { return float64(r.used.switches) / float64(r.messages) }

// measure runs the server of a model in a process of its own and loads it: first undisturbed, then once more
// to count system calls, then while clients are cut off. At the end it must have as many descriptors as at
// the beginning, and still serve.
func measure(ctx context.Context, m model, o options, c *counter) result {
	r := result{name: m.name, calls: -1}
	if most := o.clients + o.idle + 2*o.cut; m.most > 0 && most > m.most {
		r.err = refused(fmt.Sprintf("no more than %d connections: %s", m.most, m.bound))
		return r
	}
	server, address, err := start(ctx, o.procs, "serve", m.name)
	if err != nil {
		r.err = err
		return r
	}
	r.err = load(ctx, server, address, o, c, &r)
	if r.err != nil {
		server.kill()
		// If the server has failed that is the reason for whatever went wrong here.
		if said := server.said(); said != nil {
			r.err = said
		}
		return r
	}
	r.err = server.stop()
	return r
}

// load is the part of measure that talks to the server.
func load(ctx context.Context, server *process, address string, o options, c *counter, r *result) error {
	// What is made at first use is there when one client has been served.
	one, err := dialCrowd(ctx, address, 1, o.size)
	if err != nil {
		return err
	}
	fresh, err := usageOf(server.pid())
	one.close()
	if err != nil {
		return err
	}
	fewest := fresh.descriptors - 1

	silent, err := dialCrowd(ctx, address, o.idle, o.size)
	if err != nil {
		return err
	}
	defer silent.close()
	all, err := dialCrowd(ctx, address, o.clients, o.size)
	if err != nil {
		return err
	}
	defer all.close()
	for range o.runs {
		if err := measured(server, all, o, r); err != nil {
			return err
		}
	}
	if c != nil {
		if err := counted(ctx, server, all, o, c, r); err != nil {
			return err
		}
	}
	if o.cut > 0 {
		if err := cutOff(ctx, address, all, o); err != nil {
			return fmt.Errorf("while clients were cut off: %w", err)
		}
		if err := settle(ctx, server, fewest+len(all)+len(silent)); err != nil {
			return fmt.Errorf("after clients were cut off: %w", err)
		}
	}
	all.close()
	silent.close()
	if err := settle(ctx, server, fewest); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	last, err := dialCrowd(ctx, address, 1, o.size)
	if err != nil {
		return fmt.Errorf("a client that came afterwards: %w", err)
	}
	last.close()
	return nil
}

// measured is the undisturbed load. Its figures replace those of a slower one.
func measured(server *process, all crowd, o options, r *result) error {
	before, err := usageOf(server.pid())
	if err != nil {
		return err
	}
	began := time.Now()
	if err := all.exchange(o.messages); err != nil {
		return err
	}
	elapsed := time.Since(began)
	after, err := usageOf(server.pid())
	if err != nil {
		return err
	}
	if r.elapsed > 0 && elapsed > r.elapsed {
		return nil
	}
	r.messages, r.elapsed, r.used = o.clients*o.messages, elapsed, after
	r.used.cpu -= before.cpu
	r.used.switches -= before.switches
	return nil
}

// counted is the load whose system calls are counted. If they can't be, that is no fault of the server.
func counted(ctx context.Context, server *process, all crowd, o options, c *counter, r *result) error {
	stop, err := c.start(ctx, server.pid())
	if err != nil {
		r.countErr = err
		return nil
	}
	err = all.exchange(o.messages)
	var calls int
	if calls, r.countErr = stop(); r.countErr == nil {
		r.calls = float64(calls) / float64(o.clients*o.messages)
	}
	return err
}

// cutOff has further clients connect and cuts them off in the middle of a message, by resets and by the kill
// of a process, while the others go on.
func cutOff(ctx context.Context, address string, all crowd, o options) error {
	cut := make(chan error, 1)
	go func() { cut <- resetAndKill(ctx, address, o) }()
	for done := false; !done; {
		select {
		case err := <-cut:
			if err != nil {
				return err
			}
			done = true // and once more
		default:
		}
		if err := all.exchange(1); err != nil {
			return err
		}
	}
	return nil
}

func resetAndKill(ctx context.Context, address string, o options) error {
	victims, err := dialCrowd(ctx, address, o.cut, o.size)
	if err != nil {
		return err
	}
	process, _, err := start(ctx, 1, "victim", address, strconv.Itoa(o.cut), strconv.Itoa(o.size))
	if err != nil {
		victims.close()
		return err
	}
	process.kill()
	return victims.reset()
}

// settle waits until the server has no more descriptors than that.
func settle(ctx context.Context, server *process, want int) error {
	for {
		u, err := usageOf(server.pid())
		if err != nil {
			return err
		}
		if u.descriptors <= want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d descriptors are left, where %d belong", u.descriptors, want)
		case <-time.After(time.Millisecond):
		}
	}
}
