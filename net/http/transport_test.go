package http_test

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestKeptConnections: requests one after the other use one connection, whatever
// their responses are like.
func TestKeptConnections(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("From", r.RemoteAddr)
			switch r.URL.Path {
			case "/empty":
			case "/long":
				_, _ = io.WriteString(w, strings.Repeat("long ", 5000))
			case "/none":
				w.WriteHeader(http.StatusNoContent)
			case "/echo":
				body, _ := io.ReadAll(r.Body)
				_, _ = w.Write(body)
			}
		})
		c, _ := client(t)
		long := strings.Repeat("long ", 5000)
		froms := make(map[string]bool)
		for _, r := range []struct{ method, path, body, want string }{
			{"GET", "/empty", "", ""},
			{"GET", "/long", "", long},
			{"HEAD", "/long", "", ""},
			{"GET", "/none", "", ""},
			{"POST", "/echo", "short", "short"},
			{"POST", "/echo", long, long},
			{"GET", "/empty", "", ""},
		} {
			req, err := http.NewRequest(r.method, "http://"+address+r.path, strings.NewReader(r.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, resp); got != r.want {
				t.Errorf("%s %s: %d bytes, want %d", r.method, r.path, len(got), len(r.want))
			}
			froms[resp.Header.Get("From")] = true
		}
		if len(froms) != 1 {
			t.Errorf("%d connections", len(froms))
		}
	})
}

// TestIdleLimits: what is idle beyond the limits, or for too long, is closed.
func TestIdleLimits(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		var open, total atomic.Int64
		srv := &http.Server{
			ConnState: func(_ netConn, s http.ConnState) {
				switch s {
				case http.StateNew:
					open.Add(1)
					total.Add(1)
				case http.StateClosed:
					open.Add(-1)
				}
			},
		}
		var together event.Event
		var waiting atomic.Int64
		srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if waiting.Add(1) == 5 {
				together.Set()
			}
			_ = together.Wait()
		})
		address := start(t, rt, srv)
		c, tr := client(t)
		tr.MaxIdleConnsPerHost = 3
		var joins []func()
		for range 5 {
			joins = append(joins, beside(rt, func() { get(t, c, "http://"+address, "") }))
		}
		for _, join := range joins {
			join()
		}
		runtimetest.Eventually(t, "three are kept", func() bool { return open.Load() == 3 })
		if total.Load() != 5 {
			t.Errorf("%d connections", total.Load())
		}
		tr.CloseIdleConnections()
		runtimetest.Eventually(t, "none is kept", func() bool { return open.Load() == 0 })

		c, tr = client(t)
		tr.IdleConnTimeout = time.Millisecond
		get(t, c, "http://"+address, "")
		runtimetest.Eventually(t, "the idle one is closed", func() bool { return open.Load() == 0 })
	})
}

// TestMaxConnsPerHost: requests beyond the limit wait for their turn, and get the
// connections of others, or the right to dial.
func TestMaxConnsPerHost(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		var now, most atomic.Int64
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			runtime.Sleep(time.Millisecond)
			now.Add(-1)
			if r.URL.Path == "/close" {
				w.Header().Set("Connection", "close")
			}
		})
		c, tr := client(t)
		tr.MaxConnsPerHost = 2
		var joins []func()
		for i := range 20 {
			path := []string{"/keep", "/close"}[i%2]
			joins = append(joins, beside(rt, func() { get(t, c, "http://"+address+path, "") }))
		}
		for _, join := range joins {
			join()
		}
		if most.Load() > 2 {
			t.Errorf("%d at a time", most.Load())
		}
	})
}

// TestRetry: a request on a connection that the server has closed meanwhile is sent
// again if that is harmless.
func TestRetry(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		for _, r := range []struct {
			method, body string
			key, again   bool
		}{
			{"GET", "", false, true},
			{"PUT", "x", false, false},
			{"POST", "x", true, true},
			{"POST", strings.Repeat("x", 1<<20), true, true},
			{"POST", "x", false, false},
		} {
			var requests atomic.Int64
			// The second request of the first connection is read, and not answered.
			address := script(t, rt, func(n int, p *peer) {
				for i := 0; p.request() != nil; i++ {
					requests.Add(1)
					if n == 0 && i == 1 {
						return
					}
					p.says("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
				}
			})
			c, _ := client(t)
			get(t, c, "http://"+address, "")
			req, err := http.NewRequest(r.method, "http://"+address, strings.NewReader(r.body))
			if err != nil {
				t.Fatal(err)
			}
			if r.key {
				req.Header["Idempotency-Key"] = nil
			}
			resp, err := c.Do(req)
			if (err == nil) != r.again {
				t.Errorf("%+v: %v", r, err)
			}
			if err == nil {
				_ = read(t, resp)
			}
			if n := requests.Load(); n != map[bool]int64{true: 3, false: 2}[r.again] {
				t.Errorf("%s, key %v: %d requests", r.method, r.key, n)
			}
		}
	})
}

// TestClosedWhileIdle: a connection that the server has closed is not used, even for
// requests that can't be repeated.
func TestClosedWhileIdle(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		var closed event.Event
		address := script(t, rt, func(n int, p *peer) {
			if p.request() == nil {
				return
			}
			p.says("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
			if n == 0 {
				_ = p.Close()
				closed.Set()
				return
			}
			_ = p.request()
		})
		c, _ := client(t)
		get(t, c, "http://"+address, "")
		wait(t, "close", &closed)
		resp, err := c.Post("http://"+address, "", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		_ = read(t, resp)
	})
}
