package http

import (
	"encoding/base64"
	"net/url"

	stdnet "net"

	"golang.org/x/net/http/httpguts"
)

// A route is how a request gets to its server.
type route struct {
	proxy    *url.URL // nil: none
	secured  bool     // TLS with the server
	address  string   // the server's, with a port
	viaProxy bool     // the proxy gets the request, and not only the connection
}

// A hostKey is what connections have in common that can stand for each other.
type hostKey struct {
	proxy   string
	secured bool
	address string // empty for all servers that one proxy gets requests for
}

func (r *route) key() hostKey {
	k := hostKey{secured: r.secured, address: r.address}
	if r.proxy != nil {
		k.proxy = r.proxy.String()
		if r.viaProxy {
			k.address = ""
		}
	}
	return k
}

func (t *Transport) route(req *Request) (*route, error) {
	r := &route{secured: req.URL.Scheme == "https"}
	var err error
	if r.address, err = withPort(req.URL); err != nil {
		return nil, err
	}
	if t.Proxy == nil {
		return r, nil
	}
	if r.proxy, err = t.Proxy(req); err != nil || r.proxy == nil {
		return r, err
	}
	r.viaProxy = !r.secured && !r.socks()
	return r, nil
}

func (r *route) socks() bool { return r.proxy.Scheme == "socks5" || r.proxy.Scheme == "socks5h" }

// ports are those of schemes.
var ports = map[string]string{"": "80", "http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// withPort returns the address of u's host as Dial takes it.
func withPort(u *url.URL) (string, error) {
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	return httpguts.PunycodeHostPort(stdnet.JoinHostPort(u.Hostname(), port))
}

// authorization returns the value of a Proxy-Authorization header, empty for none.
func (r *route) authorization() string {
	if r.proxy == nil || r.proxy.User == nil {
		return ""
	}
	password, _ := r.proxy.User.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(r.proxy.User.Username()+":"+password))
}
