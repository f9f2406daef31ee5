package wire

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// unhex makes the body of a header readable.
func unhex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

var proxyTable = []struct {
	name, in, from, to string // no from: ErrProxyHeader
}{
	{"v1 IPv4", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 21\r\n", "192.0.2.1:56324", "198.51.100.1:21"},
	{"v1 IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "[2001:db8::1]:1", "[2001:db8::2]:65535"},
	{"v1 mapped", "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.1 1 2\r\n", "192.0.2.1:1", "198.51.100.1:2"},
	{"v1 unknown", "PROXY UNKNOWN\r\n", "none", "none"},
	{"v1 unknown with more", "PROXY UNKNOWN ffff:: x 1 2\r\n", "none", "none"},
	{"v1 longest", "PROXY UNKNOWN " + strings.Repeat("x", maxProxyV1-16) + "\r\n", "none", "none"},
	{"v1 too long", "PROXY UNKNOWN " + strings.Repeat("x", maxProxyV1-15) + "\r\n", "", ""},
	{"v1 endless", "PROXY TCP4 " + strings.Repeat("1", 1<<16), "", ""},
	{"v1 without CR", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 21\n", "", ""},
	{"v1 family", "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", "", ""},
	{"v1 port", "PROXY TCP4 192.0.2.1 198.51.100.1 65536 21\r\n", "", ""},
	{"v1 port with zeros", "PROXY TCP4 192.0.2.1 198.51.100.1 001 21\r\n", "", ""},
	{"v1 short", "PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n", "", ""},
	{"v1 lower case", "proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n", "", ""},
	{"v1 two spaces", "PROXY TCP4  192.0.2.1 198.51.100.1 1 2\r\n", "", ""},
	{"a command", "USER alice\r\nPASS x\r\n", "", ""},
	{"two commands", "PROXY \r\nUSER alice\r\n", "", ""},

	{"v2 IPv4", proxyV2Magic + unhex("21 11 000c c0000201 c6336401 dc04 0015"), "192.0.2.1:56324", "198.51.100.1:21"},
	{"v2 with more", proxyV2Magic + unhex("21 11 000f c0000201 c6336401 dc04 0015 040000"), "192.0.2.1:56324", "198.51.100.1:21"},
	{
		"v2 IPv6", proxyV2Magic + unhex("21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 0001 0002"),
		"[2001:db8::1]:1", "[2001:db8::2]:2",
	},
	{"v2 local", proxyV2Magic + unhex("20 00 0000"), "none", "none"},
	{"v2 local with addresses", proxyV2Magic + unhex("20 11 000c c0000201 c6336401 dc04 0015"), "none", "none"},
	{"v2 unspecified", proxyV2Magic + unhex("21 00 0001 00"), "none", "none"},
	{"v2 unix", proxyV2Magic + unhex("21 31 0000"), "", ""},
	{"v2 UDP", proxyV2Magic + unhex("21 12 000c c0000201 c6336401 dc04 0015"), "", ""},
	{"v2 command", proxyV2Magic + unhex("22 11 000c c0000201 c6336401 dc04 0015"), "", ""},
	{"v2 version", proxyV2Magic + unhex("31 11 000c c0000201 c6336401 dc04 0015"), "", ""},
	{"v2 short", proxyV2Magic + unhex("21 11 000b c0000201 c6336401 dc04 00"), "", ""},
	{"v2 huge", proxyV2Magic + unhex("21 11 ffff"), "", ""},
}

func TestProxyHeader(t *testing.T) {
	const rest = "NOOP\r\n"
	for _, tc := range proxyTable {
		for _, r := range []io.Reader{
			strings.NewReader(tc.in + rest), iotest.OneByteReader(strings.NewReader(tc.in + rest)),
		} {
			h, err := ReadProxyHeader(r)
			if tc.from == "" {
				if err != ErrProxyHeader {
					t.Errorf("%s: %v, %v", tc.name, h, err)
				}
				continue
			}
			from, to := "none", "none"
			if h.From.IsValid() {
				from, to = h.From.String(), h.To.String()
			}
			if err != nil || from != tc.from || to != tc.to {
				t.Errorf("%s: %s, %s, %v", tc.name, from, to, err)
			}
			if b, _ := io.ReadAll(r); string(b) != rest {
				t.Errorf("%s: left %q", tc.name, b)
			}
		}
	}
	// A good header that is cut off is no header yet.
	for _, tc := range proxyTable {
		if tc.from == "" {
			continue
		}
		for i := range len(tc.in) {
			if _, err := ReadProxyHeader(strings.NewReader(tc.in[:i])); err != io.EOF && err != io.ErrUnexpectedEOF {
				t.Errorf("%s cut at %d: %v", tc.name, i, err)
			}
		}
	}
}

// FuzzProxyHeader: no panic, nothing read beyond the bound, and what version 1 is
// read as is what is printed as version 1.
func FuzzProxyHeader(f *testing.F) {
	for _, tc := range proxyTable {
		f.Add([]byte(tc.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bytes.NewReader(in)
		h, err := ReadProxyHeader(r)
		if used := len(in) - r.Len(); used > maxProxyV2+proxyV2Prefix {
			t.Fatalf("read %d bytes", used)
		}
		if err != nil {
			if h != (ProxyHeader{}) {
				t.Fatalf("%v with %v", h, err)
			}
			return
		}
		if h.From.IsValid() != h.To.IsValid() {
			t.Fatalf("half a header: %v", h)
		}
		if !h.From.IsValid() || h.From.Addr().Is4() != h.To.Addr().Is4() {
			return
		}
		family := "TCP6"
		if h.From.Addr().Is4() {
			family = "TCP4"
		}
		line := fmt.Sprintf("PROXY %s %s %s %d %d\r\n", family, h.From.Addr(), h.To.Addr(), h.From.Port(), h.To.Port())
		again, err := ReadProxyHeader(strings.NewReader(line))
		if err != nil || again != h {
			t.Fatalf("%q: %v, %v, want %v", line, again, err, h)
		}
	})
}
