package http_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	stdnet "net"
	stdhttp "net/http"

	"github.com/valyala/fasthttp"
	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
)

// TestTLS: HTTPS with a client of ours and of the standard library; what is not TLS is
// told so.
func TestTLS(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		srv := &http.Server{TLSConfig: certified(t)}
		srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.TLS != nil && r.TLS.HandshakeComplete, r.Proto)
		})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		startOn(t, rt, srv, func() error { return srv.ServeTLS(l, "", "") })
		address := l.Addr().String()
		c, tr := client(t)
		tr.TLSClientConfig = trusting(srv.TLSConfig)
		for range 2 {
			if resp := get(t, c, "https://"+address, "trueHTTP/1.1"); resp.TLS == nil {
				t.Error("no TLS in the response")
			}
		}
		if _, err := c.Get("https://localhost:" + address[strings.LastIndex(address, ":")+1:]); err == nil {
			t.Error("the certificate is for another name")
		}
		p := dial(t, address)
		p.says("GET / HTTP/1.0\n\n")
		if got := p.rest(); !strings.Contains(got, "to an HTTPS server") {
			t.Errorf("%q", got)
		}
		_, plain := serve(t, rt, func(http.ResponseWriter, *http.Request) {})
		if _, err := c.Get("https://" + plain); err == nil {
			t.Error("no TLS there")
		}

		done := make(chan string, 1)
		go func() {
			std := &stdhttp.Transport{TLSClientConfig: tr.TLSClientConfig, ForceAttemptHTTP2: true}
			defer std.CloseIdleConnections()
			resp, err := (&stdhttp.Client{Transport: std}).Get("https://" + address)
			if err != nil {
				done <- err.Error()
				return
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			done <- string(body)
		}()
		got, _ := runtime.Await(func() (string, error) { return <-done, nil })
		if got != "trueHTTP/1.1" {
			t.Errorf("the standard library's client: %s", got)
		}
	})
}

// certificate is that of httptest's servers, for 127.0.0.1.
var certificate = sync.OnceValue(func() tls.Certificate {
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS()
	defer srv.Close()
	return srv.TLS.Certificates[0]
})

func certified(t testing.TB) *tls.Config {
	t.Helper()
	c, err := runtime.Await(func() (tls.Certificate, error) { return certificate(), nil })
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{c}}
}

// TestReverseProxy: the standard library's reverse proxy runs as a handler, over our
// Transport.
func TestReverseProxy(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, behind := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s", r.URL.Path, body, r.Header.Get("X-Forwarded-For"))
		})
		_, tr := client(t)
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: behind})
		proxy.Transport = tr
		_, front := serve(t, rt, proxy.ServeHTTP)
		c, _ := client(t)
		for range 3 {
			resp, err := c.Post("http://"+front+"/path", "", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, resp); got != "/path body 127.0.0.1" {
				t.Errorf("%q", got)
			}
		}
		tr.CloseIdleConnections()
	})
}

// TestFasthttp: fasthttp serves connections of ours in tasks.
func TestFasthttp(t *testing.T) {
	// It starts a goroutine for the date with its first answer, for ever.
	a, b := stdnet.Pipe()
	go func() {
		defer a.Close()
		_ = (&fasthttp.Server{Handler: func(*fasthttp.RequestCtx) {}}).ServeConn(a)
	}()
	_, _ = io.WriteString(b, "GET / HTTP/1.0\r\n\r\n")
	_, _ = io.ReadAll(b)
	_ = b.Close()
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		fast := &fasthttp.Server{
			Logger: quiet,
			Handler: func(ctx *fasthttp.RequestCtx) {
				runtime.Sleep(time.Millisecond) // parks the task
				fmt.Fprintf(ctx, "%s %s %s", ctx.Method(), ctx.Path(), ctx.PostBody())
			},
		}
		srv := &server.StreamServer{
			Place:   rt.Spawn,
			Handler: func(conn net.Conn) { _ = fast.ServeConn(conn) },
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		serving := beside(rt, func() { _ = srv.Serve(l) })
		c, _ := client(t)
		var joins []func()
		for i := range 20 {
			joins = append(joins, beside(rt, func() {
				resp, err := c.Post(fmt.Sprintf("http://%s/%d", l.Addr(), i), "", strings.NewReader("body"))
				if err != nil {
					t.Error(err)
					return
				}
				if got, want := read(t, resp), fmt.Sprintf("POST /%d body", i); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}))
		}
		for _, join := range joins {
			join()
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		serving()
	})
}
