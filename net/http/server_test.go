package http_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
)

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
