package runtime

// Fairness is the budget of a round, for tests.
const Fairness = fairness

// NoForeignGoroutines makes rt take every goroutine of the process for its own
// when it looks for a deadlock: a test has others, which wait.
func NoForeignGoroutines(rt *Runtime) { rt.foreign = func() int { return 0 } }

// Timers counts the started timers of the calling task's worker.
func Timers() int { return len(current().w.timers.timers) }

// ForeignGoroutines counts the goroutines that rt does not know, without the one
// that runs the check.
func ForeignGoroutines(rt *Runtime) int { return rt.foreignGoroutines() }
