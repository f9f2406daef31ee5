package runtime

// Fairness is the budget of a round, for tests.
const Fairness = fairness

// NoForeignGoroutines makes rt take every goroutine of the process for its own
// when it looks for a deadlock: a test has others, which wait.
func NoForeignGoroutines(rt *Runtime) { rt.foreign = func() int { return 0 } }

// Timers counts the started timers of the calling task's worker.
func Timers() int { return len(current().w.timers.entries) }

// Biased reports whether g is biased.
func (g *Guard) Biased() bool { return g.owner.Load() != nil }

// Unbias makes g, which the caller holds, as easily biased as a new one.
func (g *Guard) Unbias() { g.revoked = 0 }

// MayBias is whether guards are ever biased in this build.
const MayBias = guardsBias
