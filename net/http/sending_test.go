package http_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

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
