package http_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptrace"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

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

		address = script(t, rt, func(n int, p *peer) {
			for p.request() != nil {
				p.says(fmt.Sprintf("HTTP/1.1 200 OK\nFrom: %d\nTransfer-Encoding: chunked\n\n2\n{}\n0\n\n", n))
			}
		})
		if first, second := from(0), from(0); first != "0" || second != first {
			t.Errorf("connections %s and %s, though the whole response had come", first, second)
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
