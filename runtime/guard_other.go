//go:build !linux || !(amd64 || arm64) || race

package runtime

// Guards are always shared here: without membarrier, and under the race
// detector, which would not see why a biased one excludes.
const guardsBias = false

func mayBias() bool { return false }

func membarrier() {}
func pause()      {}
