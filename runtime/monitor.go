package runtime

import (
	"fmt"
	"log"
	goruntime "runtime"
	"strings"
	"time"

	"github.com/weft-go/weft/runtime/internal/stacks"
)

// Blocked is the report of a task, or a callback on a hub, that holds its worker:
// see Config.MaxBlocking. All other tasks of the worker wait meanwhile.
type Blocked struct {
	Worker    int
	Task      *Task         // nil for a callback (Post, OnDone)
	Goroutine int64         // the id of the goroutine on which it runs, 0 if not known
	For       time.Duration // how long, at least, so far

	// Stack is that of the goroutine. Of a program with more than 10,000
	// goroutines, for which that would take too long, it has all stacks of tasks
	// that are not parked, of which it is one.
	Stack string

	// WaitsIn says in what the goroutine waits, a Go lock or channel or a system
	// call: "sync.Mutex.Lock". It is empty if it computes.
	WaitsIn string

	// Omitted counts the holds of this worker since the last report that were not
	// reported: there is at most one report per worker and second, and none of a
	// hold that ended while its stack was looked for.
	Omitted int
}

// String returns the report as text of several lines.
func (b Blocked) String() string {
	var text strings.Builder
	who := "a callback"
	if b.Task != nil {
		who = b.Task.String()
	}
	fmt.Fprintf(&text, "%s holds worker %d for %v", who, b.Worker, b.For.Round(time.Millisecond))
	switch {
	case strings.HasPrefix(b.WaitsIn, "sync") || strings.HasPrefix(b.WaitsIn, "sema"):
		fmt.Fprintf(&text, "; it waits in %s: use package lock, or Offload", b.WaitsIn)
	case strings.HasPrefix(b.WaitsIn, "chan") || strings.HasPrefix(b.WaitsIn, "select"):
		fmt.Fprintf(&text, "; it waits in %s: use package queue, or Offload", b.WaitsIn)
	case b.WaitsIn != "":
		fmt.Fprintf(&text, "; it waits in %s: use what parks, or Offload", b.WaitsIn)
	}
	if b.Omitted > 0 {
		fmt.Fprintf(&text, "; %d more were not reported", b.Omitted)
	}
	text.WriteString("\n")
	text.WriteString(b.Stack)
	return text.String()
}

const (
	// reportPause is the least time between two reports of one worker.
	reportPause = time.Second

	// dumpGoroutines is of how many goroutines the monitor takes all stacks: that
	// stops the program for 5 µs per goroutine.
	dumpGoroutines = 10_000
	dumpBytes      = 32 << 20
)

// monitor watches the workers of a runtime from a goroutine of its own, which
// ends with the workers.
type monitor struct {
	rt      *Runtime
	watches []watch
}

// watch is what the monitor knows of a worker.
type watch struct {
	w     *worker
	step  uint64
	since Instant // when step was first seen
	noted bool    // this hold was reported, or left out

	reported Instant // when the last report was made, 0: never
	omitted  int
}

func newMonitor(rt *Runtime) *monitor {
	m := &monitor{rt: rt}
	for _, w := range rt.ws {
		m.watches = append(m.watches, watch{w: w})
	}
	return m
}

func (m *monitor) run() {
	ticker := time.NewTicker(max(m.rt.config.MaxBlocking/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-m.rt.ended:
			return
		case <-ticker.C:
			m.look()
		}
	}
}

// look looks at each worker once.
func (m *monitor) look() {
	var due []*watch
	for i := range m.watches {
		if v := &m.watches[i]; v.look(m.rt.config.MaxBlocking) {
			due = append(due, v)
		}
	}
	if len(due) > 0 {
		m.report(due)
	}
}

// look reports whether a hold is to be reported now.
func (v *watch) look(limit time.Duration) bool {
	step, inside := v.w.progress()
	now := Now()
	if !inside || step != v.step || v.since == 0 {
		v.step, v.since, v.noted = step, now, false
		return false
	}
	if v.noted || now.Sub(v.since) < limit {
		return false
	}
	v.noted = true
	if v.reported != 0 && now.Sub(v.reported) < reportPause {
		v.omitted++
		return false
	}
	return true
}

// report finds the holders and their stacks, and calls OnBlocked. Of a hold that
// ended meanwhile they may be another's: it is left out.
func (m *monitor) report(due []*watch) {
	reports := make([]Blocked, len(due))
	for i, v := range due {
		b := &reports[i]
		b.Worker, b.Omitted = v.w.index, v.omitted
		b.Task, b.Goroutine = v.w.holder()
	}
	find := finder()
	for i, v := range due {
		b := &reports[i]
		if step, _ := v.w.progress(); step != v.step || b.Goroutine == 0 {
			v.omitted++
			continue
		}
		now := Now()
		b.For = now.Sub(v.since)
		find(b)
		v.reported, v.omitted = now, 0
		m.call(*b)
	}
}

// finder takes the stacks, and returns a function that adds what it finds of
// its goroutine to a report.
func finder() func(b *Blocked) {
	if goruntime.NumGoroutine() > dumpGoroutines {
		active := stacks.Active()
		return func(b *Blocked) {
			for _, s := range active {
				b.Stack += s.Text + "\n"
			}
		}
	}
	dump, _ := stacks.Take(dumpBytes)
	return func(b *Blocked) {
		if s, ok := dump.Holder(b.Goroutine); ok {
			b.Goroutine, b.Stack, b.WaitsIn = s.ID, s.Text, s.WaitsIn()
		}
	}
}

// call calls OnBlocked or logs.
func (m *monitor) call(b Blocked) {
	defer func() { _ = recover() }() // as OnBlocked says
	if m.rt.config.OnBlocked != nil {
		m.rt.config.OnBlocked(b)
		return
	}
	log.Printf("weft: %v", b)
}
