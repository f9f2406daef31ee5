package http

import (
	"bufio"
	"context"
	"io"
	"io/fs"
	"net/url"
	"time"

	stdhttp "net/http"
)

// AllowQuerySemicolons is the standard library's own.
func AllowQuerySemicolons(h Handler) Handler {
	return stdhttp.AllowQuerySemicolons(h)
}

// CanonicalHeaderKey is the standard library's own.
func CanonicalHeaderKey(s string) string {
	return stdhttp.CanonicalHeaderKey(s)
}

// DetectContentType is the standard library's own.
func DetectContentType(data []byte) string {
	return stdhttp.DetectContentType(data)
}

// Error is the standard library's own.
func Error(w ResponseWriter, error string, code int) {
	stdhttp.Error(w, error, code)
}

// FS is the standard library's own.
func FS(fsys fs.FS) FileSystem {
	return stdhttp.FS(fsys)
}

// Handle is the standard library's own.
func Handle(pattern string, handler Handler) {
	stdhttp.Handle(pattern, handler)
}

// HandleFunc is the standard library's own.
func HandleFunc(pattern string, handler func(ResponseWriter, *Request)) {
	stdhttp.HandleFunc(pattern, handler)
}

// MaxBytesHandler is the standard library's own.
func MaxBytesHandler(h Handler, n int64) Handler {
	return stdhttp.MaxBytesHandler(h, n)
}

// MaxBytesReader is the standard library's own.
func MaxBytesReader(w ResponseWriter, r io.ReadCloser, n int64) io.ReadCloser {
	return stdhttp.MaxBytesReader(w, r, n)
}

// NewCrossOriginProtection is the standard library's own.
func NewCrossOriginProtection() *CrossOriginProtection {
	return stdhttp.NewCrossOriginProtection()
}

// NewRequest is the standard library's own.
func NewRequest(method, url string, body io.Reader) (*Request, error) {
	return stdhttp.NewRequest(method, url, body)
}

// NewRequestWithContext is the standard library's own.
func NewRequestWithContext(ctx context.Context, method, url string, body io.Reader) (*Request, error) {
	return stdhttp.NewRequestWithContext(ctx, method, url, body)
}

// NewResponseController is the standard library's own.
func NewResponseController(rw ResponseWriter) *ResponseController {
	return stdhttp.NewResponseController(rw)
}

// NewServeMux is the standard library's own.
func NewServeMux() *ServeMux {
	return stdhttp.NewServeMux()
}

// NotFound is the standard library's own.
func NotFound(w ResponseWriter, r *Request) {
	stdhttp.NotFound(w, r)
}

// NotFoundHandler is the standard library's own.
func NotFoundHandler() Handler {
	return stdhttp.NotFoundHandler()
}

// ParseCookie is the standard library's own.
func ParseCookie(line string) ([]*Cookie, error) {
	return stdhttp.ParseCookie(line)
}

// ParseHTTPVersion is the standard library's own.
func ParseHTTPVersion(vers string) (major, minor int, ok bool) {
	return stdhttp.ParseHTTPVersion(vers)
}

// ParseSetCookie is the standard library's own.
func ParseSetCookie(line string) (*Cookie, error) {
	return stdhttp.ParseSetCookie(line)
}

// ParseTime is the standard library's own.
func ParseTime(text string) (t time.Time, err error) {
	return stdhttp.ParseTime(text)
}

// ProxyFromEnvironment is the standard library's own. The
// environment is read once.
func ProxyFromEnvironment(req *Request) (*url.URL, error) {
	return stdhttp.ProxyFromEnvironment(req)
}

// ProxyURL is the standard library's own.
func ProxyURL(fixedURL *url.URL) func(*Request) (*url.URL, error) {
	return stdhttp.ProxyURL(fixedURL)
}

// ReadRequest is the standard library's own. It parks where b's reader does.
func ReadRequest(b *bufio.Reader) (*Request, error) {
	return stdhttp.ReadRequest(b)
}

// ReadResponse is the standard library's own. It parks where r's
// reader does; so does the Body, whose calls must come from one task or goroutine at
// a time.
func ReadResponse(r *bufio.Reader, req *Request) (*Response, error) {
	return stdhttp.ReadResponse(r, req)
}

// Redirect is the standard library's own.
func Redirect(w ResponseWriter, r *Request, url string, code int) {
	stdhttp.Redirect(w, r, url, code)
}

// RedirectHandler is the standard library's own.
func RedirectHandler(url string, code int) Handler {
	return stdhttp.RedirectHandler(url, code)
}

// ServeContent is the standard library's own. It reads content in the
// calling task, but for a file that is sent by sendfile: see FileServer.
func ServeContent(w ResponseWriter, req *Request, name string, modtime time.Time, content io.ReadSeeker) {
	stdhttp.ServeContent(w, req, name, modtime, content)
}

// SetCookie is the standard library's own.
func SetCookie(w ResponseWriter, cookie *Cookie) {
	stdhttp.SetCookie(w, cookie)
}

// StatusText is the standard library's own.
func StatusText(code int) string {
	return stdhttp.StatusText(code)
}

// StripPrefix is the standard library's own.
func StripPrefix(prefix string, h Handler) Handler {
	return stdhttp.StripPrefix(prefix, h)
}
