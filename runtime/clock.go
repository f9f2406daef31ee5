package runtime

import "time"

// An Instant is a reading of the runtime's monotonic clock, in nanoseconds
// since the program started. The zero Instant means "no deadline".
type Instant int64

// epoch carries a monotonic reading, so time.Since makes one cheap clock call.
var epoch = time.Now().Add(-time.Nanosecond)

// Now returns the present Instant. It may be called from anywhere.
func Now() Instant { return Instant(time.Since(epoch)) }

// InstantOf converts t, which may lie in the past. The zero Time gives the
// zero Instant.
func InstantOf(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	i := Now().Add(time.Until(t))
	if i <= 0 {
		return 1 // long past, yet a deadline
	}
	return i
}

// Add returns the Instant d after i, the largest one if that overflows.
func (i Instant) Add(d time.Duration) Instant {
	sum := i + Instant(d)
	if d > 0 && sum < i {
		return 1<<63 - 1
	}
	return sum
}

// Sub returns the time from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i - j) }
