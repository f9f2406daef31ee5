package http_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/textproto"
	"strings"
	"testing"
	"time"

	stdnet "net"
	stdhttp "net/http"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/http"
	wefttls "github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain ends the default runtime.
func TestMain(m *testing.M) { runtimetest.Main(m) }

// in runs body as a task of 1 and of 2 workers, and on a goroutine whose servers have
// two.
func in(t *testing.T, body func(t *testing.T, rt *runtime.Runtime)) {
	t.Helper()
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprintf("task on %d", workers), func(t *testing.T) {
			rt := runtimetest.New(t, workers)
			runtimetest.RunOn(t, rt, func() { body(t, rt) })
		})
	}
	t.Run("goroutine", func(t *testing.T) { body(t, runtimetest.New(t, 2)) })
}

// serve serves h, and ends that with the test.
func serve(t testing.TB, rt *runtime.Runtime, h http.HandlerFunc) (srv *http.Server, address string) {
	t.Helper()
	srv = &http.Server{Handler: h}
	return srv, start(t, rt, srv)
}

// start starts a server.
func start(t testing.TB, rt *runtime.Runtime, srv *http.Server) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	startOn(t, rt, srv, func() error { return srv.Serve(l) })
	return l.Addr().String()
}

func startOn(t testing.TB, rt *runtime.Runtime, srv *http.Server, serve func() error) {
	t.Helper()
	if srv.ErrorLog == nil {
		srv.ErrorLog = quiet
	}
	if srv.Place == nil {
		srv.Place = rt.Spawn
	}
	ended := make(chan error, 1) // there is room: no task blocks on it
	rt.Spawn(func() { ended <- serve() })
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		select {
		case err := <-ended:
			if err != http.ErrServerClosed {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(runtimetest.Patience):
			t.Error("Serve does not return")
		}
	})
}

var quiet = log.New(io.Discard, "", 0)

// client returns a Client with a Transport of its own, whose connections end with
// the test.
func client(t testing.TB) (*http.Client, *http.Transport) {
	t.Helper()
	tr := new(http.Transport)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}, tr
}

// get gets a page and checks its content.
func get(t testing.TB, c *http.Client, url, want string) *http.Response {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, resp); got != want {
		t.Errorf("%s: %q, want %q", url, got, want)
	}
	return resp
}

// read reads a body to its end, and closes it.
func read(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("body: %v", err)
	}
	return string(text)
}

// A peer is a raw connection to a server, of our package net.
type peer struct {
	net.Conn
	t  testing.TB
	in *bufio.Reader
}

func dial(t testing.TB, address string) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, conn)
}

func newPeer(t testing.TB, conn stdnet.Conn) *peer {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(runtimetest.Patience)); err != nil {
		t.Fatal(err)
	}
	return &peer{conn, t, bufio.NewReader(conn)}
}

// says sends text, in which a line ends with "\n".
func (p *peer) says(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		p.t.Errorf("write: %v", err)
	}
}

// hears reads the response to a request of the method.
func (p *peer) hears(method string) *http.Response {
	p.t.Helper()
	resp, err := http.ReadResponse(p.in, &http.Request{Method: method})
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

// answer reads the response to a GET, and checks it.
func (p *peer) answer(status int, body string) *http.Response {
	p.t.Helper()
	resp := p.hears("GET")
	if got := read(p.t, resp); resp.StatusCode != status || got != body {
		p.t.Errorf("status %d, body %q, want %d, %q", resp.StatusCode, got, status, body)
	}
	return resp
}

// over expects the end of the connection.
func (p *peer) over() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.in); len(rest) > 0 || err != nil {
		p.t.Errorf("not over: %q, %v", rest, err)
	}
}

// rest returns what comes until the end.
func (p *peer) rest() string {
	p.t.Helper()
	rest, err := io.ReadAll(p.in)
	if err != nil {
		p.t.Errorf("after %q: %v", rest, err)
	}
	return string(rest)
}

// A script is a server that serves each connection as the test says.
func script(t testing.TB, rt *runtime.Runtime, serve func(n int, p *peer)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepting := rt.Spawn(func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			rt.Spawn(func() {
				defer conn.Close()
				serve(n, &peer{conn, t, bufio.NewReader(conn)})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		_ = accepting.Join()
	})
	return l.Addr().String()
}

// request reads a request with its body; nil at the end of the connection.
func (p *peer) request() *http.Request {
	r, err := http.ReadRequest(p.in)
	if err != nil {
		return nil
	}
	_, _ = io.Copy(io.Discard, r.Body)
	return r
}

// wait waits for an event, with patience.
func wait(t testing.TB, what string, e *event.Event) {
	t.Helper()
	if err := e.WaitUntil(runtime.Now().Add(runtimetest.Patience)); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// beside runs fn in a task, and returns a function that waits for it.
func beside(rt *runtime.Runtime, fn func()) (join func()) {
	task := rt.Spawn(fn)
	return func() { _ = task.Join() }
}

// parkedIn counts the tasks that wait for a reason that begins so.
func parkedIn(rt *runtime.Runtime, reason string) (n int) {
	for _, info := range rt.Tasks() {
		if strings.HasPrefix(info.Reason, reason) {
			n++
		}
	}
	return n
}

type (
	netConn    = stdnet.Conn
	mimeHeader = textproto.MIMEHeader
)

var (
	_ http.RoundTripper = new(http.Transport)
	_ stdhttp.Handler   = http.HandlerFunc(nil)
)

// trusting returns the configuration of clients of a server with the certificate of
// server.
func trusting(server *tls.Config) *tls.Config {
	roots := x509.NewCertPool()
	c, err := x509.ParseCertificate(server.Certificates[0].Certificate[0])
	if err != nil {
		panic(err)
	}
	roots.AddCert(c)
	return &tls.Config{RootCAs: roots}
}

func dialTLS(address string, server *tls.Config) (stdnet.Conn, error) {
	config := trusting(server)
	config.ServerName = "127.0.0.1"
	return wefttls.Dial("tcp", address, config)
}
