// Package http is the standard library's net/http for tasks: a program changes its
// import and keeps its code.
//
//	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
//		resp, err := http.Get("http://backend/") // parks the task, not the thread
//		...
//	})
//	err := http.ListenAndServe("127.0.0.1:8080", nil)
//
// The [Server] serves each connection in a task, which calls the [Handler]. The
// [Transport], and with it the [Client] and functions such as [Get], writes
// requests and reads responses in the caller, a task or a goroutine. Both speak
// HTTP/1.1 and 1.0.
//
// Types and functions that do no I/O are the standard library's own: a handler,
// router or middleware written for it serves here as it is, and a program may hand
// our Transport to a client of the standard library.
//
// # What a handler may do
//
// It runs in a task. It may wait in whatever package runtime or net has; what blocks
// a thread, a database or a Go channel, belongs in runtime.Offload. The standard
// library's http.Get and http.Client without a Transport of ours are such things,
// and so is http.TimeoutHandler: use runtime.WithTimeout.
//
// A request's context ends when its client goes away, which is looked for from the
// first use of its Done or Err on.
//
// # What is refused
//
// The Server answers as the standard library's does, with a few exceptions: a request
// with both Transfer-Encoding and Content-Length, with more than one Content-Length,
// or with Transfer-Encoding in HTTP/1.0, is refused with 400, and the connection
// closed, since somebody before us may have taken it for another one (RFC 9112, 11.2);
// an empty line before a request is skipped (RFC 9112, 2.2).
//
// # What there is not
//
// HTTP/2 and what belongs to it; TimeoutHandler; NewFileTransport; Request.Cancel,
// CloseNotify and Transport.CancelRequest, which contexts have replaced.
//
// # Fasthttp
//
// The server of github.com/valyala/fasthttp serves connections of ours in tasks, too:
// its ServeConn is a handler of package net/server. It is faster, with an API of its
// own:
//
//	fast := &fasthttp.Server{Handler: ...}
//	srv := &server.StreamServer{Handler: func(conn net.Conn) { _ = fast.ServeConn(conn) }}
//	err := srv.ListenAndServe("tcp", "127.0.0.1:8080")
//
// Its limits and its Shutdown do not count then; those of the StreamServer do. Set its
// WriteBufferSize above the size of most answers: it writes longer ones by two calls.
package http
