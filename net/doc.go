// Package net is the standard library's net for tasks: a program changes its
// import and keeps its code.
//
//	l, err := net.Listen("tcp", "127.0.0.1:0")
//	for {
//		conn, err := l.Accept() // parks the task, not the thread
//		runtime.SpawnBalanced(func() { serve(conn) })
//	}
//
// Every call that waits parks the calling task; called from a plain goroutine
// it blocks that goroutine only. So connections may be handed to any library,
// and used by tasks of any worker and goroutines at once: one of them reads and
// one writes at a time, others queue. Waits end by their event, a deadline, a
// Close, a kill of the task (errors.Is runtime.ErrKilled) or an enclosing
// runtime.WithTimeout.
//
// Types and functions that do no I/O are the standard library's own, so values
// pass between the two packages, and errors satisfy errors.Is and errors.As as
// they do there: io.EOF, os.ErrDeadlineExceeded, net.ErrClosed, *net.OpError,
// syscall.Errno.
//
// Names are looked up by the standard library's resolver, on goroutines of their
// own, and kept for a few seconds: see [Resolver]. Beyond the standard library's
// API there are [Resolver.CacheTTL], [ListenConfig.ReusePort], batches of datagrams
// by one system call each ([Message]), and [ActivationListeners], for services that
// systemd starts.
//
// What differs: [Buffers] is a type of its own; the File of a connection stays in
// non-blocking mode. It is for Linux.
package net
