// Package selectors waits for many descriptors at once, as Python's module of
// that name does: a task registers them with a Selector, and Select parks it until
// some are ready.
//
//	s, err := selectors.New[func()]()
//	...
//	_, err = s.Register(listener, selectors.Read, accept)
//	for {
//		ready, err := s.Select(runtime.Forever)
//		...
//		for _, r := range ready {
//			r.Key.Data()
//		}
//	}
//
// One task per connection is simpler, and what the rest of Weft is made for. A
// Selector is for programs that are written around readiness, for descriptors
// that another library reads, and for one task that watches many.
//
// # What can be registered
//
// Whatever the kernel's epoll takes: sockets, pipes, terminals, eventfd, timerfd,
// pidfd, another Selector. Give it as the number (an int), or as a [syscall.Conn]:
// our connections and listeners, the standard library's, an *os.File. A regular
// file is refused with EPERM. Registering changes neither the descriptor nor its
// mode, and the connection's own Read and Write still work.
//
// Readiness is level-triggered, to read and to write: what is ready is reported by
// each Select until it no longer is. A hang-up or error is reported as what was
// asked for, Read or Write, and the next read or write tells what it is.
//
// # Closing
//
// Unregister a descriptor before closing it. If it is closed first it is not
// reported any more, its key stays, and can be unregistered; registering another
// descriptor with the same number replaces it. A duplicate (of a forked process,
// say) that keeps the file open does not make Select spin: when the kernel
// reports such a file the Selector goes over to a new epoll descriptor without
// it. Of a descriptor given by its number alone the Selector can't know
// that; it is reported until it is unregistered.
//
// # How it works
//
// Each Selector has an epoll descriptor, whose own readability is waited for
// like any other descriptor's. So the kernel keeps track of what is
// ready, and a Select costs the same however many are registered: an epoll_wait,
// and if nothing is ready, a wait and another one. Per descriptor that is ready
// this is a fraction of a system call when many are, and three when one is; see
// the benchmark.
package selectors
