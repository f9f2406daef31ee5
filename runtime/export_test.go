package runtime

// Fairness is the budget of a round, for tests.
const Fairness = fairness

// NoForeignGoroutines makes rt take every goroutine of the process for its own
// when it looks for a deadlock: a test has others, which wait.
func NoForeignGoroutines(rt *Runtime) { rt.foreign = func() int { return 0 } }

// Timers counts the started timers of the calling task's worker.
func Timers() int { return current().w.timers.len() }

// Biased reports whether g is biased.
func (g *Guard) Biased() bool { return g.owner.Load() != nil }

// Unbias makes g, which the caller holds, as easily biased as a new one.
func (g *Guard) Unbias() { g.revoked = 0 }

// MayBias is whether guards are ever biased in this build.
const MayBias = guardsBias

// Links counts what OnDone registered with t and did not take back.
func Links(t *Task) int {
	x := t.extra()
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.links)
}

// Idlers counts the tasks in Idle of the calling task's worker.
func Idlers() int { return len(current().w.idlers.waiting) }

// WithTimeoutUntil is WithTimeout with a deadline, so that several can be equal.
func WithTimeoutUntil(deadline Instant, fn func() error) error {
	s := &Timeout{d: deadline.Sub(Now())}
	return s.until(deadline, current().task, fn)
}

// AllQuiet is what the search for a deadlock asks first.
func AllQuiet(rt *Runtime) bool { return rt.allQuiet() }

// ForeignGoroutines counts the goroutines that rt does not know, without the one
// that runs the check.
func ForeignGoroutines(rt *Runtime) int { return rt.foreignGoroutines() }
