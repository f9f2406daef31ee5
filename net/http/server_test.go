package http_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
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
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestContinueIsSent: the first read of a body sends 100 Continue, once; an answer before
// that does not, and ends the connection.
func TestContinueIsSent(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/no" {
				return
			}
			body, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %v", body, err)
		})
		p := dial(t, address)
		for range 2 {
			p.says("POST / HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: 4\n\n")
			p.answer(100, "")
			p.says("body")
			p.answer(200, "body <nil>")
		}
		p.says("POST /no HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: 4\n\n")
		if resp := p.answer(200, ""); !resp.Close {
			t.Error("the connection is kept")
		}
		p.over()
	})
}

// TestPipeline: requests that come at once are answered in their order.
func TestPipeline(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.URL.Path == "/1" {
				runtime.Sleep(time.Millisecond)
			}
			if r.URL.Path == "/watched" {
				_ = r.Context().Done() // a task reads ahead
				runtime.Yield()
			}
			fmt.Fprintf(w, "%s %s", r.URL.Path, body)
		})
		p := dial(t, address)
		p.says("GET /1 HTTP/1.1\nHost: x\n\nPOST /2 HTTP/1.1\nHost: x\nContent-Length: 1\n\nx" +
			"GET /watched HTTP/1.1\nHost: x\n\nGET /4 HTTP/1.1\nHost: x\n\n")
		p.answer(200, "/1 ")
		p.answer(200, "/2 x")
		p.answer(200, "/watched ")
		p.answer(200, "/4 ")
		p.says("GET /watched HTTP/1.1\nHost: x\n\n")
		p.answer(200, "/watched ")
		for _, b := range "GET /5 HTTP/1.1\r\nHost: x\r\n\r\n" { // a byte at a time
			_, _ = p.Write([]byte{byte(b)})
		}
		p.answer(200, "/5 ")
	})
}

// TestBodyAfterResponse: a response that is longer than what is held back ends the
// reading of the request, unless the handler does both by turns.
func TestBodyAfterResponse(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/duplex" {
				if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
					t.Error(err)
				}
				_, _ = io.Copy(w, r.Body)
				return
			}
			_, _ = w.Write(make([]byte, 4000))
			if n, err := r.Body.Read(make([]byte, 1)); n > 0 || err != http.ErrBodyReadAfterClose {
				t.Errorf("read %d bytes, %v", n, err)
			}
		})
		c, _ := client(t)
		long := strings.Repeat("0123456789", 100_000)
		if got := read(t, must(c.Post("http://"+address+"/duplex", "", strings.NewReader(long)))); got != long {
			t.Errorf("%d bytes have come back", len(got))
		}
		if got := read(t, must(c.Post("http://"+address, "", strings.NewReader(long[:10_000])))); len(got) != 4000 {
			t.Errorf("%d bytes", len(got))
		}
	})
}

// TestStragglers: what a handler leaves behind, a task that reads the request's body or
// writes to the response, gets errors, and does not touch other requests.
func TestStragglers(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		for _, path := range []string{"/return", "/panic"} {
			var stray func()
			var returned event.Event
			_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "GET" {
					fmt.Fprint(w, "another")
					return
				}
				var reads event.Event
				stray = beside(rt, func() {
					reads.Set()
					if n, err := r.Body.Read(make([]byte, 10)); n > 0 || err == nil {
						t.Errorf("read %d bytes, %v", n, err)
					}
					wait(t, "the handler's end", &returned)
					if n, err := r.Body.Read(make([]byte, 10)); n > 0 || err == nil {
						t.Errorf("then read %d bytes, %v", n, err)
					}
					if n, err := io.WriteString(w, "stray"); n > 0 || err == nil {
						t.Errorf("wrote %d bytes, %v", n, err)
					}
				})
				wait(t, "the reader", &reads)
				runtimetest.Eventually(t, "it reads", func() bool { return parkedIn(rt, "descriptor readable") >= 1 })
				if r.URL.Path == "/panic" {
					panic("on purpose")
				}
			})
			p := dial(t, address)
			p.says("POST " + path + " HTTP/1.1\nHost: x\nContent-Length: 5\n\n")
			if path == "/return" {
				if resp := p.answer(200, ""); !resp.Close {
					t.Error("the connection is kept")
				}
			}
			_, _ = io.ReadAll(p.in)
			_ = p.Close()
			returned.Set()
			stray()
			c, _ := client(t)
			get(t, c, "http://"+address, "another")
		}
	})
}

// TestWriter: what a handler may do with its ResponseWriter.
func TestWriter(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		var flushed event.Event
		long := strings.Repeat("0123456789abcdef", 1000)
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			switch r.URL.Path {
			case "/flush":
				_, _ = io.WriteString(w, "first,")
				if err := http.NewResponseController(w).Flush(); err != nil {
					t.Error(err)
				}
				wait(t, "the first part has come", &flushed)
				_, _ = io.WriteString(w, "second")
			case "/many":
				for i := range 1000 {
					_, _ = io.WriteString(w, long[i*16:(i+1)*16])
				}
			case "/once":
				_, _ = io.WriteString(w, long)
			case "/length":
				h.Set("Content-Length", fmt.Sprint(len(long)))
				_, _ = io.WriteString(w, long[:10000])
				_, _ = io.WriteString(w, long[10000:])
			case "/later": // changes after WriteHeader are not sent
				h.Set("A", "before")
				w.WriteHeader(201)
				w.Header().Set("A", "after")
			case "/badlength":
				h.Set("Content-Length", "many")
				_, _ = io.WriteString(w, "few")
			case "/reader":
				_, _ = io.Copy(w, strings.NewReader(long))
			}
		})
		p := dial(t, address)
		p.says("GET /flush HTTP/1.1\nHost: x\n\n")
		resp := p.hears("GET")
		part := make([]byte, 6)
		if _, err := io.ReadFull(resp.Body, part); string(part) != "first," || err != nil {
			t.Errorf("%q, %v", part, err)
		}
		flushed.Set()
		if rest := read(t, resp); rest != "second" {
			t.Errorf("%q", rest)
		}
		for _, path := range []string{"/many", "/once", "/length", "/reader"} {
			p.says("GET " + path + " HTTP/1.1\nHost: x\n\nHEAD " + path + " HTTP/1.1\nHost: x\n\n")
			p.answer(200, long)
			if resp := p.hears("HEAD"); path == "/length" && resp.ContentLength != int64(len(long)) {
				t.Errorf("HEAD: length %d", resp.ContentLength)
			}
		}
		p.says("GET /later HTTP/1.1\nHost: x\n\nGET /badlength HTTP/1.1\nHost: x\n\n")
		if resp := p.answer(201, ""); resp.Header.Get("A") != "before" {
			t.Error(resp.Header)
		}
		if resp := p.answer(200, "few"); resp.ContentLength != 3 {
			t.Error(resp.ContentLength)
		}
	})
}

// TestSendFile: a file is sent whole, or a part of it, also where TLS or chunks keep the
// kernel from copying.
func TestSendFile(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		content := bytes.Repeat([]byte("0123456789"), 100_000)
		name := t.TempDir() + "/file"
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		handler := func(w http.ResponseWriter, r *http.Request) {
			f, err := os.Open(name)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			switch r.URL.Path {
			case "/content":
				http.ServeContent(w, r, "file", time.Time{}, f)
			case "/chunks":
				_, _ = io.Copy(w, f)
			case "/long":
				w.Header().Set("Content-Length", "1000")
				if n, err := io.Copy(w, f); n < 1000 || err != http.ErrContentLength {
					t.Errorf("too much: %d, %v", n, err)
				}
			}
		}
		_, plain := serve(t, rt, handler)
		srv := &http.Server{Handler: http.HandlerFunc(handler), TLSConfig: certified(t)}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		startOn(t, rt, srv, func() error { return srv.ServeTLS(l, "", "") })
		for _, address := range []string{"http://" + plain, "https://" + l.Addr().String()} {
			c, tr := client(t)
			tr.TLSClientConfig = trusting(srv.TLSConfig)
			for _, path := range []string{"/content", "/chunks"} {
				get(t, c, address+path, string(content))
			}
			req := request(t, "GET", address+"/content", "Range", "bytes=1000-500999")
			resp, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, resp); resp.StatusCode != 206 || got != string(content[1000:501000]) {
				t.Errorf("range: %d, %d bytes", resp.StatusCode, len(got))
			}
		}
		c, _ := client(t)
		get(t, c, "http://"+plain+"/long", string(content[:1000]))
	})
}

// TestTrailersSent: trailers that were announced, and those that were not.
func TestTrailersSent(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			w.Header().Set("Trailer", "Got")
			_, _ = io.WriteString(w, "body")
			w.Header().Set("Got", r.Trailer.Get("Sent"))
			w.Header().Set(http.TrailerPrefix+"Late", "yes")
		})
		c, _ := client(t)
		req, err := http.NewRequest("POST", "http://"+address, struct{ io.Reader }{strings.NewReader("body")})
		if err != nil {
			t.Fatal(err)
		}
		req.Trailer = http.Header{"Sent": {"value"}}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, resp); got != "body" || resp.Trailer.Get("Got") != "value" || resp.Trailer.Get("Late") != "yes" {
			t.Errorf("%q, %v", got, resp.Trailer)
		}
	})
}

// TestHijack: a hijacked connection is the handler's, with what was read ahead, and
// outlives handler and server.
func TestHijack(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		var taken, after event.Event
		var talk func()
		srv, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			_ = r.Context().Done() // the task that reads ahead has to stop
			conn, buf, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := io.WriteString(w, "no"); err != http.ErrHijacked {
				t.Errorf("Write: %v", err)
			}
			if _, _, err := w.(http.Hijacker).Hijack(); err != http.ErrHijacked {
				t.Errorf("Hijack: %v", err)
			}
			talk = beside(rt, func() {
				defer conn.Close()
				wait(t, "the server's end", &after)
				line, _ := buf.ReadString('\n')
				fmt.Fprintf(conn, "heard %s", line)
			})
			taken.Set()
		})
		p := dial(t, address)
		p.says("GET / HTTP/1.1\nHost: x\n\nhello\n")
		wait(t, "hijack", &taken)
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		after.Set()
		if got := p.rest(); got != "heard hello\r\n" {
			t.Errorf("%q", got)
		}
		talk()
	})
}

// TestPanic: a panic ends its connection alone, and is logged, but for ErrAbortHandler.
func TestPanic(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		var logged buffer
		srv := &http.Server{ErrorLog: log.New(&logged, "", 0)}
		srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/abort":
				panic(http.ErrAbortHandler)
			case "/panic":
				panic("on purpose")
			}
		})
		address := start(t, rt, srv)
		other := dial(t, address)
		for _, path := range []string{"/abort", "/panic"} {
			p := dial(t, address)
			p.says("GET " + path + " HTTP/1.1\nHost: x\n\n")
			p.over()
			if has := strings.Contains(logged.String(), "on purpose"); has != (path == "/panic") {
				t.Errorf("%s: logged %q", path, logged.String())
			}
		}
		other.says("GET / HTTP/1.1\nHost: x\n\n")
		other.answer(200, "")
	})
}

type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestContext: what a request's context knows, and what ends it: the client, who
// closes the connection, the handler's return, and Close.
func TestContext(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		type key string
		ends := make(map[string]*event.Event)
		for _, path := range []string{"/gone", "/body", "/returned", "/closed"} {
			ends[path] = new(event.Event)
		}
		var reached event.Event
		srv := &http.Server{
			BaseContext: func(l stdnet.Listener) context.Context {
				return context.WithValue(context.Background(), key("base"), l.Addr().String())
			},
			ConnContext: func(ctx context.Context, c stdnet.Conn) context.Context {
				return context.WithValue(ctx, key("conn"), c.RemoteAddr().String())
			},
		}
		srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			local := r.Context().Value(http.LocalAddrContextKey).(stdnet.Addr).String()
			if ctx.Value(key("base")) != local || ctx.Value(key("conn")) != r.RemoteAddr || ctx.Value(http.ServerContextKey) != srv {
				t.Error("values", ctx.Value(key("base")), ctx.Value(key("conn")), ctx.Value(http.ServerContextKey))
			}
			if r.Context().Err() != nil {
				t.Error("ended at once")
			}
			end := ends[r.URL.Path]
			context.AfterFunc(r.Context(), end.Set)
			if r.URL.Path == "/body" {
				_, _ = io.ReadAll(r.Body)
			}
			reached.Set()
			if r.URL.Path != "/returned" {
				_ = end.Wait()
			}
		})
		address := start(t, rt, srv)
		for path, body := range map[string]string{"/gone": "", "/body": "body"} {
			reached.Clear()
			p := dial(t, address)
			p.says(fmt.Sprintf("POST %s HTTP/1.1\nHost: x\nContent-Length: %d\n\n%s", path, len(body), body))
			wait(t, "the handler", &reached)
			_ = p.Close()
			wait(t, path, ends[path])
		}
		p := dial(t, address)
		p.says("GET /returned HTTP/1.1\nHost: x\n\n")
		p.answer(200, "")
		wait(t, "/returned", ends["/returned"])
		reached.Clear()
		p.says("GET /closed HTTP/1.1\nHost: x\n\n")
		wait(t, "the handler", &reached)
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		wait(t, "/closed", ends["/closed"])
	})
}

// TestShutdown: idle connections are closed, busy ones end with their answer, and those
// that do not are killed when the time is up.
func TestShutdown(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		var entered, release event.Event
		srv, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				entered.Set()
				_ = release.Wait()
			}
			_, _ = io.WriteString(w, "answer")
		})
		idle, fresh, busy := dial(t, address), dial(t, address), dial(t, address)
		idle.says("GET / HTTP/1.1\nHost: x\n\n")
		idle.answer(200, "answer")
		busy.says("GET /slow HTTP/1.1\nHost: x\n\n")
		wait(t, "the handler", &entered)
		runtimetest.Eventually(t, "all are there", func() bool { return srv.Active() == 3 })
		down := beside(rt, func() {
			if err := srv.Shutdown(context.Background()); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		})
		idle.over()
		fresh.over()
		release.Set()
		if resp := busy.answer(200, "answer"); !resp.Close {
			t.Error("the connection is kept")
		}
		busy.over()
		down()
		if err := srv.ListenAndServe(); err != http.ErrServerClosed {
			t.Errorf("afterwards: %v", err)
		}

		entered.Clear()
		var killed atomic.Bool
		srv, address = serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			entered.Set()
			defer killed.Store(true)
			runtime.Sleep(time.Hour)
		})
		p := dial(t, address)
		p.says("GET / HTTP/1.1\nHost: x\n\n")
		wait(t, "the handler", &entered)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if err := srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if !killed.Load() {
			t.Error("the handler lives")
		}
		p.over()
	})
}

// TestShutdownInHandshake: who has not made its handshake is not waited for.
func TestShutdownInHandshake(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		srv := &http.Server{TLSConfig: certified(t)}
		p := dial(t, serveTLS(t, rt, srv))
		runtimetest.Eventually(t, "it is there", func() bool { return srv.Active() == 1 })
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		p.over()
	})
}

// TestServerTimeouts: each timeout ends what it bounds.
func TestServerTimeouts(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		long := 2 * runtimetest.Patience
		for name, c := range map[string]struct {
			srv  *http.Server
			says string
		}{
			"head, first":        {&http.Server{ReadHeaderTimeout: time.Millisecond, IdleTimeout: long}, "GET / HT"},
			"head, nothing":      {&http.Server{ReadHeaderTimeout: time.Millisecond, IdleTimeout: long}, ""},
			"head, by the other": {&http.Server{ReadTimeout: time.Millisecond, IdleTimeout: long}, "GET / HT"},
			"idle":               {&http.Server{ReadHeaderTimeout: long, IdleTimeout: time.Millisecond}, "GET / HTTP/1.1\nHost: x\n\n"},
			"idle, by the other": {&http.Server{ReadHeaderTimeout: long, ReadTimeout: 50 * time.Millisecond}, "GET / HTTP/1.1\nHost: x\n\n"},
			"body":               {&http.Server{ReadTimeout: 50 * time.Millisecond}, "POST /body HTTP/1.1\nHost: x\nContent-Length: 5\n\nabc"},
			"write":              {&http.Server{WriteTimeout: time.Millisecond}, "GET /endless HTTP/1.1\nHost: x\n\n"},
			"set by a handler":   {&http.Server{}, "POST /controlled HTTP/1.1\nHost: x\nContent-Length: 5\n\nabc"},
		} {
			var failed atomic.Pointer[error]
			c.srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var err error
				switch r.URL.Path {
				case "/controlled":
					_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Millisecond))
					fallthrough
				case "/body":
					_, err = io.ReadAll(r.Body)
				case "/endless":
					for err == nil {
						_, err = w.Write(make([]byte, 1<<20))
					}
				}
				failed.Store(&err)
			})
			address := start(t, rt, c.srv)
			p := dial(t, address)
			p.says(c.says)
			runtimetest.Eventually(t, name+": the connection ends", func() bool { return c.srv.Active() == 0 || name == "write" && failed.Load() != nil })
			if err := failed.Load(); err != nil && *err != nil && !errors.Is(*err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: %v", name, *err)
			}
			_ = p.Close()
		}
	})
}

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

// TestLimit: connections beyond the limit wait.
func TestLimit(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		srv := &http.Server{Limit: 1, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})}
		address := start(t, rt, srv)
		first, second := dial(t, address), dial(t, address)
		second.says("GET / HTTP/1.1\nHost: x\n\n")
		first.says("GET / HTTP/1.1\nHost: x\nConnection: close\n\n")
		first.answer(200, "")
		first.over()
		second.answer(200, "")
		if srv.Active() != 1 {
			t.Errorf("%d are active", srv.Active())
		}
	})
}
