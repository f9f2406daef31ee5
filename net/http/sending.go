package http

import (
	"bytes"
	"errors"
	"io"
	"os"

	stdhttp "net/http"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"golang.org/x/net/http/httpguts"
)

// maxInline is how much of a body in memory the caller of RoundTrip sends itself,
// before it reads the answer: it does not wait for the server, since the kernel
// takes so much.
const maxInline = 16 << 10

// inline reports whether the caller sends the request itself.
func (o *outgoing) inline() bool {
	r := o.original
	return o.body == nil || o.body == stdhttp.NoBody ||
		r.GetBody != nil && r.ContentLength > 0 && r.ContentLength <= maxInline && !expects(r)
}

func expects(r *Request) bool {
	return httpguts.HeaderValuesContainsToken(r.Header["Expect"], "100-continue")
}

// sending is the writing of a request beside the caller.
type sending struct {
	c    *clientConn
	o    *outgoing
	done event.Event

	waits   bool        // for the server's consent
	agreed  event.Event // it is known whether the body is wanted
	refused bool        // it is not; written before agreed is set
}

// startSending writes the request in a task, or goroutine if the caller is one.
func (c *clientConn) startSending(o *outgoing, req *Request, r *route) {
	s := &sending{c: c, o: o, waits: expects(req) && c.t.ExpectContinueTimeout > 0}
	c.sending = s
	send := func() {
		err := errors.New("http: the request's Body panicked")
		defer func() {
			c.wrote(err)
			s.done.Set()
		}()
		if err = s.prepare(req); err == nil {
			err = c.write(req, r)
		}
	}
	if runtime.Current() != nil {
		runtime.Spawn(send)
	} else {
		go send()
	}
}

// prepare makes sure that Request.Write has no reason to read from the body on a
// goroutine of its own, and that we see what becomes of the body.
func (s *sending) prepare(req *Request) error {
	s.o.touched.Store(true)
	if _, ok := req.Body.(*os.File); ok && !s.waits && req.ContentLength > 0 {
		return nil // bare, the kernel copies it
	}
	body := &sentBody{req.Body, s}
	req.Body = body
	if req.ContentLength > 0 || len(req.TransferEncoding) > 0 || !bodyUnusual(req.Method) {
		return nil
	}
	var first [1]byte
	n, err := io.ReadFull(body, first[:])
	switch {
	case err == io.EOF:
		_ = body.Close()
		req.Body, req.ContentLength = stdhttp.NoBody, 0
	case err != nil:
		_ = body.Close()
		return err
	default:
		req.Body = &prefixed{io.MultiReader(bytes.NewReader(first[:n]), body), body}
		req.TransferEncoding = []string{"chunked"}
	}
	return nil
}

// bodyUnusual reports whether servers do not expect a body with the method.
func bodyUnusual(method string) bool {
	switch method {
	case "", "GET", "HEAD", "DELETE", "OPTIONS", "PROPFIND", "SEARCH":
		return true
	}
	return false
}

// prefixed is a body of which the beginning was read.
type prefixed struct {
	io.Reader
	io.Closer
}

// sentBody is a request's body on its way to a connection.
type sentBody struct {
	io.ReadCloser
	s *sending
}

// Read waits for the server's consent first, if that was asked for. A failure of the
// body ends the request.
func (b *sentBody) Read(p []byte) (int, error) {
	s := b.s
	if s.waits {
		s.waits = false
		if trace := s.o.trace; trace.Wait100Continue != nil {
			trace.Wait100Continue()
		}
		err := s.agreed.WaitUntil(runtime.Now().Add(s.c.t.ExpectContinueTimeout))
		if err == nil && s.refused {
			return 0, errRefused
		}
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		s.c.abort(err)
	}
	return n, err
}

// consent says that the server wants the body, or that it has answered before.
func (s *sending) consent(wanted bool) {
	if s == nil || s.agreed.IsSet() {
		return
	}
	s.refused = !wanted
	s.agreed.Set()
}
