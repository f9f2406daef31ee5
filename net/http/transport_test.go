package http_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptrace"
	"os"
	"strconv"
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

// TestCloseKeeps: a body that is closed keeps its connection if the rest has come
// already, and else loses it.
func TestCloseKeeps(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("From", r.RemoteAddr)
			n, _ := strconv.Atoi(r.URL.Path[1:])
			_, _ = io.WriteString(w, "{}")
			w.(http.Flusher).Flush() // chunks
			_, _ = w.Write(make([]byte, n))
		})
		c, _ := client(t)
		from := func(n int) string {
			resp, err := c.Get(fmt.Sprintf("http://%s/%d", address, n))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(resp.Body, make([]byte, 2)); err != nil {
				t.Error(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
			if _, err := resp.Body.Read(make([]byte, 1)); err == nil {
				t.Error("read after Close")
			}
			return resp.Header.Get("From")
		}
		first := from(1 << 20)
		if second := from(1 << 20); second == first {
			t.Error("a connection with an unread response was used again")
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

// TestEarlyAnswer: a server that answers, and does not read the body, is heard,
// whether it closes the connection or just does not go on.
func TestEarlyAnswer(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "too much", http.StatusRequestEntityTooLarge)
		})
		stuck := script(t, rt, func(_ int, p *peer) {
			if _, err := http.ReadRequest(p.in); err != nil {
				t.Error(err)
			}
			p.says("HTTP/1.1 413 Too Large\nContent-Length: 8\n\ntoo much")
			runtime.Sleep(time.Hour) // until the runtime ends
		})
		for _, address := range []string{address, stuck} {
			for _, body := range []io.Reader{strings.NewReader(strings.Repeat("x", 16<<20)), endless{}} {
				c, _ := client(t)
				resp, err := c.Post("http://"+address, "", body)
				if err != nil {
					t.Fatal(err)
				}
				if got := read(t, resp); resp.StatusCode != 413 || strings.TrimSpace(got) != "too much" {
					t.Errorf("%d, %q", resp.StatusCode, got)
				}
			}
		}
	})
}

// failing is a body that fails after some bytes.
type failing struct {
	n      int
	err    error
	closed atomic.Bool
}

func (f *failing) Read(p []byte) (int, error) {
	if f.n <= 0 {
		return 0, f.err
	}
	n := min(f.n, len(p))
	f.n -= n
	return n, nil
}

func (f *failing) Close() error { f.closed.Store(true); return nil }

// TestBodyFails: the error of a request's body is that of the request; the body is
// closed whatever happens.
func TestBodyFails(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
		c, _ := client(t)
		own := errors.New("own error")
		for _, n := range []int{0, 100000} {
			for _, method := range []string{"GET", "POST"} {
				body := &failing{n: n, err: own}
				req, err := http.NewRequest(method, "http://"+address, body)
				if err != nil {
					t.Fatal(err)
				}
				if _, err = c.Do(req); !errors.Is(err, own) {
					t.Errorf("%s after %d: %v", method, n, err)
				}
				runtimetest.Eventually(t, "the body is closed", body.closed.Load)
			}
		}
		for _, req := range []*http.Request{
			request(t, "GET", "ftp://"+address),
			request(t, "GET", "http://"),
			request(t, "BAD METHOD", "http://"+address),
			request(t, "GET", "http://"+address, "Bad\nname", "x"),
			request(t, "GET", "http://"+address, "Bad-Value", "x\r\ny: z"),
			request(t, "GET", "http://127.0.0.1:1"), // nobody listens
		} {
			body := new(failing)
			req.Body = body
			if resp, err := c.Transport.RoundTrip(req); err == nil {
				t.Errorf("%v %v: %v", req.Method, req.URL, resp.Status)
			}
			runtimetest.Eventually(t, "the body is closed", body.closed.Load)
		}
	})
}

// request makes a request, also one that is wrong.
func request(t testing.TB, method, url string, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Method = method
	for i := 0; i < len(header); i += 2 {
		req.Header[header[i]] = []string{header[i+1]}
	}
	return req
}

// TestUnknownLength: a body of unknown length is sent in chunks, but for an empty one
// of a GET, which is none.
func TestUnknownLength(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %v %d %q %v", r.Method, r.TransferEncoding, r.ContentLength, body, err)
		})
		c, _ := client(t)
		for _, r := range []struct{ method, body, want string }{
			{"GET", "", `GET [] 0 "" <nil>`},
			{"GET", "abc", `GET [chunked] -1 "abc" <nil>`},
			{"DELETE", "a", `DELETE [chunked] -1 "a" <nil>`},
			{"POST", "", `POST [chunked] -1 "" <nil>`},
			{"POST", "abc", `POST [chunked] -1 "abc" <nil>`},
		} {
			req, err := http.NewRequest(r.method, "http://"+address, struct{ io.Reader }{strings.NewReader(r.body)})
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, resp); got != r.want {
				t.Errorf("%s %q: %s, want %s", r.method, r.body, got, r.want)
			}
		}
	})
}

// TestFileBody: a file is sent whole.
func TestFileBody(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		name := t.TempDir() + "/file"
		content := bytes.Repeat([]byte("0123456789"), 100000)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			got, err := io.ReadAll(r.Body)
			fmt.Fprint(w, bytes.Equal(got, content), err)
		})
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest("PUT", "http://"+address, f)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = int64(len(content))
		c, _ := client(t)
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, resp); got != "true <nil>" {
			t.Error(got)
		}
	})
}

// TestGzip: what we asked for is unpacked, what the caller asked for is not.
func TestGzip(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("From", r.RemoteAddr)
			if r.Header.Get("Accept-Encoding") != "gzip" {
				_, _ = io.WriteString(w, "plain")
				return
			}
			w.Header().Set("Content-Encoding", "gzip")
			if r.URL.Path == "/bad" {
				_, _ = io.WriteString(w, "this is not gzip's format")
				return
			}
			zw := gzip.NewWriter(w)
			_, _ = io.WriteString(zw, strings.Repeat("packed ", 10000))
			_ = zw.Close()
		})
		c, tr := client(t)
		want := strings.Repeat("packed ", 10000)
		resp := get(t, c, "http://"+address, want)
		if !resp.Uncompressed || resp.ContentLength != -1 || resp.Header.Get("Content-Encoding") != "" {
			t.Errorf("%v %d %v", resp.Uncompressed, resp.ContentLength, resp.Header)
		}
		if again := get(t, c, "http://"+address, want); again.Header.Get("From") != resp.Header.Get("From") {
			t.Error("the connection was not kept")
		}
		req := request(t, "GET", "http://"+address, "Accept-Encoding", "gzip")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, resp); len(got) >= len(want) || resp.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("unpacked though the caller asked for it packed: %d bytes", len(got))
		}
		resp, err = c.Get("http://" + address + "/bad")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, gzip.ErrHeader) {
			t.Errorf("bad gzip: %v", err)
		}
		_ = resp.Body.Close()
		tr.DisableCompression = true
		get(t, c, "http://"+address, "plain")
	})
}

// TestContinue: a body is sent when the server agrees, or after the timeout, and not
// if it answers before.
func TestContinue(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/no" {
				w.WriteHeader(http.StatusExpectationFailed)
				return
			}
			_, _ = io.Copy(w, r.Body)
		})
		silent := script(t, rt, func(_ int, p *peer) {
			if r := p.request(); r != nil { // it wants the body before it says a word
				p.says("HTTP/1.1 200 OK\nContent-Length: 4\n\nbody")
			}
		})
		for _, r := range []struct {
			url     string
			timeout time.Duration
			status  int
			body    string
			asked   bool // a part of the body was read
		}{
			{"http://" + address, time.Hour, 200, "body", true},
			{"http://" + address + "/no", time.Hour, 417, "", false},
			{"http://" + silent, time.Millisecond, 200, "body", true},
			{"http://" + silent, 0, 200, "body", true},
		} {
			c, tr := client(t)
			tr.ExpectContinueTimeout = r.timeout
			body := &failing{n: 0, err: io.EOF}
			reader := io.MultiReader(strings.NewReader("body"), body)
			asked := false
			req, err := http.NewRequest("POST", r.url, readerFunc(func(p []byte) (int, error) {
				asked = true
				return reader.Read(p)
			}))
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = 4
			req.Header.Set("Expect", "100-continue")
			resp, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, resp); resp.StatusCode != r.status || got != r.body {
				t.Errorf("%s: %d, %q", r.url, resp.StatusCode, got)
			}
			tr.CloseIdleConnections()
			if asked != r.asked {
				t.Errorf("%s: the body was asked for: %v", r.url, asked)
			}
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestInformational: responses before the response proper are reported, and do not end
// the request.
func TestInformational(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</style>")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusProcessing)
			_, _ = io.WriteString(w, "done")
		})
		var got []int
		req := request(t, "GET", "http://"+address)
		req = req.WithContext(httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, header mimeHeader) error {
				got = append(got, code)
				if header.Get("Link") == "" {
					t.Error("no Link")
				}
				return nil
			},
		}))
		c, _ := client(t)
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if body := read(t, resp); body != "done" || fmt.Sprint(got) != "[103 102]" {
			t.Errorf("%q, %v", body, got)
		}
	})
}

// TestHeadTooLong: a response's head is bounded, informational ones included.
func TestHeadTooLong(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		for _, line := range []string{"X: " + strings.Repeat("x", 1000) + "\n", "\nHTTP/1.1 103 Early Hints\nX: y\n"} {
			address := script(t, rt, func(_ int, p *peer) {
				_ = p.request()
				p.says("HTTP/1.1 103 Early Hints\n")
				for {
					if _, err := io.WriteString(p, strings.ReplaceAll(line, "\n", "\r\n")); err != nil {
						return
					}
				}
			})
			c, tr := client(t)
			tr.MaxResponseHeaderBytes = 10000
			_, err := c.Get("http://" + address)
			if err == nil || !strings.Contains(err.Error(), "exceeded 10000 bytes") {
				t.Errorf("%v", err)
			}
		}
	})
}

// TestUpgrade: after 101 the body is the connection.
func TestUpgrade(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "echo")
			w.WriteHeader(http.StatusSwitchingProtocols)
			conn, buf, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			line, _ := buf.ReadString('\n')
			_, _ = buf.WriteString(strings.ToUpper(line))
			_ = buf.Flush()
		})
		c, tr := client(t)
		tr.MaxConnsPerHost = 1
		for range 2 {
			resp, err := c.Do(request(t, "GET", "http://"+address, "Connection", "Upgrade", "Upgrade", "echo"))
			if err != nil {
				t.Fatal(err)
			}
			conn := resp.Body.(io.ReadWriteCloser)
			if _, err := io.WriteString(conn, "hello\n"); err != nil {
				t.Error(err)
			}
			if got := read(t, resp); got != "HELLO\n" {
				t.Errorf("%q", got)
			}
		}
	})
}

// TestBodyShared: a Close from another task ends a Read of the response's body, and
// holds up no worker.
func TestBodyShared(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		var closed event.Event
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			stop := context.AfterFunc(r.Context(), closed.Set)
			defer stop()
			wait(t, "the end of the connection", &closed)
		})
		c, _ := client(t)
		resp, err := c.Get("http://" + address)
		if err != nil {
			t.Fatal(err)
		}
		join := beside(rt, func() {
			if _, err := resp.Body.Read(make([]byte, 1)); err == nil {
				t.Error("it has read something")
			}
		})
		runtimetest.Eventually(t, "it reads", func() bool { return parkedIn(rt, "descriptor readable") >= 2 })
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		join()
		wait(t, "the server sees the end", &closed)
	})
}
