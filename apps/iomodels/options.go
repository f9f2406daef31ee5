package main

import (
	"fmt"
	"strings"
	"time"
)

// options say what load each model gets.
type options struct {
	clients  int           // connected at a time
	idle     int           // further ones that say nothing
	messages int           // each of the clients sends
	runs     int           // of which the best counts
	size     int           // bytes of a message
	cut      int           // cut off by a reset, and as many by the kill of their process
	procs    int           // GOMAXPROCS of the servers
	counter  string        // its name
	limit    time.Duration // for each model
}

// maxSize is less than the kernel holds for a connection, so a client may send a whole message before it
// reads the answer.
const maxSize = 32 << 10

// check finds what is wrong with the arguments, and the models they name.
func check(o options, names string, rest []string) ([]model, error) {
	switch {
	case len(rest) > 0:
		return nil, usageError(fmt.Sprintf("unexpected argument %q", rest[0]))
	case o.clients < 1 || o.messages < 1 || o.runs < 1 || o.procs < 1 || o.cut < 0 || o.idle < 0:
		return nil, usageError("clients, messages, runs and procs must be at least 1, cut and idle not negative")
	case o.size < 1 || o.size > maxSize:
		return nil, usageError(fmt.Sprintf("size must be from 1 to %d", maxSize))
	case !strings.Contains(" auto perf strace none ", " "+o.counter+" "):
		return nil, usageError(fmt.Sprintf("no counter %q", o.counter))
	}
	return modelsNamed(names)
}
