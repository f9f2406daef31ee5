package net

import (
	"net/netip"
	"sync"
	"syscall"
	"unsafe"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// Message is a datagram of a batch. It has the fields of ipv4.Message of
// golang.org/x/net, but a compact address, which costs no allocation. (The
// PacketConn of that package works on a UDPConn of ours too.)
type Message struct {
	// Buffers are filled with the datagram, or hold its parts, in this order.
	Buffers [][]byte

	// OOB has room for its control data, or holds them; nil for none.
	OOB []byte

	// Addr is the sender, or the destination: the zero AddrPort for the peer of a
	// connected socket.
	Addr netip.AddrPort

	N     int // how many bytes were received into, or sent from, Buffers
	NN    int // the same of OOB
	Flags int // of recvmsg(2), as it was received
}

// ReadBatch receives up to len(ms) datagrams by one system call. It parks until
// there is one, takes those that are there, and returns how many: it does not wait
// for ms to be full. flags are those of recvmmsg(2), mostly 0. It sets all fields
// but Buffers and OOB. The system takes no more than 1024 at once.
func (c *UDPConn) ReadBatch(ms []Message, flags int) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	b := newBatch(ms)
	defer b.free()
	n, err := c.fd.ReadBatch(b.headers, flags)
	if err != nil {
		return 0, c.messageError("recvmmsg", err)
	}
	for i := range ms[:n] {
		h := &b.headers[i]
		ms[i].N, ms[i].NN, ms[i].Flags = int(h.N), int(h.Header.Controllen), int(h.Header.Flags)
		ms[i].Addr = addrPortOf(c.family, &b.addrs[i])
	}
	return n, nil
}

// WriteBatch sends up to len(ms) datagrams by one system call, and returns how
// many. It parks until there is room for the first. Those for which there is no
// room then, and those after one that fails, are left for another call, which
// returns the error. flags are those of sendmmsg(2), mostly 0. It sets N and NN of
// what was sent. The system takes no more than 1024 at once.
func (c *UDPConn) WriteBatch(ms []Message, flags int) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	b := newBatch(ms)
	defer b.free()
	headers := b.headers
	for i := range ms {
		size := uint32(0)
		if !c.connected || ms[i].Addr.IsValid() {
			var err error
			if size, err = c.destinationAddrPort(&b.addrs[i], ms[i].Addr); err != nil {
				if i == 0 {
					return 0, c.writeError("sendmmsg", addrPortUDPAddr{ms[i].Addr}, err)
				}
				headers = headers[:i]
				break
			}
		}
		headers[i].Header.Namelen = size
	}
	n, err := c.fd.WriteBatch(headers, flags)
	if err != nil {
		var first netip.AddrPort
		if len(ms) > 0 {
			first = ms[0].Addr
		}
		return 0, c.writeError("sendmmsg", addrPortUDPAddr{first}, err)
	}
	for i := range ms[:n] {
		ms[i].N, ms[i].NN = int(headers[i].N), len(ms[i].OOB)
	}
	return n, nil
}

// batch is what the kernel is told of messages.
type batch struct {
	headers []poll.Message
	addrs   []unix.RawSockaddrAny
	vectors []unix.Iovec
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// newBatch returns the batch of ms, without addresses.
func newBatch(ms []Message) *batch {
	b := batches.Get().(*batch)
	vectors := 0
	for i := range ms {
		vectors += len(ms[i].Buffers)
	}
	b.headers = sized(b.headers, len(ms))
	b.addrs = sized(b.addrs, len(ms))
	b.vectors = sized(b.vectors, vectors)
	rest := b.vectors
	for i := range ms {
		m, h := &ms[i], &b.headers[i].Header
		h.Name = (*byte)(unsafe.Pointer(&b.addrs[i]))
		h.Namelen = unix.SizeofSockaddrAny
		for j, p := range m.Buffers {
			rest[j].Base = unsafe.SliceData(p)
			rest[j].SetLen(len(p))
		}
		if len(m.Buffers) > 0 {
			h.Iov = &rest[0]
			h.SetIovlen(len(m.Buffers))
			rest = rest[len(m.Buffers):]
		}
		if len(m.OOB) > 0 {
			h.Control = unsafe.SliceData(m.OOB)
			h.SetControllen(len(m.OOB))
		}
	}
	return b
}

// sized returns n zero elements, in the memory of s if that is large enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// free gives b back. It must not keep the caller's buffers alive.
func (b *batch) free() {
	clear(b.headers)
	clear(b.vectors)
	batches.Put(b)
}
