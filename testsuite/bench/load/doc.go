// Package load is the closed-loop client that the echo comparisons are measured with.
//
// One thread drives all connections over one epoll descriptor, with as few system calls as the job
// needs: each connection sends a message, waits for its echo, compares it, and sends the next. It is
// written against the kernel and not against either contender, so that it favours neither and is not
// the bottleneck: its work per request is that of a bare epoll server.
//
//	c, err := load.Dial("127.0.0.1:7", 50)
//	...
//	defer c.Close()
//	res, err := c.Run(load.Window{Warm: time.Second, Length: 3 * time.Second})
//
// Each connection has one message in flight, so throughput is bounded by round trips: that is the
// request-response traffic the bench asks about. A Client belongs to one goroutine, which does well to
// lock itself to its thread. Linux only.
package load
