package http

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	stdnet "net"
	stdhttp "net/http"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"golang.org/x/net/http/httpguts"
)

// A Transport is a RoundTripper whose input and output run in the caller, a task or a
// goroutine: connections have no goroutines of their own. It speaks HTTP/1.1, keeps
// connections, goes through proxies and speaks TLS, as the standard library's
// Transport does, whose fields it has, but for those of HTTP/2, and the deprecated
// Dial and DialTLS.
//
// The zero Transport can be used: it has no proxy and no limits. A Transport must not
// be copied after first use. It may be used by any tasks and goroutines at once; its
// fields must be set before.
//
// What differs beyond HTTP/2:
//
//   - A request that finds no idle connection waits for its own dial, even if
//     another connection becomes idle before.
//   - A connection that the peer closes while it is idle is noticed, and closed, by the next
//     request, or after IdleConnTimeout.
//   - Request.Cancel is not looked at: use a context.
//   - A Body of unknown length on a GET, HEAD, DELETE or OPTIONS is asked for its first
//     byte before anything is sent, without a limit: it might be empty, and then there
//     is none to send. TransferEncoding "chunked" avoids that.
type Transport struct {
	// Proxy returns the proxy for a request, nil for none. Its scheme is "http",
	// "https", "socks5" or "socks5h"; an empty one means "http". User and password in
	// the URL are sent to the proxy. A nil Proxy means no proxy.
	Proxy func(*Request) (*url.URL, error)

	// OnProxyConnectResponse is called with a proxy's answer to CONNECT; its error
	// ends the request.
	OnProxyConnectResponse func(ctx context.Context, proxyURL *url.URL, connectReq *Request, connectRes *Response) error

	// DialContext makes connections; nil means that of a net.Dialer. It must return
	// connections of our package net, or such that park where they wait; others
	// block the worker of a task.
	DialContext func(ctx context.Context, network, addr string) (stdnet.Conn, error)

	// DialTLSContext makes connections with TLS for requests without a proxy; nil
	// means that of DialContext, with package net/tls around it.
	DialTLSContext func(ctx context.Context, network, addr string) (stdnet.Conn, error)

	// TLSClientConfig is that of TLS; its NextProtos are not used.
	TLSClientConfig *tls.Config

	// TLSHandshakeTimeout bounds a handshake; 0 means no bound.
	TLSHandshakeTimeout time.Duration

	// DisableKeepAlives makes each request use a connection of its own.
	DisableKeepAlives bool

	// DisableCompression keeps requests from asking for gzip by themselves, and so
	// responses from being decompressed.
	DisableCompression bool

	// MaxIdleConns bounds the idle connections of all hosts; 0 means no bound.
	// MaxIdleConnsPerHost bounds those of one; 0 means DefaultMaxIdleConnsPerHost.
	MaxIdleConns        int
	MaxIdleConnsPerHost int

	// MaxConnsPerHost bounds the connections of a host, in whatever state; 0 means no
	// bound. Requests that come when there are so many wait, in their order.
	MaxConnsPerHost int

	// IdleConnTimeout is how long a connection may be idle; 0 means any time.
	IdleConnTimeout time.Duration

	// ResponseHeaderTimeout bounds the wait for the head of a response, from the end
	// of the request on; 0 means no bound.
	ResponseHeaderTimeout time.Duration

	// ExpectContinueTimeout is how long a request with "Expect: 100-continue" waits
	// for the server's consent before it sends its body; 0 means not at all.
	ExpectContinueTimeout time.Duration

	// ProxyConnectHeader is the header of CONNECT requests to proxies, unless
	// GetProxyConnectHeader is set, which returns one.
	ProxyConnectHeader    Header
	GetProxyConnectHeader func(ctx context.Context, proxyURL *url.URL, target string) (Header, error)

	// MaxResponseHeaderBytes bounds the head of a response; 0 means 10 MiB.
	MaxResponseHeaderBytes int64

	// WriteBufferSize and ReadBufferSize are the sizes of a connection's buffers; 0
	// means 4 KiB.
	WriteBufferSize int
	ReadBufferSize  int

	others sync.Map // RoundTrippers of RegisterProtocol, by scheme

	mu     sync.Mutex // held for a few instructions only; guards the rest
	hosts  map[hostKey]*host
	idle   list.List // of idle *clientConns, the one that came last in front
	sweeps *time.Timer
	shut   bool // CloseIdleConnections was called, and no request came since
}

// DefaultTransport is that of DefaultClient. It takes proxies from the environment.
var DefaultTransport RoundTripper = &Transport{
	Proxy:                 ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	MaxIdleConns:          100,
	IdleConnTimeout:       90 * time.Second,
	TLSHandshakeTimeout:   10 * time.Second,
	ExpectContinueTimeout: time.Second,
}

// Clone returns a Transport with the same fields, and no connections.
func (t *Transport) Clone() *Transport {
	c := &Transport{
		Proxy: t.Proxy, OnProxyConnectResponse: t.OnProxyConnectResponse,
		DialContext: t.DialContext, DialTLSContext: t.DialTLSContext,
		TLSClientConfig: t.TLSClientConfig.Clone(), TLSHandshakeTimeout: t.TLSHandshakeTimeout,
		DisableKeepAlives: t.DisableKeepAlives, DisableCompression: t.DisableCompression,
		MaxIdleConns: t.MaxIdleConns, MaxIdleConnsPerHost: t.MaxIdleConnsPerHost, MaxConnsPerHost: t.MaxConnsPerHost,
		IdleConnTimeout: t.IdleConnTimeout, ResponseHeaderTimeout: t.ResponseHeaderTimeout,
		ExpectContinueTimeout: t.ExpectContinueTimeout,
		ProxyConnectHeader:    t.ProxyConnectHeader.Clone(), GetProxyConnectHeader: t.GetProxyConnectHeader,
		MaxResponseHeaderBytes: t.MaxResponseHeaderBytes,
		WriteBufferSize:        t.WriteBufferSize, ReadBufferSize: t.ReadBufferSize,
	}
	t.others.Range(func(scheme, rt any) bool {
		c.others.Store(scheme, rt)
		return true
	})
	return c
}

// RegisterProtocol makes rt carry out the requests for a scheme. If it returns
// ErrSkipAltProtocol, t does. It panics if the scheme has one.
func (t *Transport) RegisterProtocol(scheme string, rt RoundTripper) {
	if _, has := t.others.LoadOrStore(scheme, rt); has {
		panic("http: protocol " + scheme + " already registered")
	}
}

// RoundTrip carries out a request, and parks until the head of the response has come.
// The Body of the response is never nil and must be closed: read to its end, its
// connection is kept for other requests. That of the request is closed in any case,
// maybe after RoundTrip has returned.
//
// A request whose body is not in memory, or longer than 16 KiB, is written by another
// task, or goroutine if the caller is one, so that an answer which comes before the
// end of the request is noticed.
//
// RoundTrip ends with the request's context, with a kill of the task, and with an
// enclosing runtime.WithTimeout, and so does reading the body. If a connection that
// was used before turns out to be closed, the request is sent again, once for each
// such connection, provided that nothing of it was sent, or that it is idempotent by
// its method or an "Idempotency-Key" header and its body is empty or GetBody is set.
func (t *Transport) RoundTrip(req *Request) (*Response, error) {
	if err := check(req); err != nil {
		closeBody(req)
		return nil, err
	}
	if other, ok := t.others.Load(req.URL.Scheme); ok {
		if resp, err := other.(RoundTripper).RoundTrip(req); err != ErrSkipAltProtocol {
			return resp, err
		}
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		closeBody(req)
		return nil, fmt.Errorf("unsupported protocol scheme %q", req.URL.Scheme)
	}
	o := &outgoing{t: t, original: req, body: req.Body, trace: httptrace.ContextClientTrace(req.Context())}
	if o.trace == nil {
		o.trace = new(httptrace.ClientTrace)
	}
	for {
		resp, err := o.try()
		if err == nil {
			resp.Request = req
			return resp, nil
		}
		if !o.again {
			o.closeBody()
			return nil, err
		}
		if err := o.rewind(); err != nil {
			return nil, err
		}
	}
}

// check looks for what can't be sent.
func check(req *Request) error {
	switch {
	case req.URL == nil:
		return errors.New("http: nil Request.URL")
	case req.Header == nil:
		return errors.New("http: nil Request.Header")
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return nil
	case req.URL.Host == "":
		return errors.New("http: no Host in request URL")
	case req.Method != "" && !httpguts.ValidHeaderFieldName(req.Method):
		return fmt.Errorf("net/http: invalid method %q", req.Method)
	}
	for what, h := range map[string]Header{"header": req.Header, "trailer": req.Trailer} {
		for name, values := range h {
			if !httpguts.ValidHeaderFieldName(name) {
				return fmt.Errorf("net/http: invalid %s field name %q", what, name)
			}
			for _, v := range values {
				if !httpguts.ValidHeaderFieldValue(v) { // which may be a secret
					return fmt.Errorf("net/http: invalid %s field value for %q", what, name)
				}
			}
		}
	}
	return nil
}

func closeBody(req *Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// outgoing is a request on its way.
type outgoing struct {
	t        *Transport
	original *Request
	body     io.ReadCloser // of the present attempt
	trace    *httptrace.ClientTrace

	touched atomic.Bool // body has been read from, or been given to a connection
	again   bool        // the last attempt may be repeated
	gzip    bool        // we asked for it
}

// try makes an attempt.
func (o *outgoing) try() (*Response, error) {
	o.again = false
	ctx := o.original.Context()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	route, err := o.t.route(o.original)
	if err != nil {
		return nil, err
	}
	c, err := o.t.acquire(ctx, route, o.trace)
	if err != nil {
		if ctx.Err() != nil && !errors.Is(err, runtime.ErrKilled) {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	resp, err := c.roundTrip(o, route)
	if err != nil {
		o.again = c.reused && c.silent && (c.written.Load() == 0 || o.repeatable()) &&
			!c.aborted() && !final(err) && o.rewindable()
	}
	return resp, err
}

// repeatable reports whether it does no harm if the server gets the request twice
// (RFC 9110, 9.2.2).
func (o *outgoing) repeatable() bool {
	switch o.original.Method {
	case "", "GET", "HEAD", "OPTIONS", "TRACE":
		return true
	}
	_, has := o.original.Header["Idempotency-Key"]
	_, hasX := o.original.Header["X-Idempotency-Key"]
	return has || hasX
}

// rewindable reports whether the body can be sent once more.
func (o *outgoing) rewindable() bool {
	return o.body == nil || o.body == stdhttp.NoBody || !o.touched.Load() || o.original.GetBody != nil
}

// rewind makes the body ready for another attempt.
func (o *outgoing) rewind() (err error) {
	if o.body == nil || o.body == stdhttp.NoBody || !o.touched.Load() {
		return nil
	}
	o.touched.Store(false)
	o.body, err = o.original.GetBody()
	return err
}

// closeBody closes a body that no connection has.
func (o *outgoing) closeBody() {
	if o.body != nil && !o.touched.Load() {
		_ = o.body.Close()
	}
}

// request returns the request as it is sent.
func (o *outgoing) request(route *route) *Request {
	r := o.original.WithContext(o.original.Context())
	r.Body = o.body
	extra := make(Header, 2)
	if !o.t.DisableCompression && r.Header.Get("Accept-Encoding") == "" && r.Header.Get("Range") == "" && r.Method != "HEAD" {
		o.gzip = true
		extra.Set("Accept-Encoding", "gzip")
	}
	if auth := route.authorization(); route.viaProxy && auth != "" {
		extra.Set("Proxy-Authorization", auth)
	}
	if len(extra) > 0 {
		r.Header = r.Header.Clone()
		for name, values := range extra {
			r.Header[name] = values
		}
	}
	if o.t.DisableKeepAlives && r.Header.Get("Upgrade") == "" {
		r.Close = true
	}
	return r
}
