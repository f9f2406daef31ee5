package http

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	stdnet "net"
	stdhttp "net/http"

	"github.com/weft-go/weft/net"
	wefttls "github.com/weft-go/weft/net/tls"
	"golang.org/x/net/proxy"
)

// tunnelTimeout bounds a proxy's answer to CONNECT.
const tunnelTimeout = time.Minute

// connect makes a connection on a route.
func (t *Transport) connect(ctx context.Context, r *route, key hostKey, trace *httptrace.ClientTrace) (c *clientConn, err error) {
	c = &clientConn{t: t, key: key}
	defer func() {
		if err != nil && c.raw != nil {
			_ = c.raw.Close()
		}
		if err != nil && r.proxy != nil {
			err = &stdnet.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
		}
		if err != nil {
			c = nil
		}
	}()
	switch {
	case r.proxy == nil && r.secured && t.DialTLSContext != nil:
		if c.raw, err = t.DialTLSContext(ctx, "tcp", r.address); err != nil {
			return c, err
		}
		c.conn = c.raw
		err = c.shake(ctx, trace)
	case r.proxy == nil:
		if c.raw, err = t.dial(ctx, r.address); err != nil {
			return c, err
		}
		c.conn = c.raw
	default:
		err = t.throughProxy(ctx, c, r, trace)
	}
	if err != nil {
		return c, err
	}
	if r.secured && c.tls == nil && (r.proxy != nil || t.DialTLSContext == nil) {
		if err := c.secure(ctx, r.address, trace); err != nil {
			return c, err
		}
	}
	c.br = bufio.NewReaderSize((*clientInput)(c), orDefault(t.ReadBufferSize))
	c.bw = bufio.NewWriterSize((*clientOutput)(c), orDefault(t.WriteBufferSize))
	return c, nil
}

func orDefault(size int) int {
	if size <= 0 {
		return 4 << 10
	}
	return size
}

func (t *Transport) dial(ctx context.Context, address string) (stdnet.Conn, error) {
	if t.DialContext != nil {
		c, err := t.DialContext(ctx, "tcp", address)
		if c == nil && err == nil {
			err = errors.New("net/http: Transport.DialContext returned (nil, nil)")
		}
		return c, err
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// throughProxy connects c to the proxy, or to the server by way of it.
func (t *Transport) throughProxy(ctx context.Context, c *clientConn, r *route, trace *httptrace.ClientTrace) error {
	address, err := withPort(r.proxy)
	if err != nil {
		return err
	}
	if c.raw, err = t.dial(ctx, address); err != nil {
		return err
	}
	c.conn = c.raw
	if r.proxy.Scheme == "https" {
		if err := c.secure(ctx, address, trace); err != nil {
			return err
		}
	}
	if r.viaProxy {
		return nil
	}
	// The connection may be closed under us, which ends every wait.
	stop := context.AfterFunc(ctx, func() { _ = c.raw.Close() })
	_ = c.conn.SetDeadline(time.Now().Add(tunnelTimeout))
	if r.socks() {
		err = socks(c.conn, r)
	} else {
		err = t.tunnel(ctx, c.conn, r)
	}
	_ = c.conn.SetDeadline(time.Time{})
	if !stop() {
		return context.Cause(ctx)
	}
	c.tls = nil // the server's is to come
	return err
}

// socks asks a proxy of SOCKS 5 (RFC 1928, RFC 1929) for a connection.
func socks(conn stdnet.Conn, r *route) error {
	var auth *proxy.Auth
	if u := r.proxy.User; u != nil {
		auth = &proxy.Auth{User: u.Username()}
		auth.Password, _ = u.Password()
	}
	d, err := proxy.SOCKS5("tcp", r.proxy.Host, auth, dialed{conn})
	if err != nil {
		return err
	}
	_, err = d.Dial("tcp", r.address)
	return err
}

// dialed is a proxy.Dialer of a connection that is there.
type dialed struct{ stdnet.Conn }

func (d dialed) Dial(string, string) (stdnet.Conn, error) { return d.Conn, nil }

// tunnel asks an HTTP proxy for a connection (RFC 9110, 9.3.6).
func (t *Transport) tunnel(ctx context.Context, conn stdnet.Conn, r *route) error {
	header := t.ProxyConnectHeader
	if t.GetProxyConnectHeader != nil {
		var err error
		if header, err = t.GetProxyConnectHeader(ctx, r.proxy, r.address); err != nil {
			return err
		}
	}
	if header = header.Clone(); header == nil {
		header = make(Header)
	}
	if auth := r.authorization(); auth != "" {
		header.Set("Proxy-Authorization", auth)
	}
	req := &Request{Method: "CONNECT", URL: &url.URL{Opaque: r.address}, Host: r.address, Header: header}
	if err := req.Write(conn); err != nil {
		return err
	}
	// What it reads ahead is lost. There is nothing: the server is not the first to
	// speak.
	resp, err := stdhttp.ReadResponse(bufio.NewReader(io.LimitReader(conn, t.maxHead())), req)
	if err != nil {
		return err
	}
	if t.OnProxyConnectResponse != nil {
		if err := t.OnProxyConnectResponse(ctx, r.proxy, req, resp); err != nil {
			return err
		}
	}
	if resp.StatusCode != StatusOK {
		_, text, _ := strings.Cut(resp.Status, " ")
		return errors.New(text)
	}
	return nil
}

func (t *Transport) maxHead() int64 {
	if t.MaxResponseHeaderBytes > 0 {
		return t.MaxResponseHeaderBytes
	}
	return 10 << 20
}

// secure puts TLS around c.
func (c *clientConn) secure(ctx context.Context, address string, trace *httptrace.ClientTrace) error {
	config := c.t.TLSClientConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		name, _, err := stdnet.SplitHostPort(address)
		if err != nil {
			return err
		}
		config.ServerName = name
	}
	config.NextProtos = []string{"http/1.1"}
	c.conn = wefttls.Client(c.conn, config)
	return c.shake(ctx, trace)
}

// shake makes a connection's handshake, if it has one.
func (c *clientConn) shake(ctx context.Context, trace *httptrace.ClientTrace) error {
	conn, ok := c.conn.(interface {
		HandshakeContext(context.Context) error
		ConnectionState() tls.ConnectionState
	})
	if !ok {
		return nil
	}
	if trace.TLSHandshakeStart != nil {
		trace.TLSHandshakeStart()
	}
	if d := c.t.TLSHandshakeTimeout; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, d, errHandshakeTimeout)
		defer cancel()
	}
	err := conn.HandshakeContext(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	state := conn.ConnectionState()
	if trace.TLSHandshakeDone != nil {
		trace.TLSHandshakeDone(state, err)
	}
	c.tls = &state
	return err
}
