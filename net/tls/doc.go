// Package tls is the standard library's crypto/tls for tasks: a program changes
// its import and keeps its code.
//
//	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
//	for {
//		conn, err := l.Accept()
//		runtime.SpawnBalanced(func() { serve(conn) })
//	}
//
// The protocol is crypto/tls's own, and all types but Conn and Dialer are its
// types. What is ours is who waits where: crypto/tls holds Go locks while it waits
// for the peer, and two tasks of one worker that share such a connection can stop
// that worker for ever. With a Conn of this package no task ever waits for a lock
// that a parked one holds; see Conn.
//
// # What differs
//
//   - An end of the peer's stream without a close_notify is io.ErrUnexpectedEOF,
//     not io.EOF: what was read may be a part only.
//   - A Write that a deadline or kill ended leaves the connection usable. So does a
//     Read that a kill ended.
//   - A Client never renegotiates (Config.Renegotiation is taken for
//     RenegotiateNever): TLS 1.3 has no such thing, and it is the one place where
//     crypto/tls would wait inside a Read with all of its locks held.
//   - Conn is not crypto/tls's type, so what asks for that one by its name does not
//     find it: the standard library's HTTP server then sees a connection without TLS.
//     In ClientHelloInfo.Conn is a net.Conn that passes calls on to the one given to
//     Server.
//
// # Cost
//
// A handshake computes in the calling task, and so holds its worker: of the order
// of 0.2 ms with an ECDSA certificate, 1 ms with RSA 2048, more with longer RSA
// keys, and less for a resumed session. Use ECDSA where many clients
// connect. The system's roots are loaded on the offload pool. Callbacks of Config run in the task too; they may park, but what blocks a
// thread (files, a database) belongs in runtime.Offload.
package tls
