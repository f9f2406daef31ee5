package main

import (
	"fmt"
	"time"
)

// A wait is one way in which two or more parties wait for each other, measured by n steps. Each engine
// has the same list, in the words of its own packages.
type wait struct {
	name string
	run  func(workers, n int) (time.Duration, error)
}

// waitSteps is how many steps of a wait are measured.
const waitSteps = 500_000

// measureWait runs the named wait of an engine on a number of workers.
func measureWait(e engine, workers int, name string) (figures, error) {
	for _, w := range e.waits() {
		if w.name == name {
			ns, err := timed(waitSteps, func(n int) (time.Duration, error) { return w.run(workers, n) })
			return figures{"ns": ns}, err
		}
	}
	return nil, fmt.Errorf("no wait %q", name)
}

// waitMicros are the measurements of all waits.
func waitMicros() []micro {
	var all []micro
	add := func(workers int, names []string) {
		for _, name := range names {
			all = append(all, micro{waitMicro(workers, name), func(e engine) (figures, error) { return measureWait(e, workers, name) }})
		}
	}
	add(1, waitsOfOne)
	add(2, waitsOfTwo)
	return all
}

func waitMicro(workers int, name string) string { return fmt.Sprintf("%d: %s", workers, name) }

// waitExperiments are the rows of the waits.
func waitExperiments() []experiment {
	var all []experiment
	for _, name := range waitsOfOne {
		of := ratioAtMost(0.6)
		if name == "offload" {
			of = ratioAtMost(2)
		}
		all = append(all, microExperiment(waitMicro(1, name), row{name, "ns", "ns", of}))
	}
	for _, name := range waitsOfTwo {
		all = append(all, microExperimentOn(func(m machine) []int { return []int{m.server, m.load} },
			waitMicro(2, name), row{"2 workers: " + name, "ns", "ns", ratioAtMost(1.2)}))
	}
	return all
}

// waitsOfOne and waitsOfTwo are the names of the waits that are measured on one worker, and between two.
var (
	waitsOfOne = []string{
		"queue, put and get", "queue of 1, put or get", "queue of 64, put or get", "queue of 1,024, put or get",
		"queue, there and back", "rendezvous, put or get", "semaphore, there and back", "event, there and back",
		"mutex, lock and unlock", "mutex, handed on", "offload",
	}
	waitsOfTwo = []string{
		"queue of 1, put or get", "queue of 64, put or get", "queue of 1,024, put or get",
		"queue, there and back", "semaphore, there and back", "event, there and back",
	}
)
