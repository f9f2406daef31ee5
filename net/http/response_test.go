package http_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/http"
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
