package http

import (
	"context"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	stdhttp "net/http"
)

// A Client sends requests, follows redirects and keeps cookies, as the standard
// library's Client does, and is made of it; its requests run in the caller, a task or
// a goroutine. The zero Client can be used. Methods may be called by any tasks and
// goroutines at once, and park.
type Client struct {
	// Transport carries out the requests; nil means DefaultTransport of this package.
	Transport RoundTripper

	// CheckRedirect is called before a redirect is followed; nil means to stop after
	// ten.
	CheckRedirect func(req *Request, via []*Request) error

	// Jar keeps cookies; nil means that none are kept.
	Jar CookieJar

	// Timeout bounds a request with its redirects, until its response's Body has been
	// read. 0 means no bound.
	Timeout time.Duration
}

// DefaultClient is that of Get, Head, Post and PostForm.
var DefaultClient = &Client{}

// std returns the client that does the work. Its own Timeout takes a goroutine for each
// request of a Transport that it does not know.
func (c *Client) std() *stdhttp.Client {
	t := c.Transport
	if t == nil {
		t = DefaultTransport
	}
	return &stdhttp.Client{Transport: t, CheckRedirect: c.CheckRedirect, Jar: c.Jar}
}

// Do carries out a request, and parks until the head of the response has come. An
// error is a *url.Error.
func (c *Client) Do(req *Request) (*Response, error) {
	if c.Timeout <= 0 {
		return c.std().Do(req)
	}
	ctx, cancel := context.WithTimeoutCause(req.Context(), c.Timeout, errClientTimeout)
	resp, err := c.std().Do(req.WithContext(ctx))
	if err != nil {
		cancel()
		return resp, err
	}
	resp.Body = limited(resp.Body, cancel)
	return resp, nil
}

var errClientTimeout = &timeoutError{"net/http: request canceled (Client.Timeout exceeded)"}

// limited makes cancel be called when a body is at its end.
func limited(body io.ReadCloser, cancel func()) io.ReadCloser {
	b := &limitedBody{body, sync.OnceFunc(cancel)}
	if w, ok := body.(io.Writer); ok { // it is an upgraded connection
		return struct {
			*limitedBody
			io.Writer
		}{b, w}
	}
	return b
}

type limitedBody struct {
	io.ReadCloser
	cancel func()
}

func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.cancel()
	}
	return n, err
}

func (b *limitedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// Get gets url: see Do.
func (c *Client) Get(url string) (*Response, error) { return c.simple("GET", url, "", nil) }

// Head asks for the header of url: see Do.
func (c *Client) Head(url string) (*Response, error) { return c.simple("HEAD", url, "", nil) }

// Post sends body to url: see Do.
func (c *Client) Post(url, contentType string, body io.Reader) (*Response, error) {
	return c.simple("POST", url, contentType, body)
}

// PostForm sends the values of a form to url: see Do.
func (c *Client) PostForm(url string, data url.Values) (*Response, error) {
	return c.Post(url, "application/x-www-form-urlencoded", strings.NewReader(data.Encode()))
}

func (c *Client) simple(method, url, contentType string, body io.Reader) (*Response, error) {
	req, err := NewRequest(method, url, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return c.Do(req)
}

// CloseIdleConnections closes those of the Transport, if it has such a method.
func (c *Client) CloseIdleConnections() { c.std().CloseIdleConnections() }

// Get gets url by DefaultClient: see Client.Do.
func Get(url string) (*Response, error) { return DefaultClient.Get(url) }

// Head asks for the header of url by DefaultClient: see Client.Do.
func Head(url string) (*Response, error) { return DefaultClient.Head(url) }

// Post sends body to url by DefaultClient: see Client.Do.
func Post(url, contentType string, body io.Reader) (*Response, error) {
	return DefaultClient.Post(url, contentType, body)
}

// PostForm sends the values of a form to url by DefaultClient: see Client.Do.
func PostForm(url string, data url.Values) (*Response, error) {
	return DefaultClient.PostForm(url, data)
}
