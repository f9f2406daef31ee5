package http

import (
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"github.com/weft-go/weft/runtime"
	"golang.org/x/net/http/httpguts"
)

// This file reads the head of a request. The fields are read by net/textproto, as the
// standard library does. Its ReadRequest would not do: it hides whether there was a
// Host, and whether a message had two lengths, and its result has to be copied to get
// a context.

// A refusal is why a request is not served.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

func badRequest(text string) error { return &refusal{StatusBadRequest, text} }

// emptyLines is how many are skipped before a request (RFC 9112, 2.2).
const emptyLines = 2

// readRequest reads the head of the next request.
func (c *conn) readRequest() (*exchange, error) {
	x, err := c.parse()
	if err != nil {
		if c.in.remain <= 0 {
			err = &refusal{StatusRequestHeaderFieldsTooLarge, ""}
		}
		return nil, err
	}
	c.in.remain = 1<<63 - 1
	return x, nil
}

func (c *conn) parse() (*exchange, error) {
	line, err := c.text.ReadLine()
	for i := 0; err == nil && line == "" && i < emptyLines; i++ {
		line, err = c.text.ReadLine()
	}
	if err != nil {
		return nil, err
	}
	x := newExchange(c)
	r := x.req
	if err := parseRequestLine(r, line); err != nil {
		return nil, err
	}
	fields, err := c.text.ReadMIMEHeader()
	r.Header = Header(fields)
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if err := checkFields(r); err != nil {
		return nil, err
	}
	if r.Header["Pragma"] != nil && r.Header["Cache-Control"] == nil && r.Header["Pragma"][0] == "no-cache" {
		r.Header["Cache-Control"] = []string{"no-cache"} // RFC 9111, 5.4
	}
	r.RemoteAddr = c.remoteAddr
	r.TLS = c.tls
	connection := r.Header["Connection"]
	r.Close = httpguts.HeaderValuesContainsToken(connection, "close")
	if !r.ProtoAtLeast(1, 1) {
		x.res.keepAlive10 = !r.Close && httpguts.HeaderValuesContainsToken(connection, "keep-alive")
		r.Close = !x.res.keepAlive10
	}
	return x, x.frame()
}

// parseRequestLine takes "GET /path HTTP/1.1" apart.
func parseRequestLine(r *Request, line string) (err error) {
	method, rest, ok1 := strings.Cut(line, " ")
	target, proto, ok2 := strings.Cut(rest, " ")
	if !ok1 || !ok2 {
		return badRequest("malformed request line")
	}
	if !httpguts.ValidHeaderFieldName(method) { // a token, too
		return badRequest("invalid method")
	}
	r.Method, r.RequestURI, r.Proto = method, target, proto
	var ok bool
	if r.ProtoMajor, r.ProtoMinor, ok = ParseHTTPVersion(proto); !ok {
		return badRequest("malformed HTTP version")
	}
	if r.ProtoMajor != 1 {
		return &refusal{StatusHTTPVersionNotSupported, "unsupported protocol version"}
	}
	authority := method == "CONNECT" && !strings.HasPrefix(target, "/")
	if authority {
		target = "http://" + target
	}
	if r.URL, err = url.ParseRequestURI(target); err != nil {
		return badRequest("malformed target")
	}
	if authority {
		r.URL.Scheme = ""
	}
	return nil
}

// checkFields checks the fields of the header, and takes Host out of them.
func checkFields(r *Request) error {
	hosts := r.Header["Host"]
	switch {
	case len(hosts) > 1:
		return badRequest("too many Host headers")
	case len(hosts) == 0 && r.ProtoAtLeast(1, 1) && r.Method != "CONNECT":
		return badRequest("missing required Host header")
	case len(hosts) == 1 && !httpguts.ValidHostHeader(hosts[0]):
		return badRequest("malformed Host header")
	}
	for name, values := range r.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return badRequest("invalid header name")
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return badRequest("invalid header value")
			}
		}
	}
	r.Host = r.URL.Host // that of an absolute target is the one (RFC 9112, 3.2.2)
	if r.Host == "" && len(hosts) > 0 {
		r.Host = hosts[0]
	}
	delete(r.Header, "Host")
	return nil
}

// frame finds out how long the body is (RFC 9112, 6). Whatever could be read in two
// ways is refused: somebody before us may have read it in the other.
func (x *exchange) frame() error {
	r := x.req
	codings, lengths := r.Header["Transfer-Encoding"], r.Header["Content-Length"]
	r.Body = NoBody
	switch {
	case len(codings) > 0 && len(lengths) > 0:
		return badRequest("both Transfer-Encoding and Content-Length")
	case len(codings) > 0 && !r.ProtoAtLeast(1, 1):
		return badRequest("Transfer-Encoding in HTTP/1.0")
	case len(codings) > 1 || len(codings) == 1 && !strings.EqualFold(codings[0], "chunked"):
		return &refusal{StatusNotImplemented, "unsupported transfer encoding"}
	case len(codings) == 1:
		delete(r.Header, "Transfer-Encoding")
		r.TransferEncoding = []string{"chunked"}
		r.ContentLength = -1
		if err := announceTrailer(r); err != nil {
			return err
		}
		x.body = &body{x: x, chunks: httputil.NewChunkedReader(x.conn.br)}
	case len(lengths) > 1:
		return badRequest("more than one Content-Length")
	case len(lengths) == 1:
		n, err := strconv.ParseUint(lengths[0], 10, 63)
		if err != nil {
			return badRequest("bad Content-Length")
		}
		r.ContentLength = int64(n)
		if n > 0 {
			x.body = &body{x: x, left: int64(n)}
		}
	}
	if x.body != nil {
		r.Body = x.body
	}
	return x.expect()
}

// expect looks at what the client expects before it sends the body (RFC 9110,
// 10.1.1).
func (x *exchange) expect() error {
	expects, ok := x.req.Header["Expect"]
	if !ok || len(expects) == 1 && expects[0] == "" {
		return nil
	}
	if !httpguts.HeaderValuesContainsToken(expects, "100-continue") {
		return &refusal{StatusExpectationFailed, "unknown expectation"}
	}
	if x.body != nil && x.req.ProtoAtLeast(1, 1) {
		x.body.expected.Store(true)
	}
	return nil
}

// announceTrailer moves the names in the Trailer field to the request's Trailer.
func announceTrailer(r *Request) error {
	for _, v := range r.Header["Trailer"] {
		for name := range strings.SplitSeq(v, ",") {
			if name = textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name)); name == "" {
				continue
			}
			switch name {
			case "Transfer-Encoding", "Trailer", "Content-Length":
				return badRequest("bad trailer key")
			}
			if r.Trailer == nil {
				r.Trailer = make(Header)
			}
			r.Trailer[name] = nil
		}
	}
	delete(r.Header, "Trailer")
	return nil
}

// refuse answers what could not be read, if there is somebody who might read that.
func (c *conn) refuse(err error) {
	why, ok := err.(*refusal)
	if !ok {
		var network interface{ Timeout() bool } // an error of the connection
		if err == io.EOF || errors.As(err, &network) || errors.Is(err, runtime.ErrKilled) {
			return
		}
		why = &refusal{StatusBadRequest, ""}
	}
	status := fmt.Sprintf("%d %s", why.status, StatusText(why.status))
	text := status
	if why.text != "" {
		text += ": " + why.text
	}
	_, _ = fmt.Fprintf(c.rwc, "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n%s", status, text)
	c.linger()
}
