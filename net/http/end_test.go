package http_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

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
