package server

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	stdnet "net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/storage"
)

// parts gives the pieces of some data one by one, each with one call.
type parts [][]byte

func (p *parts) Read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	if (*p)[0] = (*p)[0][n:]; len((*p)[0]) == 0 {
		*p = (*p)[1:]
	}
	return n, nil
}

// partConn is a data connection that gives parts, and keeps what is sent.
type partConn struct {
	stdnet.Conn
	parts
	sent bytes.Buffer
}

func (c *partConn) Read(b []byte) (int, error)       { return c.parts.Read(b) }
func (c *partConn) Write(b []byte) (int, error)      { return c.sent.Write(b) }
func (c *partConn) SetReadDeadline(time.Time) error  { return nil }
func (c *partConn) SetWriteDeadline(time.Time) error { return nil }

// partFile is a file that gives parts.
type partFile struct {
	storage.File
	parts
}

func (f *partFile) Read(b []byte) (int, error) { return f.parts.Read(b) }

// keeper is an upload that is kept.
type keeper struct{ bytes.Buffer }

func (*keeper) Commit() error { return nil }
func (*keeper) Abort() error  { return nil }

// alone returns a transfer without a server.
func alone(mode ftp.Mode) *transfer {
	return &transfer{mode: mode, level: zlib.DefaultCompression, session: &session{
		engine: Goroutines(),
		cfg:    &Config{StallTimeout: time.Minute},
	}}
}

// sent returns what RETR sends for a file that is read in parts.
func sent(t *testing.T, mode ftp.Mode, typ ftp.Type, file ...[]byte) string {
	t.Helper()
	var filter func(dst, src []byte) []byte
	if typ == ftp.TypeASCII {
		filter = new(ftp.ASCIIEncoder).Append
	}
	c := new(partConn)
	f := &source{engine: Goroutines(), file: &partFile{parts: slices.Clone(file)}}
	err := alone(mode).inMode(c, func(t *transfer, c stdnet.Conn) error { return t.sendFiltered(c, f, filter) })
	if err != nil {
		t.Fatal(err)
	}
	if mode == ftp.ModeDeflate {
		return unpacked(t, c.sent.String())
	}
	return c.sent.String()
}

// stored returns what STOR stores of what comes in parts.
func stored(t *testing.T, mode ftp.Mode, typ ftp.Type, wire ...[]byte) string {
	t.Helper()
	var decoder *ftp.ASCIIDecoder
	if typ == ftp.TypeASCII {
		decoder = new(ftp.ASCIIDecoder)
	}
	k := new(keeper)
	f := &sink{engine: Goroutines(), upload: k, left: noLength}
	err := alone(mode).inMode(&partConn{parts: slices.Clone(wire)}, func(t *transfer, c stdnet.Conn) error { return t.receive(c, f, decoder) })
	if err != nil {
		t.Fatal(err)
	}
	return k.String()
}

func packed(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := io.WriteString(w, s)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func unpacked(t *testing.T, s string) string {
	t.Helper()
	r, err := zlib.NewReader(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// FIELD A16: TYPE A is exact wherever the disk or the network cuts the text, in
// either mode, and TYPE I changes nothing (FIELD A17).
func TestASCIIAtEverySplit(t *testing.T) {
	const text = "a\r\nb\n\r\r\n\n\nc\rd\r\r\ne\r"
	wire := strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
	disk := strings.ReplaceAll(text, "\r\n", "\n")
	for _, mode := range []ftp.Mode{ftp.ModeStream, ftp.ModeDeflate} {
		onWire := text
		if mode == ftp.ModeDeflate {
			onWire = packed(t, text)
		}
		check := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("mode %v, %s: %q, not %q", mode, what, got, want)
			}
		}
		for i := range len(text) + 1 {
			for j := i; j <= len(text); j++ {
				cut := [][]byte{[]byte(text[:i]), []byte(text[i:j]), []byte(text[j:])}
				check(fmt.Sprintf("sent in parts at %d, %d", i, j), sent(t, mode, ftp.TypeASCII, cut...), wire)
				check(fmt.Sprintf("sent as it is in parts at %d, %d", i, j), sent(t, mode, ftp.TypeImage, cut...), text)
			}
		}
		for i := range len(onWire) + 1 {
			for j := i; j <= len(onWire); j++ {
				cut := [][]byte{[]byte(onWire[:i]), []byte(onWire[i:j]), []byte(onWire[j:])}
				check(fmt.Sprintf("stored from parts at %d, %d", i, j), stored(t, mode, ftp.TypeASCII, cut...), disk)
				check(fmt.Sprintf("stored as it is from parts at %d, %d", i, j), stored(t, mode, ftp.TypeImage, cut...), text)
			}
		}
	}
}

// FuzzInflate gives MODE Z anything. What it takes for whole must be so, and it
// stores no more than it may.
func FuzzInflate(f *testing.F) {
	for _, s := range []string{"", "x", strings.Repeat("ab", 1000)} {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = io.WriteString(w, s)
		_ = w.Close()
		f.Add(b.Bytes(), 3)
		f.Add(append(b.Bytes(), 'x'), 0)
		f.Add(b.Bytes()[:b.Len()-1], 100)
	}
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		const room = 1 << 16
		if at < 0 || at > len(data) {
			at = len(data)
		}
		k := new(keeper)
		to := &sink{engine: Goroutines(), upload: k, left: room}
		err := alone(ftp.ModeDeflate).inMode(&partConn{parts: parts{data[:at:at], data[at:]}}, func(t *transfer, c stdnet.Conn) error {
			return t.receive(c, to, nil)
		})
		in := bytes.NewReader(data)
		var whole []byte
		z, zerr := zlib.NewReader(in)
		if zerr == nil {
			whole, zerr = io.ReadAll(z)
		}
		// A stream of no bytes at all is an empty one.
		good := len(data) == 0 || zerr == nil && in.Len() == 0 && len(whole) <= room
		if (err == nil) != good || k.Len() > room {
			t.Fatalf("%x: %v, %d bytes stored; zlib says %v, %d bytes, %d left", data, err, k.Len(), zerr, len(whole), in.Len())
		}
		if good && k.String() != string(whole) {
			t.Fatalf("%x: stored %q", data, k.String())
		}
	})
}
