package http_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	stdnet "net"
	stdhttp "net/http"

	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// odd are requests as they come from programs that are old, broken or malicious. What
// the standard library answers we answer, unless own says what else, and why.
var odd = []struct {
	name  string
	input string // a line ends with "\n"
	own   string // our statuses; why must be set then
	why   string
}{
	{name: "plain", input: "GET / HTTP/1.1\nHost: x\n\n"},
	{name: "kept", input: "GET /a HTTP/1.1\nHost: x\n\nGET /b HTTP/1.1\nHost: x\n\n"},
	{name: "close", input: "GET / HTTP/1.1\nHost: x\nConnection: close\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "close among others", input: "GET / HTTP/1.1\nHost: x\nConnection: a, Close\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "1.0", input: "GET / HTTP/1.0\n\nGET / HTTP/1.0\n\n"},
	{name: "1.0 kept", input: "GET / HTTP/1.0\nConnection: keep-alive\n\nGET / HTTP/1.0\n\n"},
	{name: "1.0 kept, of unknown length", input: "GET /chunked HTTP/1.0\nConnection: keep-alive\n\nGET / HTTP/1.0\n\n"},
	{name: "head", input: "HEAD / HTTP/1.1\nHost: x\n\nHEAD /chunked HTTP/1.1\nHost: x\n\n"},
	{name: "unknown method", input: "BREW / HTTP/1.1\nHost: x\n\n"},
	{name: "options of all", input: "OPTIONS * HTTP/1.1\nHost: x\n\n"},
	{name: "absolute target", input: "GET http://other/path HTTP/1.1\nHost: x\n\n"},
	{name: "authority", input: "CONNECT a:443 HTTP/1.1\nHost: x\n\n"},
	{name: "no path", input: "GET HTTP/1.1\nHost: x\n\n"},
	{name: "relative path", input: "GET a HTTP/1.1\nHost: x\n\n"},
	{name: "bad escape", input: "GET /%zz HTTP/1.1\nHost: x\n\n"},
	{name: "control character", input: "GET /\x01 HTTP/1.1\nHost: x\n\n"},
	{name: "bad method", input: "G(T / HTTP/1.1\nHost: x\n\n"},
	{name: "two spaces", input: "GET  / HTTP/1.1\nHost: x\n\n"},
	{name: "space at the end", input: "GET / HTTP/1.1 \nHost: x\n\n"},
	{name: "no version", input: "GET /\n\n"},
	{name: "bad version", input: "GET / HTTP/1.x\nHost: x\n\n"},
	{name: "lower-case version", input: "GET / http/1.1\nHost: x\n\n"},
	{name: "version 0.9", input: "GET / HTTP/0.9\nHost: x\n\n"},
	{name: "version 2", input: "GET / HTTP/2.0\nHost: x\n\n"},
	{name: "version 1.9", input: "GET / HTTP/1.9\nHost: x\n\n"},
	{name: "preface of version 2", input: "PRI * HTTP/2.0\n\nSM\n\n", own: "505 close", why: "std lets handlers take it for HTTP/2"},
	{name: "garbage", input: "\x16\x03\x01\x02\x00\x01\n\n"},
	{name: "empty line before", input: "\nGET / HTTP/1.1\nHost: x\n\n", own: "200 kept", why: "RFC 9112, 2.2"},
	{name: "no host", input: "GET / HTTP/1.1\n\n"},
	{name: "empty host", input: "GET / HTTP/1.1\nHost:\n\n"},
	{name: "two hosts", input: "GET / HTTP/1.1\nHost: x\nHost: y\n\n"},
	{name: "two equal hosts", input: "GET / HTTP/1.1\nHost: x\nHost: x\n\n"},
	{name: "bad host", input: "GET / HTTP/1.1\nHost: x y\n\n"},
	{name: "host with a slash", input: "GET / HTTP/1.1\nHost: x/y\n\n"},
	{name: "no colon", input: "GET / HTTP/1.1\nHost: x\nBad\n\n"},
	{name: "no name", input: "GET / HTTP/1.1\nHost: x\n: y\n\n"},
	{name: "space before the colon", input: "GET / HTTP/1.1\nHost: x\nName : y\n\n"},
	{name: "bad name", input: "GET / HTTP/1.1\nHost: x\nNa(me: y\n\n"},
	{name: "name beyond ASCII", input: "GET / HTTP/1.1\nHost: x\nN\xc3\xa4me: y\n\n"},
	{name: "bad value", input: "GET / HTTP/1.1\nHost: x\nName: a\x00b\n\n"},
	{name: "folded value", input: "GET / HTTP/1.1\nHost: x\nName: a\n b\n\n"},
	{name: "space in place of the first name", input: "GET / HTTP/1.1\n Host: x\n\n"},
	{name: "lone line feeds", input: "lf:GET / HTTP/1.1\nHost: x\n\n"},
	{name: "return in a value", input: "GET / HTTP/1.1\nHost: x\nName: a\rb\n\n"},

	{name: "length", input: "POST / HTTP/1.1\nHost: x\nContent-Length: 3\n\nabcGET / HTTP/1.1\nHost: x\n\n"},
	{name: "length of a GET", input: "GET / HTTP/1.1\nHost: x\nContent-Length: 3\n\nabcGET / HTTP/1.1\nHost: x\n\n"},
	{name: "length 0", input: "POST / HTTP/1.1\nHost: x\nContent-Length: 0\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "empty length", input: "POST / HTTP/1.1\nHost: x\nContent-Length:\n\n"},
	{name: "negative length", input: "POST / HTTP/1.1\nHost: x\nContent-Length: -1\n\n"},
	{name: "signed length", input: "POST / HTTP/1.1\nHost: x\nContent-Length: +3\n\nabc"},
	{name: "hexadecimal length", input: "POST / HTTP/1.1\nHost: x\nContent-Length: 0x3\n\nabc"},
	{name: "length with a space", input: "POST / HTTP/1.1\nHost: x\nContent-Length: 1 3\n\nabc"},
	{name: "length with a fraction", input: "POST / HTTP/1.1\nHost: x\nContent-Length: 3.0\n\nabc"},
	{name: "length beyond int64", input: "POST / HTTP/1.1\nHost: x\nContent-Length: 9223372036854775808\n\nabc"},
	{name: "two lengths in one", input: "POST / HTTP/1.1\nHost: x\nContent-Length: 3, 3\n\nabc"},
	{name: "two lengths", input: "POST / HTTP/1.1\nHost: x\nContent-Length: 3\nContent-Length: 4\n\nabcd"},
	{
		name: "two equal lengths", input: "POST / HTTP/1.1\nHost: x\nContent-Length: 3\nContent-Length: 3\n\nabc",
		own: "400 close", why: "RFC 9110, 8.6 allows either; who sends that is up to something",
	},
	{name: "chunks", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "chunks, upper case", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: CHUNKED\n\nA\n0123456789\n0\n\n"},
	{name: "chunk extension", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3;a=b\nabc\n0\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "trailer", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nTrailer: A\n\n3\nabc\n0\nA: b\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "bad trailer name", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nTrailer: Content-Length\n\n0\n\n"},
	{name: "bad chunk size", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\nzz\nabc\n0\n\n"},
	{name: "negative chunk size", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n-3\nabc\n0\n\n"},
	{name: "huge chunk size", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\nffffffffffffffffff\nabc\n0\n\n"},
	{name: "chunk longer than its size", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\nabcd\n0\n\n"},
	{name: "chunks and length", own: "400 close", why: "RFC 9112, 6.3: a sign of smuggling",
		input: "POST / HTTP/1.1\nHost: x\nContent-Length: 3\nTransfer-Encoding: chunked\n\n0\n\n"},
	{name: "unknown coding", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: gzip\n\n"},
	{name: "identity coding", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: identity\n\n"},
	{name: "two codings", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n"},
	{name: "codings in one", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: gzip, chunked\n\n0\n\n"},
	{name: "coding with a control character", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: \x0bchunked\n\n0\n\n"},
	{name: "chunks in 1.0", input: "POST / HTTP/1.0\nTransfer-Encoding: chunked\n\n0\n\n", own: "400 close", why: "RFC 9112, 6.1"},

	{name: "unread body", input: "POST /ignore HTTP/1.1\nHost: x\nContent-Length: 3\n\nabcGET / HTTP/1.1\nHost: x\n\n"},
	{name: "unread chunks", input: "POST /ignore HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "unread bad chunks", input: "POST /ignore HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\nabcdGET / HTTP/1.1\nHost: x\n\n"},
	{name: "unknown expectation", input: "POST / HTTP/1.1\nHost: x\nExpect: a-miracle\nContent-Length: 3\n\nabc"},
	{name: "continue", input: "POST / HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: 3\n\nabcGET / HTTP/1.1\nHost: x\n\n"},
	{name: "continue, ignored", input: "POST /ignore HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: 3\n\n"},
	{name: "continue without a body", input: "POST / HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: 0\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "continue in 1.0", input: "POST / HTTP/1.0\nExpect: 100-continue\nContent-Length: 3\n\nabc"},

	{name: "half a line", input: "GET / HT"},
	{name: "half a head", input: "GET / HTTP/1.1\nHost: x\n"},
	{name: "half a body", input: "POST / HTTP/1.1\nHost: x\nContent-Length: 9\n\nabc", own: "200 close", why: "there can't be another request"},
	{name: "half a chunk", input: "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n9\nabc"},
	{name: "nothing", input: ""},
	{name: "long target", input: "GET /" + strings.Repeat("a", 5000) + " HTTP/1.1\nHost: x\n\n"},
	{name: "head too long", input: "GET / HTTP/1.1\nHost: x\nA: " + strings.Repeat("a", 1<<20+5000) + "\n\n"},
	{name: "too many fields", input: "GET / HTTP/1.1\nHost: x\n" + strings.Repeat("A: b\n", 300_000) + "\n"},

	{name: "answer 204", input: "GET /204 HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "answer 304", input: "GET /304 HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "too little", input: "GET /short HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "too much", input: "GET /over HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "injection", input: "GET /inject HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "identity", input: "GET /identity HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "handler closes", input: "GET /close HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "trailers of a handler", input: "GET /trailers HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "panic", input: "GET /panic HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n"},
	{name: "abort", input: "GET /abort HTTP/1.1\nHost: x\n\n"},
	{name: "hints", input: "GET /hints HTTP/1.1\nHost: x\n\n"},
	{name: "unusual status", input: "GET /799 HTTP/1.1\nHost: x\n\n"},
}

// handleOdd is the handler of both servers.
func handleOdd(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	switch r.URL.Path {
	case "/ignore":
		_, _ = io.WriteString(w, "ignored")
	case "/chunked":
		_, _ = io.WriteString(w, "a")
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "b")
	case "/204":
		h.Set("Content-Length", "5")
		w.WriteHeader(204)
		_, err := io.WriteString(w, "hello")
		if err != http.ErrBodyNotAllowed {
			panic(err)
		}
	case "/304":
		w.WriteHeader(304)
	case "/short":
		h.Set("Content-Length", "10")
		_, _ = io.WriteString(w, "short")
	case "/over":
		h.Set("Content-Length", "2")
		_, _ = io.WriteString(w, "ok")
		if _, err := io.WriteString(w, "more"); err != http.ErrContentLength {
			panic(err)
		}
	case "/inject":
		h.Set("A", "b\r\nSet-Cookie: evil")
		h["Bad Name\r\nX: y"] = []string{"z"}
		h.Set("B", "  trimmed  ")
	case "/identity":
		h.Set("Transfer-Encoding", "identity")
		_, _ = io.WriteString(w, "until the end")
	case "/close":
		h.Set("Connection", "close")
	case "/trailers":
		h.Set("Trailer", "First, Content-Length")
		_, _ = io.WriteString(w, "body")
		h.Set("First", "1")
		h.Set(http.TrailerPrefix+"Second", "2")
	case "/panic":
		panic("on purpose")
	case "/abort":
		_, _ = io.WriteString(w, "a part")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	case "/hints":
		h.Set("Link", "<style>")
		w.WriteHeader(103)
		_, _ = io.WriteString(w, "page")
	case "/799":
		w.WriteHeader(799)
	default:
		body, err := io.ReadAll(r.Body)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("bad body")
		}
		fmt.Fprintf(w, "%s %s %s %s %q %v %d %v", r.Method, r.Host, r.URL, r.Proto, body, err, r.ContentLength, r.Trailer)
	}
}

// converse sends input to a server, shuts down the writing side, and tells what comes:
// statuses, headers and bodies in full, and a summary with the statuses and the state
// of the connection.
func converse(address, input string) (full, summary string) {
	conn, err := stdnet.Dial("tcp", address)
	if err != nil {
		return err.Error(), ""
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(runtimetest.Patience))
	if rest, ok := strings.CutPrefix(input, "lf:"); ok {
		input = rest
	} else {
		input = strings.ReplaceAll(input, "\n", "\r\n")
	}
	_, _ = io.WriteString(conn, input)
	var said strings.Builder
	in := bufio.NewReader(conn)
	var states []string
	for first := true; ; first = false {
		method := "GET"
		if strings.HasPrefix(input, "HEAD") {
			method = "HEAD"
		}
		if !first || strings.Count(input, "HTTP/1.") < 2 {
			_ = conn.(*stdnet.TCPConn).CloseWrite()
		}
		resp, err := stdhttp.ReadResponse(in, &stdhttp.Request{Method: method})
		if err != nil {
			break
		}
		body, err := io.ReadAll(resp.Body)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return "it does not answer", ""
		}
		broken := ""
		if err != nil {
			broken = "broken"
		}
		resp.Header.Del("Date")
		fmt.Fprintf(&said, "%s %d %v %v %q %s %v %v\n",
			resp.Proto, resp.StatusCode, resp.Header, resp.TransferEncoding, body, broken, resp.Trailer, resp.Close)
		state := map[bool]string{true: "close", false: "kept"}[resp.Close]
		if resp.StatusCode < 200 {
			state = "interim"
		}
		states = append(states, fmt.Sprint(resp.StatusCode, " ", state))
	}
	return said.String(), strings.Join(states, ", ")
}

// TestOdd compares our answers with the standard library's.
func TestOdd(t *testing.T) {
	rt := runtimetest.New(t, 2)
	_, ours := serve(t, rt, handleOdd)
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	std := &stdhttp.Server{Handler: stdhttp.HandlerFunc(handleOdd), ErrorLog: quiet}
	go func() { _ = std.Serve(l) }()
	defer std.Close()
	for _, o := range odd {
		t.Run(o.name, func(t *testing.T) {
			got, summary := converse(ours, o.input)
			want, wantSummary := converse(l.Addr().String(), o.input)
			switch {
			case o.own != "" && (o.why == "" || o.own == wantSummary):
				t.Errorf("std says %s, too", wantSummary)
			case o.own != "" && summary != o.own:
				t.Errorf("got %s, want %s:\n%s", summary, o.own, got)
			case o.own == "" && summary != wantSummary:
				t.Errorf("got %s, std says %s\nours: %sstd:  %s", summary, wantSummary, got, want)
			case o.own == "" && !strings.Contains(summary, "4") && !strings.Contains(summary, "5") && got != want:
				// What is refused is so in words of our own.
				t.Errorf("differs:\nours: %sstd:  %s", got, want)
			}
		})
	}
}
