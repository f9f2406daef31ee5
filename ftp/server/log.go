package server

import (
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// escaped makes a string of the peer's harmless in a log whatever its handler
// does: no line can be forged and no terminal coloured.
func escaped(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// userAttr names a user, or who claims to be one.
func userAttr(name string) slog.Attr { return slog.String("user", escaped(name)) }

// pathAttr names a file by its virtual path.
func pathAttr(path string) slog.Attr { return slog.String("path", escaped(path)) }

// rareSpan is how often is told what strangers can bring about as often as they
// like.
const rareSpan = 10 * time.Second

// rarely bounds a line of the log: the rest is counted.
type rarely struct {
	mu     sync.Mutex // held for a few instructions only
	last   time.Time
	unsaid int
}

// tell logs a warning, unless that was done lately.
func (r *rarely) tell(log *slog.Logger, msg string, attrs ...any) {
	r.mu.Lock()
	now, unsaid := time.Now(), r.unsaid
	if now.Sub(r.last) < rareSpan {
		r.unsaid++
		r.mu.Unlock()
		return
	}
	r.last, r.unsaid = now, 0
	r.mu.Unlock()
	log.Warn(msg, append(attrs, slog.Int("unsaid", unsaid))...)
}
