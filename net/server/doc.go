// Package server accepts connections and datagrams, and serves each in a task of
// its own.
//
//	srv := &server.StreamServer{
//		Limit: 1000,
//		Handler: func(conn net.Conn) { // conn is closed when it returns
//			_, _ = io.Copy(conn, conn)
//		},
//	}
//	stop := runtime.OnSignal(syscall.SIGTERM, func() {
//		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
//		defer cancel()
//		_ = srv.Shutdown(ctx)
//	})
//	defer stop()
//	err := srv.ListenAndServe("tcp", "127.0.0.1:7007") // ErrServerClosed, when all has ended
//
// A [StreamServer] takes connections from listeners, a [DatagramServer] takes
// datagrams from sockets. Both may serve any number of them at once: call Serve
// for each. Serve may be called from a task, which it parks, or a goroutine, which
// it blocks; the handlers are tasks in either case, on the least loaded worker of
// the caller's runtime, or wherever Place puts them.
//
// # Limits
//
// When Limit handlers run nothing more is accepted, and callers queue in the
// kernel; datagrams that its buffer does not hold are lost. Several listeners
// share the limit: those that were waiting in Accept when it was reached may
// then hold one connection each, and serve it in its turn.
//
// # Failures
//
// A handler's panic ends its task, goes to runtime.Config.OnPanic with its stack,
// and harms no other. Failures of Accept that pass, such as a full table of
// descriptors, are reported to OnError and tried again, after 10 ms at first and
// a second at most. Any other ends Serve.
//
// # The end
//
// Shutdown lets handlers finish, for a while; Stop for ever; Close kills them.
// Serve returns [ErrServerClosed] when the last handler has ended, so a main
// function that returns after it cuts off nobody. A server that has been stopped
// can't be used again.
//
// # Foreign connections
//
// A connection of the standard library's net that a handler uses blocks its
// worker: serve listeners and sockets of our package net.
package server
