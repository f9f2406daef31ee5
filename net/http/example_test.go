package http_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/valyala/fasthttp"
	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// show prints a response's body.
func show(resp *http.Response, err error) {
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, strings.TrimSpace(string(text)))
}

func ExampleServer() {
	runtimetest.Example(func() {
		defer http.DefaultClient.CloseIdleConnections()
		mux := http.NewServeMux()
		mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "hello,", r.PathValue("name"))
		})
		srv := &http.Server{Handler: mux, Limit: 1000} // connections at a time
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		serving := runtime.Async(func() (struct{}, error) { return struct{}{}, srv.Serve(l) })
		url := "http://" + l.Addr().String()
		show(http.Get(url + "/hello/ann"))
		show(http.Get(url + "/bye"))
		fmt.Println(srv.Shutdown(context.Background()))
		fmt.Println(serving.Join())
	})
	// Output:
	// 200 hello, ann
	// 404 404 page not found
	// <nil>
	// http: Server closed
}

// Requests of many tasks share the connections of a Transport.
func ExampleTransport() {
	runtimetest.Example(func() {
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.URL.Path)
		})}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		runtime.Spawn(func() { _ = srv.Serve(l) })
		tr := &http.Transport{MaxConnsPerHost: 2, MaxIdleConnsPerHost: 2}
		defer tr.CloseIdleConnections()
		client := &http.Client{Transport: tr}
		var tasks []*runtime.Task
		for i := range 10 {
			tasks = append(tasks, runtime.Spawn(func() {
				resp, err := client.Get(fmt.Sprintf("http://%s/%d", l.Addr(), i))
				if err != nil {
					log.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}))
		}
		fmt.Println(runtime.JoinAll(tasks...), srv.Active() <= 2)
		_ = srv.Close()
	})
	// Output: <nil> true
}

func ExampleClient() {
	runtimetest.Example(func() {
		srv := &http.Server{Handler: http.RedirectHandler("/elsewhere", http.StatusFound)}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		runtime.Spawn(func() { _ = srv.Serve(l) })
		client := &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		resp, err := client.Get("http://" + l.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("Location"))
		_ = srv.Close()
	})
	// Output: 302 /elsewhere
}

// Fasthttp serves connections in tasks.
func Example_fasthttp() {
	runtimetest.Example(func() {
		defer http.DefaultClient.CloseIdleConnections()
		fast := &fasthttp.Server{
			NoDefaultDate: true,
			Handler: func(ctx *fasthttp.RequestCtx) {
				runtime.Yield() // it is a task
				fmt.Fprintf(ctx, "hello from %s", ctx.Path())
			},
		}
		srv := &server.StreamServer{
			Limit:   1000,
			Handler: func(conn net.Conn) { _ = fast.ServeConn(conn) },
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		runtime.Spawn(func() { _ = srv.Serve(l) })
		show(http.Get("http://" + l.Addr().String() + "/fast"))
		_ = srv.Close()
	})
	// Output: 200 hello from /fast
}
