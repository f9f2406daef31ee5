package http_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestWaitForConnEnds: a context, a kill, and a timeout end the wait for a connection,
// and those who come after get theirs.
func TestWaitForConnEnds(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		var hold event.Event
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) { _ = hold.Wait() })
		c, tr := client(t)
		tr.MaxConnsPerHost = 1
		first := beside(rt, func() { get(t, c, "http://"+address, "") })
		runtimetest.Eventually(t, "the first is sent", func() bool { return parkedIn(rt, "event") > 0 })

		ctx, cancel := context.WithCancelCause(context.Background())
		why := errors.New("why")
		canceled := beside(rt, func() {
			req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+address, nil)
			if _, err := c.Do(req); !errors.Is(err, why) {
				t.Errorf("canceled: %v", err)
			}
		})
		killed := rt.Spawn(func() {
			if _, err := c.Get("http://" + address); !errors.Is(err, runtime.ErrKilled) {
				t.Errorf("killed: %v", err)
			}
		})
		last := beside(rt, func() { get(t, c, "http://"+address, "") })
		runtimetest.Eventually(t, "three wait", func() bool { return parkedIn(rt, "connection to") == 3 })
		cancel(why)
		canceled()
		killed.Kill(nil)
		_ = killed.Join()
		hold.Set()
		first()
		last()
	})
}

// TestContextEnds: the context ends a request wherever it waits.
func TestContextEnds(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		var reached event.Event
		address := script(t, rt, func(n int, p *peer) {
			if n > 0 && p.request() == nil {
				return
			}
			if n == 2 {
				p.says("HTTP/1.1 200 OK\nContent-Length: 10\n\n")
			}
			reached.Set()
			runtime.Sleep(time.Hour) // until the runtime ends
		})
		for _, phase := range []string{"body sent", "header awaited", "body read"} {
			c, _ := client(t)
			reached.Clear()
			ctx, cancel := context.WithCancel(context.Background())
			join := beside(rt, func() {
				wait(t, phase, &reached)
				cancel()
			})
			var body io.Reader
			if phase == "body sent" {
				body = endless{}
			}
			req, err := http.NewRequestWithContext(ctx, "POST", "http://"+address, body)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(req)
			if err == nil {
				if phase != "body read" {
					t.Errorf("%s: an answer", phase)
				}
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", phase, err)
			}
			join()
		}
	})
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestTimeouts: ResponseHeaderTimeout, and the Client's Timeout while it waits for the
// head and while it reads the body.
func TestTimeouts(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		address := script(t, rt, func(_ int, p *peer) {
			r := p.request()
			if r == nil {
				return
			}
			if r.URL.Path == "/body" {
				p.says("HTTP/1.1 200 OK\nContent-Length: 10\n\n")
			}
			_ = p.request()
		})
		c, tr := client(t)
		tr.ResponseHeaderTimeout = time.Millisecond
		for _, body := range []io.Reader{nil, strings.NewReader(strings.Repeat("x", 1<<20))} {
			_, err := c.Post("http://"+address+"/", "", body)
			timedOut(t, "header", err)
		}
		c, _ = client(t)
		c.Timeout = time.Millisecond
		_, err := c.Get("http://" + address + "/")
		timedOut(t, "Client.Timeout", err)
		c.Timeout = 50 * time.Millisecond
		resp, err := c.Get("http://" + address + "/body")
		if err == nil { // which may take longer on a busy machine
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		timedOut(t, "Client.Timeout in the body", err)
	})
}

func timedOut(t *testing.T, what string, err error) {
	t.Helper()
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s: %v", what, err)
	}
}

// TestInterrupts: a kill, and an enclosing WithTimeout, end a request with their own
// errors.
func TestInterrupts(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		address := script(t, rt, func(_ int, p *peer) {
			for p.request() != nil {
			}
		})
		c, _ := client(t)
		var scope *runtime.Timeout
		if err := runtime.WithTimeout(time.Millisecond, func() error {
			_, err := c.Get("http://" + address)
			return err
		}); !errors.As(err, &scope) {
			t.Errorf("WithTimeout: %v", err)
		}
		task := runtime.Spawn(func() {
			if _, err := c.Get("http://" + address); !errors.Is(err, runtime.ErrKilled) {
				t.Errorf("kill: %v", err)
			}
		})
		runtimetest.Eventually(t, "it waits", func() bool { return parkedIn(rt, "descriptor readable") >= 2 })
		task.Kill(nil)
		_ = task.Join()
	})
}
