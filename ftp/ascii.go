package ftp

import "bytes"

// TYPE A (RFC 959 section 3.1.1.1) has lines that end with CRLF on the wire and
// with LF in files here. The two converters below hold one byte of state, so
// that the result does not depend on where the data is cut. Nothing else is
// converted: a lone CR is data, and so is every byte above 127.

// ASCIIEncoder turns the lines of a file into those of the wire, as RETR sends
// them: LF becomes CRLF, except behind a CR, where it stays, so that a file
// that has CRLF already arrives as it is. The zero value is ready. Nothing needs
// to be flushed at the end.
type ASCIIEncoder struct {
	cr bool // the last byte was CR
}

// Append appends src converted to dst.
func (a *ASCIIEncoder) Append(dst, src []byte) []byte {
	for len(src) > 0 {
		i := bytes.IndexByte(src, '\n')
		if i < 0 {
			a.cr = src[len(src)-1] == '\r'
			return append(dst, src...)
		}
		if i > 0 {
			a.cr = src[i-1] == '\r'
		}
		dst = append(dst, src[:i]...)
		if !a.cr {
			dst = append(dst, '\r')
		}
		dst = append(dst, '\n')
		a.cr = false
		src = src[i+1:]
	}
	return dst
}

// Size returns the number of bytes Append would append for src, and moves on as
// Append does. The sum over a file is its SIZE under TYPE A (RFC 3659 section 4).
func (a *ASCIIEncoder) Size(src []byte) int {
	n := len(src)
	for len(src) > 0 {
		i := bytes.IndexByte(src, '\n')
		if i < 0 {
			a.cr = src[len(src)-1] == '\r'
			break
		}
		if i > 0 {
			a.cr = src[i-1] == '\r'
		}
		if !a.cr {
			n++
		}
		a.cr = false
		src = src[i+1:]
	}
	return n
}

// Reset makes the encoder ready for another file.
func (a *ASCIIEncoder) Reset() { a.cr = false }

// ASCIIDecoder turns the lines of the wire into those of a file, as STOR
// receives them: CRLF becomes LF; a CR before anything else stays. The zero
// value is ready; Flush must be called at the end.
type ASCIIDecoder struct {
	cr bool // a CR was taken and is not appended yet
}

// Append appends src converted to dst. A CR at the end of src waits for the
// next call, or Flush. dst may be src[:0], converting in place, but only if no CR
// waits: see Pending.
func (a *ASCIIDecoder) Append(dst, src []byte) []byte {
	if len(src) == 0 {
		return dst
	}
	if a.cr && src[0] != '\n' {
		dst = append(dst, '\r')
	}
	a.cr = false
	for {
		i := bytes.IndexByte(src, '\r')
		if i < 0 {
			return append(dst, src...)
		}
		dst = append(dst, src[:i]...)
		src = src[i+1:]
		if len(src) == 0 {
			a.cr = true
			return dst
		}
		if src[0] != '\n' {
			dst = append(dst, '\r')
		}
	}
}

// Pending reports whether a CR waits for the byte after it.
func (a *ASCIIDecoder) Pending() bool { return a.cr }

// Flush appends what is left at the end of the data, a CR that was its last
// byte, and makes the decoder ready for another file.
func (a *ASCIIDecoder) Flush(dst []byte) []byte {
	if a.cr {
		dst = append(dst, '\r')
	}
	a.cr = false
	return dst
}
