package http_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
)

// A proxy passes requests and connections on, for one user.
type proxy struct {
	t        *testing.T
	rt       *runtime.Runtime
	tr       *http.Transport
	passed   atomic.Int64 // requests
	tunneled atomic.Int64 // connections
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Proxy-Authorization") != "Basic dXNlcjpzZWNyZXQ=" {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != "CONNECT" {
		p.passed.Add(1)
		r.RequestURI = ""
		r.Header.Del("Proxy-Authorization")
		resp, err := p.tr.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
		return
	}
	p.tunneled.Add(1)
	there, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		p.t.Error(err)
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	join(p.rt, here, there)
}

// join copies between two connections until both have ended.
func join(rt *runtime.Runtime, a, b stdnet.Conn) {
	back := beside(rt, func() {
		_, _ = io.Copy(a, b)
		_ = a.Close()
	})
	_, _ = io.Copy(b, a)
	_ = b.Close()
	back()
}

// TestProxy: requests go through proxies of each kind, with and without TLS on either
// side, and keep their connections.
func TestProxy(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		config := certified(t)
		site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Proxy-Authorization") != "" {
				t.Error("the server has got the proxy's password")
			}
			fmt.Fprintf(w, "%s %v", r.URL.Path, r.TLS != nil)
		})
		_, plain := serve(t, rt, site)
		secured := serveTLS(t, rt, &http.Server{Handler: site, TLSConfig: config})
		for _, scheme := range []string{"http", "https", "socks5"} {
			_, own := client(t)
			p := &proxy{t: t, rt: rt, tr: own}
			var address string
			switch scheme {
			case "http":
				_, address = serve(t, rt, p.ServeHTTP)
			case "https":
				address = serveTLS(t, rt, &http.Server{Handler: p, TLSConfig: config})
			case "socks5":
				address = script(t, rt, p.serveSOCKS)
			}
			through := &url.URL{Scheme: scheme, Host: address, User: url.UserPassword("user", "secret")}
			c, tr := client(t)
			tr.TLSClientConfig = trusting(config)
			tr.Proxy = http.ProxyURL(through)
			for range 2 {
				get(t, c, "http://"+plain+"/a", "/a false")
				get(t, c, "https://"+secured+"/b", "/b true")
			}
			passed, tunneled := p.passed.Load(), p.tunneled.Load()
			if scheme == "socks5" && (passed != 0 || tunneled != 2) || scheme != "socks5" && (passed != 2 || tunneled != 1) {
				t.Errorf("%s: %d requests, %d connections", scheme, passed, tunneled)
			}
			tr.CloseIdleConnections()

			through.User = url.UserPassword("user", "wrong")
			if resp, err := c.Get("https://" + secured); err == nil {
				t.Errorf("%s: %v with a wrong password", scheme, resp.Status)
			}
			own.CloseIdleConnections()
		}
	})
}

// TestProxyRefuses: what a proxy says to CONNECT is the error, and may be looked at; a
// context ends the wait for it.
func TestProxyRefuses(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		silent := script(t, rt, func(_ int, p *peer) {
			for p.request() != nil {
			}
		})
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Token") != "x" {
				t.Error("no ProxyConnectHeader")
			}
			w.WriteHeader(http.StatusForbidden)
		})
		c, tr := client(t)
		tr.ProxyConnectHeader = http.Header{"Token": {"x"}}
		tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: address})
		if _, err := c.Get("https://example.com"); err == nil || !strings.Contains(err.Error(), "Forbidden") {
			t.Errorf("%v", err)
		}
		own := errors.New("own error")
		tr.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusForbidden {
				t.Error(resp.Status)
			}
			return own
		}
		if _, err := c.Get("https://example.com"); !errors.Is(err, own) {
			t.Errorf("%v", err)
		}
		tr.Proxy = func(*http.Request) (*url.URL, error) { return nil, own }
		if _, err := c.Get("https://example.com"); !errors.Is(err, own) {
			t.Errorf("%v", err)
		}
		tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: silent})
		ctx, cancel := context.WithCancelCause(context.Background())
		join := beside(rt, func() {
			for parkedIn(rt, "descriptor readable") < 2 {
				runtime.Yield()
			}
			cancel(own)
		})
		req, err := http.NewRequestWithContext(ctx, "GET", "https://example.com", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(req); !errors.Is(err, own) {
			t.Errorf("%v", err)
		}
		join()
	})
}

// serveSOCKS serves a connection as RFC 1928 and RFC 1929 have it.
func (p *proxy) serveSOCKS(_ int, here *peer) {
	read := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(here.in, b)
		return b
	}
	read(int(read(2)[1])) // methods
	_, _ = here.Write([]byte{5, 2})
	read(1)
	user := string(read(int(read(1)[0])))
	password := string(read(int(read(1)[0])))
	if user != "user" || password != "secret" {
		_, _ = here.Write([]byte{1, 1})
		return
	}
	_, _ = here.Write([]byte{1, 0})
	var host string
	switch read(4)[3] {
	case 1:
		host = stdnet.IP(read(4)).String()
	case 3:
		host = string(read(int(read(1)[0])))
	default:
		p.t.Error("unexpected kind of address")
		return
	}
	address := fmt.Sprintf("%s:%d", host, binary.BigEndian.Uint16(read(2)))
	there, err := net.Dial("tcp", address)
	if err != nil {
		p.t.Error(err)
		return
	}
	p.tunneled.Add(1)
	_, _ = here.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	join(p.rt, here.Conn, there)
}

func serveTLS(t testing.TB, rt *runtime.Runtime, srv *http.Server) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	startOn(t, rt, srv, func() error { return srv.ServeTLS(l, "", "") })
	return l.Addr().String()
}
