package http

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
)

// sniffed is how much of a body DetectContentType looks at.
const sniffed = 512

// bodyAllowed reports whether a response of this status has a body (RFC 9110, 6.4.1).
func bodyAllowed(status int) bool {
	return status >= 200 && status != StatusNoContent && status != StatusNotModified
}

// commit decides how the body is sent, and writes the head. first is the beginning
// of the body; all of it, if the handler has returned.
func (w *response) commit(first []byte) {
	w.committed = true
	h, r := w.sent(), w.x.req
	// Fields that are not sent from h: those of our own, and those that would make
	// the framing ambiguous.
	drop := make([]string, 0, 8)
	trailers := w.findTrailers(h, &drop)
	w.decideClose(h)

	codings := h["Transfer-Encoding"]
	identity := len(codings) == 1 && codings[0] == "identity"
	length := w.length
	if length < 0 && w.done && !trailers && len(codings) == 0 && bodyAllowed(w.status) &&
		(r.Method != "HEAD" || len(first) > 0) {
		length = int64(len(first))
	}
	drop = append(drop, "Transfer-Encoding", "Content-Length")
	switch {
	case !bodyAllowed(w.status):
		if w.status == StatusNotModified {
			drop = append(drop, "Content-Type")
		}
		length = -1
	case length >= 0 && trailers:
		length = -1
		w.chunk(r)
	case length >= 0:
		w.length = length
	case r.Method == "HEAD":
	case identity:
		w.closes = true
	default:
		w.chunk(r)
	}
	connection := ""
	if w.keepAlive10 && !w.closes && h["Connection"] == nil {
		connection = "keep-alive"
	}
	if w.closes && w.status != StatusSwitchingProtocols {
		drop = append(drop, "Connection")
		if r.ProtoAtLeast(1, 1) || httpguts.HeaderValuesContainsToken(h["Connection"], "close") {
			connection = "close"
		}
	}

	out := &w.x.conn.out
	writeStatusLine(out, r.ProtoAtLeast(1, 1), w.status)
	writeFields(out, h, drop)
	if h["Date"] == nil {
		out.writeString("Date: ")
		out.writeString(date(time.Now()))
		out.writeString("\r\n")
	}
	if _, typed := h["Content-Type"]; !typed && len(first) > 0 && bodyAllowed(w.status) &&
		len(codings) == 0 && h.Get("Content-Encoding") == "" {
		writeField(out, "Content-Type", DetectContentType(first))
	}
	if connection != "" {
		writeField(out, "Connection", connection)
	}
	if w.chunked {
		out.writeString("Transfer-Encoding: chunked\r\n")
	} else if length >= 0 {
		out.writeString("Content-Length: ")
		out.writeInt(length, 10)
		out.writeString("\r\n")
	}
	out.writeString("\r\n")
}

// chunk sends the body in chunks, or until the connection's end to who does not
// know of chunks.
func (w *response) chunk(r *Request) {
	w.length = -1
	if r.ProtoAtLeast(1, 1) {
		w.chunked = r.Method != "HEAD"
	} else {
		w.closes = true
	}
}

// decideClose decides whether the connection can be kept, as far as the request and
// the handler's header are concerned. What the handler has left of the request's body
// is read here: many clients do not read an answer before they have sent all.
func (w *response) decideClose(h Header) {
	r := w.x.req
	if r.Close || !w.x.conn.server.keepsAlive() || httpguts.HeaderValuesContainsToken(h["Connection"], "close") {
		w.closes = true
	}
	if w.x.body == nil || w.closes || w.fullDuplex {
		return
	}
	if !w.x.body.drain(maxUnread) {
		w.closes = true
	}
}

// findTrailers notes the trailers that h announces, and takes those that are marked
// with TrailerPrefix out of what is sent.
func (w *response) findTrailers(h Header, drop *[]string) (any bool) {
	for _, v := range h["Trailer"] {
		any = true
		for name := range strings.SplitSeq(v, ",") {
			name = CanonicalHeaderKey(strings.TrimSpace(name))
			if httpguts.ValidTrailerHeader(name) && name != "" {
				w.trailers = append(w.trailers, name)
				*drop = append(*drop, name)
			}
		}
	}
	for name := range h {
		if strings.HasPrefix(name, TrailerPrefix) {
			any = true
			*drop = append(*drop, name)
		}
	}
	return any
}

// writeTrailers writes the trailers there are by now.
func (w *response) writeTrailers() {
	if len(w.header) == 0 {
		return
	}
	trailers := make(Header)
	for name, values := range w.header {
		if name, ok := strings.CutPrefix(name, TrailerPrefix); ok && httpguts.ValidTrailerHeader(CanonicalHeaderKey(name)) {
			trailers[name] = values
		}
	}
	for _, name := range w.trailers {
		if values, ok := w.header[name]; ok {
			trailers[name] = values
		}
	}
	writeFields(&w.x.conn.out, trailers, nil)
}

func writeStatusLine(out *output, http11 bool, status int) {
	proto := "HTTP/1.1 "
	if !http11 {
		proto = "HTTP/1.0 "
	}
	out.writeString(proto)
	out.writeInt(int64(status), 10)
	out.writeString(" ")
	text := StatusText(status)
	if text == "" {
		text = "status code " + strconv.Itoa(status)
	}
	out.writeString(text)
	out.writeString("\r\n")
}

// writeFields writes those of h that are not in drop, in the order of their names.
// A name that is none is left out, and a line break in a value becomes a space: a
// handler that puts in there what a client has said gives it no line of its own.
func writeFields(out *output, h Header, drop []string) {
	var few [16]string
	names := few[:0]
	for name := range h {
		if !slices.Contains(drop, name) {
			names = append(names, name)
		}
	}
	if len(names) > 1 {
		slices.Sort(names)
	}
	for _, name := range names {
		if !httpguts.ValidHeaderFieldName(name) {
			continue
		}
		for _, v := range h[name] {
			writeField(out, name, v)
		}
	}
}

func writeField(out *output, name, value string) {
	out.writeString(name)
	out.writeString(": ")
	if strings.ContainsAny(value, "\r\n") {
		value = breaks.Replace(value)
	}
	out.writeString(strings.Trim(value, " \t"))
	out.writeString("\r\n")
}

var breaks = strings.NewReplacer("\n", " ", "\r", " ")

// dated is a second as a header has it.
type dated struct {
	second int64
	text   string
}

var lastDate atomic.Pointer[dated]

// date returns now as a header has it. It is the same for a second.
func date(now time.Time) string {
	second := now.Unix()
	if d := lastDate.Load(); d != nil && d.second == second {
		return d.text
	}
	d := &dated{second, now.UTC().Format(TimeFormat)}
	lastDate.Store(d)
	return d.text
}
