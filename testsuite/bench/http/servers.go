package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime/pprof"

	stdnet "net"
	stdhttp "net/http"

	"github.com/valyala/fasthttp"
	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
)

// A program is a server to be measured. It serves on an address of its own choice, which it
// announces, and does not return.
type program struct {
	name string
	run  func(announce func(stdnet.Addr)) error
}

var servers = []program{
	{"weft net/http", serveWeft},
	{"net/http", serveStd},
	{"fasthttp", serveFast},
	{"fasthttp in tasks", serveFastWeft(0)},
	{"the same, 32 KiB buffer", serveFastWeft(32 << 10)},
}

// page is the longer answer.
var page = bytes.Repeat([]byte("0123456789abcde\n"), 1024)

func handler() stdhttp.Handler {
	return stdhttp.HandlerFunc(func(w stdhttp.ResponseWriter, r *stdhttp.Request) {
		switch {
		case r.Method == "POST":
			_, _ = io.Copy(w, r.Body)
		case r.URL.Path == "/page":
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", "16384")
			_, _ = w.Write(page)
		default:
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "Hello, World!")
		}
	})
}

func fastHandler(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("text/plain")
	switch {
	case ctx.IsPost():
		_, _ = ctx.Write(ctx.PostBody())
	case string(ctx.Path()) == "/page":
		_, _ = ctx.Write(page)
	default:
		_, _ = ctx.WriteString("Hello, World!")
	}
}

func serveWeft(announce func(stdnet.Addr)) (err error) {
	runtime.Main(func() {
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return
		}
		announce(l.Addr())
		err = http.Serve(l, handler())
	})
	return err
}

func serveStd(announce func(stdnet.Addr)) error {
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	announce(l.Addr())
	return stdhttp.Serve(l, handler())
}

func serveFast(announce func(stdnet.Addr)) error {
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	announce(l.Addr())
	return (&fasthttp.Server{Handler: fastHandler}).Serve(l)
}

// serveFastWeft has fasthttp write to buffers of this size; 0 means its default, 4 KiB. What does
// not fit takes it two writes: to a connection of the standard library's it makes one, and knows such by
// their type.
func serveFastWeft(buffer int) func(func(stdnet.Addr)) error {
	return func(announce func(stdnet.Addr)) (err error) {
		runtime.Main(func() {
			var l net.Listener
			if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				return
			}
			announce(l.Addr())
			fast := &fasthttp.Server{Handler: fastHandler, WriteBufferSize: buffer}
			srv := &server.StreamServer{Handler: func(conn net.Conn) { _ = fast.ServeConn(conn) }}
			err = srv.Serve(l)
		})
		return err
	}
}

// serve is the child's part.
func serve(name, profile string) error {
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		pprof.StopCPUProfile()
		os.Exit(0)
	}()
	for _, s := range servers {
		if s.name == name {
			return s.run(func(a stdnet.Addr) { fmt.Println(a) })
		}
	}
	return fmt.Errorf("no server %q", name)
}
