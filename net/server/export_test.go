package server

import "time"

// Waiting returns how many calls of Serve wait until a handler may start.
func (c *core) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.gates)
}

// Joining returns how many wait for the end of the handlers.
func (c *core) Joining() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ends)
}

// Serving returns how many calls of Serve are under way.
func (c *core) Serving() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sources)
}

// Killing reports whether the handlers have been killed.
func (c *core) Killing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause != nil
}

// Delays returns the first n pauses after failures in a row.
func Delays(n int) (delays []string) {
	d := longer(0)
	for range n {
		delays = append(delays, d.String())
		d = longer(d)
	}
	return delays
}

// HandshakeLimit returns what bounds a Wrap.
func (s *StreamServer) HandshakeLimit() time.Duration { return s.handshakeLimit() }
