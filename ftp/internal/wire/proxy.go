package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// ErrProxyHeader is what ReadProxyHeader returns for bytes that are no header of
// the PROXY protocol. The connection is of no use then.
var ErrProxyHeader = errors.New("ftp: no PROXY protocol header")

// A ProxyHeader is what a proxy tells of the connection it passes on. Both
// addresses are the zero value if it tells nothing: it made the connection
// itself, to look whether the server lives, or does not know.
type ProxyHeader struct {
	From netip.AddrPort // the client
	To   netip.AddrPort // what the client has connected to
}

const (
	proxyV2Magic  = "\r\n\r\n\x00\r\nQUIT\n"
	maxProxyV1    = 107 // bytes with CRLF, as the specification has it
	maxProxyV2    = 4096
	proxyV2Prefix = len(proxyV2Magic) + 4
)

// ReadProxyHeader reads a header of the PROXY protocol, version 1 or 2, and
// takes no byte behind it from r: a TLS handshake may follow. It reads at most
// four kilobytes. Errors are ErrProxyHeader and those of r.
func ReadProxyHeader(r io.Reader) (ProxyHeader, error) {
	var buf [proxyV2Prefix]byte
	head := buf[:len(proxyV2Magic)] // no header of version 1 is as short
	if _, err := io.ReadFull(r, head); err != nil {
		return ProxyHeader{}, err
	}
	if string(head) == proxyV2Magic {
		if _, err := io.ReadFull(r, buf[len(head):]); err != nil {
			return ProxyHeader{}, err
		}
		return readProxyV2(r, buf[len(head):])
	}
	return readProxyV1(r, head)
}

// readProxyV1 reads "PROXY TCP4 from to port port" and CRLF, byte by byte.
func readProxyV1(r io.Reader, head []byte) (ProxyHeader, error) {
	if !bytes.HasPrefix(head, []byte("PROXY ")) || bytes.IndexByte(head, '\n') >= 0 {
		return ProxyHeader{}, ErrProxyHeader
	}
	line := append(make([]byte, 0, maxProxyV1), head...)
	for line[len(line)-1] != '\n' {
		if len(line) == maxProxyV1 {
			return ProxyHeader{}, ErrProxyHeader
		}
		line = line[:len(line)+1]
		if _, err := io.ReadFull(r, line[len(line)-1:]); err != nil {
			return ProxyHeader{}, err
		}
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok {
		return ProxyHeader{}, ErrProxyHeader
	}
	f := strings.Split(text, " ")
	if f[1] == "UNKNOWN" {
		return ProxyHeader{}, nil // whatever follows
	}
	if len(f) != 6 || f[1] != "TCP4" && f[1] != "TCP6" {
		return ProxyHeader{}, ErrProxyHeader
	}
	from, ok1 := proxyAddr(f[2], f[4], f[1] == "TCP4")
	to, ok2 := proxyAddr(f[3], f[5], f[1] == "TCP4")
	if !ok1 || !ok2 {
		return ProxyHeader{}, ErrProxyHeader
	}
	return ProxyHeader{from, to}, nil
}

func proxyAddr(addr, port string, v4 bool) (netip.AddrPort, bool) {
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Zone() != "" || a.Is4() != v4 {
		return netip.AddrPort{}, false
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil || port != strconv.FormatUint(p, 10) {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(p)), true
}

// readProxyV2 reads what follows the magic; head is version, family and length.
func readProxyV2(r io.Reader, head []byte) (ProxyHeader, error) {
	length := int(binary.BigEndian.Uint16(head[2:]))
	if head[0]>>4 != 2 || length > maxProxyV2 {
		return ProxyHeader{}, ErrProxyHeader
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return ProxyHeader{}, err
	}
	const local, proxied = 0, 1
	const tcp4, tcp6 = 0x11, 0x21
	command, size := head[0]&0xf, 0
	switch {
	case command == local:
		return ProxyHeader{}, nil
	case command != proxied:
		return ProxyHeader{}, ErrProxyHeader
	case head[1] == 0: // unspecified
		return ProxyHeader{}, nil
	case head[1] == tcp4:
		size = 4
	case head[1] == tcp6:
		size = 16
	}
	if size == 0 || length < 2*size+4 {
		return ProxyHeader{}, ErrProxyHeader
	}
	from, _ := netip.AddrFromSlice(body[:size])
	to, _ := netip.AddrFromSlice(body[size : 2*size])
	ports := body[2*size:]
	return ProxyHeader{
		netip.AddrPortFrom(from.Unmap(), binary.BigEndian.Uint16(ports)),
		netip.AddrPortFrom(to.Unmap(), binary.BigEndian.Uint16(ports[2:])),
	}, nil
}
